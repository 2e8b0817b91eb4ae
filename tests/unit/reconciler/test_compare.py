"""Ours against theirs, as pure functions."""

import pytest
from msgspec.structs import replace

from actors.domain.lifecycle import OrderState
from actors.domain.orders import Side
from actors.messages.account import LedgerPosition
from actors.messages.venue import VenuePosition
from actors.reconciler.compare import Comparison, Kind, compare
from tests.unit.reconciler.reconciler_bench import (
    BTC,
    CASH,
    ETH,
    NOW,
    SECOND,
    SINCE,
    fill,
    funding,
    known,
    ledger_snapshot,
    order,
    orders_snapshot,
    shown,
    venue_account,
)

S = OrderState
TICK_VALUE = 1_000


def _compared(
    venue: dict[str, object] | None = None,
    orders: dict[str, object] | None = None,
    ledger: dict[str, object] | None = None,
    *,
    ours: dict[str, int] | None = None,
    drift: int = 0,
) -> Comparison:
    held = {"positions": ours or {}}
    return compare(
        venue_account(**(venue or {})),
        orders_snapshot(**(held | (orders or {}))),
        ledger_snapshot(**(held | (ledger or {}))),
        fills_since_ns=SINCE,
        tick_values={BTC: TICK_VALUE},
        cash_drift_usdt_max=drift,
    )


def _found(comparison: Comparison) -> list[tuple[Kind, str, int, int]]:
    return [(d.kind, d.key, d.ours, d.theirs) for d in comparison.differences]


def test_equal_books_do_not_differ() -> None:
    seen = fill()
    comparison = _compared(
        {"positions": {BTC: 4}, "open_orders": (shown(filled_contracts=4),), "fills": (seen,)},
        {"orders": (order(filled_contracts=4, state=S.PARTIALLY_FILLED),), "fills": (known(seen),)},
        ours={BTC: 4},
    )
    assert comparison.differences == ()
    assert comparison.cash_compared


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        ({BTC: 4}, {}, Kind.POSITION_PHANTOM),
        ({}, {BTC: 4}, Kind.POSITION_ORPHANED),
        ({BTC: 4}, {BTC: 5}, Kind.POSITION_WRONG),
        ({BTC: 4}, {BTC: -4}, Kind.POSITION_WRONG),
    ],
)
def test_a_position_can_differ_in_three_ways(
    ours: dict[str, int], theirs: dict[str, int], kind: Kind
) -> None:
    comparison = _compared({"positions": theirs}, ours=ours)
    assert _found(comparison) == [(kind, BTC, ours.get(BTC, 0), theirs.get(BTC, 0))]


def test_a_missed_fill_explains_the_position() -> None:
    missed = fill()
    comparison = _compared({"positions": {BTC: 4}, "fills": (missed,)})
    assert _found(comparison) == [(Kind.FILL_MISSED, f"{BTC}/t1", 0, 4)]
    assert comparison.fills_missed == (missed,)


def test_a_missed_fill_does_not_explain_more_than_its_size() -> None:
    comparison = _compared({"positions": {BTC: 5}, "fills": (fill(),)})
    assert [d.kind for d in comparison.differences] == [Kind.FILL_MISSED, Kind.POSITION_ORPHANED]


def test_a_fill_the_venue_dates_after_its_answer_is_no_difference() -> None:
    later = fill(at_ns=NOW)
    comparison = _compared({}, {"fills": (known(later),)}, ours={BTC: 4})
    assert comparison.differences == ()
    assert not comparison.cash_compared


def test_a_fill_that_the_venue_never_made_is_doubled() -> None:
    once, twice = fill(at_ns=NOW - 50 * SECOND), fill("t1-again", at_ns=NOW - 50 * SECOND)
    newest = fill("t2", 1, symbol=ETH)
    comparison = _compared(
        {"positions": {BTC: 4, ETH: 1}, "fills": (fill("t0", at_ns=SINCE + 1, symbol=ETH), once, newest)},
        {
            "fills": tuple(
                known(one) for one in (fill("t0", at_ns=SINCE + 1, symbol=ETH), once, twice, newest)
            )
        },
        ours={BTC: 8, ETH: 1},
    )
    assert _found(comparison) == [
        (Kind.FILL_DOUBLED, f"{BTC}/t1-again", 4, 0),
        (Kind.POSITION_WRONG, BTC, 8, 4),
    ]


def test_a_fill_younger_than_the_venues_newest_may_not_be_listed_yet() -> None:
    listed, fresh = fill("t1", at_ns=NOW - 50 * SECOND), fill("t2", at_ns=NOW - 49 * SECOND)
    comparison = _compared(
        {"positions": {BTC: 4}, "fills": (listed,)}, {"fills": (known(listed), known(fresh))}, ours={BTC: 8}
    )
    assert _found(comparison) == [(Kind.POSITION_WRONG, BTC, 8, 4)]


