"""What happens on our account without us: by somebody on the exchange's web page, or by the exchange."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from actors.domain.money import E8
from actors.exchange.accounts import Member, Standing
from actors.exchange.funding import settle_funding
from actors.exchange.protocol.errors import ApiError
from actors.exchange.protocol.requests import PlaceBody
from actors.exchange.provisions import move_cash, set_leverage
from actors.exchange.server import faults as exchange_faults
from actors.exchange.terms import Slot
from actors.simulation.exchange_side import ExchangeSide
from actors.simulation.faults import Fault

__all__ = ["strike_by_hand"]

HOUR_NS = 3_600_000_000_000
RATE_E8 = 10_000  # of an odd settlement: 0.01%
FILL_CHANNELS = ("orders", "trade", "positions", "account")
SHY_FRACTION = 40  # a hand's resting order lies a fortieth below the index
End = Callable[[Any], None]


def strike_by_hand(fault: Fault, far: ExchangeSide, now_ns: int) -> End | None:
    """Let it happen to the first account; return what ends it, if it lasts."""
    accounts = far.core.settings.accounts
    member = far.core.engine.members.get(accounts[0].account) if accounts else None
    if member is None:
        return None
    end: End | None = None
    with suppress(ApiError):  # the exchange would not let a person do it now
        end = _STRIKES[fault.kind](fault, far, member, now_ns)
    far.flush()
    return end


def _symbol(fault: Fault, far: ExchangeSide) -> str:
    symbols = sorted(far.core.views)
    return fault.target or symbols[fault.number % len(symbols)]


def _trade(fault: Fault, far: ExchangeSide, member: Member, now_ns: int) -> None:
    side = "BUY" if fault.value > 0 else "SELL"
    body = PlaceBody(symbol=_symbol(fault, far), side=side, type="MARKET", sz=str(abs(fault.value)))
    far.core.orders.place(member.name, body, now_ns)


def _held(fault: Fault, member: Member) -> Standing | None:
    held = list(member.positions())
    return held[fault.number % len(held)] if held else None


def _close(fault: Fault, far: ExchangeSide, member: Member, now_ns: int) -> None:
    standing = _held(fault, member)
    if standing is not None:
        far.core.orders.close(standing, "", now_ns)


def _close_untold(fault: Fault, far: ExchangeSide, member: Member, now_ns: int) -> End:
    """Hide what follows, then close."""
    rules = [
        exchange_faults.Fault(kind="mute", channel=channel, account=member.name) for channel in FILL_CHANNELS
    ]
    rules.append(exchange_faults.Fault(kind="lag", delay_ms=fault.for_ms, account=member.name))
    added = [far.core.faults.add(rule).id for rule in rules]
    _close(fault, far, member, now_ns)

    def end(world: Any) -> None:
        for number in added:
            far.core.faults.remove(number)

    return end


def _cancel(fault: Fault, far: ExchangeSide, member: Member, now_ns: int) -> None:
    for order in far.core.orders.resting(member):
        far.core.orders.cancel(member, order, "", now_ns)


def _order(fault: Fault, far: ExchangeSide, member: Member, now_ns: int) -> End:
    symbol = _symbol(fault, far)
    view = far.core.views[symbol]
    limit = view.instrument.price_text(view.index_ticks - view.index_ticks // SHY_FRACTION)
    body = PlaceBody(symbol=symbol, side="BUY", type="LIMIT", sz="1", px=limit)
    order = far.core.orders.place(member.name, body, now_ns)

    def end(world: Any) -> None:
        if order.number in far.core.engine.nodes:
            far.core.orders.cancel(member, order, "", world.now_ns)
            far.flush()

    return end


def _leverage(fault: Fault, far: ExchangeSide, member: Member, now_ns: int) -> End:
    engine = far.core.engine
    standing = member.standing(engine.markets[_symbol(fault, far)], Slot.CROSS)
    before = standing.leverage_chosen
    set_leverage(engine, standing, fault.value, now_ns)

    def end(world: Any) -> None:
        set_leverage(engine, standing, before, world.now_ns)

    return end


def _transfer(fault: Fault, far: ExchangeSide, member: Member, now_ns: int) -> None:
    move_cash(far.core.engine, member, fault.value * E8, now_ns)


def _fund(fault: Fault, far: ExchangeSide, member: Member, now_ns: int) -> None:
    """Settle the symbol of a position, once an hour at most: that is what funding is named by."""
    standing = _held(fault, member)
    if standing is None:
        return
    engine, market = far.core.engine, standing.market
    if engine.state.markets[market.symbol].settled_at_ns // HOUR_NS != now_ns // HOUR_NS:
        settle_funding(engine, market, RATE_E8, market.reference_ticks, now_ns, now_ns)


_STRIKES: dict[str, Callable[[Fault, ExchangeSide, Member, int], End | None]] = {
    "hand_trade": _trade,
    "hand_close": _close,
    "hand_close_untold": _close_untold,
    "hand_cancel": _cancel,
    "hand_order": _order,
    "hand_leverage": _leverage,
    "hand_transfer": _transfer,
    "odd_funding": _fund,
}
