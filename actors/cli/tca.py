"""`polytrade tca`: what execution cost against the prices before it, fees, and where the time went."""

from __future__ import annotations

import csv
import io
from typing import Any

import click

from actors.cli.data_files import period
from actors.cli.journal import open_reader
from actors.cli.output import echo, json_option, note, print_json, write_text
from actors.cli.shown import instant, money, signed_money, table_text
from actors.cli.targets import deployment_options, find_target, load_instruments, split_words
from actors.domain.money import format_e8

__all__ = ["tca"]

GROUPINGS = ("strategy", "symbol", "order")
SPANS = (("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000))
COST_COLUMNS = (
    *(("GROUP", False), ("ORDERS", True), ("FILLED", True), ("VALUE", True), ("VS DECISION", True)),
    *(("BPS", True), ("VS ARRIVAL", True), ("BPS", True), ("FEES", True), ("BPS", True), ("MAKER", True)),
    ("UNMEASURED", True),
)
STAGE_COLUMNS = (
    *(("STAGE", False), ("ORDERS", True), ("P50", True), ("P90", True), ("P99", True), ("MAX", True)),
)
CSV_FIELDS = (
    *("client_order_id", "intent_id", "account", "strategy", "symbol", "side", "contracts", "orders"),
    *("filled_contracts", "filled_price", "decision_mid", "arrival_mid", "decision_bps", "arrival_bps"),
    *("decision_cost_usdt", "arrival_cost_usdt", "fees_usdt", "maker_contracts", "submitted_at"),
)


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@click.option("--symbol", default="", help="Only orders in this symbol.")
@click.option("--strategy", default="", metavar="ADDRESS", help="Only orders of this strategy.")
@click.option("--from", "begin", default="", metavar="TIME", help="Only orders submitted at or after this.")
@click.option("--to", "end", default="", metavar="TIME", help="Only orders submitted before this.")
@click.option(
    "--by", type=click.Choice(("strategy", "symbol", "order")), default="strategy", show_default=True
)
@click.option("--csv", "is_csv", is_flag=True, help="Print CSV: one line an order.")
@click.option("--html", default="", metavar="PATH", help="Write a page that stands alone.")
@deployment_options
@json_option
def tca(
    words: tuple[str, ...],
    symbol: str,
    strategy: str,
    begin: str,
    end: str,
    by: str,
    is_csv: bool,
    html: str,
    environments: tuple[str, ...],
    inputs: tuple[str, ...],
    as_json: bool,
) -> None:
    """Analyse transaction costs: slippage against decision and arrival, fees, latency by stage.

    Reads the journal, whether the node runs or not. Costs are positive when they were paid.
    """
    from actors.audit import tca as analysis

    file, _ = split_words(words)
    target = find_target(file, environments, inputs)
    instruments = load_instruments(target, environments, inputs)
    from_ns, to_ns = period(begin, end)
    with open_reader(target) as reader:
        found = analysis.read_executions(reader, from_ns, to_ns, symbol=symbol, strategy=strategy)
    groups, everything = analysis.costs(found, by, instruments)
    stages = analysis.stages(found)
    if is_csv:
        echo(_csv(found, instruments).rstrip("\n"))
    elif as_json:
        print_json(_plain(found, groups, everything, stages, by))
    elif html:
        write_text(html, _page(target.name, groups, everything, stages, by))
    elif not found:
        note("no order was submitted in that period")
    else:
        _tell(groups, everything, stages, by)


def _tell(groups: list[Any], everything: Any, stages: list[Any], by: str) -> None:
    heads = [name for name, _ in COST_COLUMNS]
    heads[0] = by.upper()
    shown = [*groups, everything] if len(groups) > 1 else groups
    echo(table_text([tuple(heads), *(_cost_cells(one) for one in shown)], _numbers(COST_COLUMNS)))
    echo()
    rows = [tuple(name for name, _ in STAGE_COLUMNS), *(_stage_cells(one) for one in stages)]
    echo(table_text(rows, _numbers(STAGE_COLUMNS)))
    note(_said(everything))


def _said(everything: Any) -> str:
    text = "Costs in USDT against the middle of the quote; positive is paid. An amended order counts as one."
    if everything.unmeasured_count:
        text += f" {everything.unmeasured_count} filled orders (closings) had no quote to compare with."
    return text


def _numbers(columns: tuple[tuple[str, bool], ...]) -> frozenset[int]:
    return frozenset(place for place, (_, is_number) in enumerate(columns) if is_number)


def _cost_cells(one: Any) -> tuple[str, ...]:
    maker = "-" if one.maker_fraction is None else f"{one.maker_fraction:.0%}"
    return (
        *(one.group or "-", f"{one.orders_count:,}", f"{one.filled_count:,}", money(one.value_usdt)),
        *(signed_money(one.decision_usdt, 4), _bps(one.decision_bps)),
        *(signed_money(one.arrival_usdt, 4), _bps(one.arrival_bps)),
        *(money(one.fees_usdt, 4), _bps(one.fees_bps), maker, str(one.unmeasured_count)),
    )


def _bps(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"


def _stage_cells(one: Any) -> tuple[str, ...]:
    figures = (one.p50_ns, one.p90_ns, one.p99_ns, one.max_ns)
    shown = [_span(figure) if one.count else "-" for figure in figures]
    return (one.stage.replace("_", " "), f"{one.count:,}", *shown)


def _span(duration_ns: int) -> str:
    """Return a duration as short as its size deserves: `0`, `340us`, `12.5ms`, `3.2s`, `2.1h`."""
    if not duration_ns:
        return "0"
    for unit, size in (
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
    ):
        if duration_ns >= size:
            return f"{duration_ns / size:.1f}{unit}"
    return f"{duration_ns / 1_000:.0f}us"


def _page(name: str, groups: list[Any], everything: Any, stages: list[Any], by: str) -> str:
    from actors.audit.trades_page import page

    columns = ((by.upper(), False), *COST_COLUMNS[1:])
    rows = [_cost_cells(one) for one in (*groups, everything)]
    tables = [
        ("Costs", columns, rows),
        ("Latency by stage", STAGE_COLUMNS, [_stage_cells(s) for s in stages]),
    ]
    return page(f"Execution quality of {name}", _said(everything), tables)


def _csv(found: list[Any], instruments: Any) -> str:
    from actors.oms.execution import STAGES, cost_usdt

    out = io.StringIO()
    table = csv.writer(out)
    table.writerow([*CSV_FIELDS, *(f"{stage}_ms" for stage in STAGES)])
    for one in found:
        instrument = instruments[one.symbol]
        sums = (one.side, one.filled_contracts, one.filled_ticks)
        spent = [cost_usdt(*sums, mid, instrument.tick_value) for mid in (one.decision_x2, one.arrival_x2)]
        spans = [one.stage_ns(stage) for stage in STAGES]
        table.writerow(
            [
                *(one.client_order_id, one.intent_id, one.account, one.strategy, one.symbol),
                *("buy" if one.side > 0 else "sell", one.contracts, one.orders_count, one.filled_contracts),
                _price(instrument, 2 * one.filled_ticks, 2 * one.filled_contracts),
                *(_price(instrument, one.decision_x2, 2), _price(instrument, one.arrival_x2, 2)),
                *(_plain_bps(one.decision_bps()), _plain_bps(one.arrival_bps())),
                *(format_e8(amount) for amount in (*spent, one.fee_usdt)),
                *(one.maker_contracts, instant(one.submitted_at_ns)),
                *("" if span is None else f"{span / 1e6:.3f}" for span in spans),
            ]
        )
    return out.getvalue()


def _price(instrument: Any, ticks: int, parts: int) -> str:
    """Return ticks over parts as a price, with the half tick a middle may have; empty when there is none."""
    if not ticks or not parts:
        return ""
    return format_e8(round(ticks * instrument.tick_e8 / parts))


def _plain_bps(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _plain(found: list[Any], groups: list[Any], everything: Any, stages: list[Any], by: str) -> Any:
    import msgspec

    shown = {"by": by, "groups": groups, "all": everything, "stages": stages}
    if by == "order":
        shown["orders"] = found
    return msgspec.to_builtins(shown)
