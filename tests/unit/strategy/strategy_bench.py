"""A strategy actor on the bench, with a feed that answers, and strategies that do as a test says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from actors.domain.bars import BarBuilder, BarLike
from actors.domain.catalog import load_catalog
from actors.domain.instrument import Instrument
from actors.domain.lifecycle import OrderState
from actors.domain.orders import Side
from actors.domain.place import Place
from actors.messages.market import Bar, FeedState, FeedStatus, History, HistoryRequest, Quote, Trade
from actors.messages.trading import OrderDenied, OrderIntent, OrderUpdate
from actors.runtime.messages import Message
from actors.runtime.settings import setting
from actors.runtime.testing import Bench
from actors.strategy.actor import StrategyActor
from actors.strategy.events import SignalDecided
from actors.strategy.protocol import Decision, Hold, View
from actors.strategy.settings import StrategySettings

ROOT = Path(__file__).resolve().parents[3]
CATALOG = load_catalog((ROOT / "config/markets/poloniex-futures.json").read_text())
BTC = "BTC_USDT_PERP"
NAME = f"trend/{BTC}"
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START = 1_760_000_000 * SECOND - 1_760_000_000 * SECOND % MINUTE
PLACE = Place("test", NAME, "paper", variables={"symbol": BTC}, instruments=CATALOG)

IDLE = Hold("nothing to do")


class ScriptSettings(StrategySettings, frozen=True, kw_only=True):
    """Settings of a strategy whose decisions a test dictates."""

    warmup: Annotated[int, setting("Bars before it may act.", minimum=0)] = 0


class ScriptMemory(msgspec.Struct):
    """What the scripted strategy has seen."""

    closes: list[int] = []


class Scripted:
    """Decides what `script` holds for the number of bars seen; the tests write into it."""

    MEMORY: ClassVar[type[msgspec.Struct]] = ScriptMemory
    script: ClassVar[dict[int, Decision]] = {}
    views: ClassVar[list[View]] = []

    def __init__(self, settings: ScriptSettings, instrument: Instrument) -> None:
        self.memory = ScriptMemory()
        self.bars_warmup = settings.warmup

    def on_bar(self, bar: BarLike, view: View) -> Decision:
        self.memory.closes.append(bar.close_ticks)
        self.views.append(view)
        return self.script.get(len(self.memory.closes), IDLE)


class StrategyBench(Bench):
    """Answers history requests with `past`, and makes the answers of risk and OMS easy to write."""

    def __init__(self, settings: StrategySettings, **options: Any) -> None:
        self.settings = settings
        self.past: list[BarLike] = []
        self.prices: list[Message] = []
        super().__init__(lambda: StrategyActor(self.settings, PLACE), name=NAME, now_ns=START, **options)

    @property
    def actor(self) -> StrategyActor:
        return self.behaviour  # type: ignore[return-value]

    # -- the feed ---------------------------------------------------------------------------------

    def answer(self) -> None:
        """Answer a waiting history request."""
        for request in self.take(HistoryRequest):
            bars = tuple(
                bar_message(bar) for bar in self.past if bar.at_ns <= self.now_ns and bar.at_ns % MINUTE == 0
            )
            self.tell(History(BTC, request.interval_ns, bars[-request.bars_count :]))

    def live(self) -> None:
        """Answer, be live, and answer what the change makes the strategy ask."""
        self.answer()
        self.status(FeedState.LIVE)
        self.answer()

    def status(self, state: FeedState) -> None:
        self.tell(FeedStatus(BTC, self.now_ns, state, self.now_ns, "because"))

    def trade(self, price_ticks: int, contracts: int = 1) -> None:
        self.tell(Trade(BTC, self.now_ns, price_ticks, contracts, Side.BUY, "t"))

    def quote(self, bid_ticks: int, ask_ticks: int) -> None:
        self.tell(Quote(BTC, self.now_ns, bid_ticks, 10, ask_ticks, 10))

    def minute(self, *prices: int) -> None:
        """Trade at these prices, spread over a minute, and let the minute end."""
        step = MINUTE // max(1, len(prices))
        begun = self.now_ns
        for number, price in enumerate(prices):
            self.advance(begun + number * step - self.now_ns)
            self.trade(price)
        self.advance(begun + MINUTE - self.now_ns)

    def bar(self, close_ticks: int, *, interval_ns: int = MINUTE) -> None:
        """Let an interval pass and have the feed send its bar."""
        self.advance(interval_ns)
        self.tell(
            Bar(BTC, self.now_ns, interval_ns, close_ticks, close_ticks, close_ticks, close_ticks, 5, 2)
        )

    # -- risk and OMS -----------------------------------------------------------------------------

    def intent(self) -> OrderIntent:
        """Return the only order that left since it was asked last."""
        (intent,) = self.take(OrderIntent)
        return intent

    def update(self, intent: OrderIntent, state: OrderState, filled: int = 0, **changes: Any) -> None:
        update = OrderUpdate(
            *("c1", intent.intent_id, intent.strategy, intent.account, intent.symbol, intent.side),
            *(intent.contracts, filled, filled * 100, state, "", self.now_ns),
        )
        self.tell(msgspec.structs.replace(update, **changes))

    def fill(self, intent: OrderIntent) -> None:
        self.update(intent, OrderState.FILLED, intent.contracts)

    def deny(self, intent: OrderIntent, rule: str = "halted", measured: int = 1, limit: int = 0) -> None:
        self.tell(
            OrderDenied(
                *(intent.intent_id, intent.strategy, intent.account, intent.symbol),
                *(rule, "because", measured, limit, self.now_ns),
            )
        )

    @property
    def decided(self) -> list[tuple[str, str]]:
        """What was journaled: (action, why) of each decision."""
        return [(event.action, event.why) for event in self.events if isinstance(event, SignalDecided)]


def bar_message(bar: BarLike) -> Bar:
    return Bar(
        *(BTC, bar.at_ns, bar.interval_ns, bar.open_ticks, bar.high_ticks),
        *(bar.low_ticks, bar.close_ticks, bar.contracts, bar.trades_count),
    )


def past_bars(count: int, price: Callable[[int], int] = lambda number: 8_000_000) -> list[BarLike]:
    """Return bars of a minute that end at START, oldest first."""
    found: list[BarLike] = []
    for number in range(count):
        close = price(number)
        at_ns = START - (count - 1 - number) * MINUTE
        found.append(Bar(BTC, at_ns, MINUTE, close, close + 10, close - 10, close, 5, 2))
    return found


def bars_of(trades: list[Trade]) -> list[BarLike]:
    """Return the closed minutes of some trades."""
    builder = BarBuilder(MINUTE)
    return [bar for t in trades for bar in builder.add_trade(t.at_ns, t.price_ticks, t.contracts)]
