"""A search: its grid, its plateau, its figures against a run of the deployment, and the command."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import actors.backtest.kernel as kernel_module
from actors.backtest.metrics import moments, sharpe
from actors.backtest.sweep import GridError, Point, axis_of, combinations_count, surface_of
from actors.backtest.wish import MarketFiles, Wish
from actors.cli.history_shown import figures
from actors.cli.problems import Problem
from actors.cli.sweep import sweep
from tests.unit.backtest.histories import (
    BTC,
    FUNDING,
    MINIMAL,
    MINUTE_MS,
    MINUTES,
    START_MS,
    run,
    usual,
    write_candles,
)

NAN = math.nan


@pytest.fixture(autouse=True)
def plain_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling costs seconds, and the kernel's own tests hold both forms to each other."""
    monkeypatch.setattr(kernel_module, "is_available", lambda: False)


def words(folder: Path, *, minutes: int = 3_500, **overrides: str) -> list[str]:
    candles = write_candles(folder / "btc.csv", minutes)
    said = [str(MINIMAL), "--actor", "trend", "--data", f"{BTC}={candles}", "--allow", "funding"]
    return said + [
        word for name, value in {**MINUTES, **overrides}.items() for word in ("--set", f"{name}={value}")
    ]


def invoke(*said: object) -> Result:
    return CliRunner().invoke(sweep, [str(word) for word in said], catch_exceptions=False)


def test_axes_are_read_from_ranges_and_lists() -> None:
    assert axis_of("fast=5..20:5").values == ("5", "10", "15", "20")
    assert axis_of("stop=1..2:0.25").values == ("1.00", "1.25", "1.50", "1.75", "2.00")
    assert axis_of("fast=3,8").values == ("3", "8")


@pytest.mark.parametrize(
    "word", ["fast", "=1..2", "fast=", "fast=9..3", "fast=1..x", "fast=1..9:0", "fast=1..nan", "fast=2,2"]
)
def test_a_grid_that_makes_no_sense_is_refused(word: str) -> None:
    with pytest.raises(GridError):
        axis_of(word)


def test_a_grid_too_large_or_empty_is_refused() -> None:
    axes = [axis_of("a=1..10"), axis_of("b=1..10")]
    assert combinations_count(axes, 100) == 100
    with pytest.raises(GridError, match="100 points"):
        combinations_count(axes, 99)
    with pytest.raises(GridError, match="no grid"):
        combinations_count([], 99)


def point(i: int, j: int, daily: float) -> Point:
    figures = (0,) * 8
    ratios = (NAN, NAN, 0.0, 100, daily, daily, 0.0, 3.0)
    return Point((i, j), {"a": str(i), "b": str(j)}, *figures, *ratios)


def test_the_plateau_is_the_best_region_and_not_a_peak_that_stands_alone() -> None:
    axes = [axis_of("a=0..6"), axis_of("b=0..6")]
    peak, hill = (1, 1), {(i, j) for i in (3, 4, 5) for j in (3, 4, 5)}
    ratios = {
        (i, j): -0.1 + 0.3 * ((i, j) in hill) + 0.9 * ((i, j) == peak) for i in range(7) for j in range(7)
    }
    found = surface_of(axes, [point(*where, ratio) for where, ratio in ratios.items()])
    assert found.best is not None
    assert found.best.where == peak
    assert found.plateau is not None
    assert found.plateau.where == (4, 4)
    assert found.plateau_size == 9
    assert found.deflated < found.psr


def test_a_search_in_which_nobody_trades_has_no_best() -> None:
    found = surface_of([axis_of("a=0..1"), axis_of("b=0")], [point(0, 0, NAN), point(1, 0, NAN)])
    assert found.best is None
    assert found.plateau is None


def test_a_point_of_the_grid_is_the_run_of_the_deployment(tmp_path: Path) -> None:
    """The same fills and fees as `polytrade backtest` with those settings and no latency."""
    said = words(tmp_path, minutes=600, **{"venue.latency": "0ms", "venue.latency_jitter": "0ms"})
    found = json.loads(invoke(*said, "--grid", "fast=8", "--grid", "slow=24", "--json").stdout)["points"][0]
    wish = usual(tmp_path)
    still = {"venue.latency": "0ms", "venue.latency_jitter": "0ms", "trend.fast": "8", "trend.slow": "24"}
    overrides = {**MINUTES, **still}
    record = run(
        replace(wish, files={BTC: replace(wish.files[BTC], funding="")}, overrides=overrides, allowed=FUNDING)
    )
    assert found["fills_count"] == len(record.fills) > 10
    fees = sum(fill.fee_usdt for fill in record.fills)
    assert found["fees_usdt"] == f"{fees / 10**8:.8f}".rstrip("0").rstrip(".")
    assert found["net_usdt"] == figures(record)["net_usdt"]
    assert found["slippage_usdt"] == figures(record)["slippage_usdt"]


STILL = {"venue.latency": "0ms", "venue.latency_jitter": "0ms"}
DAY_MS = 1_440 * MINUTE_MS


