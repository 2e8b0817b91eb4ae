"""Every kind of bad file, on the command line: exit code 12, with file, row, value and remedy in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from actors.cli.main import main
from tests.unit.backtest.histories import BTC, MINIMAL, MINUTES, START_MS, write_candles

Rows = list[list[str]]
Change = Callable[[Rows], None]
COUNT = 300


def broken(folder: Path, change: Change, heading: str = "ts_ms,open,high,low,close,volume") -> Path:
    path = write_candles(folder / "bad.csv", COUNT)
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    change(rows)
    path.write_text("\n".join([heading, *(",".join(row) for row in rows)]) + "\n")
    return path


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="polytrade")


def run(path: Path, *more: object) -> Result:
    said = [word for name, value in MINUTES.items() for word in ("--set", f"{name}={value}")]
    return call("backtest", MINIMAL, "--data", f"{BTC}={path}", "--allow", "funding", *said, *more)


def cell(row: int, column: int, value: str) -> Change:
    def change(rows: Rows) -> None:
        rows[row - 1][column] = value

    return change


def times(from_row: int, how: Callable[[int], int]) -> Change:
    """Write other times from a row on."""

    def change(rows: Rows) -> None:
        for row in rows[from_row - 1 :]:
            row[0] = str(how(int(row[0])))

    return change


def swapped(rows: Rows) -> None:
    rows[20], rows[21] = rows[21], rows[20]


def doubled(rows: Rows) -> None:
    rows.insert(31, rows[30])


def holed(rows: Rows) -> None:
    del rows[40:60]


HOUR_MS = 3_600_000
TIMES = "column 'ts_ms'"
FAULTS: dict[str, tuple[Change, tuple[str, ...]]] = {
    "a time with its zone in words": (
        cell(101, 0, "2025-10-10T01:40:00+02:00"),
        ("row 101", TIMES, "is not a whole number", "'2025-10-10T01:40:00+02:00'", "epoch times in UTC"),
    ),
    "a zone farther west": (
        times(151, lambda at: at - 2 * HOUR_MS),
        ("row 151", TIMES, "is earlier than the row before", "sort the file by time"),
    ),
    "a zone farther east": (
        times(151, lambda at: at + 2 * HOUR_MS),
        ("lacks 120 of 420 bars", "before row 151", "exactly 2 h", "are all times UTC?", "--allow gaps"),
    ),
    "seconds after milliseconds": (
        times(151, lambda at: at // 1_000),
        ("row 151", TIMES, "no instant between 2000 and 2100", "`time_unit`"),
    ),
    "microseconds after milliseconds": (
        times(151, lambda at: at * 1_000),
        ("row 151", TIMES, "no instant between 2000 and 2100", "`time_unit`"),
    ),
    "seconds throughout": (times(1, lambda at: at // 1_000), ("row 1,", TIMES, "`time_unit`")),
    "half a minute off the grid": (
        times(77, lambda at: at + 30_000),
        ("row 77", TIMES, "is not a multiple of the bar's 60 s"),
    ),
    "unsorted rows": (swapped, ("row 22", TIMES, "is earlier than the row before", "convert --repair")),
    "a row twice": (doubled, ("row 32", TIMES, "repeats the time of the row before", "one row per bar")),
    "many gaps": (holed, ("lacks 20 of 300 bars", "the first before row 41", "--allow gaps")),
    "not a number": (cell(6, 1, "nan"), ("row 6", "column 'open'", "is not finite", "'nan'")),
    "infinity": (cell(7, 2, "inf"), ("row 7", "column 'high'", "is not finite", "'inf'")),
    "nothing": (cell(8, 4, ""), ("row 8", "column 'close'", "is not a number", "''")),
    "words": (cell(8, 4, "12,5"), ("row 8", "has 7 fields where the heading has 6")),
    "a negative price": (cell(10, 3, "-5"), ("row 10", "column 'low'", "is not above zero", "'-5'")),
    "a price of zero": (cell(10, 4, "0"), ("row 10", "column 'close'", "is not above zero")),
    "a negative volume": (cell(11, 5, "-1"), ("row 11", "column 'volume'", "is negative")),
    "a high below its low": (cell(12, 2, "1"), ("row 12", "column 'high'", "is not the highest price")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_row_is_refused_with_its_place_and_a_remedy(tmp_path: Path, name: str) -> None:
    change, told = FAULTS[name]
    result = run(broken(tmp_path, change))
    assert result.exit_code == 12, result.output
    for text in ("bad.csv", *told):
        assert text in result.stderr, result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("heading", "told"),
    [
        ("when,o,h,l,c,v", ("holds neither candles, trades nor books", "when, o, h, l, c, v")),
        ("ts_ms,open,high,low,shut,volume", ("lacks close", "it has ts_ms, open, high, low, shut")),
        ("ts_ms,open,high,low,close,close", ("names a column twice", "'close'")),
    ],
)
def test_columns_nobody_knows_are_refused_with_those_there_are(tmp_path: Path, heading: str, told) -> None:
    result = run(broken(tmp_path, lambda rows: None, heading))
    assert result.exit_code == 12
    for text in told:
        assert text in result.stderr, result.stderr


MAPPED = {"time": "when", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}


def test_columns_of_other_names_and_units_are_read_when_they_are_named(tmp_path: Path) -> None:
    path = broken(tmp_path, times(1, lambda at: at // 1_000), "when,o,h,l,c,v")
    settings = {f"{name}_column": value for name, value in MAPPED.items()} | {"time_unit": "s"}
    for_run = [word for name, value in settings.items() for word in ("--set", f"feed.{name}={value}")]
    for_check = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    assert run(path, *for_run).exit_code == 0
    assert call("data", "check", path, "--symbol", BTC, *for_check).exit_code == 0
    refused = call("data", "check", path, "--symbol", BTC, "--set", "colum=x")
    assert (refused.exit_code, "time_column" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("period", "told"),
    [
        (("--from", "2025-11-01"), "has nothing in the period"),
        (("--to", "2025-10-09"), "has nothing in the period"),
        (("--from", "2025-10-09"), "covers 2025-10-10T00:00Z to 2025-10-10T05:00Z only"),
        (("--to", "2025-10-12"), "covers 2025-10-10T00:00Z to 2025-10-10T05:00Z only"),
    ],
)
def test_a_period_outside_the_data_is_refused(tmp_path: Path, period: tuple[str, str], told: str) -> None:
    result = run(write_candles(tmp_path / "good.csv", COUNT), *period)
    assert result.exit_code == 12
    assert told in result.stderr
    assert "good.csv" in result.stderr


FUNDING: dict[str, tuple[str, tuple[str, ...]]] = {
    "a percentage": (f"ts_ms,rate\n{START_MS},0.5\n", ("row 1", "'rate'", "a fraction per interval")),
    "not a number": (f"ts_ms,rate\n{START_MS},1e-4\n{START_MS + 28_800_000},nan\n", ("row 2", "not finite")),
    "unsorted": (f"ts_ms,rate\n{START_MS + 28_800_000},0\n{START_MS},0\n", ("row 2", "is not later than")),
    "twice": (f"ts_ms,rate\n{START_MS},0\n{START_MS},0\n", ("row 2", "is not later than")),
    "other columns": (f"ts_ms,funding\n{START_MS},0\n", ("lacks rate", "it has ts_ms, funding")),
}


@pytest.mark.parametrize("name", FUNDING)
def test_bad_funding_is_refused_by_a_run_and_by_the_check(tmp_path: Path, name: str) -> None:
    text, told = FUNDING[name]
    path = tmp_path / "funding.csv"
    path.write_text(text)
    result = run(write_candles(tmp_path / "good.csv", COUNT), "--data", f"{BTC}.funding={path}")
    assert result.exit_code == 12
    for words in ("funding.csv", *told):
        assert words in result.stderr, result.stderr
    assert call("data", "check", path, "--symbol", BTC).exit_code == 12


def test_missing_funding_is_refused_or_listed(tmp_path: Path) -> None:
    path = write_candles(tmp_path / "good.csv", 1_000)
    words = ["backtest", MINIMAL, "--data", f"{BTC}={path}", "--set", "trend.bar=1m"]
    refused = call(*words)
    assert refused.exit_code == 12
    assert "lacks funding: 2 of 2 settlements, the first at 2025-10-10T08:00Z" in refused.stderr
    assert "--allow funding" in refused.stderr
    allowed = call(*words, "--allow", "funding")
    assert (allowed.exit_code, "note: good.csv: lacks funding" in allowed.stdout) == (0, True)


def test_a_symbol_without_a_catalog_entry_is_refused(tmp_path: Path) -> None:
    path = write_candles(tmp_path / "good.csv", COUNT)
    result = call("backtest", MINIMAL, "--data", f"FOO_USDT_PERP={path}")
    assert result.exit_code == 12
    assert "nobody reads the history of FOO_USDT_PERP; the markets file has no FOO_USDT_PERP" in result.stderr
    other = tmp_path / "other.yaml"
    markets = str(MINIMAL.parents[1] / "markets")
    other.write_text(MINIMAL.read_text().replace("../markets", markets).replace(BTC, "FOO_USDT_PERP"))
    result = call("backtest", other, "--data", f"FOO_USDT_PERP={path}")
    assert result.exit_code == 3
    assert "FOO_USDT_PERP" in result.stderr


def test_what_a_run_takes_all_the_same_is_listed_with_its_row(tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        rows[200] = [rows[200][0], *(str(float(price) / 100) for price in rows[200][1:5]), rows[200][5]]
        del rows[40:42]

    result = run(broken(tmp_path, change))
    assert result.exit_code == 0
    assert "note: bad.csv: row 41: 2 bars are missing before this row" in result.stdout
    assert "note: bad.csv: row 199: its price stands alone" in result.stdout
