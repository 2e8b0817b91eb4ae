"""Carries a search out: reads the deployment once for each value, looks the data through, runs the kernel."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import note, warn
from actors.cli.problems import Problem

__all__ = ["Asked", "Found", "check_out", "grid_of", "searched"]

# What the kernel takes for all configurations alike, or has no part in.
NOT_SEARCHED = frozenset({"account", "bar", "bar_grace", "retry_after", "order_alert_after"})
NO_AXES = frozenset({"protect", "size"})  # settings of exits and sizes that it does not know
PROGRESS_EVERY_NS = {True: 500_000_000, False: 5_000_000_000}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for."""

    files: Sequence[str]
    environments: Sequence[str]
    inputs: Mapping[str, str]
    wish: Any
    actor: str
    axes: Any


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it."""

    deployment: str
    actor: str
    kind: str
    symbol: str
    history: Any
    surface: Any
    skipped: Sequence[tuple[Mapping[str, str], str]]  # settings that cannot go together, and why
    notes: Sequence[str]
    deposit_usdt: int
    is_compiled: bool
    wall_s: float


def grid_of(words: Sequence[str], trials_max: int) -> Any:
    """Return the axes of a grid. Errors: Problem."""
    from actors.backtest.sweep import GridError, axis_of, combinations_count

    try:
        axes = tuple(axis_of(word) for word in words)
        combinations_count(axes, trials_max)
    except GridError as error:
        raise Problem(ExitCode.USAGE, f"--grid: {error}", error.remedy) from None
    for axis in axes:
        if axis.name.partition(".")[0] in NO_AXES:
            text = f"--grid {axis.name}: the kernel does not know it, so all its values would score alike"
            raise Problem(ExitCode.USAGE, text, f"compare backtests with --set ACTOR.{axis.name}=VALUE")
        if axis.name in NOT_SEARCHED:
            text = f"--grid {axis.name}: it is the same for all configurations of a search"
            raise Problem(ExitCode.USAGE, text, f"give it with --set ACTOR.{axis.name}=VALUE")
    return axes


def check_out(out: Path | None) -> None:
    """Refuse a folder that holds something. Errors: Problem."""
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        text = f"--out {out}: is there already, and not empty"
        raise Problem(ExitCode.USAGE, text, "name a new folder, or remove this one")


def searched(asked: Asked) -> Found:
    """Run the whole grid. Errors: Problem, ConfigError."""
    from actors.backtest.scan import scan
    from actors.backtest.sweep import surface_of
    from actors.backtest.sweep_bars import read_history
    from actors.feed.files import DataError
    from actors.runtime.clock import monotonic_ns
    from actors.strategy.actor import warmup_bars

    symbol = _symbol(asked)
    values = _values(asked, symbol)
    topology, plan, feed = values.base
    chosen, skipped = _combinations(asked.axes, values, plan.settings)
    strategy = _stepped(plan)
    instrument = topology.instruments[symbol]
    try:
        data = scan({symbol: feed}, asked.wish, topology.instruments)
        warmup = max(warmup_bars(strategy.warmup_of(settings)) for _, settings in chosen)
        wish = asked.wish
        history = read_history(feed, instrument, plan.settings.bar, wish.from_ns, wish.to_ns, warmup)
    except DataError as error:
        remedy = error.remedy.replace("ACTOR", asked.actor)
        raise Problem(ExitCode.DATA, str(error).partition(". Remedy: ")[0], remedy) from None
    deposit, terms = _house(topology, plan, instrument)
    began_ns = monotonic_ns()
    points, is_compiled = _run(strategy, chosen, history, instrument, terms, deposit, asked.axes)
    return Found(
        topology.deployment,
        asked.actor,
        plan.kind,
        symbol,
        history,
        surface_of(asked.axes, points),
        skipped,
        [f"{found.file}: {found.text}" for found in data.notes if found.kind in asked.wish.allowed],
        deposit,
        is_compiled,
        (monotonic_ns() - began_ns) / 1e9,
    )


# -- the deployment, and a value at a time -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Values:
    base: Any  # topology, plan, feed
    read: Mapping[tuple[str, str], Any]  # (setting, text) -> value


def _symbol(asked: Asked) -> str:
    symbols = list(asked.wish.files)
    if len(symbols) != 1:
        text = f"a search runs over one symbol, and --data names {', '.join(symbols) or 'none'}"
        raise Problem(ExitCode.USAGE, text, "give --data SYMBOL=FILE of one symbol")
    return symbols[0]


def _loaded(asked: Asked, chosen: Mapping[str, str], symbol: str) -> tuple[Any, Any, Any]:
    """Return topology, the strategy's plan and the feed's settings. Errors: ConfigError, Problem."""
    from actors.deployment.history import load_history

    said = {**asked.wish.overrides, **{f"{asked.actor}.{name}": value for name, value in chosen.items()}}
    wish = replace(asked.wish, overrides=said)
    topology = load_history(asked.files, asked.environments, asked.inputs, os.environ, wish)
    own = [plan for plan in topology.actors if plan.name == asked.actor]
    if not own:
        names = sorted({plan.name for plan in topology.actors if plan.kind.startswith("strategy.")})
        text = f"the deployment has no actor {asked.actor!r}"
        raise Problem(ExitCode.NOT_FOUND, text, f"its strategies are {', '.join(names)}")
    plan = next((plan for plan in own if plan.place.symbol == symbol), None)
    feeds = [one for one in topology.actors if one.kind == "feed.replay" and one.place.symbol == symbol]
    if plan is None or not feeds:
        trades = ", ".join(one.place.symbol for one in own)
        text = f"{asked.actor} does not trade {symbol}"
        raise Problem(ExitCode.DATA, text, f"give the history of {trades}")
    return topology, plan, feeds[0].settings


def _values(asked: Asked, symbol: str) -> _Values:
    """Read each value as the deployment's file would, beside values of the other axes that it goes with."""
    read: dict[tuple[str, str], Any] = {}
    base: Any = None
    for axis in asked.axes:
        others = [(other.name, (other.values[0], other.values[-1])) for other in asked.axes if other != axis]
        for value in axis.values:
            loaded = _first_good(asked, symbol, axis.name, value, others)
            base = base or loaded
            read[axis.name, value] = getattr(loaded[1].settings, axis.name)
    _stepped(base[1])
    return _Values(base, read)


