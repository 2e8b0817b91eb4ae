"""`polytrade data`: every fault is told, a repair leaves out just those rows, and nothing is half done."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from actors.cli.data import data
from actors.cli.problems import Problem
from tests.unit.backtest.histories import BTC, write_candles


def invoke(*words: object) -> Result:
    return CliRunner().invoke(data, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Ten bad things in a file of 60 candles."""
    path = write_candles(tmp_path / "bad.csv", 60)
    head, *rows = path.read_text().splitlines()
    rows[4] = rows[4].replace(rows[4].split(",")[1], "nan", 1)
    rows[9] = rows[9].replace(rows[9].split(",")[3], "-5", 1)
    rows[20], rows[21] = rows[21], rows[20]
    rows.insert(31, rows[30])
    del rows[40:43]
    rows[50] = ",".join([rows[50].split(",")[0], *["150000.00"] * 4, "1"])
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def test_every_fault_is_told_with_its_row(broken: Path) -> None:
    result = invoke("check", broken, "--symbol", BTC)
    assert result.exit_code == 12
    for told in (
        *(
            "row 5: fault: column 'open'",
            "row 10: fault: column 'low'",
            "row 22: fault: column",
        ),
        *("row 32: fault: column 'ts_ms' repeats", "3 bars are missing before", "row 51: outlier"),
    ):
        assert told in result.stdout


def test_a_good_file_passes(tmp_path: Path) -> None:
    result = invoke("check", write_candles(tmp_path / "good.csv", 60), "--symbol", BTC)
    assert result.exit_code == 0
    assert "60 rows, candles of 1m" in result.stdout


def test_a_repair_sorts_and_leaves_out_what_a_run_would_refuse(broken: Path, tmp_path: Path) -> None:
    target = tmp_path / "repaired.parquet"
    result = invoke("convert", broken, target, "--repair", "--symbol", BTC)
    assert "3 left out" in result.stderr
    assert invoke("check", target, "--symbol", BTC).exit_code == 0
    assert sorted(tmp_path.iterdir()) == [broken, target]


def test_a_file_survives_the_way_to_parquet_and_back(tmp_path: Path) -> None:
    source = write_candles(tmp_path / "a.csv", 60)
    invoke("convert", source, tmp_path / "b.parquet")
    invoke("convert", tmp_path / "b.parquet", tmp_path / "c.csv")
    first = invoke("describe", source, "--symbol", BTC).stdout.partition(":")[2]
    assert invoke("describe", tmp_path / "c.csv", "--symbol", BTC).stdout.partition(":")[2] == first


@pytest.mark.parametrize(
    ("heading", "told"),
    [
        ("when,o,h,l,c,v", "holds neither candles, trades nor books"),
        ("ts_ms,open,high,low,shut,volume", "lacks close"),
    ],
)
def test_columns_nobody_knows_are_refused(tmp_path: Path, heading: str, told: str) -> None:
    path = write_candles(tmp_path / "odd.csv", 5)
    path.write_text("\n".join([heading, *path.read_text().splitlines()[1:]]))
    with pytest.raises(Problem, match=told):
        invoke("check", path, "--symbol", BTC)


def test_times_in_another_unit_are_refused_row_by_row(tmp_path: Path) -> None:
    path = write_candles(tmp_path / "seconds.csv", 5)
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *(row[:10] + row[13:] for row in rows)]))
    with pytest.raises(Problem, match="no instant between 2000 and 2100"):
        invoke("check", path, "--symbol", BTC)


def test_a_target_that_exists_is_not_touched(tmp_path: Path) -> None:
    source = write_candles(tmp_path / "a.csv", 5)
    target = tmp_path / "b.csv"
    target.write_text("mine")
    with pytest.raises(Problem, match="is there already"):
        invoke("convert", source, target)
    assert target.read_text() == "mine"


def test_a_symbol_without_catalog_entry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="has no XYZ_USDT_PERP"):
        invoke("check", write_candles(tmp_path / "a.csv", 5), "--symbol", "XYZ_USDT_PERP")
