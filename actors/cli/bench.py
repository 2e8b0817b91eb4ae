"""`polytrade bench`: what this machine does with Polytrade, beside what it does with nothing in the way."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import click

from actors.cli.output import echo, note, print_json
from actors.cli.shown import count, table_text

__all__ = ["FIGURES", "Figure", "bench"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: how it is called, what is wanted of it, and what measures it, and the bare machine, once.

    `run` and `bare` are "module:function"; each takes nothing and returns a number in `unit`.
    """

    name: str
    title: str
    unit: str
    at_least: str
    aim: str
    run: str
    bare: str
    bare_title: str
    rounds: int = 3


MEASURE = "actors.cli.benchmarks.measure"

# Every benchmark there is. Modules are imported when a figure is asked for.
FIGURES: tuple[Figure, ...] = (
    Figure(
        name="loop_messages",
        title="messages through the loop, two cells",
        unit="messages/s",
        at_least="700,000",
        aim="1,500,000",
        run="actors.cli.benchmarks.messages:loop_messages",
        bare=f"{MEASURE}:bare_loop_per_s",
        bare_title="deque and method call",
    ),
    Figure(
        name="quotes_virtual",
        title="quotes through one strategy, virtual time",
        unit="quotes/s",
        at_least="400,000",
        aim="1,000,000",
        run="actors.cli.benchmarks.quotes:quotes_virtual_per_s",
        bare=f"{MEASURE}:bare_loop_per_s",
        bare_title="deque and method call",
    ),
    Figure(
        name="orders_durable",
        title="orders through the whole chain, on disk",
        unit="orders/s",
        at_least="20,000",
        aim="50,000",
        run="actors.cli.benchmarks.orders:orders_durable_per_s",
        bare=f"{MEASURE}:bare_fsync_per_s",
        bare_title="fsyncs of 4 KiB per second",
    ),
    Figure(
        name="orders_flat",
        title="that rate after 1 M orders / of a new node",
        unit="ratio",
        at_least="0.9",
        aim="0.98",
        run="actors.cli.benchmarks.orders:orders_flat",
        bare=f"{MEASURE}:bare_loop_per_s",
        bare_title="deque and method call",
        rounds=1,
    ),
    Figure(
        name="quotes_idle",
        title="quotes through all actors, backtest, idle strategy",
        unit="quotes/CPU s",
        at_least="500,000",
        aim="1,000,000",
        run="actors.cli.benchmarks.history:quotes_idle_per_s",
        bare=f"{MEASURE}:bare_loop_per_s",
        bare_title="deque and method call",
    ),
    Figure(
        name="ema_cross_bars",
        title="bars through all actors, backtest, order at each cross",
        unit="bars/CPU s",
        at_least="86,000",
        aim="215,000",
        run="actors.cli.benchmarks.history:ema_cross_bars_per_s",
        bare=f"{MEASURE}:bare_loop_per_s",
        bare_title="deque and method call",
    ),
    Figure(
        name="submit_cancel",
        title="orders submitted and canceled, backtest",
        unit="orders/CPU s",
        at_least="20,000",
        aim="40,000",
        run="actors.cli.benchmarks.history:submit_cancel_per_s",
        bare=f"{MEASURE}:bare_loop_per_s",
        bare_title="deque and method call",
    ),
    Figure(
        name="submit_cancel_flat",
        title="that rate after 1 M orders / of a new node",
        unit="ratio",
        at_least="0.9",
        aim="0.98",
        run="actors.cli.benchmarks.history:submit_cancel_flat",
        bare=f"{MEASURE}:bare_loop_per_s",
        bare_title="deque and method call",
        rounds=1,
    ),
    Figure(
        name="bars_memory",
        title="peak memory of a million bars",
        unit="MiB",
        at_least="300",
        aim="150",
        run="actors.cli.benchmarks.history:bars_memory_mib",
        bare="actors.cli.benchmarks.whole:bare_python_mib",
        bare_title="a Python with nothing imported, MiB",
        rounds=1,
    ),
    Figure(
        name="kernel_one",
        title="the kernel, 1 M bars, one configuration",
        unit="M bars/CPU s",
        at_least="30",
        aim="100",
        run="actors.cli.benchmarks.kernel:kernel_one",
        bare="actors.cli.benchmarks.kernel:bare_one",
        bare_title="two averages in bare numba",
        rounds=5,
    ),
    Figure(
        name="kernel_hundred",
        title="the kernel, 1 M bars, 100 configurations, all cores",
        unit="M bars x configs/s",
        at_least="60",
        aim="100",
        run="actors.cli.benchmarks.kernel:kernel_hundred",
        bare="actors.cli.benchmarks.kernel:bare_hundred",
        bare_title="two averages in bare numba, all cores",
    ),
    Figure(
        name="kernel_ticks",
        title="the tick kernel, queue and latency, act every 100 ms",
        unit="M events/CPU s",
        at_least="5",
        aim="11",
        run="actors.cli.benchmarks.kernel_ticks:kernel_ticks",
        bare="actors.cli.benchmarks.kernel_ticks:bare_ticks",
        bare_title="the book alone in bare numba",
        rounds=5,
    ),
    Figure(
        name="kernel_memory",
        title="peak memory of those 100 configurations",
        unit="MiB",
        at_least="1,000",
        aim="500",
        run="actors.cli.benchmarks.kernel:kernel_memory_mib",
        bare="actors.cli.benchmarks.whole:bare_python_mib",
        bare_title="a Python with nothing imported, MiB",
        rounds=1,
    ),
    Figure(
        name="backtest_report",
        title="report of a year of minutes with 15,000 fills",
        unit="CPU s",
        at_least="10",
        aim="3",
        run="actors.cli.benchmarks.reports:backtest_report_s",
        bare=f"{MEASURE}:bare_loop_per_s",
        bare_title="deque and method call",
    ),
    Figure(
        name="backtest_report_size",
        title="size of that page",
        unit="kB",
        at_least="1,000",
        aim="500",
        run="actors.cli.benchmarks.reports:backtest_report_kb",
        bare=f"{MEASURE}:bare_loop_per_s",
        bare_title="deque and method call",
        rounds=1,
    ),
    Figure(
        name="ack_p99",
        title="acknowledgement p99 at 5,000 orders/s",
        unit="ms",
        at_least="3x + 1 ms",
        aim="1.5x",
        run="actors.cli.benchmarks.orders:ack_p99_ms",
        bare=f"{MEASURE}:bare_fsync_ms",
        bare_title="p99 of a bare fsync, ms",
    ),
    Figure(
        name="book_decode",
        title="a book update, from bytes to quote and book",
        unit="CPU us",
        at_least="15",
        aim="5",
        run="actors.cli.benchmarks.wire:book_decode_us",
        bare="actors.cli.benchmarks.wire:bare_json_book_us",
        bare_title="untyped JSON of the same bytes, us",
    ),
    Figure(
        name="order_event_decode",
        title="an order event or fill, from bytes to our message",
        unit="CPU us",
        at_least="15",
        aim="5",
        run="actors.cli.benchmarks.wire:order_event_decode_us",
        bare="actors.cli.benchmarks.wire:bare_json_order_us",
        bare_title="untyped JSON of the same bytes, us",
    ),
    Figure(
        name="simulation_speed",
        title="the local deployment simulated, bytes and faults included",
        unit="simulated s/CPU s",
        at_least="600",
        aim="3,600",
        run="actors.cli.benchmarks.simulated:simulation_speed",
        bare=f"{MEASURE}:bare_loop_per_s",
        bare_title="deque and method call",
    ),
    Figure(
        name="sign_build",
        title="an order, from our message to the signed request",
        unit="CPU us",
        at_least="40",
        aim="20",
        run="actors.cli.benchmarks.wire:sign_build_us",
        bare="actors.cli.benchmarks.wire:bare_hmac_us",
        bare_title="one HMAC-SHA256, us",
    ),
    Figure(
        name="socket_to_decision",
        title="socket read to decision p99, 20 symbols x 100/s",
        unit="ms",
        at_least="5",
        aim="1",
        run="actors.cli.benchmarks.socket_path:socket_to_decision_ms",
        bare="actors.cli.benchmarks.socket_path:bare_handover_ms",
        bare_title="p99 of a hand-over between threads, ms",
    ),
    Figure(
        name="socket_to_decision_burst",
        title="the same with bursts of 10x",
        unit="ms",
        at_least="20",
        aim="10",
        run="actors.cli.benchmarks.socket_path:socket_to_decision_burst_ms",
        bare="actors.cli.benchmarks.socket_path:bare_handover_ms",
        bare_title="p99 of a hand-over between threads, ms",
    ),
    Figure(
        name="exchange_orders",
        title="orders the local exchange accepts, 8 connections",
        unit="orders/s",
        at_least="2,000",
        aim="5,000",
        run="actors.cli.benchmarks.exchange_orders:exchange_orders_per_s",
        bare="actors.cli.benchmarks.exchange_orders:bare_http_per_s",
        bare_title="the same client, a constant answer of aiohttp",
    ),
    Figure(
        name="exchange_order_cpu",
        title="what one of them costs the exchange",
        unit="CPU us",
        at_least="500",
        aim="200",
        run="actors.cli.benchmarks.exchange_orders:exchange_order_cpu_us",
        bare="actors.cli.benchmarks.wire:bare_hmac_us",
        bare_title="one HMAC-SHA256, us",
    ),
    Figure(
        name="recovery",
        title="kill -9 to ready, 1 M events, 10 k open",
        unit="s",
        at_least="5",
        aim="1",
        run="actors.cli.benchmarks.recovery:recovery_s",
        bare=f"{MEASURE}:bare_fsync_ms",
        bare_title="p99 of a bare fsync, ms",
    ),
    Figure(
        name="actor_restart",
        title="restart of one actor",
        unit="ms",
        at_least="50",
        aim="10",
        run="actors.cli.benchmarks.recovery:actor_restart_ms",
        bare=f"{MEASURE}:bare_fsync_ms",
        bare_title="p99 of a bare fsync, ms",
    ),
    Figure(
        name="idle_memory",
        title="idle node, paper deployment",
        unit="MiB",
        at_least="150",
        aim="100",
        run="actors.cli.benchmarks.whole:idle_memory_mib",
        bare="actors.cli.benchmarks.whole:bare_python_mib",
        bare_title="a Python with nothing imported, MiB",
    ),
    Figure(
        name="first_decision",
        title="process start to first decision",
        unit="s",
        at_least="3",
        aim="1.5",
        run="actors.cli.benchmarks.whole:first_decision_s",
        bare="actors.cli.benchmarks.whole:bare_python_s",
        bare_title="start and stop of Python, s",
    ),
)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--rounds", type=click.IntRange(1, 99), default=None, help="Runs of each; the median counts.")
@click.option("--list", "is_list", is_flag=True, help="List the benchmarks.")
@click.option("--json", "as_json", is_flag=True, help="Print {name: {value, unit, bare, runs}}.")
def bench(names: tuple[str, ...], rounds: int | None, is_list: bool, as_json: bool) -> None:
    """Measure, each figure beside the machine's bare figure; the median of at least three runs."""
    known = {figure.name: figure for figure in FIGURES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.UsageError(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}")
    chosen = [known[name] for name in names] or list(FIGURES)
    if is_list:
        listed = [(f.name, f.at_least, f.aim, f.unit, f.title) for f in chosen]
        echo(table_text([("NAME", "AT LEAST", "AIM", "UNIT", "WHAT"), *listed], frozenset({1, 2})))
        return
    found = {}
    rows = [("NAME", "VALUE", "UNIT", "AT LEAST", "AIM", "BARE", "WHAT BARE IS")]
    for figure in chosen:
        note(f"{figure.name}: {figure.title} ...")
        runs, bares = measure(figure, rounds or figure.rounds)
        value, bare = statistics.median(runs), statistics.median(bares)
        found[figure.name] = {"value": value, "unit": figure.unit, "bare": bare, "runs": runs}
        shown = (count(round(value, 3)), figure.unit, figure.at_least, figure.aim, count(round(bare, 3)))
        rows.append((figure.name, *shown, figure.bare_title))
    if as_json:
        print_json(found)
    else:
        echo(table_text(rows, frozenset({1, 3, 4, 5})))


def measure(figure: Figure, rounds: int) -> tuple[list[float], list[float]]:
    """Return the runs, and the bare figure taken just before each: shared machines change by the minute."""
    run, bare = _function(figure.run), _function(figure.bare)
    runs, bares = [], []
    for _ in range(rounds):
        bares.append(bare())
        runs.append(run())
    return runs, bares


def _function(name: str) -> Callable[[], float]:
    module, _, attribute = name.partition(":")
    found: Callable[[], float] = getattr(import_module(module), attribute)
    return found
