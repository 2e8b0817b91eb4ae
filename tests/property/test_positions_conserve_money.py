"""Whatever the fills, no tick of value appears or goes."""

from hypothesis import given
from hypothesis import strategies as st

from actors.domain.instrument import Instrument, RiskTier
from actors.domain.positions import FLAT, Position, apply_fill, unrealised

E8 = 100_000_000
INSTRUMENT = Instrument(
    "X",
    "X",
    E8 // 100,
    E8 // 1000,
    1,
    10**6,
    10**6,
    50,
    10,
    E8 // 20,
    20_000,
    60_000,
    28_800_000_000_000,
    (RiskTier(50, 50, 1_000_000), RiskTier(500, 10, 5_000_000)),
)
FILL = st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 10_000))
FILLS = st.lists(FILL, max_size=60)


def run(fills: list[tuple[int, int]]) -> tuple[Position, int]:
    position, realised = FLAT, 0
    for signed, price in fills:
        effect = apply_fill(position, signed, price, INSTRUMENT)
        position, realised = effect.position, realised + effect.realised
    return position, realised


@given(FILLS, st.integers(1, 10_000))
def test_realised_and_open_profit_are_all_that_was_paid_and_received(
    fills: list[tuple[int, int]], mark: int
) -> None:
    position, realised = run(fills)
    paid = sum(signed * price for signed, price in fills)
    worth = position.net_contracts * mark
    assert realised + unrealised(position, mark, INSTRUMENT) == (worth - paid) * INSTRUMENT.tick_value


@given(FILLS)
def test_a_position_is_the_sum_of_its_fills(fills: list[tuple[int, int]]) -> None:
    position, _ = run(fills)
    assert position.net_contracts == sum(signed for signed, _ in fills)
    assert (position.net_contracts == 0) <= (position.cost_ticks == 0)
    assert position.net_contracts * position.cost_ticks >= 0


@given(FILLS)
def test_closing_everything_realises_the_whole_cash_flow(fills: list[tuple[int, int]]) -> None:
    net = sum(signed for signed, _ in fills)
    closed = [*fills, (-net, 77)] if net else fills
    position, realised = run(closed)
    assert position == FLAT
    assert realised == -sum(signed * price for signed, price in closed) * INSTRUMENT.tick_value


@given(FILLS)
def test_the_other_side_of_every_trade_has_the_opposite_result(fills: list[tuple[int, int]]) -> None:
    ours, our_profit = run(fills)
    theirs, their_profit = run([(-signed, price) for signed, price in fills])
    assert theirs == Position(-ours.net_contracts, -ours.cost_ticks)
    assert our_profit == -their_profit


@given(st.tuples(st.integers(-500, 500), st.integers(1, 10_000)), FILL)
def test_a_fill_closes_and_opens_no_more_than_its_size(start: tuple[int, int], fill: tuple[int, int]) -> None:
    net, price = start
    effect = apply_fill(Position(net, net * price), *fill, INSTRUMENT)
    assert effect.closed_contracts + effect.opened_contracts == abs(fill[0])
    assert effect.closed_contracts <= abs(net)


@given(st.integers(-500, 500), st.integers(1, 10_000), st.integers(-(10**6), 10**6))
def test_funding_between_a_long_and_a_short_nets_to_nothing(net: int, mark: int, rate_e8: int) -> None:
    assert INSTRUMENT.funding(net, mark, rate_e8) == -INSTRUMENT.funding(-net, mark, rate_e8)


@given(st.integers(1, 500), st.integers(1, 10_000), st.integers(1, 50))
def test_margin_does_not_depend_on_direction(contracts: int, price: int, leverage: int) -> None:
    for margin in (
        lambda size: INSTRUMENT.initial_margin(size, price, leverage),
        lambda size: INSTRUMENT.maintenance_margin(size, price),
        lambda size: INSTRUMENT.fee(size, price, maker=True),
    ):
        assert margin(contracts) == margin(-contracts) >= 0
