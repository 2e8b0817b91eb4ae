"""Ours against the venue's, as pure functions: same input, same differences, in the same order.

Three statements meet. The venue's comes first in time; ours (OMS and ledger, one consistent cut) come later
and may know fills that the venue had not seen when it answered. Those fills carry the venue's own date, so
they are taken out of ours before the numbers are compared.

Invariants
* A fill that both know, or that only we know with a date not before the venue's answer, is no difference.
* A fill that the venue's list lacks is a difference only where the position differs too, and between the
  oldest and the newest fill of the list: lists are cut short at one end and lag at the other.
* A position differs only by what fills do not explain: a fill we missed is one difference, not two.
* An order on its way (submitting, canceling, unknown) is the OMS's business and no difference.
* A symbol held both crossed and isolated is held once, by the sum; that it is held in the wrong mode is a
  difference of its own.
* Terms are compared where the venue states them: nothing is concluded from what it leaves out.
* The order in which statements list things changes nothing: differences come out sorted.
* Coins of a spot market are compared to the last 1e-8, contracts and dust in one number, when no later fill
  of ours stands between the statements.
* Cash is compared only when no fill and no funding stands between the two statements, and at equal cost: the
  order in which fills are booked decides what of the profit is realised already, not how much it is.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from actors.domain.lifecycle import OrderState
from actors.domain.money import format_e8
from actors.messages.account import LedgerPosition, LedgerSnapshot
from actors.messages.trading import KnownFill, OpenOrder, OrdersSnapshot
from actors.messages.venue import FundingPaid, OrderFilled, VenueAccount, VenueOrder, VenuePosition

__all__ = [
    "CORRECTION",
    "POSITION_KINDS",
    "Comparison",
    "Difference",
    "Kind",
    "Terms",
    "compare",
    "fill_name",
    "order_name",
]


CORRECTION = "correction-"  # begins the trade_id of every fill that the reconciler makes: no venue knows it
FRESH_NS = (
    2_000_000_000  # a transfer so young may be in the venue's list and not in its balance, or vice versa
)
FUNDING_IDS_FULL = 64  # so many ids in a LedgerSnapshot, and older ones may have been dropped


class Kind(enum.Enum):
    """What can differ."""

    ORDER_UNKNOWN_TO_US = "order unknown to us"
    ORDER_UNKNOWN_TO_VENUE = "order unknown to the venue"
    ORDER_DIFFERS = "order differs"  # size, side or how far it is filled
    FILL_MISSED = "fill missed"
    FILL_DOUBLED = "fill unknown to the venue"  # we counted what never was, or twice under two names
    POSITION_PHANTOM = "phantom position"  # open in our books, flat at the venue
    POSITION_ORPHANED = "orphaned position"  # flat in our books, open at the venue
    POSITION_WRONG = "position of wrong size"
    COINS_WRONG = "coins of wrong amount"  # of a spot market, in 1e-8 of the coin
    BOOKS_SPLIT = "OMS and ledger differ"
    CASH_DRIFT = "cash drift"  # in 1e-8 USDT
    FUNDING_MISSED = "funding missed"
    LEVERAGE_WRONG = "wrong leverage"
    MARGIN_MODE_WRONG = "wrong margin mode"  # 0 crossed, 1 isolated
    POSITION_MODE_WRONG = "wrong position mode"  # 0 one-way, 1 hedge


POSITION_KINDS = frozenset(
    {Kind.POSITION_PHANTOM, Kind.POSITION_ORPHANED, Kind.POSITION_WRONG, Kind.COINS_WRONG}
)
MODE_WORDS = {Kind.MARGIN_MODE_WRONG: ("CROSS", "ISOLATED"), Kind.POSITION_MODE_WRONG: ("ONE_WAY", "HEDGE")}
RANKS = {kind: rank for rank, kind in enumerate(Kind)}


class Difference(NamedTuple):
    """One thing on which we and the venue do not agree."""

    kind: Kind
    key: str  # client_order_id, symbol/trade_id, symbol, funding_id; what the numbers are about
    ours: int
    theirs: int
    symbol: str = ""  # what it concerns; empty when it concerns the whole account

    @property
    def text(self) -> str:
        """What an operator reads."""
        if self.kind is Kind.CASH_DRIFT:
            return f"{self.kind.value}: ours {format_e8(self.ours)}, theirs {format_e8(self.theirs)} USDT"
        words = MODE_WORDS.get(self.kind)
        if words is not None:
            return f"{self.kind.value}: {self.key}: ours {words[self.ours]}, theirs {words[self.theirs]}"
        if self.kind is Kind.COINS_WRONG:
            ours, theirs = format_e8(self.ours), format_e8(self.theirs)
            return f"{self.kind.value}: {self.key}: ours {ours}, theirs {theirs}"
        return f"{self.kind.value}: {self.key}: ours {self.ours}, theirs {self.theirs}"


class Comparison(NamedTuple):
    """What one look at both sides found, with the venue's raw statements that would resolve it."""

    account: str
    differences: tuple[Difference, ...]
    fills_missed: tuple[OrderFilled, ...]
    funding_missed: tuple[FundingPaid, ...]
    strangers: tuple[VenueOrder, ...]  # open at the venue, not in our books
    cash_compared: bool


