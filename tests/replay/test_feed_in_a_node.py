"""Both feeds inside a node in virtual time: the same run twice, a second start, readers that come later."""

from collections.abc import Callable
from pathlib import Path

from actors.domain.place import Place
from actors.feed.replay import ReplayFeed
from actors.feed.settings import ReplaySettings, SyntheticSettings
from actors.feed.synthetic import SyntheticFeed
from actors.messages.control import Acknowledged, MuteFeed
from actors.messages.market import (
    Bar,
    BookDepth,
    FeedState,
    FeedStatus,
    FundingRate,
    FundingSettled,
    History,
    HistoryRequest,
    MarkPrice,
    Quote,
    ReplayFinished,
    Trade,
)
from actors.runtime.behaviour import Behaviour, Context, Phase
from actors.runtime.cell import CellSpec
from actors.runtime.clock import VirtualClock
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from tests.unit.feed.feeds_on_bench import BTC, DAY, ETH, HOUR, MINUTE, NOON, SECOND, encoded, instrument

KINDS = (
    *(Quote, BookDepth, Trade, MarkPrice, FundingRate, FundingSettled),
    *(Bar, FeedStatus, History, ReplayFinished),
)


class Listener(Behaviour):
    """Starts last, asks for history, keeps all it hears."""

    ACCEPTS = KINDS
    EMITS = (HistoryRequest,)
    PHASE = Phase.DECIDE

    def __init__(self) -> None:
        self.heard: list[tuple[str, Message]] = []

    def started(self, context: Context) -> None:
        for symbol in (BTC, ETH):
            context.publish(HistoryRequest(symbol, MINUTE, 50))

    def keep(self, message: Message, context: Context) -> None:
        self.heard.append((context.sender, message))

    on_quote = on_book_depth = on_trade = on_mark_price = on_funding_rate = keep
    on_funding_settled = on_bar = on_feed_status = on_history = on_replay_finished = keep

    def of(self, kind: type[Message]) -> list[Message]:
        return [message for _, message in self.heard if type(message) is kind]


class World:
    """A journal and a clock that outlive the node."""

    def __init__(self, feeds: dict[str, Callable[[], Behaviour]], now_ns: int = NOON) -> None:
        self.feeds, self.store, self.clock = feeds, MemoryStore(), VirtualClock(now_ns)

    def boot(self) -> Node:
        self.listener = Listener()
        cells = [CellSpec(name, make, reads=("listener",)) for name, make in self.feeds.items()]
        cells.append(CellSpec("listener", lambda: self.listener, reads=tuple(self.feeds)))
        self.node = Node(cells, (SupervisorSpec("root"),), self.store, self.clock)
        self.node.start()
        return self.node

    def run(self, duration_ns: int) -> None:
        end_ns = self.clock.now_ns() + duration_ns
        while True:
            while self.node.turn():
                pass
            due_ns = self.node.loop.timers.next_due_ns()
            if due_ns is None or due_ns > end_ns:
                break
            self.clock.advance_to(due_ns)
        self.clock.advance_to(end_ns)


def place(symbol: str, mode: str, directory: str = ".") -> Place:
    return Place(
        "test", f"feed/{symbol}", mode, 0, {"symbol": symbol}, {symbol: instrument(symbol)}, directory
    )


def synthetic_world(seed: int = 7, tick: int = SECOND) -> World:
    settings = SyntheticSettings(seed=seed, tick=tick)
    return World(
        {
            f"feed/{symbol}": (lambda symbol=symbol: SyntheticFeed(settings, place(symbol, "paper")))
            for symbol in (BTC, ETH)
        }
    )


def replay_world(directory: Path, **settings: str) -> World:
    made = ReplaySettings(path="trades.csv", **settings)
    return World({f"feed/{BTC}": lambda: ReplayFeed(made, place(BTC, "backtest", str(directory)))})


def write_trades(directory: Path, count: int) -> None:
    rows = (
        f"{NOON // 1_000_000 + i * 700},{100 + i % 7},0.01,{'buy' if i % 2 else 'sell'}" for i in range(count)
    )
    (directory / "trades.csv").write_text("\n".join(["ts_ms,price,qty,side", *rows]))


