"""Each rule at its limit, under it and over it, with the numbers it gives."""

import dataclasses

import msgspec
import pytest

from actors.domain.orders import OrderType, Side
from actors.messages.control import Halt, HaltLevel, Resume
from actors.messages.market import FeedState, MarkPrice, Quote
from actors.messages.trading import OrderDenied
from actors.risk.rules import RULES
from actors.risk.settings import RiskSettings
from tests.unit.risk.conftest import Benches
from tests.unit.risk.risk_bench import BTC, CATALOG, ETH, MARKS, SECOND, SOL, TREND, USDT, RiskBench, settings

PRICE = 80 * USDT  # of a contract of BTC at its mark


def test_the_table_names_each_rule_once() -> None:
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names)) == 50


# -- size and form ---------------------------------------------------------------------------------


@pytest.mark.parametrize("contracts", [0, -3])
def test_an_order_without_a_size_is_denied(risk: Benches, contracts: int) -> None:
    assert risk().denied(contracts=contracts) == ("order_form", contracts, 1)


@pytest.mark.parametrize("field", ["contracts", "limit_ticks"])
def test_nonsense_is_denied_in_numbers_that_can_be_journaled(risk: Benches, field: str) -> None:
    bench = risk()
    intent = msgspec.structs.replace(bench.intent(1, limit_ticks=MARKS[BTC]), **{field: 10**30})
    bench.sender = intent.strategy
    bench.actor.receive(intent, bench)  # inside a node nothing is encoded on the way
    (denial,) = bench.replies
    assert isinstance(denial, OrderDenied)
    assert (denial.rule, denial.measured) == ("order_form", 2**63 - 1)
    msgspec.msgpack.encode((denial, bench.events[-1]))


def test_a_market_order_with_a_price_is_denied(risk: Benches) -> None:
    denied = risk().denied(order_type=OrderType.MARKET, limit_ticks=7)
    assert denied == ("order_form", 7, 0)


@pytest.mark.parametrize("order_type", [OrderType.LIMIT, OrderType.POST_ONLY])
def test_a_limit_order_without_a_price_is_denied(risk: Benches, order_type: OrderType) -> None:
    assert risk().denied(order_type=order_type) == ("order_form", 0, 1)


def test_the_largest_order_passes_and_one_contract_more_does_not(risk: Benches) -> None:
    bench = risk(max_order_contracts=10)
    bench.allowed(10)
    assert bench.denied(11) == ("order_contracts", 11, 10)
    assert bench.denied(-11) == ("order_contracts", 11, 10)


def test_the_catalogs_largest_order_holds_whatever_the_settings_say(risk: Benches) -> None:
    bench = risk(max_order_contracts=10**9)
    bench.money(10**10 * USDT)
    most = CATALOG[ETH].contracts_max_market
    bench.allowed(most, symbol=ETH)
    assert bench.denied(most + 1, symbol=ETH) == ("order_contracts", most + 1, most)


def test_the_catalogs_smallest_order_holds(risk: Benches) -> None:
    bench = risk()
    bench.actor._markets[BTC].instrument = dataclasses.replace(CATALOG[BTC], contracts_min=5)
    bench.allowed(5)
    assert bench.denied(4) == ("order_contracts", 4, 5)


def test_the_largest_order_value_passes_and_more_does_not(risk: Benches) -> None:
    bench = risk(max_order_notional_usdt=10 * PRICE)
    bench.allowed(10)
    assert bench.denied(11) == ("order_notional", 11 * PRICE, 10 * PRICE)


def test_a_limit_above_the_mark_is_valued_at_the_limit(risk: Benches) -> None:
    bench = risk(max_order_notional_usdt=10 * PRICE)
    tick = CATALOG[BTC].tick_value
    above = MARKS[BTC] + 1
    assert bench.denied(10, limit_ticks=above) == ("order_notional", 10 * (PRICE + tick), 10 * PRICE)
    bench.allowed(10, limit_ticks=MARKS[BTC] - 1)


