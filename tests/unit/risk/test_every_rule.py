"""Every rule: what passes under and at its limit, what it says beyond. A rule without a case fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from actors.domain.lifecycle import OrderState
from actors.messages.account import AccountState, PortfolioShare, PortfolioState, PositionState
from actors.messages.control import FlattenPositions, Halt, HaltLevel
from actors.messages.grants import Measures, PortfolioGrant
from actors.messages.market import FeedState, FundingRate, MarkPrice, Quote
from actors.messages.trading import CancelIntent, OrderDenied, OrderIntent, Reason, StrategyHeartbeat
from actors.risk.rules import RULES
from actors.risk.settings import Action, StrategyLimits
from tests.unit.risk.risk_bench import (
    BTC,
    CATALOG,
    COIN,
    ETH,
    MARKS,
    SECOND,
    TREND,
    USDT,
    RiskBench,
    settings,
)

PRICE = 80 * USDT  # of a contract of BTC at its mark
MARK = MARKS[BTC]
DAY_NS, MONDAY_NS = 1_000, 500
Asked = OrderIntent | OrderDenied


class Case(NamedTuple):
    """Stories that end with an order: those that pass, and those that are denied with these numbers."""

    limits: dict[str, Any]
    passes: tuple[Callable[[RiskBench], Asked], ...]
    denies: tuple[tuple[Callable[[RiskBench], Asked], int, int], ...]


def order(signed: int = 1, **changes: Any) -> Callable[[RiskBench], Asked]:
    return lambda bench: bench.ask(signed, **changes)


def after(*steps: Callable[[RiskBench], Any], then: Callable[[RiskBench], Asked] | None = None) -> Any:
    def story(bench: RiskBench) -> Asked:
        for step in steps:
            step(bench)
        return (then or order())(bench)

    return story


def allowed(signed: int = 1, **changes: Any) -> Callable[[RiskBench], Any]:
    return lambda bench: bench.allowed(signed, **changes)


def filled(signed: int, symbol: str = BTC) -> Callable[[RiskBench], Any]:
    return lambda bench: bench.filled(signed, symbol)


def tell(make: Callable[[RiskBench], Any]) -> Callable[[RiskBench], Any]:
    return lambda bench: bench.tell(make(bench))


def money(equity: int, *, day: int = 10_000, week: int = 10_000, peak: int = 10_000) -> Any:
    return tell(
        lambda bench: AccountState(
            *("main", equity * USDT, equity * USDT, 0, 0, 0, 0, 0, day * USDT, peak * USDT, bench.now_ns),
            *(DAY_NS, week * USDT, MONDAY_NS),
        )
    )


def twice(bench: RiskBench, **changes: Any) -> Asked:
    intent = bench.allowed()
    return bench.ask(intent_id=intent.intent_id, **changes)


def trade(signed: int, bought: int, sold: int) -> Callable[[RiskBench], Any]:
    """Open and close a position at these prices."""

    def story(bench: RiskBench) -> None:
        for size, ticks in ((signed, bought), (-signed, sold)):
            intent = bench.allowed(size)
            bench.update(intent, OrderState.FILLED, abs(size), filled_ticks=abs(size) * ticks)

    return story


def rejected(count: int) -> Callable[[RiskBench], Any]:
    def story(bench: RiskBench) -> None:
        for _ in range(count):
            bench.update(bench.allowed(), OrderState.REJECTED)

    return story


def fill_at(ticks: int) -> Callable[[RiskBench], Any]:
    def story(bench: RiskBench) -> None:
        intent = bench.allowed(decision_ticks=MARK)
        bench.update(intent, OrderState.FILLED, 1, filled_ticks=ticks)

    return story


def senseless(count: int) -> Callable[[RiskBench], Any]:
    def story(bench: RiskBench) -> None:
        for _ in range(count):
            bench.denied(contracts=0)

    return story


def later(ns: int) -> Callable[[RiskBench], Any]:
    return lambda bench: bench.advance(ns)


def position(contracts: int, cost: int, mark: int) -> Callable[[RiskBench], Any]:
    """The account holds so much, and its price moves."""

    def story(bench: RiskBench) -> None:
        bench.filled(contracts)
        bench.tell(PositionState("main", BTC, contracts, contracts * cost, mark, 0, 0, bench.now_ns))
        bench.advance(SECOND)
        bench.tell(MarkPrice(BTC, bench.now_ns, mark, mark))
        bench.quote(BTC, mark)

    return story


PART = (800 * USDT, 799 * USDT)  # what an order of ten comes to, and a part just below
WIDE = Measures(*(10**6 * USDT,) * 3)


def portfolio(*nets: tuple[str, int], loss: int = 0, complete: bool = True, rho: float = 0.5) -> Any:
    shares = (
        PortfolioShare("main", 10_000 * USDT, 0, ((BTC, 999 * USDT),)),
        PortfolioShare("other", 10_000 * USDT, loss * USDT, tuple((s, usdt * USDT) for s, usdt in nets)),
    )

    def story(bench: RiskBench) -> None:
        rows = ((1.0, rho), (rho, 1.0))
        bench.tell(PortfolioState(shares, complete, (BTC, ETH), rows, 0, bench.now_ns))
        if not bench.actor.state.grant.number:
            bench.tell(PortfolioGrant("main", 1, WIDE, Measures()))

    return story


def granted(number: int = 1, account: str = "main", together: int = 0, **own: int) -> Any:
    """Tell what the portfolio grants, in USDT."""
    parts = Measures(**{f"{name}_usdt": usdt * USDT for name, usdt in own.items()})
    all_of_them = Measures(*(together * USDT,) * 3)
    return tell(lambda bench: PortfolioGrant(account, number, parts, all_of_them))


def cancels(count: int) -> Callable[[RiskBench], Any]:
    def story(bench: RiskBench) -> None:
        for _ in range(count):
            bench.tell(CancelIntent("x", TREND, "main"))
        bench.published.clear()

    return story


def smallest_of_five(bench: RiskBench) -> None:
    market = bench.actor._markets[BTC]
    market.instrument = dataclasses.replace(CATALOG[BTC], contracts_min=5)


def unheard(bench: RiskBench) -> Asked:
    fresh = RiskBench(bench.limits, heard=False)
    fresh.reconciled()
    fresh.mark(BTC, MARK)
    fresh.quote(BTC, MARK)
    return fresh.ask()


def quote(bid: int, ask: int) -> Callable[[RiskBench], Any]:
    return tell(lambda bench: Quote(BTC, bench.now_ns, bid, 1, ask, 1))


def mark(ticks: int, index: int = MARK) -> Callable[[RiskBench], Any]:
    return tell(lambda bench: MarkPrice(BTC, bench.now_ns, ticks, index))


def exit_told(bench: RiskBench) -> Asked:
    """Ask what risk did about a position: a close counts as its no."""
    if not bench.take(FlattenPositions):
        return bench.intent()
    event = next(event for event in reversed(bench.events) if type(event).__name__ == "ExitOrdered")
    return OrderDenied("", TREND, "main", BTC, event.rule, "", event.measured, event.limit, bench.now_ns)


TENTH, HUNDREDTH = USDT // 10, USDT // 100
LEVERAGE = CATALOG[BTC].tiers[0].leverage_max
LAST_TIER = CATALOG[ETH].tiers[-1].contracts_max
OF_TREND = {"strategies": {TREND: StrategyLimits(max_open_orders=1)}}
PULSE = "pulse/x"

CASES: dict[str, Case] = {
    "order_form": Case({}, (order(1),), ((order(contracts=0), 0, 1), (order(contracts=-1), -1, 1))),
    "duplicate_intent": Case({}, (after(allowed()),), ((twice, 2, 1),)),
    "not_reconciled": Case(
        {},
        (after(filled(2), lambda bench: bench.reconciled(False), then=order(-2, reduce_only=True)),),
        ((after(lambda bench: bench.reconciled(False)), 0, 1),),
    ),
    "reduce_only": Case(
        {},
        (
            after(filled(3), then=order(-2, reduce_only=True)),
            after(filled(3), then=order(-3, reduce_only=True)),
        ),
        ((after(filled(3), then=order(-4, reduce_only=True)), 4, 3),),
    ),
    "spot_inventory": Case(
        {},
        (after(filled(300, COIN), then=order(-300, symbol=COIN)),),
        ((after(filled(300, COIN), then=order(-301, symbol=COIN)), 301, 300),),
    ),
    "halted": Case(
        {},
        (
            after(
                filled(2),
                tell(lambda bench: Halt("all", HaltLevel.NO_NEW_RISK, "ann", "x")),
                lambda bench: bench.replies.clear(),
                then=order(-2),
            ),
        ),
        (
            (
                after(
                    tell(lambda bench: Halt(f"symbol/{BTC}", HaltLevel.NO_NEW_RISK, "ann", "x")),
                    lambda bench: bench.replies.clear(),
                ),
                1,
                0,
            ),
        ),
    ),
    "stale_data": Case(
        {"quote_age_max": 5 * SECOND},
        (after(later(5 * SECOND - 1)), after(later(5 * SECOND))),
        (
            (after(later(5 * SECOND + 1)), 5 * SECOND + 1, 5 * SECOND),
            (after(lambda bench: bench.feed(FeedState.SILENT)), 1, 0),
        ),
    ),
    "clock_ahead": Case(
        {"clock_ahead_max": SECOND},
        (after(tell(lambda bench: MarkPrice(BTC, bench.now_ns + SECOND, MARK, MARK))),),
        (
            (
                after(tell(lambda bench: MarkPrice(BTC, bench.now_ns + SECOND + 1, MARK, MARK))),
                SECOND + 1,
                SECOND,
            ),
        ),
    ),
    "lying_data": Case(
        {"max_divergence": HUNDREDTH},
        (
            after(mark(MARK, MARK + 79_999)),
            after(mark(MARK, MARK - 80_000)),
            after(quote(MARK + 79_999, MARK + 80_001)),
        ),
        (
            (after(mark(MARK, MARK + 80_001)), 80_001, 80_000),
            (after(quote(MARK - 80_002, MARK - 80_000)), 80_001, 80_000),
            (after(quote(MARK + 2, MARK)), 2, 0),
        ),
    ),
    "account_unknown": Case({}, (order(1),), ((unheard, 0, 1),)),
    "portfolio_stale": Case(
        {"portfolio_gross_usdt": 10**6 * USDT, "portfolio_age_max": 5 * SECOND, "quote_age_max": 0},
        (after(portfolio(), later(5 * SECOND - 1)), after(portfolio(), later(5 * SECOND))),
        ((after(portfolio(), later(5 * SECOND + 1)), 5 * SECOND + 1, 5 * SECOND),),
    ),
    "daily_loss": Case(
        {"daily_loss_usdt": 500 * USDT, "actions": {"daily_loss": "deny"}},
        (after(money(9_501)), after(money(9_500, day=9_999))),
        ((after(money(9_500)), 500 * USDT, 500 * USDT), (after(money(9_400)), 600 * USDT, 500 * USDT)),
    ),
    "weekly_loss": Case(
        {"weekly_loss_usdt": 500 * USDT, "actions": {"weekly_loss": "deny"}},
        (after(money(9_501)), after(money(9_500, week=9_999))),
        ((after(money(9_500, day=9_500)), 500 * USDT, 500 * USDT),),
    ),
    "drawdown": Case(
        {"max_drawdown": TENTH, "actions": {"drawdown": "deny"}},
        (after(money(9_001)), after(money(9_000, peak=9_999))),
        (
            (after(money(9_000)), 1_000 * USDT, 1_000 * USDT),
            (after(money(8_999)), 1_001 * USDT, 1_000 * USDT),
        ),
    ),
    "portfolio_loss": Case(
        {"portfolio_loss_usdt": 500 * USDT, "actions": {"portfolio_loss": "deny"}},
        (after(money(9_800), portfolio(loss=299)),),
        ((after(money(9_800), portfolio(loss=300)), 500 * USDT, 500 * USDT),),
    ),
    "loss_streak": Case(
        {"max_loss_streak": 2, "loss_streak_pause": 60 * SECOND, "quote_age_max": 0},
        (
            after(trade(2, MARK, MARK - 1)),
            after(trade(2, MARK, MARK - 1), trade(2, MARK, MARK), trade(-2, MARK, MARK + 1)),
            after(trade(2, MARK, MARK - 1), trade(2, MARK, MARK - 1), later(60 * SECOND)),
        ),
        ((after(trade(2, MARK, MARK - 1), trade(-2, MARK, MARK + 1), later(60 * SECOND - 1)), 2, 2),),
    ),
    "rejects": Case(
        {"max_rejects_in_row": 3, "actions": {"rejects": "halt"}},
        (after(rejected(2)), after(rejected(2), filled(1), rejected(2))),
        (),  # it latches a halt, which is what the order meets: see below
    ),
    "exit_pause": Case(
        {"stop_loss": TENTH, "exit_pause": 60 * SECOND, "quote_age_max": 0},
        (
            after(
                position(2, MARK, MARK * 9 // 10),
                lambda bench: bench.take(FlattenPositions),
                lambda bench: flat(bench),
                later(60 * SECOND),
            ),
        ),
        (
            (
                after(position(2, MARK, MARK * 9 // 10), lambda bench: bench.take(FlattenPositions)),
                0,
                60 * SECOND,
            ),
        ),
    ),
    "model_output": Case(
        {"refuse_not_finite": True},
        (order(reasons=(Reason("fast", "1.5"),)),),
        ((order(reasons=(Reason("fast", "nan"), Reason("slow", "-inf"))), 2, 0),),
    ),
    "strategy_silence": Case(
        {"strategy_silence_max": 10 * SECOND},
        (
            after(tell(lambda bench: StrategyHeartbeat(TREND, "main", bench.now_ns)), later(10 * SECOND - 1)),
            after(tell(lambda bench: StrategyHeartbeat(TREND, "main", bench.now_ns)), later(10 * SECOND)),
        ),
        (
            (
                after(
                    tell(lambda bench: StrategyHeartbeat(TREND, "main", bench.now_ns)), later(10 * SECOND + 1)
                ),
                10 * SECOND + 1,
                10 * SECOND,
            ),
        ),
    ),
    "denials": Case(
        {"max_denials_in_row": 3},
        (after(senseless(2)), after(senseless(2), allowed(), senseless(2))),
        ((after(senseless(3)), 3, 3),),
    ),
    "slippage": Case(
        {"max_slippage": 8 * HUNDREDTH // 100},  # an eighth of each fill counts
        (after(fill_at(MARK - 99)), after(fill_at(MARK + MARK * 64 // 10_000))),
        ((after(fill_at(MARK + MARK // 100)), HUNDREDTH // 8, 8 * HUNDREDTH // 100),),
    ),
    "decision_drift": Case(
        {"max_decision_drift": HUNDREDTH},
        (
            order(decision_ticks=8_079_000),
            order(decision_ticks=MARK * 100 // 101 + 1),
            order(decision_ticks=0),
        ),
        ((order(decision_ticks=7_900_000), 100_000, 79_000),),
    ),
    "strategy_loss": Case(
        {
            "strategies": {TREND: StrategyLimits(daily_loss_usdt=10 * USDT)},
            "actions": {"strategy_loss": "deny"},
        },
        (
            after(trade(2, MARK, MARK - 499_999)),
            after(trade(2, MARK, MARK - 500_000), money(10_000)),  # of the day before
            after(trade(2, MARK, MARK - 500_000), then=order(strategy=PULSE)),
        ),
        (
            (after(trade(2, MARK, MARK - 500_000)), 10 * USDT, 10 * USDT),
            (after(money(10_000), trade(-2, MARK, MARK + 600_000)), 12 * USDT, 10 * USDT),
        ),
    ),
    "order_contracts": Case(
        {"max_order_contracts": 10},
        (order(9), order(10)),
        ((order(11), 11, 10), (after(smallest_of_five, then=order(4)), 4, 5)),
    ),
    "order_notional": Case(
        {"max_order_notional_usdt": 10 * PRICE}, (order(9), order(10)), ((order(11), 11 * PRICE, 10 * PRICE),)
    ),
    "price_band": Case(
        {"price_band": HUNDREDTH},
        (order(limit_ticks=MARK + 79_999), order(limit_ticks=MARK - 80_000)),
        (
            (order(limit_ticks=MARK + 80_001), 80_001, 80_000),
            (order(limit_ticks=MARK - 80_001), 80_001, 80_000),
        ),
    ),
    "collar": Case(
        {"collar": HUNDREDTH},
        (
            after(quote(MARK - 1, MARK + 79_999)),
            after(quote(MARK - 80_000, MARK + 80_000), then=order(-1)),
            after(quote(MARK - 90_000, MARK + 90_000), then=order(limit_ticks=MARK)),
        ),
        (
            (after(quote(MARK - 1, MARK + 80_001)), 80_001, 80_000),
            (after(quote(MARK - 80_001, MARK + 1), then=order(-1)), 80_001, 80_000),
            (after(quote(MARK, 0)), MARK, 80_000),
        ),
    ),
    "open_orders": Case(
        {"max_open_orders": 2}, (order(), after(allowed())), ((after(allowed(), allowed()), 3, 2),)
    ),
    "symbol_orders": Case(
        {"max_symbol_orders": 2},
        (after(allowed()), after(allowed(), allowed(symbol=ETH), allowed(symbol=ETH))),
        ((after(allowed(), allowed()), 3, 2),),
    ),
    "strategy_orders": Case(OF_TREND, (order(), after(allowed(strategy=PULSE))), ((after(allowed()), 2, 1),)),
    "open_trades": Case(
        {"max_open_trades": 1},
        (order(), after(filled(1))),
        ((after(filled(1), then=order(symbol=ETH)), 2, 1),),
    ),
    "position_contracts": Case(
        {"max_position_contracts": 10},
        (after(allowed(4), then=order(5)), after(filled(4), then=order(6))),
        ((after(filled(4), allowed(3), then=order(4)), 11, 10),),
    ),
    "position_notional": Case(
        {"max_position_notional_usdt": 10 * PRICE},
        (after(allowed(4), then=order(5)), after(filled(4), then=order(6))),
        ((after(filled(4), then=order(7)), 11 * PRICE, 10 * PRICE),),
    ),
    "strategy_notional": Case(
        {"strategies": {TREND: StrategyLimits(max_notional_usdt=10 * PRICE)}},
        (
            after(filled(4), then=order(5)),
            after(filled(4), allowed(2), then=order(4)),
            after(filled(9), then=order(9, strategy=PULSE)),
        ),
        ((after(filled(4), allowed(2), then=order(5)), 11 * PRICE, 10 * PRICE),),
    ),
    "funding_cost": Case(
        {"max_funding_fraction": USDT // 10_000},  # 1 USDT of 10,000
        (
            after(tell(lambda bench: FundingRate(BTC, bench.now_ns, USDT // 800, 0)), then=order(9)),
            after(tell(lambda bench: FundingRate(BTC, bench.now_ns, USDT // 800, 0)), then=order(10)),
            after(tell(lambda bench: FundingRate(BTC, bench.now_ns, USDT // 800, 0)), then=order(-11)),
        ),
        (
            (
                after(tell(lambda bench: FundingRate(BTC, bench.now_ns, USDT // 800, 0)), then=order(11)),
                11 * USDT // 10,
                USDT,
            ),
        ),
    ),
    "leverage": Case(
        {"max_leverage": TENTH},
        (order(12), after(filled(6), then=order(6))),
        (
            (order(13), 13 * PRICE, 1_000 * USDT),
            (after(filled(10), then=order(9, symbol=ETH)), 1_025 * USDT, 1_000 * USDT),
        ),
    ),
    "gross_exposure": Case(
        {"max_gross_usdt": 10 * PRICE},
        (order(9), after(filled(5), then=order(5))),
        ((after(filled(10), then=order(-1, symbol=ETH)), 825 * USDT, 800 * USDT),),
    ),
    "net_exposure": Case(
        {"max_net_usdt": 10 * PRICE},
        (order(9), order(-10), after(filled(10), then=order(-8, symbol=ETH))),
        (
            (order(11), 11 * PRICE, 10 * PRICE),
            (after(filled(-10), then=order(-1, symbol=ETH)), 825 * USDT, 800 * USDT),
        ),
    ),
    "margin_use": Case(
        {"max_margin_use": TENTH},
        (order(200),),
        (
            (
                order(300),
                300 * PRICE // CATALOG[BTC].leverage_default
                + 300 * PRICE * CATALOG[BTC].taker_fee_e8 // USDT,
                1_000 * USDT,
            ),
        ),
    ),
    "margin": Case(
        {},
        (after(money(10_000), then=order(100)),),
        (
            (
                after(money(400), then=order(100)),
                100 * PRICE // CATALOG[BTC].leverage_default
                + 100 * PRICE * CATALOG[BTC].taker_fee_e8 // USDT,
                400 * USDT,
            ),
        ),
    ),
    "portfolio_gross": Case(
        {"portfolio_gross_usdt": 1_000 * USDT},
        (after(portfolio((BTC, -200)), then=order(9)), after(portfolio((ETH, 200)), then=order(10))),
        ((after(portfolio((ETH, -201)), then=order(10)), 1_001 * USDT, 1_000 * USDT),),
    ),
    "portfolio_net": Case(
        {"portfolio_net_usdt": 1_000 * USDT},
        (after(portfolio((ETH, 200)), then=order(10)), after(portfolio((ETH, -900)), then=order(20))),
        ((after(portfolio((ETH, 201)), then=order(10)), 1_001 * USDT, 1_000 * USDT),),
    ),
    "correlated_exposure": Case(
        # 800 of BTC and 800 of ETH at a correlation of one half: sqrt(3) x 800
        {"portfolio_correlated_usdt": 138_564_064_606},
        (
            after(portfolio((ETH, 800), rho=0.49), then=order(10)),
            after(portfolio((ETH, 800)), then=order(10)),
            after(portfolio((ETH, -800)), then=order(14)),  # against each other: less than either sum
        ),
        ((after(portfolio((ETH, 800), rho=1.0), then=order(10)), 1_600 * USDT, 138_564_064_606),),
    ),
    "portfolio_grant": Case(
        {f"portfolio_{name}_usdt": 2_000 * USDT for name in ("gross", "net", "correlated")},
        (
            after(granted(together=2_000, gross=800, net=800, correlated=800), portfolio(), then=order(10)),
            after(
                granted(1, gross=0),
                granted(2, gross=800, net=800, correlated=800),
                granted(1, gross=0),
                granted(3, "other", gross=0),
                portfolio((ETH, 900)),
                then=order(10),
            ),
        ),
        (
            (
                after(granted(gross=799, net=800, correlated=800), portfolio(), then=order(10)),
                800 * USDT,
                799 * USDT,
            ),
            (
                after(granted(gross=800, net=799, correlated=800), portfolio(), then=order(10)),
                800 * USDT,
                799 * USDT,
            ),
            (
                after(granted(gross=800, net=800, correlated=799), portfolio(), then=order(10)),
                800 * USDT,
                799 * USDT,
            ),
            (
                after(granted(together=2_001, gross=800), portfolio(), then=order(10)),
                2_001 * USDT,
                2_000 * USDT,
            ),
        ),
    ),
    "stop_loss": Case(
        {"stop_loss": TENTH},
        (after(position(2, MARK, MARK * 9 // 10 + 1), then=exit_told),),
        (
            (after(position(2, MARK, MARK * 9 // 10), then=exit_told), 16 * USDT, 16 * USDT),
            (after(position(-2, MARK, MARK * 12 // 10), then=exit_told), 32 * USDT, 16 * USDT),
        ),
    ),
    "take_profit": Case(
        {"take_profit": TENTH},
        (after(position(2, MARK, MARK * 11 // 10 - 1), then=exit_told),),
        ((after(position(2, MARK, MARK * 11 // 10), then=exit_told), 16 * USDT, 16 * USDT),),
    ),
    "max_holding": Case(
        {"max_holding": 60 * SECOND},
        (after(position(2, MARK, MARK), later(58 * SECOND), mark(MARK), then=exit_told),),
        (
            (
                after(position(2, MARK, MARK), later(59 * SECOND), mark(MARK), then=exit_told),
                60 * SECOND,
                60 * SECOND,
            ),
        ),
    ),
    "cancel_rate": Case(
        {"max_cancels_per_second": 10, "cancel_burst": 3},
        (after(cancels(2)), after(cancels(3)), after(cancels(4), later(SECOND // 10))),
        ((after(cancels(4)), 4, 3),),
    ),
    "order_rate": Case(
        {"max_orders_per_second": 10, "order_burst": 2},
        (after(allowed()), after(allowed(), allowed(), later(SECOND // 10))),
        ((after(allowed(), allowed()), 3, 2),),
    ),
}


def flat(bench: RiskBench) -> None:
    """The position that risk had closed is gone."""
    intent = bench.intent(-2, intent_id="oms/main#1.1", strategy="oms/main")
    bench.update(intent, OrderState.FILLED, 2)
    bench.ledger(0)


def made(case: Case) -> RiskBench:
    actions = {name: Action(text) for name, text in case.limits.get("actions", {}).items()}
    return RiskBench(settings(**(case.limits | {"actions": actions})))


def test_every_rule_has_a_case_with_something_that_passes_and_something_that_does_not() -> None:
    assert set(CASES) == {rule.name for rule in RULES}
    for name, case in CASES.items():
        assert case.passes, name
        assert case.denies or name == "rejects", name


@pytest.mark.parametrize("name", CASES)
def test_what_is_under_or_at_the_limit_passes(name: str) -> None:
    for index, story in enumerate(CASES[name].passes):
        answer = story(made(CASES[name]))
        assert isinstance(answer, OrderIntent), (index, answer)


@pytest.mark.parametrize("name", CASES)
def test_what_is_over_the_limit_is_denied_with_the_numbers(name: str) -> None:
    for index, (story, measured, limit) in enumerate(CASES[name].denies):
        answer = story(made(CASES[name]))
        assert isinstance(answer, OrderDenied), (index, answer)
        assert (answer.rule, answer.measured, answer.limit) == (name, measured, limit), index


@pytest.mark.parametrize("name", [rule.name for rule in RULES if rule.limits])
def test_a_rule_whose_limits_are_off_is_not_asked(name: str) -> None:
    rule = next(rule for rule in RULES if rule.name == name)
    always = {"leverage", "order_contracts", "position_contracts", "price_band", "stale_data"}
    assert (rule.make(settings()) is None) is (name not in always)