class Terms(NamedTuple):
    """How the account shall be set up."""

    leverages: Mapping[str, int] = {}  # of every symbol that is traded with positions
    ignored: frozenset[str] = frozenset()  # symbols that somebody else trades on this account


class _Fills(NamedTuple):
    missed: tuple[OrderFilled, ...]
    doubled: tuple[KnownFill, ...]  # ours, dated within the venue's list, but not in it
    later: dict[str, int]  # symbol -> signed contracts that the venue had not seen yet
    later_count: int


def compare(
    theirs: VenueAccount,
    orders: OrdersSnapshot,
    ledger: LedgerSnapshot,
    *,
    fills_since_ns: int,
    tick_values: Mapping[str, int],
    coins_e8: Mapping[str, int] | None = None,
    cash_drift_usdt_max: int = 0,
    terms: Terms | None = None,
) -> Comparison:
    """Return every difference between the venue's statement and ours.

    `fills_since_ns` is the instant from which the venue was asked for fills and funding. orders and ledger
    must be one cut: answers to the same request. Cash in 1e-8 USDT; tick_values is what one tick of one
    contract is worth, by symbol, in the same unit; coins_e8 what one contract of a spot market holds, in
    1e-8 of its coin.
    """
    spot = coins_e8 or {}
    fills = _compare_fills(theirs, orders, fills_since_ns)
    order_differences, strangers = _compare_orders(theirs, orders, fills)
    funding_missed = _funding_missed(theirs, ledger)
    split = _compare_books(orders, ledger)
    positions = _compare_positions(theirs, ledger, fills, spot)
    wrong_symbols = {difference.key for difference in positions}
    differences = [
        *order_differences,
        *(_missed(fill) for fill in fills.missed),
        *(
            Difference(
                Kind.FILL_DOUBLED,
                f"{fill.symbol}/{fill.trade_id}",
                fill.signed_contracts,
                0,
                fill.symbol,
            )
            for fill in fills.doubled
            if fill.symbol in wrong_symbols
        ),
        *positions,
        *split,
        *(Difference(Kind.FUNDING_MISSED, p.funding_id, 0, p.payment_usdt, p.symbol) for p in funding_missed),
        *_compare_terms(theirs, terms or Terms()),
    ]
    their_cash = _cash_at_our_cost(theirs, ledger, tick_values, spot)
    moved_just_now = any(one.at_ns > theirs.at_ns - FRESH_NS for one in theirs.transfers)
    cash_comparable = not moved_just_now and not (
        fills.missed or fills.later_count or funding_missed or split or positions
    )
    if cash_comparable and abs(their_cash - ledger.cash_usdt) > cash_drift_usdt_max:
        differences.append(Difference(Kind.CASH_DRIFT, "cash", ledger.cash_usdt, their_cash))
    ignored = terms.ignored if terms else frozenset()
    differences = [one for one in differences if not one.symbol or one.symbol not in ignored]
    differences.sort(key=lambda one: (RANKS[one.kind], one.key))
    return Comparison(
        theirs.account, tuple(differences), fills.missed, funding_missed, strangers, cash_comparable
    )


