"""Quotes, whole books and changes of books from files."""

import json

import pytest

from actors.domain.orders import Side
from actors.feed.book_rows import LevelRow, StartBook
from actors.feed.book_steps import level_steps
from actors.feed.files import DataError
from actors.messages.market import BookDepth, MarkPrice, Quote, ReplayFinished, Trade
from tests.unit.feed.feeds_on_bench import NOON, SECOND, replay

T0 = NOON // 1_000_000
BUY, SELL = Side.BUY, Side.SELL


def played(folder, name, text, **settings):
    (folder / name).write_text(text)
    bench = replay(folder, name, now_ns=NOON - SECOND, **settings)
    bench.advance(0)
    bench.advance(60 * SECOND)
    return bench


def test_quotes_are_told_with_marks_in_the_middle(tmp_path) -> None:
    text = (
        f"ts_ms,bid,bid_qty,ask,ask_qty\n{T0},100.1,0.002,100.3,0.004\n{T0 + 500},100.2,0.001,100.3,0.004\n"
    )
    bench = played(tmp_path, "q.csv", text)
    quotes = [
        (q.at_ns - NOON, q.bid_ticks, q.bid_contracts, q.ask_ticks, q.ask_contracts)
        for q in bench.take(Quote)
    ]
    assert quotes == [(0, 1001, 2, 1003, 4), (SECOND // 2, 1002, 1, 1003, 4)]
    assert [mark.mark_ticks for mark in bench.take(MarkPrice)] == [1002]
    assert bench.take(BookDepth) == []
    assert bench.take(ReplayFinished)[0].rows_count == 2


def test_whole_books_are_told_as_far_as_levels_are_wanted_and_there(tmp_path) -> None:
    text = "ts_ms,bp0,bq0,ap0,aq0,bp1,bq1,ap1,aq1\n"
    text += f"{T0},100.1,0.002,100.3,0.004,100.0,0.001,100.4,0.001\n"
    text += f"{T0 + 1},100.1,0.002,100.3,0.004,,,100.4,0.001\n"
    bench = played(tmp_path, "b.csv", text)
    assert [(book.bids, book.asks) for book in bench.take(BookDepth)] == [
        (((1001, 2), (1000, 1)), ((1003, 4), (1004, 1))),
        (((1001, 2),), ((1003, 4), (1004, 1))),
    ]


def test_trades_beside_a_book_are_prints_that_move_no_touch(tmp_path) -> None:
    (tmp_path / "t.csv").write_text(f"ts_ms,price,qty,side\n{T0 + 1},100.3,0.002,buy\n")
    text = f"ts_ms,bp0,bq0,ap0,aq0\n{T0},100.1,0.002,100.3,0.004\n{T0 + 2},100.1,0.002,100.3,0.002\n"
    bench = played(tmp_path, "b.csv", text, trades_path="t.csv")
    kinds = [type(one) for one in bench.published if isinstance(one, Quote | Trade)]
    assert kinds == [Quote, Trade, Quote]


def test_changes_build_on_the_start_and_skip_what_it_holds(tmp_path) -> None:
    start = {"lastUpdateId": 7, "bids": [["100.1", "0.002"]], "asks": [["100.3", "0.004"]]}
    (tmp_path / "start.json").write_text(json.dumps(start))
    text = f"ts_ms,u,side,price,qty\n{T0},6,b,100.2,9\n{T0 + 1},8,b,100.2,0.003\n{T0 + 1},8,a,100.3,0\n"
    text += f"{T0 + 1},8,a,100.4,0.001\n{T0 + 2},9,b,100.2,0\n"
    bench = played(tmp_path, "d.csv", text, book_path="start.json")
    assert [(book.at_ns - NOON, book.bids, book.asks) for book in bench.take(BookDepth)] == [
        (1_000_000, ((1002, 3), (1001, 2)), ((1004, 1),)),
        (2_000_000, ((1001, 2),), ((1004, 1),)),
    ]


def test_a_book_that_is_crossed_or_lacks_a_side_is_not_shown() -> None:
    rows = [LevelRow(1, BUY, 10, 1, 0), LevelRow(2, SELL, 9, 1, 0), LevelRow(3, SELL, 9, 0, 0)]
    rows += [LevelRow(4, SELL, 11, 2, 0)]
    assert [(step.at_ns, step.row) for step in level_steps(rows, None, 5)] == [(4, 4)]
    assert list(level_steps(rows[:1], StartBook((), (), 0), 5)) == []


@pytest.mark.parametrize(
    ("heading", "row", "told"),
    [
        ("ts_ms,bp0,bq0,ap0,aq0", f"{T0},100.4,1,100.3,1", "is above the best ask"),
        (
            "ts_ms,bp0,bq0,ap0,aq0,bp1,bq1,ap1,aq1",
            f"{T0},100,1,101,1,100.1,1,102,1",
            "better than the level before",
        ),
        ("ts_ms,bp0,bq0,ap0,aq0", f"{T0},100,nan,101,1", "is not finite"),
        ("ts_ms,U,side,price,qty", f"{T0},1,x,101,1", "is no side of a book"),
        ("ts_ms,U,side,price,qty", f"{T0},1,a,101,-1", "is negative"),
        ("ts_ms,bp0,ap0", f"{T0},100,101", "has no column 'bq0'"),
    ],
)
def test_what_is_wrong_in_a_book_is_named(tmp_path, heading, row, told) -> None:
    from actors.feed.replay_file import ReplayFile
    from actors.feed.settings import ReplaySettings
    from tests.unit.feed.feeds_on_bench import instrument

    (tmp_path / "b.csv").write_text(f"{heading}\n{row}\n")
    with pytest.raises(DataError, match=told):
        list(ReplayFile(ReplaySettings(path="b.csv"), str(tmp_path), instrument()).check())