def _first_good(asked: Asked, symbol: str, name: str, value: str, others: Any) -> tuple[Any, Any, Any]:
    from actors.deployment.faults import ConfigError

    failed: ConfigError | None = None
    for texts in product(*(ends for _, ends in others)):
        beside = dict(zip((other for other, _ in others), texts, strict=True))
        try:
            return _loaded(asked, {**beside, name: value}, symbol)
        except ConfigError as error:
            failed = failed or error
    assert failed is not None
    raise failed


def _stepped(plan: Any) -> Any:
    from actors.strategy.library import STRATEGIES
    from actors.strategy.stepped import SteppedStrategy, unknown_to_kernels

    strategy = STRATEGIES.get(type(plan.settings))
    if strategy is None or not issubclass(strategy, SteppedStrategy):
        text = f"{plan.name} is {plan.kind}, which is no step function; the kernel cannot run it"
        raise Problem(ExitCode.CONFIGURATION, text, "see docs/add-a-strategy.md, or run backtests instead")
    unknown = unknown_to_kernels(plan.settings)
    if unknown is not None:
        text, off = unknown
        said = " ".join(f"--set {plan.name}.{setting}" for setting in off)
        remedy = f"run `polytrade backtest` instead, or search without: {said}"
        raise Problem(ExitCode.CONFIGURATION, f"{plan.name} {text}", remedy)
    return strategy


