"""`--data` with quotes, books and changes of books: what lies beside is read, or refused by name."""

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from actors.cli.backtest import backtest
from actors.cli.problems import Problem
from tests.unit.backtest.histories import BTC, MINIMAL, START_MS, write_candles

SECONDS = 1_500


def price(second: int) -> float:
    return round(100_000 + 900 * math.sin(second / 60) + 300 * math.sin(second / 17), 1)


def write(path: Path, head: str, rows: list[str]) -> str:
    path.write_text("\n".join([head, *rows]) + "\n")
    return str(path)


def quotes(folder: Path) -> str:
    rows = [f"{START_MS + s * 1_000},{price(s)},0.5,{price(s) + 1},0.5" for s in range(SECONDS)]
    return write(folder / "quotes.csv", "ts_ms,bid,bid_qty,ask,ask_qty", rows)


def books(folder: Path) -> str:
    rows = [
        f"{START_MS + s * 1_000},{price(s)},0.002,{price(s) + 1},0.002,{price(s) - 5},0.5,{price(s) + 6},0.5"
        for s in range(SECONDS)
    ]
    return write(folder / "books.csv", "ts_ms,bp0,bq0,ap0,aq0,bp1,bq1,ap1,aq1", rows)


def changes(folder: Path) -> str:
    """Take the old touch away and put the next one in, message by message."""
    rows = []
    for s in range(1, SECONDS):
        before, now = price(s - 1), price(s)
        if before == now:
            continue
        for side, was, comes in (("b", before, now), ("a", before + 1, now + 1)):
            rows += [f"{START_MS + s * 1_000},{side},{was},0", f"{START_MS + s * 1_000},{side},{comes},0.5"]
    return write(folder / "changes.csv", "ts_ms,side,price,qty", rows)


def start(folder: Path) -> str:
    path = folder / "start.json"
    book = {
        "lastUpdateId": 1,
        "bids": [[str(price(0)), "0.5"]],
        "asks": [[str(price(0) + 1), "0.5"]],
    }
    path.write_text(json.dumps(book))
    return str(path)


def trades(folder: Path) -> str:
    rows = [
        f"{START_MS + s * 1_000 + 500},{price(s)},0.01,{'buy' if s % 2 else 'sell'}" for s in range(SECONDS)
    ]
    return write(folder / "trades.csv", "ts_ms,price,qty,side", rows)


def run(*files: str) -> Result:
    said = [word for file in files for word in ("--data", file)]
    words = [str(MINIMAL), *said, "--set", "trend.bar=5s", "--allow", "funding", "--json"]
    return CliRunner().invoke(backtest, words, catch_exceptions=False)


@pytest.mark.parametrize(
    ("market", "content", "beside"),
    [
        (quotes, "quotes", {"trades": trades}),
        (books, "book", {"trades": trades}),
        (changes, "depth", {"trades": trades, "book": start}),
        (changes, "depth", {"book": start, "trades": trades}),
        (trades, "trades", {}),
    ],
)
def test_markets_of_every_sort_run_with_what_lies_beside(tmp_path: Path, market, content, beside) -> None:
    files = [f"{BTC}={market(tmp_path)}"]
    files += [f"{BTC}.{role}={make(tmp_path)}" for role, make in beside.items()]
    found = json.loads(run(*files).stdout)
    told = {file["role"]: file["content"] for file in found["manifest"]["files"]}
    expected = {"trades": "trades", "book": "book"}
    assert told == {
        "market": content,
        **{("start" if role == "book" else role): expected[role] for role in beside},
    }
    assert found["figures"]["fills"] > 3
    assert found["figures"]["books_agree"]


def test_an_order_larger_than_a_level_fills_in_parts_down_the_book(tmp_path: Path) -> None:
    """0.002 coins are at the touch, so an order takes them and the rest five dollars further."""
    out = tmp_path / "kept"
    made = (f"{BTC}={books(tmp_path)}", f"{BTC}.trades={trades(tmp_path)}")
    files = [word for file in made for word in ("--data", file)]
    words = [str(MINIMAL), *files, "--set", "trend.bar=5s", "--allow", "funding", "--out", str(out)]
    assert CliRunner().invoke(backtest, words, catch_exceptions=False).exit_code == 0
    import msgspec

    from actors.backtest.record import RunRecord

    record = msgspec.msgpack.decode((out / "record.msgpack").read_bytes(), type=RunRecord)
    orders: dict[str, list[tuple[int, int]]] = {}
    for fill in record.fills:
        orders.setdefault(fill.client_order_id, []).append((abs(fill.signed_contracts), fill.price_ticks))
    parted = [fills for fills in orders.values() if len(fills) > 1]
    assert parted
    for fills in parted:
        assert fills[0][0] == 2
        assert abs(fills[1][1] - fills[0][1]) == 500


@pytest.mark.parametrize(
    ("role", "make", "told"),
    [("trades", trades, "file of trades beside one of candles"), ("book", start, "lacks side")],
)
def test_what_nobody_would_read_beside_candles_is_refused(tmp_path: Path, role, make, told) -> None:
    with pytest.raises(Problem, match=told):
        run(f"{BTC}={write_candles(tmp_path / 'c.csv')}", f"{BTC}.{role}={make(tmp_path)}")


def test_a_folder_names_each_by_its_role(tmp_path: Path) -> None:
    for role, made in (("", changes), (".trades", trades), (".book", start)):
        source = Path(made(tmp_path))
        source.rename(tmp_path / f"{BTC}{role}{source.suffix}")
    (tmp_path / f"{BTC}.premium.csv").write_text("nobody reads it\n")
    (tmp_path / "fetched.json").write_text("{}")
    found = json.loads(run(str(tmp_path)).stdout)
    assert [file["role"] for file in found["manifest"]["files"]] == ["market", "trades", "start"]


def test_two_files_of_one_role_in_a_folder_are_refused(tmp_path: Path) -> None:
    write_candles(tmp_path / f"{BTC}.csv")
    write_candles(tmp_path / f"{BTC}.1m.csv")
    with pytest.raises(Problem, match="two files"):
        run(str(tmp_path))