def test_nothing_is_concluded_from_a_list_that_was_cut_short() -> None:
    old, new = fill("old", at_ns=NOW - 50 * SECOND), fill("new", at_ns=NOW - 5 * SECOND)
    comparison = _compared(
        {"positions": {BTC: 8}, "fills": (new,)}, {"fills": (known(old), known(new))}, ours={BTC: 8}
    )
    assert comparison.differences == ()


def test_a_fill_before_the_venues_list_begins_is_not_blamed_for_a_wrong_position() -> None:
    old, new = fill("old", at_ns=NOW - 50 * SECOND), fill("new", at_ns=NOW - 5 * SECOND)
    comparison = _compared(
        {"positions": {BTC: 9}, "fills": (new,)}, {"fills": (known(old), known(new))}, ours={BTC: 8}
    )
    assert _found(comparison) == [(Kind.POSITION_WRONG, BTC, 8, 9)]


def test_nothing_is_concluded_about_fills_that_the_oms_may_have_forgotten() -> None:
    comparison = _compared(
        {"positions": {BTC: 4}, "fills": (fill(),)}, {"fills_since_ns": NOW - SECOND}, ours={BTC: 4}
    )
    assert comparison.differences == ()


def test_equal_trade_ids_of_two_symbols_are_two_fills() -> None:
    comparison = _compared(
        {"positions": {BTC: 4, ETH: 4}, "fills": (fill(), fill(symbol=ETH))},
        {"fills": (known(fill()),)},
        ours={BTC: 4},
    )
    assert _found(comparison) == [(Kind.FILL_MISSED, f"{ETH}/t1", 0, 4)]


def test_an_order_the_venue_has_and_we_do_not_is_found() -> None:
    comparison = _compared({"open_orders": (shown("theirs"),)})
    assert _found(comparison) == [(Kind.ORDER_UNKNOWN_TO_US, "theirs", 0, 10)]
    assert [stranger.client_order_id for stranger in comparison.strangers] == ["theirs"]


def test_an_order_without_our_name_is_called_by_theirs() -> None:
    comparison = _compared({"open_orders": (shown("", venue_order_id="v9"),)})
    assert _found(comparison) == [(Kind.ORDER_UNKNOWN_TO_US, f"{BTC}/v9", 0, 10)]


@pytest.mark.parametrize("state", [S.OPEN, S.PARTIALLY_FILLED])
def test_a_resting_order_the_venue_does_not_have_is_found(state: OrderState) -> None:
    comparison = _compared(orders={"orders": (order(state=state),)})
    assert _found(comparison) == [(Kind.ORDER_UNKNOWN_TO_VENUE, "o1", 10, 0)]


@pytest.mark.parametrize("state", [S.SUBMITTING, S.CANCELING, S.UNKNOWN])
def test_an_order_on_its_way_is_no_difference(state: OrderState) -> None:
    assert _compared(orders={"orders": (order(state=state),)}).differences == ()
    both = _compared({"open_orders": (shown(filled_contracts=1),)}, {"orders": (order(state=state),)})
    assert both.differences == ()


@pytest.mark.parametrize(
    "change",
    [{"filled_contracts": 1}, {"contracts": 11}, {"side": Side.SELL}, {"symbol": ETH}],
    ids=str,
)
def test_an_order_that_both_have_can_differ(change: dict[str, object]) -> None:
    comparison = _compared({"open_orders": (shown(**change),)}, {"orders": (order(),)})
    assert [(d.kind, d.key) for d in comparison.differences] == [(Kind.ORDER_DIFFERS, "o1")]


def test_an_order_behind_by_the_fill_we_missed_does_not_differ_itself() -> None:
    comparison = _compared(
        {"positions": {BTC: 4}, "open_orders": (shown(filled_contracts=4),), "fills": (fill(),)},
        {"orders": (order(),)},
    )
    assert [d.kind for d in comparison.differences] == [Kind.FILL_MISSED]


def test_an_order_ahead_by_a_later_fill_does_not_differ() -> None:
    later = fill(at_ns=NOW + 1)
    comparison = _compared(
        {"open_orders": (shown(),)},
        {"orders": (order(filled_contracts=4),), "fills": (known(later),)},
        ours={BTC: 4},
    )
    assert comparison.differences == ()


def test_cash_that_differs_is_found() -> None:
    assert _found(_compared(ledger={"cash_usdt": CASH - 3})) == [(Kind.CASH_DRIFT, "cash", CASH - 3, CASH)]


@pytest.mark.parametrize(("drift", "agrees"), [(2, False), (3, True), (4, True)])
def test_cash_may_differ_up_to_the_limit(drift: int, agrees: bool) -> None:
    assert (_compared(ledger={"cash_usdt": CASH - 3}, drift=drift).differences == ()) is agrees