def test_the_same_seed_gives_the_same_market_byte_for_byte() -> None:
    heard = []
    for seed in (7, 7, 8):
        world = synthetic_world(seed)
        world.boot()
        world.run(10 * MINUTE)
        heard.append(encoded(message for _, message in world.listener.heard))
    assert heard[0] == heard[1] != heard[2]


def test_a_listener_warms_up_and_learns_that_the_feeds_live() -> None:
    world = synthetic_world()
    world.boot()
    world.run(SECOND)
    assert [(to, len(m.bars)) for to, m in world.listener.heard if isinstance(m, History)] == [
        (f"feed/{BTC}", 50),
        (f"feed/{ETH}", 50),
    ]
    assert {m.state for m in world.listener.of(FeedStatus)} == {FeedState.LIVE}  # type: ignore[attr-defined]


def test_a_second_start_finds_the_same_market_further_on() -> None:
    whole, broken = synthetic_world(tick=6 * SECOND), synthetic_world(tick=6 * SECOND)
    whole.boot()
    whole.run(9 * HOUR)
    broken.boot()
    broken.run(3 * HOUR)  # and the process dies here, without a word
    broken.clock.advance_to(NOON + 6 * HOUR)
    broken.boot()
    broken.run(3 * HOUR)
    tail = [m for m in whole.listener.of(Quote) if m.at_ns >= NOON + 6 * HOUR]  # type: ignore[attr-defined]
    assert broken.listener.of(Quote) == tail
    settled = [(m.symbol, m.at_ns) for m in broken.listener.of(FundingSettled)]  # type: ignore[attr-defined]
    assert settled == [(symbol, NOON + 4 * HOUR) for symbol in (BTC, ETH)]


def test_a_drill_from_the_edge_mutes_one_feed_and_a_restart_of_it_heals() -> None:
    world = synthetic_world()
    node = world.boot()
    world.run(SECOND)
    future = node.cell(f"feed/{BTC}").actor.actor_ref.ask(MuteFeed(BTC, HOUR), block=False)
    world.run(30 * SECOND)
    assert isinstance(future.get(timeout=1), Acknowledged)
    node.restart(f"feed/{BTC}")
    world.run(SECOND)
    told = [(m.symbol, m.state) for m in world.listener.of(FeedStatus)]  # type: ignore[attr-defined]
    assert told[-2:] == [(BTC, FeedState.SILENT), (BTC, FeedState.LIVE)]
    assert (ETH, FeedState.SILENT) not in told


def test_a_replay_waits_for_its_check_and_its_listeners_miss_nothing(tmp_path: Path) -> None:
    write_trades(tmp_path, 5_000)
    world = replay_world(tmp_path)
    node = world.boot()
    assert not node.is_ready
    world.run(2 * HOUR)
    assert node.is_ready
    assert len(world.listener.of(Trade)) == 5_000
    assert [m.rows_count for m in world.listener.of(ReplayFinished)] == [5_000]  # type: ignore[attr-defined]


def test_a_replay_that_is_restarted_goes_on_without_gap_or_repetition(tmp_path: Path) -> None:
    write_trades(tmp_path, 5_000)
    world = replay_world(tmp_path)
    node = world.boot()
    world.run(10 * MINUTE)
    node.restart(f"feed/{BTC}")
    world.run(10 * MINUTE)
    first = world.listener.of(Trade)
    world.boot()
    world.run(DAY)
    ids = [m.trade_id for m in first + world.listener.of(Trade)]  # type: ignore[attr-defined]
    assert ids == [f"{row}-0" for row in range(1, 5_001)]


def test_a_bad_file_never_speaks_and_says_why(tmp_path: Path) -> None:
    write_trades(tmp_path, 5_000)
    with (tmp_path / "trades.csv").open("a") as file:
        file.write("\nnonsense,1,1,buy")
    world = replay_world(tmp_path)
    node = world.boot()
    world.run(HOUR)
    assert not node.is_ready
    assert world.listener.heard == []
    assert (
        "trades.csv: row 5001, column 'ts_ms': is not a whole number" in node.cell(f"feed/{BTC}").last_error
    )