def _compare_terms(theirs: VenueAccount, terms: Terms) -> list[Difference]:
    found = [Difference(Kind.POSITION_MODE_WRONG, "account", 0, 1)] if theirs.hedged else []
    wanted = int(theirs.isolated)
    for symbol in sorted({p.symbol for p in theirs.positions if p.isolated is not theirs.isolated}):
        if symbol in terms.leverages:  # spot markets have no terms
            found.append(Difference(Kind.MARGIN_MODE_WRONG, symbol, wanted, 1 - wanted, symbol))
    for stated in theirs.terms:
        expected = terms.leverages.get(stated.symbol, stated.leverage)
        if stated.leverage != expected:
            found.append(
                Difference(Kind.LEVERAGE_WRONG, stated.symbol, expected, stated.leverage, stated.symbol)
            )
    return found


def _funding_missed(theirs: VenueAccount, ledger: LedgerSnapshot) -> tuple[FundingPaid, ...]:
    """Return payments that were not booked; not those that a full list of ours may have dropped."""
    known = set(ledger.funding_ids)
    from_ns = -1
    if len(known) >= FUNDING_IDS_FULL:
        from_ns = min((p.settled_at_ns for p in theirs.funding if p.funding_id in known), default=-1)
    return tuple(p for p in theirs.funding if p.funding_id not in known and p.settled_at_ns > from_ns)


def _cash_at_our_cost(
    theirs: VenueAccount, ledger: LedgerSnapshot, tick_values: Mapping[str, int], spot: Mapping[str, int]
) -> int:
    """Return the venue's cash as it would be if its open positions had cost what ours did.

    Coins are paid for at once: their cost is in nobody's cash.
    """
    costs = {position.symbol: position.cost_ticks for position in ledger.positions}
    held = {position.symbol for position in theirs.positions} - spot.keys()
    cash = theirs.cash_usdt
    for symbol in sorted(held):
        cash += costs.get(symbol, 0) * tick_values.get(symbol, 0)
    for position in theirs.positions:
        if position.symbol in held:
            cash -= position.cost_ticks * tick_values.get(position.symbol, 0)
    return cash


def _missed(fill: OrderFilled) -> Difference:
    return Difference(Kind.FILL_MISSED, fill_name(fill), 0, fill.signed_contracts, fill.symbol)


def fill_name(fill: OrderFilled) -> str:
    """Return what tells a fill from all others of the account."""
    return f"{fill.symbol}/{fill.trade_id}"


def _compare_fills(theirs: VenueAccount, orders: OrdersSnapshot, since_ns: int) -> _Fills:
    """Match fills by trade_id. Outside the window that both sides remember nothing is concluded."""
    their_fills = {fill_name(fill): fill for fill in theirs.fills}
    our_fills = {f"{fill.symbol}/{fill.trade_id}": fill for fill in orders.fills}
    missed = tuple(
        fill
        for name, fill in their_fills.items()
        if name not in our_fills and fill.at_ns > orders.fills_since_ns
    )
    # A venue may not return all it was asked for; then its oldest fill is where its list begins.
    judged_from_ns = max([since_ns, *([min(f.at_ns for f in theirs.fills)] if theirs.fills else [])])
    judged_until_ns = max((fill.at_ns for fill in theirs.fills), default=0)  # what is younger may follow yet
    doubled: list[KnownFill] = []
    later: dict[str, int] = {}
    later_count = 0
    for name, known in our_fills.items():
        if name in their_fills:
            continue
        if known.at_ns >= theirs.at_ns:
            later[known.symbol] = later.get(known.symbol, 0) + known.signed_contracts
            later_count += 1
        elif judged_from_ns < known.at_ns <= judged_until_ns and not known.trade_id.startswith(CORRECTION):
            doubled.append(known)
    return _Fills(missed, tuple(doubled), later, later_count)


def _compare_positions(
    theirs: VenueAccount, ledger: LedgerSnapshot, fills: _Fills, spot: Mapping[str, int]
) -> list[Difference]:
    ours = {position.symbol: position.net_contracts for position in ledger.positions}
    for symbol, signed in fills.later.items():
        ours[symbol] = ours.get(symbol, 0) - signed
    explained: dict[str, int] = {}
    for position in theirs.positions:
        explained[position.symbol] = explained.get(position.symbol, 0) + position.net_contracts
    for fill in fills.missed:
        explained[fill.symbol] = explained.get(fill.symbol, 0) - fill.signed_contracts
    found = _compare_coins(theirs, ledger, fills, spot)
    for symbol in sorted((ours.keys() | explained.keys()) - spot.keys()):
        our_net, their_net = ours.get(symbol, 0), explained.get(symbol, 0)
        if our_net != their_net:
            kind = _position_kind(our_net, their_net)
            found.append(Difference(kind, symbol, our_net, their_net, symbol))
    return found


