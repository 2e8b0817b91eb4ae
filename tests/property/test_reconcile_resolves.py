"""Decisions depend on the statements alone, deciding twice changes nothing, and books agree after them."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages.account import AdjustCash, LedgerPosition
from actors.messages.terms import CashTransferred, SetLeverage, VenueTerms
from actors.messages.trading import KnownFill
from actors.messages.venue import CancelOrder, FundingPaid, OrderFilled, VenueAccount, VenuePosition
from actors.reconciler.compare import Comparison, Kind, Terms, compare
from actors.reconciler.resolve import Circumstances, Decision, decide, name_of
from actors.reconciler.settings import ReconcilerSettings
from actors.reconciler.state import Statements
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
    orders_snapshot,
    shown,
    venue_account,
)

SYMBOLS = (BTC, ETH)
VALUES = dict.fromkeys(SYMBOLS, 1)
TERMS = Terms(dict.fromkeys(SYMBOLS, 20))
PATIENT = 10**15  # everything has stood for long enough


class Ours(NamedTuple):
    """Our books, so far as a comparison sees them."""

    fills: dict[str, OrderFilled]
    net: dict[str, int]
    cost: dict[str, int]
    cash: int
    funding: frozenset[str]
    leverages: dict[str, int]  # what we have asked the venue for
    canceled: frozenset[str]


@st.composite
def worlds(draw: Any) -> tuple[VenueAccount, Ours]:
    """The venue's statement, and books that differ from it in any way that can be settled."""
    theirs_net = {symbol: draw(st.integers(-4, 4)) for symbol in SYMBOLS}
    ours_net = {
        symbol: draw(st.sampled_from([theirs_net[symbol], draw(st.integers(-4, 4))])) for symbol in SYMBOLS
    }
    missed = draw(st.lists(st.tuples(st.sampled_from(SYMBOLS), st.integers(1, 3)), max_size=3))
    fills = [
        fill(f"m{number}", contracts, symbol=symbol, at_ns=SINCE + 5 + number)
        for number, (symbol, contracts) in enumerate(missed)
    ]
    for one in fills:
        theirs_net[one.symbol] += one.contracts
    paid = draw(st.lists(st.integers(-5, 5), max_size=2))
    moved = draw(st.lists(st.integers(-50, 50).filter(bool), max_size=2))
    cash = CASH + draw(st.sampled_from([0, sum(moved), draw(st.integers(-9, 9))])) - sum(paid)
    theirs = venue_account(
        cash_usdt=cash,
        fills=tuple(fills),
        funding=tuple(funding(f"f{number}", amount) for number, amount in enumerate(paid)),
        transfers=tuple(
            CashTransferred("main", f"b{number}", amount, NOW - 9 * SECOND)
            for number, amount in enumerate(moved)
        ),
        open_orders=tuple(shown(name, symbol=BTC) for name in draw(st.sets(st.sampled_from(["w1", "w2"])))),
        terms=tuple(VenueTerms(symbol, draw(st.sampled_from([20, 10]))) for symbol in SYMBOLS),
    )
    held = tuple(VenuePosition(s, n, n * 100, 20, False) for s, n in theirs_net.items() if n)
    return _replace(theirs, positions=held), Ours(
        {},
        ours_net,
        {symbol: net * 100 for symbol, net in ours_net.items()},
        CASH,
        frozenset(),
        {},
        frozenset(),
    )


def _replace(message: Any, **changes: Any) -> Any:
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    return type(message)(**(fields | changes))


def said(theirs: VenueAccount, ours: Ours) -> Statements:
    kept = tuple(order for order in theirs.open_orders if order.client_order_id not in ours.canceled)
    terms = tuple(VenueTerms(t.symbol, ours.leverages.get(t.symbol, t.leverage)) for t in theirs.terms)
    count = len(ours.fills)
    positions = {symbol: net for symbol, net in ours.net.items() if net}
    ledger = ledger_snapshot(cash_usdt=ours.cash, fills_count=count, funding_ids=tuple(sorted(ours.funding)))
    rows = tuple(LedgerPosition(symbol, net, ours.cost[symbol]) for symbol, net in positions.items())
    orders = orders_snapshot(
        positions=positions, fills=tuple(map(_known, ours.fills.values())), fills_count=count
    )
    return Statements(
        _replace(theirs, open_orders=kept, terms=terms), orders, _replace(ledger, positions=rows)
    )


def _known(one: OrderFilled) -> KnownFill:
    return known(one)


def look(statements: Statements) -> Comparison:
    return compare(*statements, fills_since_ns=SINCE, tick_values=VALUES, terms=TERMS)


def decided(
    statements: Statements, policy: ReconcilerSettings, corrected: tuple[str, ...] = ()
) -> tuple[Decision, ...]:
    found = look(statements)
    standing = {  # a leverage has just been found; everything else has stood for long
        name_of(one): NOW - (0 if one.kind is Kind.LEVERAGE_WRONG else PATIENT) for one in found.differences
    }
    transfers = {one.transfer_id: one.amount_usdt for one in statements.theirs.transfers}
    around = Circumstances("reconciler/main", NOW, VALUES, standing, corrected=corrected, transfers=transfers)
    return decide(found.differences, found, statements, policy, around)


