"""Two histories of the same account: what was taken out of ours, or put in, is found, and nothing else."""

from __future__ import annotations

from collections import Counter

from hypothesis import assume, given
from hypothesis import strategies as st

from actors.domain.orders import Side
from actors.messages.venue import OrderFilled
from actors.reconciler.compare import Comparison, Kind, compare
from tests.unit.reconciler.reconciler_bench import (
    BTC,
    ETH,
    NOW,
    SINCE,
    fill,
    known,
    ledger_snapshot,
    orders_snapshot,
    venue_account,
)

TRADES = st.lists(
    st.tuples(
        st.sampled_from([BTC, ETH]),
        st.sampled_from([Side.BUY, Side.SELL]),
        st.integers(1, 9),
        st.integers(SINCE + 1, NOW + 1_000),
    ),
    max_size=12,
)
Fills = list[OrderFilled]


def _fills(trades: list[tuple[str, Side, int, int]]) -> Fills:
    return [
        fill(f"t{number}", contracts, symbol=symbol, side=side, at_ns=at_ns)
        for number, (symbol, side, contracts, at_ns) in enumerate(trades)
    ]


def _net(fills: Fills) -> dict[str, int]:
    net: Counter[str] = Counter()
    for one in fills:
        net[one.symbol] += one.side * one.contracts
    return {symbol: size for symbol, size in net.items() if size}


def _compared(theirs: Fills, ours: Fills) -> Comparison:
    """Compare what the venue had seen at NOW with all that we have seen."""
    seen = [one for one in theirs if one.at_ns < NOW]
    held = {"positions": _net(ours), "fills_count": len(ours)}
    return compare(
        venue_account(positions=_net(seen), fills=tuple(seen)),
        orders_snapshot(fills=tuple(known(one) for one in ours), **held),
        ledger_snapshot(**held),
        fills_since_ns=SINCE,
        tick_values={},
    )


def _kinds(comparison: Comparison) -> set[Kind]:
    return {difference.kind for difference in comparison.differences}


@given(trades=TRADES)
def test_one_history_seen_at_two_instants_agrees(trades: list[tuple[str, Side, int, int]]) -> None:
    fills = _fills(trades)
    assert _compared(fills, fills).differences == ()


@given(trades=TRADES, data=st.data())
def test_what_we_missed_is_found_and_cures_the_difference(
    trades: list[tuple[str, Side, int, int]], data: st.DataObject
) -> None:
    fills = _fills(trades)
    missed = [one for one in fills if one.at_ns < NOW and data.draw(st.booleans())]
    ours = [one for one in fills if one not in missed]
    comparison = _compared(fills, ours)
    assert list(comparison.fills_missed) == missed
    assert _kinds(comparison) <= {Kind.FILL_MISSED}
    assert _compared(fills, [*ours, *comparison.fills_missed]).differences == ()


@given(trades=TRADES, ghosts=TRADES)
def test_what_never_happened_is_found_wherever_it_moved_the_position(
    trades: list[tuple[str, Side, int, int]], ghosts: list[tuple[str, Side, int, int]]
) -> None:
    fills = _fills(trades)
    seen = [one for one in fills if one.at_ns < NOW]
    assume(seen)
    first_ns, last_ns = min(one.at_ns for one in seen), max(one.at_ns for one in seen)
    invented = [
        fill(f"ghost{number}", contracts, symbol=symbol, side=side, at_ns=at_ns)
        for number, (symbol, side, contracts, at_ns) in enumerate(ghosts)
        if first_ns < at_ns < last_ns
    ]
    comparison = _compared(fills, [*fills, *invented])
    wrong = set(_net(invented))
    positions = {Kind.POSITION_PHANTOM, Kind.POSITION_ORPHANED, Kind.POSITION_WRONG}
    assert {d.key for d in comparison.differences if d.kind in positions} == wrong
    named = {d.key for d in comparison.differences if d.kind is Kind.FILL_DOUBLED}
    assert named == {f"{one.symbol}/{one.trade_id}" for one in invented if one.symbol in wrong}
    assert comparison.fills_missed == ()


@given(trades=TRADES, data=st.data())
def test_the_same_statements_give_the_same_differences(
    trades: list[tuple[str, Side, int, int]], data: st.DataObject
) -> None:
    fills = _fills(trades)
    ours = [one for one in fills if data.draw(st.booleans())]
    assert _compared(fills, ours) == _compared(fills, ours)