@pytest.mark.parametrize(
    ("bar", "until_minute"), [("5m", 1_743), ("15m", 2_340), ("30m", 2_340), ("1m", 1_500)]
)
def test_a_period_is_searched_from_the_history_that_its_backtest_has(
    tmp_path: Path, bar: str, until_minute: int
) -> None:
    """Warm-up of each configuration, first and last decision, and the last price: all are the same."""
    base = {**STILL, "trend.bar": bar, "risk.daily_loss_usdt": "0", "risk.max_leverage": "0"}
    begin = "2025-10-11T00:00Z"
    end = f"2025-10-{10 + until_minute // 1_440}T{until_minute % 1_440 // 60:02}:{until_minute % 60:02}Z"
    said = [*words(tmp_path, minutes=2_400, **base), "--from", begin, "--to", end]
    grid = ("--grid", "fast=3", "--grid", "slow=5,24", "--json")
    points = json.loads(invoke(*said, *grid).stdout)["points"]
    assert len(points) == 2
    for point in points:
        chosen = {f"trend.{name}": value for name, value in point["settings"].items()}
        wish = Wish(
            files={BTC: MarketFiles(str(tmp_path / "btc.csv"))},
            from_ns=(START_MS + DAY_MS) * 1_000_000,
            to_ns=(START_MS + until_minute * MINUTE_MS) * 1_000_000,
            overrides={**MINUTES, **base, **chosen},
            allowed=FUNDING,
        )
        of_backtest = figures(run(wish))
        assert point["fills_count"] == of_backtest["fills"] > 0
        assert point["fees_usdt"] == of_backtest["fees_usdt"]
        assert point["net_usdt"] == of_backtest["net_usdt"]


def test_moments_from_sums_are_those_of_the_series(tmp_path: Path) -> None:
    from actors.backtest.kernel_tally import Days, day_ended
    from actors.backtest.sweep import _moments

    draw = np.random.default_rng(3).normal(0.001, 0.02, 60)
    days, equity, changes = Days(0, 10**12, 0.0, 0.0, 0.0, 0.0, 0.0), 10**12, []
    for change in (0.0, 0.0, *draw):
        before, equity = equity, int(equity * (1 + change))
        changes.append(equity / before - 1)
        days = day_ended(days, equity)
    series = np.array(changes[2:])
    ratio, skew, kurtosis = _moments(days, 2)
    assert ratio == pytest.approx(sharpe(series, 1))
    assert (skew, kurtosis) == pytest.approx(moments(series))


def test_a_search_writes_a_page_json_and_csv_and_twice_the_same(tmp_path: Path) -> None:
    said = [*words(tmp_path), "--grid", "fast=8,40", "--grid", "slow=24,60"]
    result = invoke(*said, "--out", tmp_path / "one")
    assert "1 points skipped" in result.stdout
    assert "--set trend.fast=" in result.stdout
    assert "plain Python" in result.stderr
    invoke(*said, "--out", tmp_path / "two")
    for name in ("sweep.html", "sweep.json", "sweep.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    page = (tmp_path / "one" / "sweep.html").read_text()
    assert page.count("<title>") == 1 + 4  # its own, and one for each point
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page
    rows = list(csv.DictReader((tmp_path / "one" / "sweep.csv").open()))
    assert [(row["fast"], row["slow"]) for row in rows] == [("8", "24"), ("8", "60"), ("40", "60")]


def test_bars_longer_than_the_files_are_built_from_it(tmp_path: Path) -> None:
    said = words(tmp_path, minutes=3_000, **{"trend.bar": "5m"})
    found = json.loads(invoke(*said, "--grid", "fast=3", "--grid", "slow=9", "--json").stdout)
    assert (found["bars"], found["bar_s"]) == (600, 300)
    assert found["points"][0]["trades_count"] > 3


def test_a_period_is_warmed_up_by_the_rows_before_it(tmp_path: Path) -> None:
    said = [
        *words(tmp_path, minutes=900),
        "--from",
        "2025-10-10T10:00Z",
        "--grid",
        "fast=8",
        "--grid",
        "slow=24",
    ]
    found = json.loads(invoke(*said, "--json").stdout)
    assert (found["from"], found["bars"]) == ("2025-10-10 10:00", 300)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--grid", "bar=1m,5m"), "same for all"),
        (("--grid", "fast=8", "--set", "trend.bar=30s"), "do not fit"),
        (("--grid", "fast=1..200", "--max-trials", "9"), "200 points"),
        (("--grid", "protect.stop=0.01,0.02"), "--grid protect.stop: the kernel does not know it"),
        ((), "no grid"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_words(
    tmp_path: Path, more: tuple[str, ...], told: str
) -> None:
    with pytest.raises(Problem, match=told):
        invoke(*words(tmp_path, minutes=60), *more)


@pytest.mark.parametrize(
    ("more", "told", "remedy"),
    [
        (
            ("protect.stop=0.01", "protect.hold=1h"),
            "sets protect.stop",
            "protect.stop=0 --set trend.protect.hold=0s",
        ),
        (("protect.trail=0.01",), "sets protect.trail", "trend.protect.trail=0"),
        (("size.rule=volatility_target",), "the rule volatility_target", "trend.size.rule=strategy"),
    ],
)
def test_a_strategy_is_not_scored_without_its_exits_or_its_sizes(
    tmp_path: Path, more: tuple[str, ...], told: str, remedy: str
) -> None:
    said = words(tmp_path, minutes=60)
    said[said.index(str(MINIMAL))] = str(MINIMAL.parent / "protected.yaml")
    off = ("protect.stop=0", "protect.trail=0", "protect.trail_from=0", "protect.target=0")
    said += [word for one in (*off, *more) for word in ("--set", f"trend.{one}")]
    with pytest.raises(Problem, match=told) as caught:
        invoke(*said, "--grid", "fast=8")
    assert remedy in caught.value.remedy