# -- price -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1])
def test_a_limit_at_the_edge_of_the_band_passes_and_a_tick_beyond_does_not(risk: Benches, sign: int) -> None:
    bench = risk(price_band=USDT // 100)
    edge = MARKS[BTC] // 100
    bench.allowed(limit_ticks=MARKS[BTC] + sign * edge)
    assert bench.denied(limit_ticks=MARKS[BTC] + sign * (edge + 1)) == ("price_band", edge + 1, edge)


def test_the_catalogs_band_holds_when_the_settings_are_wider(risk: Benches) -> None:
    for bench in (risk(), risk(price_band=USDT // 2)):
        edge = MARKS[BTC] // 20
        bench.allowed(limit_ticks=MARKS[BTC] + edge)
        assert bench.denied(limit_ticks=MARKS[BTC] + edge + 1) == ("price_band", edge + 1, edge)


def test_without_a_mark_the_middle_of_the_quote_stands_in(risk: Benches) -> None:
    bench = RiskBench(settings(), heard=False)
    bench.reconciled()
    bench.money(10_000 * USDT)
    bench.tell(Quote(BTC, bench.now_ns, 90, 1, 110, 1))
    assert bench.denied(limit_ticks=106) == ("price_band", 6, 5)
    bench.allowed(limit_ticks=105)


# -- how many --------------------------------------------------------------------------------------


def test_the_last_open_order_passes_and_one_more_does_not(risk: Benches) -> None:
    bench = risk(max_open_orders=2)
    bench.allowed()
    bench.allowed()
    assert bench.denied() == ("open_orders", 3, 2)


def test_the_last_symbol_passes_and_one_more_does_not(risk: Benches) -> None:
    bench = risk(max_open_trades=2)
    bench.filled(1, BTC)
    bench.allowed(1, symbol=ETH)  # a live order counts as much as a position
    assert bench.denied(1, symbol=SOL) == ("open_trades", 3, 2)
    bench.allowed(1, symbol=BTC)
    bench.allowed(1, symbol=ETH)


def test_orders_may_come_in_a_burst_and_then_at_their_rate(risk: Benches) -> None:
    bench = risk(max_orders_per_second=10, order_burst=3)
    for _ in range(3):
        bench.allowed()
    assert bench.denied() == ("order_rate", 4, 3)
    bench.advance(SECOND // 10 - 1)
    assert bench.denied() == ("order_rate", 4, 3)
    bench.advance(1)
    bench.allowed()
    assert bench.denied() == ("order_rate", 4, 3)
    bench.advance(10 * SECOND)
    for _ in range(3):
        bench.allowed()
    assert bench.denied() == ("order_rate", 4, 3)


def test_denied_orders_take_no_token(risk: Benches) -> None:
    bench = risk(max_orders_per_second=1, order_burst=1, max_order_contracts=5)
    for _ in range(5):
        assert bench.denied(6)[0] == "order_contracts"
    bench.allowed(5)


# -- how much --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1])
def test_position_and_live_orders_together_reach_the_limit_and_no_more(risk: Benches, sign: int) -> None:
    bench = risk(max_position_contracts=10)
    bench.filled(sign * 4)
    bench.allowed(sign * 3)
    assert bench.denied(sign * 4) == ("position_contracts", 11, 10)
    bench.allowed(sign * 3)
    assert bench.denied(sign * 1) == ("position_contracts", 11, 10)


def test_orders_of_both_sides_are_not_set_off_against_each_other(risk: Benches) -> None:
    bench = risk(max_position_contracts=10)
    bench.allowed(-8)
    bench.allowed(10)
    assert bench.denied(1)[0] == "position_contracts"


def test_the_catalogs_largest_position_holds_whatever_the_settings_say(risk: Benches) -> None:
    bench = risk(max_position_contracts=10**9)
    bench.money(10**10 * USDT)
    most = CATALOG[SOL].tiers[-1].contracts_max
    order = min(most, CATALOG[SOL].contracts_max_market)
    for _ in range(most // order):
        bench.allowed(order, symbol=SOL)
    left = most % order
    assert bench.denied(left + 1, symbol=SOL) == ("position_contracts", most + 1, most)


def test_the_largest_position_value_passes_and_more_does_not(risk: Benches) -> None:
    bench = risk(max_position_notional_usdt=10 * PRICE)
    bench.filled(4)
    bench.allowed(6)
    assert bench.denied(1) == ("position_notional", 11 * PRICE, 10 * PRICE)


def test_a_position_that_grew_dear_by_itself_takes_no_more(risk: Benches) -> None:
    bench = risk(max_position_notional_usdt=10 * PRICE)
    bench.filled(5)
    bench.mark(BTC, MARKS[BTC] * 2)
    bench.quote(BTC, MARKS[BTC] * 2)
    assert bench.denied(1) == ("position_notional", 12 * PRICE, 10 * PRICE)


def test_leverage_counts_every_symbol_and_every_live_order(risk: Benches) -> None:
    bench = risk(max_leverage=2 * USDT)
    bench.filled(100, BTC)  # 8,000 USDT of the 20,000 that an equity of 10,000 may carry
    bench.allowed(-200, symbol=ETH)  # 5,000
    assert bench.denied(501, symbol=SOL) == ("leverage", 13_000 * USDT + 501 * 14 * USDT, 20_000 * USDT)
    bench.allowed(500, symbol=SOL)
    assert bench.denied(1, symbol=BTC)[0] == "leverage"


def test_leverage_follows_the_marks(risk: Benches) -> None:
    bench = risk(max_leverage=2 * USDT)
    bench.filled(100, BTC)
    bench.mark(BTC, MARKS[BTC] * 2)
    assert bench.denied(300, symbol=ETH) == ("leverage", 23_500 * USDT, 20_000 * USDT)


def test_the_catalogs_tier_caps_the_leverage_of_one_symbol(risk: Benches) -> None:
    bench = risk()
    bench.money(100_000 * USDT)
    # Up to 5,000 contracts: three times 100,000 USDT, that is 3,750 contracts of 80.
    bench.allowed(2_500)
    assert bench.denied(1_251) == ("leverage", 3_751 * PRICE, 300_000 * USDT)
    # Margin at a leverage of 3 takes the whole equity, and the fee of the order is not covered.
    assert bench.denied(1_250)[0] == "margin"
    bench.allowed(1_245)


def test_margin_of_everything_and_the_fee_must_be_covered(risk: Benches) -> None:
    bench = risk()
    bench.money(1_000 * USDT)
    # 75 contracts: 6,000 USDT at the default leverage of 20 is 300, its fee at 0.06 % is 3.6.
    bench.allowed(75)
    bench.allowed(-200, symbol=ETH)  # 5,000 at 10 is 500, fee 3
    # 200 are left: 140 contracts are 1,960 at 10, so 196, and 1.176 of fee.
    assert bench.denied(143, symbol=SOL) == (
        "margin",
        800 * USDT + 143 * 14 * USDT // 10 + 143 * 14 * USDT * 6 // 10_000,
        1_000 * USDT,
    )
    bench.allowed(142, symbol=SOL)


def test_a_loss_at_the_limit_denies_and_a_little_less_does_not(risk: Benches) -> None:
    bench = risk(daily_loss_usdt=500 * USDT)
    bench.money(9_500 * USDT + 1, day_start_usdt=10_000 * USDT)
    bench.allowed()
    bench.money(9_500 * USDT, day_start_usdt=10_000 * USDT)
    assert bench.denied()[0] == "halted"  # it latches at once


def test_the_loss_denies_even_after_a_person_resumed(risk: Benches) -> None:
    bench = risk(daily_loss_usdt=500 * USDT)
    bench.money(9_400 * USDT, day_start_usdt=10_000 * USDT)
    bench.tell(Resume("account/main", "ann", "looked at it"))
    bench.replies.clear()
    assert bench.denied() == ("daily_loss", 600 * USDT, 500 * USDT)
    bench.money(9_400 * USDT, day_start_usdt=9_400 * USDT)  # the next day
    bench.allowed()


# -- what is known ---------------------------------------------------------------------------------


def test_without_any_price_an_order_is_denied(risk: Benches) -> None:
    bench = RiskBench(settings(), heard=False)
    bench.reconciled()
    bench.money(10_000 * USDT)
    assert bench.denied()[0] == "stale_data"


def test_prices_at_the_age_limit_pass_and_older_ones_do_not(risk: Benches) -> None:
    bench = risk(quote_age_max=5 * SECOND)
    bench.advance(5 * SECOND)
    bench.allowed()
    bench.advance(1)
    assert bench.denied() == ("stale_data", 5 * SECOND + 1, 5 * SECOND)


@pytest.mark.parametrize("young", ["quote", "mark"])
def test_both_quote_and_mark_must_be_young(risk: Benches, young: str) -> None:
    bench = risk(quote_age_max=5 * SECOND)
    bench.advance(6 * SECOND)
    getattr(bench, young)(BTC, MARKS[BTC])
    assert bench.denied() == ("stale_data", 6 * SECOND, 5 * SECOND)


def test_a_feed_may_give_marks_alone(risk: Benches) -> None:
    bench = RiskBench(settings(), heard=False)
    bench.reconciled()
    bench.money(10_000 * USDT)
    bench.tell(MarkPrice(BTC, bench.now_ns, 0, 0))
    assert bench.denied()[0] == "stale_data"
    bench.mark(BTC, MARKS[BTC])
    bench.allowed()


@pytest.mark.parametrize("state", [FeedState.LATE, FeedState.FROZEN, FeedState.SILENT])
def test_a_feed_that_is_not_live_denies_its_symbol_alone(risk: Benches, state: FeedState) -> None:
    bench = risk(quote_age_max=0)
    bench.feed(state)
    assert bench.denied() == ("stale_data", 1, 0)
    bench.allowed(symbol=ETH)
    bench.feed(FeedState.LIVE)
    bench.allowed()


def test_before_the_ledger_spoke_nothing_opens(risk: Benches) -> None:
    bench = RiskBench(settings(), heard=False)
    bench.reconciled()
    for symbol, mark in MARKS.items():
        bench.mark(symbol, mark)
    bench.money(10_000 * USDT, account="other")
    assert bench.denied() == ("account_unknown", 0, 1)
    bench.money(10_000 * USDT)
    bench.allowed()


def test_before_the_books_agree_nothing_opens(risk: Benches) -> None:
    bench = RiskBench(settings(), heard=False)
    bench.hear()
    assert bench.denied() == ("not_reconciled", 0, 1)
    bench.reconciled(agrees=False)
    assert bench.denied() == ("not_reconciled", 0, 1)
    bench.reconciled()
    bench.allowed()
    bench.reconciled(agrees=False)
    assert bench.denied() == ("not_reconciled", 0, 1)


def test_while_the_books_disagree_only_what_the_venue_holds_to_it_may_reduce(risk: Benches) -> None:
    bench = risk()
    bench.filled(5)
    bench.reconciled(agrees=False)
    assert bench.denied(-5)[0] == "not_reconciled"
    bench.allowed(-5, reduce_only=True)


def test_a_symbol_outside_the_deployment_is_denied(risk: Benches) -> None:
    assert risk().denied(symbol="LUNA_USDT_PERP") == ("unknown_symbol", 0, 1)


def test_nobody_speaks_for_another(risk: Benches) -> None:
    bench = risk()
    bench.tell(bench.intent(), sender="trend/liar")
    (denial,) = bench.replies
    assert isinstance(denial, OrderDenied)
    assert denial.rule == "wrong_sender"


def test_intents_of_another_account_are_not_ours(risk: Benches) -> None:
    bench = risk()
    bench.send_intent(bench.intent(account="other"))
    assert (bench.published, bench.replies, bench.events[1:]) == ([], [], [])


def test_an_intent_is_allowed_once(risk: Benches) -> None:
    bench = risk()
    intent = bench.allowed()
    assert bench.denied(intent_id=intent.intent_id) == ("duplicate_intent", 2, 1)
    bench.restart()
    bench.hear()
    assert bench.denied(intent_id=intent.intent_id) == ("duplicate_intent", 2, 1)


def test_a_denied_intent_may_be_asked_again(risk: Benches) -> None:
    bench = risk(max_order_contracts=5)
    bench.denied(6, intent_id="x#1.1")
    bench.allowed(5, intent_id="x#1.1")


# -- reductions ------------------------------------------------------------------------------------


def test_reductions_pass_every_limit_on_new_risk() -> None:
    bench = RiskBench(settings(quote_age_max=5 * SECOND))
    bench.filled(10)
    tight = RiskSettings(
        max_order_contracts=1,
        max_order_notional_usdt=1,
        max_open_orders=1,
        max_position_contracts=1,
        max_position_notional_usdt=1,
        max_leverage=1,
        max_open_trades=1,
        daily_loss_usdt=1,
        quote_age_max=1,
        max_orders_per_second=1,
        order_burst=1,
    )
    bench.limits = tight
    bench.restart()
    bench.tell(Halt("all", HaltLevel.NO_NEW_RISK, "ann", "drill"))
    bench.feed(FeedState.SILENT)
    bench.money(1, day_start_usdt=10_000 * USDT)
    bench.replies.clear()
    for _ in range(2):
        bench.allowed(-2)
        bench.allowed(-3, reduce_only=True)
    assert bench.denied(-1)[0] == "halted"


@pytest.mark.parametrize("sign", [1, -1])
def test_a_reduction_is_no_larger_than_what_is_left_to_close(risk: Benches, sign: int) -> None:
    bench = risk()
    bench.filled(10 * sign)
    bench.tell(Halt("all", HaltLevel.NO_NEW_RISK, "ann", "drill"))
    bench.replies.clear()
    bench.allowed(-6 * sign)
    assert bench.denied(-5 * sign)[0] == "halted"
    assert bench.denied(1 * sign)[0] == "halted"
    bench.allowed(-4 * sign)


@pytest.mark.parametrize("sign", [1, -1])
def test_reduce_only_needs_a_position_to_reduce(risk: Benches, sign: int) -> None:
    bench = risk()
    assert bench.denied(sign, reduce_only=True) == ("reduce_only", 1, 0)
    bench.filled(sign * 5)
    assert bench.denied(sign, reduce_only=True) == ("reduce_only", 1, 0)
    assert bench.denied(-sign * 6, reduce_only=True) == ("reduce_only", 6, 5)
    bench.allowed(-sign * 3, reduce_only=True)
    assert bench.denied(-sign * 3, reduce_only=True) == ("reduce_only", 6, 5)
    bench.allowed(-sign * 2, reduce_only=True)


def test_reductions_keep_to_the_band_and_the_catalogs_size(risk: Benches) -> None:
    bench = risk()
    bench.money(10**10 * USDT)
    most = CATALOG[ETH].contracts_max_market
    bench.filled(most, ETH)
    bench.filled(most, ETH)
    assert bench.denied(-most - 1, symbol=ETH)[0] == "order_contracts"
    assert bench.denied(-1, symbol=ETH, limit_ticks=1)[0] == "price_band"


def test_the_denial_carries_what_the_rule_saw(risk: Benches) -> None:
    bench = risk(max_order_contracts=5)
    denial = bench.ask(6)
    assert denial == OrderDenied(
        *(f"{TREND}#1.1", TREND, "main", BTC, "order_contracts"),
        *("the order is too large", 6, 5, bench.now_ns),
    )
    assert bench.actor.state.denied_count == 1
    assert bench.events[-1].rule == "order_contracts"  # type: ignore[attr-defined]
    assert Side.BUY is bench.events[-1].side  # type: ignore[attr-defined]
