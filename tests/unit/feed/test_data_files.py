"""What is wrong with a data file is told with file, row, column, value and remedy."""

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from actors.domain.orders import Side
from actors.feed.files import CHUNK_ROWS, DataError
from actors.feed.replay_file import ReplayFile, read_funding
from actors.feed.rows import Candle, TradeRow
from actors.feed.settings import ReplaySettings
from tests.unit.feed.feeds_on_bench import MINUTE, instrument

T = 1_760_000_040_000  # a full minute, in milliseconds
NS = 1_000_000

CANDLES = "ts_ms,open,high,low,close,volume"
TRADES = "ts_ms,price,qty,side"


def candle(minute: int, text: str = "100,110,90,105,2.5") -> str:
    return f"{T + minute * 60_000},{text}"


def opened(directory: Path, lines: Iterable[str], **settings: object) -> ReplayFile:
    (directory / "data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ReplayFile(ReplaySettings(path="data.csv", **settings), str(directory), instrument())  # type: ignore[arg-type]


def rows(file: ReplayFile) -> list[Candle] | list[TradeRow]:
    list(file.check())
    return [row for chunk in file.chunks() for row in chunk]  # type: ignore[return-value]


def test_candles_become_ticks_contracts_and_nanoseconds(tmp_path: Path) -> None:
    file = opened(tmp_path, [CANDLES, candle(0, "100.04,110.06,90,105.05,2.5"), candle(1, "1,1,1,1,0")])
    assert rows(file) == [
        Candle(T * NS, 1000, 1101, 900, 1050, 2500),  # halves go to the even tick
        Candle(T * NS + MINUTE, 10, 10, 10, 10, 0),
    ]
    assert (file.rows_count, file.first_ns, file.last_ns) == (2, T * NS, T * NS + MINUTE)
    assert (file.is_candles, file.interval_ns) == (True, MINUTE)


def test_trades_become_ticks_contracts_and_sides(tmp_path: Path) -> None:
    lines = [TRADES, f"{T},100.1,0.0071,buy", f"{T},100.2,0.00001,SELL", f"{T + 5},100,3,s"]
    assert rows(opened(tmp_path, lines)) == [
        TradeRow(T * NS, 1001, 7, Side.BUY),
        TradeRow(T * NS, 1002, 1, Side.SELL),  # less than a contract is one
        TradeRow((T + 5) * NS, 1000, 3000, Side.SELL),
    ]


def test_without_a_side_the_move_of_the_price_tells_it(tmp_path: Path) -> None:
    lines = ["ts_ms,price,qty", *(f"{T + i},{price},1" for i, price in enumerate((10, 11, 11, 9, 9, 12)))]
    sides = [row.side for row in rows(opened(tmp_path, lines, side_column=""))]  # type: ignore[union-attr]
    buy, sell = Side.BUY, Side.SELL
    assert sides == [buy, buy, buy, sell, sell, buy]


@pytest.mark.parametrize(("quantity", "contracts"), [("base", 2500), ("contracts", 2), ("quote", 24)])
def test_quantities_count_what_the_setting_says(tmp_path: Path, quantity: str, contracts: int) -> None:
    file = opened(tmp_path, [CANDLES, candle(0), candle(1)], quantity=quantity)
    assert rows(file)[0].contracts == contracts


def test_columns_may_have_other_names_and_other_times(tmp_path: Path) -> None:
    lines = ["t,o,h,l,c,extra", f"{T // 1000},100,110,90,105,x", f"{T // 1000 + 60},100,110,90,105,y"]
    file = opened(
        tmp_path,
        lines,
        time_column="t",
        open_column="o",
        high_column="h",
        low_column="l",
        close_column="c",
        volume_column="",
        time_unit="s",
    )
    assert rows(file)[1] == Candle(T * NS + MINUTE, 1000, 1100, 900, 1050, 0)


WRONG_CANDLES = {
    "not a number": (1, "100,x,90,105,1", "high", "x"),
    "an empty price": (1, "100,110,,105,1", "low", ""),
    "NaN": (1, "nan,110,90,105,1", "open", "nan"),
    "infinity": (1, "100,inf,90,105,1", "high", "inf"),
    "a negative price": (1, "100,110,-90,105,1", "low", "-90"),
    "a price of zero": (1, "100,110,90,0,1", "close", "0"),
    "less than half a tick": (1, "100,110,90,0.04,1", "close", "0.04"),
    "a high below the close": (1, "100,104,90,105,1", "high", "104"),
    "a low above the open": (1, "100,110,101,105,1", "low", "101"),
    "a negative volume": (1, "100,110,90,105,-1", "volume", "-1"),
    "a volume that is not finite": (1, "100,110,90,105,nan", "volume", "nan"),
}


@pytest.mark.parametrize("name", WRONG_CANDLES)
def test_a_wrong_value_is_told_with_its_place(tmp_path: Path, name: str) -> None:
    minute, text, column, value = WRONG_CANDLES[name]
    file = opened(tmp_path, [CANDLES, candle(0), candle(minute, text), candle(2)])
    with pytest.raises(DataError) as caught:
        rows(file)
    error = caught.value
    assert (error.file, error.row, error.column, error.value) == ("data.csv", 2, column, value)
    assert error.remedy
    assert str(error).startswith(f"data.csv: row 2, column {column!r}: {error.problem}")
    assert f"found {value!r}" in str(error)


WRONG_TIMES = {
    "a bar that is there twice": ([0, 1, 1, 2], 3, "repeats the time"),
    "rows that are not sorted": ([0, 2, 1], 3, "earlier than the row before"),
    "a bar off the grid": ([0, 1, 2.5], 3, "not a multiple"),
}


@pytest.mark.parametrize("name", WRONG_TIMES)
def test_rows_out_of_order_are_told(tmp_path: Path, name: str) -> None:
    minutes, row, problem = WRONG_TIMES[name]
    lines = [f"{int(T + minute * 60_000)},100,110,90,105,1" for minute in minutes]
    with pytest.raises(DataError, match=problem) as caught:
        rows(opened(tmp_path, [CANDLES, *lines], interval=MINUTE))
    assert (caught.value.row, caught.value.column) == (row, "ts_ms")


def test_a_gap_between_candles_is_no_fault(tmp_path: Path) -> None:
    assert len(rows(opened(tmp_path, [CANDLES, candle(0), candle(1), candle(90)]))) == 3


@pytest.mark.parametrize(
    ("line", "column", "problem"),
    [
        (f"{T - 1},100,1,buy", "ts_ms", "earlier"),
        (f"{T},-100,1,buy", "price", "not above zero"),
        (f"{T},100,0,buy", "qty", "not above zero"),
        (f"{T},100,-1,buy", "qty", "negative"),
        (f"{T},100,1,maybe", "side", "no side"),
        (f"{T}.5,100,1,buy", "ts_ms", "not a whole number"),
        (f"{T // 1000},100,1,buy", "ts_ms", "between 2000 and 2100"),
    ],
)
def test_a_wrong_trade_is_told_with_its_place(tmp_path: Path, line: str, column: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        rows(opened(tmp_path, [TRADES, f"{T},100,1,buy", line]))
    assert (caught.value.row, caught.value.column) == (2, column)


def test_a_trade_that_is_there_twice_is_told_by_its_id(tmp_path: Path) -> None:
    lines = [f"{TRADES},trade_id", f"{T},1,1,buy,7", f"{T},1,1,buy,8", f"{T},1,1,buy,7"]
    with pytest.raises(DataError, match="there twice") as caught:
        rows(opened(tmp_path, lines))
    assert (caught.value.row, caught.value.column, caught.value.value) == (3, "trade_id", "7")
    later = [*lines[:3], f"{T + 1},1,1,buy,7"]
    assert len(rows(opened(tmp_path, later))) == 3  # only one instant's ids are remembered
    same = [TRADES, f"{T},1,1,buy", f"{T},1,1,buy"]
    assert len(rows(opened(tmp_path, same))) == 2  # without ids, two equal trades are two trades


@pytest.mark.parametrize(
    ("lines", "problem", "remedy"),
    [
        (["ts_ms,open,high,low", "1,1,1,1"], "lacks close, volume; it has ts_ms, open", "volume_column"),
        (["ts_ms,price,size", "1,1,1"], "lacks qty, side", "quantity_column, side_column"),
        (["a,b", "1,1"], "neither candles, trades nor books: its columns are a, b", "time_column"),
        ([CANDLES], "does not show how long", "set `interval`"),
        ([TRADES], "has no rows", "a file with data"),
        (["ts_ms,price,price", "1,1,1"], "names a column twice", "rename"),
        ([TRADES, f"{T},100,1"], "has 3 fields where the heading has 4", "commas"),
        ([TRADES, f'{T},100,1,"buy'], "not proper CSV", "quotes"),
    ],
)
def test_a_file_of_the_wrong_shape_is_refused(
    tmp_path: Path, lines: list[str], problem: str, remedy: str
) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        rows(opened(tmp_path, lines))
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("data.csv", b"", "is empty"),
        ("data.csv", b"ts_ms,price\n\xff\xfe,1\n", "not UTF-8"),
        ("data.txt", b"x", "neither .csv nor .parquet"),
        ("absent.csv", None, "no such file"),
        ("data.parquet", b"PAR1 this is not parquet", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, name: str, content: bytes | None, problem: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=problem) as caught:
        rows(ReplayFile(ReplaySettings(path=name, content="trades"), str(tmp_path), instrument()))
    assert caught.value.file == name


def test_a_mark_in_front_of_the_heading_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(b"\xef\xbb\xbf" + f"{TRADES}\n{T},1,1,buy\n".encode())
    assert len(rows(ReplayFile(ReplaySettings(path="data.csv"), str(tmp_path), instrument()))) == 1


def test_the_interval_is_the_shortest_step_or_what_was_set(tmp_path: Path) -> None:
    lines = [CANDLES, candle(0), candle(10), candle(15)]
    assert opened(tmp_path, lines).interval_ns == 5 * MINUTE
    assert opened(tmp_path, lines, interval=MINUTE).interval_ns == MINUTE


def test_row_numbers_go_on_from_chunk_to_chunk(tmp_path: Path) -> None:
    lines = [TRADES, *(f"{T + i},100,1,buy" for i in range(CHUNK_ROWS + 10)), f"{T},100,1,buy"]
    file = opened(tmp_path, lines)
    check = file.check()
    assert next(check) == CHUNK_ROWS
    with pytest.raises(DataError, match=f"row {CHUNK_ROWS + 11},"):
        next(check)


def test_a_short_row_far_into_the_file_is_told_with_its_number(tmp_path: Path) -> None:
    lines = [TRADES, *(f"{T + i},100,1,buy" for i in range(CHUNK_ROWS + 10)), f"{T},100"]
    with pytest.raises(DataError, match="has 2 fields") as caught:
        rows(opened(tmp_path, lines))
    assert caught.value.row == CHUNK_ROWS + 11


def test_parquet_gives_the_same_rows_as_csv(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    lines = [
        CANDLES,
        *(candle(m, f"{100 + m / 7},{120 + m / 7},{90 + m / 7},{105 + m / 7},{m / 3}") for m in range(60)),
    ]
    csv_rows = rows(opened(tmp_path, lines))
    source, target = tmp_path / "data.csv", tmp_path / "data.parquet"
    duckdb.sql(f"COPY (FROM read_csv('{source}')) TO '{target}'")
    file = ReplayFile(ReplaySettings(path="data.parquet"), str(tmp_path), instrument())
    assert rows(file) == csv_rows


def test_csv_needs_no_duckdb_and_parquet_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert len(rows(opened(tmp_path, [CANDLES, candle(0), candle(1)]))) == 2
    (tmp_path / "data.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"polytrade\[data\]"):
        ReplayFile(ReplaySettings(path="data.parquet"), str(tmp_path), instrument())


def funding(directory: Path, *lines: str) -> list[tuple[int, int]]:
    (directory / "funding.csv").write_text("\n".join(["ts_ms,rate", *lines]), encoding="utf-8")
    settings = ReplaySettings(path="data.csv", funding_path="funding.csv")
    return [tuple(row) for row in read_funding(settings, str(directory), instrument())]  # type: ignore[misc]


def test_funding_is_read_in_units_of_1e_8_at_whole_seconds(tmp_path: Path) -> None:
    assert funding(tmp_path, f"{T + 47},0.0001", f"{T + 60_000},-2.5e-05") == [
        (T * NS, 10_000),
        (T * NS + MINUTE, -2_500),
    ]


@pytest.mark.parametrize(
    ("line", "column", "problem"),
    [
        (f"{T},0.0001", "ts_ms", "not later"),
        (f"{T + 60_000},0.5", "rate", "no funding rate"),
        (f"{T + 60_000},nan", "rate", "not finite"),
    ],
)
def test_a_wrong_settlement_is_told_with_its_place(
    tmp_path: Path, line: str, column: str, problem: str
) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        funding(tmp_path, f"{T},0.0001", line)
    assert (caught.value.file, caught.value.row, caught.value.column) == ("funding.csv", 2, column)
