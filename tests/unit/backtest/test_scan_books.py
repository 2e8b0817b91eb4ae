"""Files beside one of books are part of what a run is repeated by."""

from hashlib import sha256

from actors.backtest.scan import scan
from actors.backtest.wish import Wish
from actors.feed.settings import ReplaySettings
from tests.unit.feed.feeds_on_bench import BTC, NOON, instrument

T0 = NOON // 1_000_000


def test_trades_and_the_start_of_a_book_are_named_with_their_hashes(tmp_path) -> None:
    texts = {
        "d.csv": f"ts_ms,u,side,price,qty\n{T0},8,b,100.2,0.003\n{T0 + 5},9,b,100.2,0\n",
        "t.csv": f"ts_ms,price,qty,side\n{T0},100.3,0.002,buy\n",
        "s.json": '{"lastUpdateId": 7, "bids": [["100.1", "1"]], "asks": [["100.3", "1"]]}',
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    path, trades, start = (str(tmp_path / name) for name in texts)
    settings = ReplaySettings(path=path, trades_path=trades, book_path=start)
    wish = Wish(from_ns=NOON, to_ns=NOON + 5_000_000, allowed=frozenset({"funding"}))
    found = scan({BTC: settings}, wish, {BTC: instrument()}).files
    assert [(one.role, one.content) for one in found] == [
        ("market", "depth"),
        ("trades", "trades"),
        ("start", "book"),
    ]
    assert [one.sha256 for one in found] == [sha256(text.encode()).hexdigest() for text in texts.values()]