def _combinations(axes: Any, values: _Values, first: Any) -> tuple[list[Any], list[Any]]:
    """Return (where, settings) of what can go together, and (settings, why) of what cannot."""
    import msgspec

    chosen: list[Any] = []
    skipped: list[Any] = []
    for where in product(*(range(len(axis.values)) for axis in axes)):
        texts = {axis.name: axis.values[index] for axis, index in zip(axes, where, strict=True)}
        made = {name: values.read[name, text] for name, text in texts.items()}
        try:
            chosen.append((where, msgspec.structs.replace(first, **made)))
        except ValueError as error:
            skipped.append((texts, str(error)))
    if not chosen:
        text = f"--grid: none of its {len(skipped)} points is possible: {skipped[0][1]}"
        raise Problem(ExitCode.CONFIGURATION, text, "choose other ranges")
    return chosen, skipped


def _house(topology: Any, plan: Any, instrument: Any) -> tuple[int, Any]:
    """Return the deposit and the venue's terms."""
    from actors.backtest.kernel import terms_of

    account, symbol = plan.settings.account, instrument.symbol
    house = next(one.settings for one in topology.actors if one.kind == "exchange")
    deposit = house.accounts.get(account, 0)
    if deposit <= 0:
        text = f"the exchange has no deposit for account {account!r}"
        raise Problem(ExitCode.CONFIGURATION, text, "name it in the exchange's `accounts`")
    return deposit, terms_of(instrument, house.leverage.get(symbol, 0), house.fees.get("taker"))


# -- the run -------------------------------------------------------------------------------------------------


def _run(
    strategy: Any, chosen: Any, history: Any, instrument: Any, terms: Any, deposit: int, axes: Any
) -> tuple[list[Any], bool]:
    from actors.backtest.kernel import Kernel, Trial
    from actors.backtest.kernel_cache import use_cache
    from actors.backtest.kernel_loop import Plan
    from actors.backtest.sweep import point_of
    from actors.strategy.actor import warmup_bars
    from actors.strategy.sizing import sizing_of

    trials = []
    for _, settings in chosen:
        warmup = strategy.warmup_of(settings)
        begin = history.first(warmup_bars(warmup))
        # What was decided on the last bar before the period may be done at its first price.
        warmup = max(warmup, history.before_count - begin)
        plan = Plan(deposit, settings.equity_usdt, warmup, strategy.lookback_of(settings), begin)
        sizing = sizing_of(settings, instrument)
        trials.append(Trial(plan, strategy.params_of(settings), strategy.first_memory(), sizing))
    use_cache(kernel_folder())
    kernel = Kernel(strategy.step, history.bars, terms)
    if not kernel.is_compiled:
        text = "numba is not installed: the search runs in plain Python, some hundred times slower"
        warn(f"{text}; pip install 'polytrade[kernel]'")
    points = []
    move_usdt = (history.end_ticks - int(history.bars.prices[-1, 3])) * instrument.tick_value
    results = _told(kernel.run_all(trials), len(trials))
    for (where, _), trial, result in zip(chosen, trials, results, strict=True):
        texts = {axis.name: axis.values[index] for axis, index in zip(axes, where, strict=True)}
        days = history.days_before(trial.plan.first)
        points.append(point_of(where, texts, result, deposit, days, move_usdt))
    return points, kernel.is_compiled


def kernel_folder() -> Path:
    """Return where compiled kernels are kept: below the user's own cache directory."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "polytrade" / "kernel"


def _told(results: Iterator[Any], count: int) -> Iterator[Any]:
    """Pass results on, and say on stderr how far they have come when it takes long."""
    from actors.runtime.clock import monotonic_ns

    is_terminal = sys.stderr.isatty()
    every_ns, began_ns = PROGRESS_EVERY_NS[is_terminal], monotonic_ns()
    told_ns = began_ns
    for done, result in enumerate(results, 1):
        yield result
        now_ns = monotonic_ns()
        if done == 1:  # it was compiled with the first
            began_ns = told_ns = now_ns
        is_last = done == count and told_ns > began_ns and is_terminal
        if now_ns - told_ns < every_ns and not is_last:
            continue
        told_ns = now_ns
        left_s = (now_ns - began_ns) / 1e9 * (count - done) / (done - 1)
        text = f"{done:,} of {count:,} configurations, about {left_s:.0f} s to go"
        if is_terminal:
            click.echo("\r" + text.ljust(60) + ("\n" if is_last else ""), err=True, nl=False)
        else:
            note(text)