def test_cash_is_not_compared_while_something_that_moves_it_is_missing() -> None:
    off = {"cash_usdt": CASH - 3}
    by_fill = _compared({"positions": {BTC: 4}, "fills": (fill(),)}, ledger=off)
    by_funding = _compared({"funding": (funding(),)}, ledger=off)
    by_split = _compared(ledger=off | {"fills_count": 1})
    for comparison in (by_fill, by_funding, by_split):
        assert Kind.CASH_DRIFT not in [d.kind for d in comparison.differences]
        assert not comparison.cash_compared


def test_cash_is_compared_at_equal_cost() -> None:
    # Booked in another order, two of the ticks we have realised are still open at the venue.
    realised_more = {"positions": (LedgerPosition(BTC, 4, 402),), "cash_usdt": CASH + 2 * TICK_VALUE}
    at_the_venue = {"positions": (VenuePosition(BTC, 4, 400, 1, False),)}
    net = {"net_contracts": ((BTC, 4),)}
    theirs, orders = venue_account(), orders_snapshot()
    comparison = compare(
        replace(theirs, **at_the_venue),
        replace(orders, **net),
        replace(ledger_snapshot(), **realised_more),
        fills_since_ns=SINCE,
        tick_values={BTC: TICK_VALUE},
    )
    assert comparison.differences == ()
    assert comparison.cash_compared


def test_missed_funding_is_found() -> None:
    comparison = _compared({"funding": (funding("f1"), funding("f2"))}, ledger={"funding_ids": ("f1",)})
    assert _found(comparison) == [(Kind.FUNDING_MISSED, "f2", 0, 5)]
    assert comparison.funding_missed == (funding("f2"),)


def test_funding_that_the_ledgers_list_has_dropped_is_not_missed() -> None:
    paid = [replace(funding(f"f{n}"), settled_at_ns=NOW - (100 - n) * SECOND) for n in range(70)]
    known_ids = tuple(p.funding_id for p in paid[6:])
    assert _compared({"funding": tuple(paid)}, ledger={"funding_ids": known_ids}).differences == ()
    lacking = _compared({"funding": tuple(paid)}, ledger={"funding_ids": (*known_ids[:-1], "other")})
    assert [d.key for d in lacking.differences] == ["f69"]
    unknown = _compared({"funding": tuple(paid[:6])}, ledger={"funding_ids": known_ids})
    assert len(unknown.funding_missed) == 6  # not one of them known: all are new to us


def test_oms_and_ledger_must_hold_the_same() -> None:
    comparison = _compared(
        {"positions": {BTC: 4}},
        {"fills_count": 2, "positions": {BTC: 8}},
        {"fills_count": 1, "positions": {BTC: 4}},
    )
    assert _found(comparison) == [(Kind.BOOKS_SPLIT, BTC, 8, 4), (Kind.BOOKS_SPLIT, "fills", 2, 1)]


def test_a_difference_reads_well() -> None:
    drift = _compared(ledger={"cash_usdt": 0}).differences[0]
    assert drift.text == "cash drift: ours 0, theirs 10 USDT"
    phantom = _compared(ours={BTC: 4}).differences[0]
    assert phantom.text == f"phantom position: {BTC}: ours 4, theirs 0"


@pytest.mark.parametrize(("ours", "theirs"), [((5, 30), (5, 31)), ((5, 0), (4, 0)), ((0, 7), (0, 0))])
def test_coins_are_compared_to_the_last_unit(ours: tuple[int, int], theirs: tuple[int, int]) -> None:
    (difference,) = _spot(ours, theirs).differences
    amounts = [contracts * 100 + dust for contracts, dust in (ours, theirs)]
    assert tuple(difference) == (Kind.COINS_WRONG, ETH, *amounts, ETH)


def test_coins_are_the_same_however_contracts_and_dust_are_cut() -> None:
    comparison = _spot((5, 130), (6, 30))
    assert comparison.differences == ()
    assert comparison.cash_compared


def _spot(ours: tuple[int, int], theirs: tuple[int, int]) -> Comparison:
    """Compare coins of a spot market with 100 units a contract, which cost us 9 ticks a contract."""
    mine = LedgerPosition(ETH, ours[0], 9 * ours[0], ours[1])
    held = VenuePosition(ETH, theirs[0], 0, 1, False, theirs[1])
    return compare(
        replace(venue_account(), positions=(held,)),
        orders_snapshot(positions={ETH: ours[0]} if ours[0] else {}),
        replace(ledger_snapshot(), positions=(mine,)),
        fills_since_ns=SINCE,
        tick_values={ETH: 1},
        coins_e8={ETH: 100},
    )
