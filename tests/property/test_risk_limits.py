"""Whatever happens in whatever order: risk allows exactly what a slow, plain model of its limits allows.

The model keeps fills and live orders as lists and computes everything anew at each question. Beside it the
state must be the same after it was rebuilt from its events, at any moment.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.lifecycle import TERMINAL, OrderState
from actors.messages.control import Halt, HaltLevel, Resume
from actors.messages.market import FeedState
from actors.messages.trading import OrderDenied, OrderIntent
from actors.risk.settings import RiskSettings
from tests.unit.risk.risk_bench import BTC, CATALOG, ETH, MARKS, SOL, TREND, USDT, RiskBench

SYMBOLS = (BTC, ETH, SOL)
SCOPES = ("all", "account/main", f"symbol/{BTC}", f"symbol/{SOL}", f"strategy/{TREND}")
EQUITY = 10_000 * USDT

LIMITS = RiskSettings(
    max_order_contracts=40,
    max_order_notional_usdt=2_500 * USDT,
    max_open_orders=4,
    max_position_contracts=60,
    max_position_notional_usdt=3_000 * USDT,
    max_leverage=USDT * 3 // 10,
    max_open_trades=2,
    daily_loss_usdt=500 * USDT,
    quote_age_max=0,
    max_orders_per_second=0,
)


@dataclass
class Live:
    """A live order of the model."""

    intent: OrderIntent
    filled: int = 0

    @property
    def left(self) -> int:
        return max(0, self.intent.contracts - self.filled)


@dataclass
class Model:
    """What should be so, kept as simply as can be."""

    marks: dict[str, int] = field(default_factory=lambda: dict(MARKS))
    fills: list[tuple[str, int]] = field(default_factory=list)
    live: dict[str, Live] = field(default_factory=dict)
    halts: set[str] = field(default_factory=set)
    stale: set[str] = field(default_factory=set)
    gate: bool = True
    equity: int = EQUITY

    def net(self, symbol: str) -> int:
        return sum(signed for name, signed in self.fills if name == symbol)

    def reserved(self, symbol: str, side: int) -> int:
        orders = [order for order in self.live.values() if order.intent.symbol == symbol]
        return sum(order.left for order in orders if order.intent.side == side)

    def worst(self, symbol: str, more: OrderIntent | None = None) -> int:
        """The larger position of: every buy fills and no sell, or the other way round."""
        buys, sells = self.reserved(symbol, 1), self.reserved(symbol, -1)
        if more is not None and more.symbol == symbol:
            buys += more.contracts if more.side > 0 else 0
            sells += more.contracts if more.side < 0 else 0
        return max(self.net(symbol) + buys, sells - self.net(symbol))

    def value(self, symbol: str, contracts: int, price: int = 0) -> int:
        return CATALOG[symbol].notional(contracts, max(price, self.marks[symbol]))

    def reduces(self, intent: OrderIntent) -> bool:
        net = self.net(intent.symbol)
        together = self.reserved(intent.symbol, intent.side) + intent.contracts
        return net * intent.side < 0 and together <= abs(net)

    def halted(self, intent: OrderIntent) -> bool:
        scopes = {"all", "account/main", f"symbol/{intent.symbol}", f"strategy/{intent.strategy}"}
        return bool(self.halts & scopes)

    def broken(self, intent: OrderIntent) -> set[str]:
        """Return the rules that speak against an intent."""
        symbol, reduces, found = intent.symbol, self.reduces(intent), set()
        mark, limit = self.marks[symbol], intent.limit_ticks
        if limit and abs(limit - mark) * 100 > mark * 5:
            found.add("price_band")
        if intent.reduce_only and not reduces:
            found.add("reduce_only")
        if not self.gate and not (reduces and intent.reduce_only):
            found.add("not_reconciled")
        return found if reduces else found | self.broken_by_new_risk(intent)

    def broken_by_new_risk(self, intent: OrderIntent) -> set[str]:
        symbol, price, worst = intent.symbol, intent.limit_ticks, self.worst(intent.symbol, intent)
        others = sum(self.value(s, self.worst(s)) for s in SYMBOLS if s != symbol)
        engaged = [s for s in SYMBOLS if s != symbol and self.worst(s) > 0]
        exposure = others + self.value(symbol, worst, price)
        checks = {
            "halted": self.halted(intent),
            "stale_data": symbol in self.stale,
            "daily_loss": EQUITY - self.equity >= LIMITS.daily_loss_usdt,
            "order_contracts": intent.contracts > LIMITS.max_order_contracts,
            "order_notional": self.value(symbol, intent.contracts, price) > LIMITS.max_order_notional_usdt,
            "open_orders": len(self.live) + 1 > LIMITS.max_open_orders,
            "open_trades": self.worst(symbol) <= 0 and len(engaged) + 1 > LIMITS.max_open_trades,
            "position_contracts": worst > LIMITS.max_position_contracts,
            "position_notional": self.value(symbol, worst, price) > LIMITS.max_position_notional_usdt,
            "leverage": exposure * USDT > self.equity * LIMITS.max_leverage,
        }
        return {name for name, broken in checks.items() if broken}


class World:
    """The actor and the model, side by side."""

    def __init__(self) -> None:
        self.bench, self.model = RiskBench(LIMITS), Model()
        self.ended: list[Live] = []
        self.answers: Counter[str] = Counter()

    def ask(self, symbol: str, signed: int, reduce_only: bool, offset: int) -> None:
        model, mark = self.model, self.model.marks[symbol]
        limit = mark + mark * offset // 100 if offset else 0
        intent = self.bench.intent(signed, symbol=symbol, reduce_only=reduce_only, limit_ticks=limit)
        broken = model.broken(intent)
        answer = self.bench.ask(signed, intent_id=intent.intent_id, **_changes(intent))
        if isinstance(answer, OrderDenied):
            self.answers[answer.rule] += 1
            assert answer.rule in broken, (answer, broken)
            return
        self.answers["reduced" if model.reduces(intent) else "allowed"] += 1
        assert not broken, (answer, broken)
        model.live[answer.intent_id] = Live(answer)
        self.check_reductions(symbol)

    def close(self, symbol: str, reduce_only: bool) -> None:
        net = self.model.net(symbol)
        if net:
            self.ask(symbol, -net, reduce_only, 0)

    def check_reductions(self, symbol: str) -> None:
        """Reduce-only orders alone can never turn a position round."""
        for side in (1, -1):
            closing = [
                order.left
                for order in self.model.live.values()
                if order.intent.symbol == symbol and order.intent.side == side and order.intent.reduce_only
            ]
            if closing and not self.ended:
                assert sum(closing) <= max(0, -self.model.net(symbol) * side)

    def update(self, which: int, state: OrderState, filled: int) -> None:
        if not self.model.live:
            return
        order = list(self.model.live.values())[which % len(self.model.live)]
        filled = min(order.intent.contracts, order.filled + filled)
        if state is OrderState.FILLED:
            filled = order.intent.contracts
        self.model.fills.append((order.intent.symbol, order.intent.side * (filled - order.filled)))
        order.filled = filled
        self.bench.update(order.intent, state, filled)
        if state in TERMINAL:
            del self.model.live[order.intent.intent_id]
            self.ended.append(order)

    def fill_late(self, which: int, filled: int) -> None:
        """A fill reaches us after the end of its order."""
        if not self.ended:
            return
        order = self.ended[which % len(self.ended)]
        filled = min(order.intent.contracts, order.filled + filled)
        self.model.fills.append((order.intent.symbol, order.intent.side * (filled - order.filled)))
        order.filled = filled
        self.bench.update(order.intent, OrderState.CANCELED, filled)

    def mark(self, symbol: str, percent: int) -> None:
        self.model.marks[symbol] = MARKS[symbol] * percent // 100
        self.bench.mark(symbol, self.model.marks[symbol])

    def halt(self, scope: str, level: HaltLevel) -> None:
        self.model.halts.add(scope)
        self.bench.tell(Halt(scope, level, "ann", "drill"))
        self.bench.replies.clear()

    def resume(self, which: int) -> None:
        scopes = sorted(self.model.halts) or ["all"]
        scope = scopes[which % len(scopes)]
        self.model.halts.discard(scope)
        self.bench.tell(Resume(scope, "ann", "fine again"))
        self.bench.replies.clear()

    def gate(self, agrees: bool) -> None:
        self.model.gate = agrees
        self.bench.reconciled(agrees)

    def feed(self, symbol: str, state: FeedState) -> None:
        if state is FeedState.LIVE:
            self.model.stale.discard(symbol)
        else:
            self.model.stale.add(symbol)
        self.bench.feed(state, symbol)

    def money(self, loss_usdt: int) -> None:
        latched = "account/main" in self.bench.actor.state.halts
        self.model.equity = EQUITY - loss_usdt * USDT
        self.bench.money(self.model.equity, day_start_usdt=EQUITY)
        if not latched and "account/main" in self.bench.actor.state.halts:
            assert loss_usdt * USDT >= LIMITS.daily_loss_usdt
            self.model.halts.add("account/main")

    def ledger(self, symbol: str) -> None:
        self.bench.ledger(self.model.net(symbol), symbol)

    def restart(self) -> None:
        before = self.bench.actor.state
        self.bench.restart()
        assert self.bench.actor.state == before
        copy = msgspec.msgpack.decode(msgspec.msgpack.encode(before), type=type(before))
        assert copy == before
        for symbol, mark in self.model.marks.items():
            self.bench.mark(symbol, mark)
            self.bench.quote(symbol, mark)
        self.bench.money(self.model.equity, day_start_usdt=EQUITY)

    def check(self) -> None:
        """Sums that are kept agree with sums that are made."""
        picture, model = self.bench.actor._picture, self.model
        for symbol in SYMBOLS:
            assert self.bench.net(symbol) == model.net(symbol)
            assert picture.markets[symbol].exposure_contracts == model.worst(symbol)
        assert set(self.bench.actor.state.reserved) == set(model.live)
        assert picture.trades_count == sum(1 for symbol in SYMBOLS if model.worst(symbol) > 0)


def _changes(intent: OrderIntent) -> dict[str, Any]:
    return {
        "symbol": intent.symbol,
        "reduce_only": intent.reduce_only,
        "limit_ticks": intent.limit_ticks,
    }


def ask_of(chance: random.Random) -> tuple[Any, ...]:
    symbol, sign = chance.choice(SYMBOLS), chance.choice((1, -1))
    size = chance.choice((1, 5, 12, 20, 30, 40, 45))
    offset = chance.choice((0, 0, 0, 0, 1, -1, 6))
    return "ask", symbol, sign * size, chance.random() < 0.15, offset


def update_of(chance: random.Random) -> tuple[Any, ...]:
    state = chance.choice((OrderState.FILLED, *OrderState))
    return "update", chance.randrange(9), state, chance.randrange(25)


def close_of(chance: random.Random) -> tuple[Any, ...]:
    return "close", chance.choice(SYMBOLS), chance.choice((True, True, False))


# One in so many steps is of this kind.
KINDS: dict[Callable[[random.Random], tuple[Any, ...]], int] = {
    ask_of: 50,
    update_of: 40,
    close_of: 8,
    lambda chance: ("fill_late", chance.randrange(9), chance.randrange(9)): 2,
    lambda chance: ("mark", chance.choice(SYMBOLS), chance.randint(60, 160)): 5,
    lambda chance: ("halt", chance.choice(SCOPES), chance.choice(list(HaltLevel)[:2])): 1,
    lambda chance: ("resume", chance.randrange(9)): 8,
    lambda chance: ("gate", chance.random() < 0.9): 4,
    lambda chance: ("feed", chance.choice(SYMBOLS), chance.choice((FeedState.LIVE,) * 5 + (*FeedState,))): 4,
    lambda chance: ("money", chance.choice((-2_000, 0, 0, 0, 300, 499, 500))): 3,
    lambda chance: ("ledger", chance.choice(SYMBOLS)): 4,
    lambda chance: ("restart",): 1,
}


def story(seed: int, steps: int) -> Iterator[tuple[Any, ...]]:
    """Return what happens in one world."""
    chance = random.Random(seed)
    for make in chance.choices(list(KINDS), list(KINDS.values()), k=steps):
        yield make(chance)


@settings(max_examples=60)
@given(st.integers(0, 10**9))
def test_risk_allows_exactly_what_the_limits_in_force_allow(seed: int) -> None:
    world = World()
    for name, *arguments in story(seed, 250):
        getattr(world, name)(*arguments)
        world.check()
    world.restart()
    world.check()


def test_the_stories_reach_every_rule_they_are_about() -> None:
    answers: Counter[str] = Counter()
    for seed in range(40):
        world = World()
        for name, *arguments in story(seed, 250):
            getattr(world, name)(*arguments)
        answers += world.answers
    about = {"allowed", "reduced", "halted", "stale_data", "daily_loss", "order_contracts", "order_notional"}
    about |= {"open_orders", "open_trades", "position_contracts", "position_notional", "leverage"}
    about |= {"price_band", "reduce_only", "not_reconciled"}
    assert {name for name in about if answers[name] >= 10} == about, answers