def carried_out(ours: Ours, decisions: tuple[Decision, ...]) -> Ours:
    """Do what OMS, ledger and venue do with it: each fill, bill and correction once."""
    for message in [message for decision in decisions for message in decision.messages]:
        if isinstance(message, OrderFilled):
            key = f"{message.symbol}/{message.trade_id}"
            if key not in ours.fills:
                symbol, signed = message.symbol, message.signed_contracts
                net, cost, cash = _moved(ours, symbol, signed, message.price_ticks)
                ours = ours._replace(
                    fills=ours.fills | {key: message},
                    net=ours.net | {symbol: net},
                    cost=ours.cost | {symbol: cost},
                    cash=cash - message.fee_usdt,
                )
        elif isinstance(message, FundingPaid):
            if message.funding_id not in ours.funding:
                funded = ours.funding | {message.funding_id}
                ours = ours._replace(cash=ours.cash - message.payment_usdt, funding=funded)
        elif isinstance(message, AdjustCash):
            ours = ours._replace(cash=ours.cash + message.amount_usdt)
        elif isinstance(message, SetLeverage):
            ours = ours._replace(leverages=ours.leverages | {message.symbol: message.leverage})
        elif isinstance(message, CancelOrder):
            ours = ours._replace(canceled=ours.canceled | {message.client_order_id})
    return ours


def _moved(ours: Ours, symbol: str, signed: int, price: int) -> tuple[int, int, int]:
    net, cost = ours.net[symbol], ours.cost[symbol]
    if net * signed >= 0:
        return net + signed, cost + signed * price, ours.cash
    closed = min(abs(net), abs(signed)) * (1 if signed > 0 else -1)
    share = -cost * closed // net
    left = signed - closed
    realised = -closed * price - share
    return net + signed, cost - share + left * price, ours.cash + realised


ADOPTING = ReconcilerSettings(
    orphaned_positions="adopt", unknown_orders="cancel", leverage_wrong="set", cash_drift="adopt"
)
POLICIES = st.builds(
    ReconcilerSettings,
    phantom_positions=st.sampled_from(["adopt", "stop"]),
    orphaned_positions=st.sampled_from(["stop", "adopt", "flatten"]),
    unknown_orders=st.sampled_from(["report", "ignore", "cancel"]),
    leverage_wrong=st.sampled_from(["stop", "set", "ignore"]),
    cash_drift=st.sampled_from(["report", "adopt"]),
)


@given(world=worlds(), policy=POLICIES)
def test_the_same_statements_give_the_same_decisions(
    world: tuple[VenueAccount, Ours], policy: ReconcilerSettings
) -> None:
    theirs, ours = world
    assert decided(said(theirs, ours), policy) == decided(said(theirs, ours), policy)


@given(world=worlds(), policy=POLICIES, chance=st.randoms(use_true_random=False))
def test_the_order_in_which_statements_list_things_changes_nothing(
    world: tuple[VenueAccount, Ours], policy: ReconcilerSettings, chance: Any
) -> None:
    theirs, ours = world

    def shuffled(message: Any) -> Any:
        lists = {
            n: list(getattr(message, n))
            for n in message.__struct_fields__
            if isinstance(getattr(message, n), tuple)
        }
        for rows in lists.values():
            chance.shuffle(rows)
        return _replace(message, **{name: tuple(rows) for name, rows in lists.items()})

    straight = said(theirs, ours)
    assert decided(Statements(*map(shuffled, straight)), policy) == decided(straight, policy)


@given(world=worlds(), policy=POLICIES)
def test_carrying_out_the_same_decisions_twice_books_once(
    world: tuple[VenueAccount, Ours], policy: ReconcilerSettings
) -> None:
    theirs, ours = world
    decisions = tuple(one for one in decided(said(theirs, ours), policy) if not _moves_cash(one))
    once = carried_out(ours, decisions)
    assert carried_out(once, decisions) == once


def _moves_cash(decision: Decision) -> bool:
    """AdjustCash is told once a round, and a second look finds no drift to tell it of."""
    return any(isinstance(message, AdjustCash) for message in decision.messages)


@settings(max_examples=200)
@given(world=worlds())
def test_books_agree_after_the_decisions_of_policies_that_settle_everything(
    world: tuple[VenueAccount, Ours],
) -> None:
    theirs, ours = world
    for looks in range(4):  # fills, then positions, then cash
        statements = said(_replace(theirs, at_ns=NOW + looks), ours)
        ours = carried_out(ours, decided(statements, ADOPTING))
    last = said(_replace(theirs, at_ns=NOW + 9), ours)
    assert look(last).differences == ()
    assert decided(last, ADOPTING) == ()


@given(world=worlds())
def test_what_is_too_fresh_is_never_believed_absent(world: tuple[VenueAccount, Ours]) -> None:
    statements = said(*world)
    found = look(statements)
    fresh = dict.fromkeys(map(name_of, found.differences), NOW)
    around = Circumstances("reconciler/main", NOW, VALUES, fresh)
    for one in decide(found.differences, found, statements, ADOPTING, around):
        corrects = [m for m in one.messages if isinstance(m, OrderFilled) and m.trade_id.startswith("corr")]
        assert corrects == []