def _compare_coins(
    theirs: VenueAccount, ledger: LedgerSnapshot, fills: _Fills, spot: Mapping[str, int]
) -> list[Difference]:
    def coins(positions: Iterable[VenuePosition | LedgerPosition]) -> dict[str, int]:
        return {
            each.symbol: each.net_contracts * spot[each.symbol] + each.dust_e8
            for each in positions
            if each.symbol in spot
        }

    ours, explained = coins(ledger.positions), coins(theirs.positions)
    for fill in fills.missed:
        if fill.symbol in spot:
            moved = fill.signed_contracts * spot[fill.symbol] + fill.dust_e8
            explained[fill.symbol] = explained.get(fill.symbol, 0) - moved
    return [
        Difference(Kind.COINS_WRONG, symbol, ours.get(symbol, 0), explained.get(symbol, 0), symbol)
        for symbol in sorted(ours.keys() | explained.keys())
        if symbol not in fills.later and ours.get(symbol, 0) != explained.get(symbol, 0)
    ]


def _position_kind(our_net: int, their_net: int) -> Kind:
    if their_net == 0:
        return Kind.POSITION_PHANTOM
    return Kind.POSITION_ORPHANED if our_net == 0 else Kind.POSITION_WRONG


def _compare_books(orders: OrdersSnapshot, ledger: LedgerSnapshot) -> list[Difference]:
    """The OMS and the ledger saw the same fills, so they must hold the same."""
    found = []
    if orders.fills_count != ledger.fills_count:
        found.append(Difference(Kind.BOOKS_SPLIT, "fills", orders.fills_count, ledger.fills_count))
    ours = dict(orders.net_contracts)
    booked = {position.symbol: position.net_contracts for position in ledger.positions}
    for symbol in sorted(ours.keys() | booked.keys()):
        if ours.get(symbol, 0) != booked.get(symbol, 0):
            found.append(Difference(Kind.BOOKS_SPLIT, symbol, ours.get(symbol, 0), booked.get(symbol, 0)))
    return found


_RESTING = (OrderState.OPEN, OrderState.PARTIALLY_FILLED)


def _compare_orders(
    theirs: VenueAccount, orders: OrdersSnapshot, fills: _Fills
) -> tuple[list[Difference], tuple[VenueOrder, ...]]:
    missed: dict[str, int] = {}
    for fill in fills.missed:
        missed[fill.client_order_id] = missed.get(fill.client_order_id, 0) + fill.contracts
    ours = {order.client_order_id: order for order in orders.orders}
    their_ids: set[str] = set()
    found: list[Difference] = []
    strangers: list[VenueOrder] = []
    for shown in theirs.open_orders:
        their_ids.add(shown.client_order_id)
        order = ours.get(shown.client_order_id)
        if order is None:
            strangers.append(shown)
            name = order_name(shown)
            found.append(Difference(Kind.ORDER_UNKNOWN_TO_US, name, 0, shown.contracts, shown.symbol))
        elif order.state in _RESTING:
            filled = shown.filled_contracts - missed.get(order.client_order_id, 0)
            behind = order.filled_contracts > filled and order.symbol in fills.later
            if not _same(order, shown) or (order.filled_contracts != filled and not behind):
                name = order.client_order_id
                ours_filled = order.filled_contracts
                found.append(Difference(Kind.ORDER_DIFFERS, name, ours_filled, filled, order.symbol))
    for order in orders.orders:
        if order.state in _RESTING and order.client_order_id not in their_ids:
            name, kind = order.client_order_id, Kind.ORDER_UNKNOWN_TO_VENUE
            found.append(Difference(kind, name, order.contracts, 0, order.symbol))
    return found, tuple(strangers)


def order_name(shown: VenueOrder) -> str:
    """Return our name of an order at the venue, or the venue's when it has none of ours."""
    return shown.client_order_id or f"{shown.symbol}/{shown.venue_order_id}"


def _same(order: OpenOrder, shown: VenueOrder) -> bool:
    sizes_agree = order.contracts == shown.contracts and order.side is shown.side
    return sizes_agree and order.symbol == shown.symbol
