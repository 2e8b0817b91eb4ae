"""What an account may change about its positions: mode, leverage, margin."""

from __future__ import annotations

from typing import Any

from actors.domain.money import format_e8
from actors.exchange.protocol.errors import ApiError, Problem, bad_parameter
from actors.exchange.protocol.numbers import units_of, whole_of
from actors.exchange.protocol.requests import (
    LeverageBody,
    ListQuery,
    MarginBody,
    ModeBody,
    from_json,
    from_query,
)
from actors.exchange.provisions import move_margin, set_leverage
from actors.exchange.server.account_rows import MARGIN_MODES, POSITION_SIDES
from actors.exchange.server.events import PositionModeSet
from actors.exchange.server.order_desk import refusal_of, slot_for
from actors.exchange.server.public_rows import tier_rows
from actors.exchange.server.routes import Call, Limit, Route
from actors.exchange.terms import Slot

__all__ = ["FUTURES_POSITIONS"]

TEN = Limit("", 10)
ONE_WAY = (Slot.CROSS, Slot.ISOLATED)
HEDGE = (Slot.CROSS_LONG, Slot.CROSS_SHORT, Slot.ISOLATED_LONG, Slot.ISOLATED_SHORT)


def _is_hedged(call: Call) -> bool:
    return bool(call.core.engine.user(call.account).is_hedged)


def position_mode(call: Call) -> Any:
    return {"posMode": "HEDGE" if _is_hedged(call) else "ONE_WAY"}


def set_position_mode(call: Call) -> Any:
    body: ModeBody = from_json(call.body, ModeBody)
    if body.posMode not in ("ONE_WAY", "HEDGE"):
        raise bad_parameter("posMode")
    is_hedged = body.posMode == "HEDGE"
    if is_hedged != _is_hedged(call):
        member = call.member
        if member.open_count or any(member.positions()):
            raise ApiError(Problem.MODE_IN_USE)
        call.core.record(PositionModeSet(call.account, is_hedged, call.now_ns))
    return {}


def leverages(call: Call) -> Any:
    query = from_query(call.query, ListQuery)
    view = call.core.orders.view(query.symbol)
    mode = query.mgnMode.upper()
    slots = HEDGE if _is_hedged(call) else ONE_WAY
    return [
        {
            "symbol": view.symbol,
            "lever": str(call.member.standing(view.market, slot).leverage_chosen),
            "mgnMode": MARGIN_MODES[slot],
            "posSide": POSITION_SIDES[slot],
        }
        for slot in slots
        if not mode or MARGIN_MODES[slot] == mode
    ]


def change_leverage(call: Call) -> Any:
    body: LeverageBody = from_json(call.body, LeverageBody)
    view = call.core.orders.view(body.symbol)
    leverage = whole_of(body.lever, "lever")
    if not body.mgnMode:
        raise bad_parameter("mgnMode")
    slot = slot_for(body.mgnMode, body.posSide, _is_hedged(call))
    standing = call.member.standing(view.market, slot)
    if leverage != standing.leverage_chosen:
        refused = set_leverage(call.core.engine, standing, leverage, call.now_ns)
        if refused is not None:
            raise refusal_of(refused[0])
        call.core.touch(standing, call.now_ns)
    return {
        "symbol": view.symbol,
        "lever": leverage,
        "mgnMode": MARGIN_MODES[slot],
        "posSide": body.posSide.upper(),
    }


def change_margin(call: Call) -> Any:
    body: MarginBody = from_json(call.body, MarginBody)
    view = call.core.orders.view(body.symbol)
    amount = units_of(body.amt, 1, "amt")
    if amount <= 0:
        raise bad_parameter("amt")
    if body.type.upper() not in ("ADD", "REDUCE"):
        raise bad_parameter("type")
    slot = slot_for("ISOLATED", body.posSide, _is_hedged(call))
    standing = call.member.standing(view.market, slot)
    signed = amount if body.type.upper() == "ADD" else -amount
    refused = move_margin(call.core.engine, standing, signed, call.now_ns)
    if refused is not None:
        raise refusal_of(refused[0])
    call.core.touch(standing, call.now_ns)
    return {
        "amt": format_e8(amount),
        "lever": str(standing.leverage),
        "symbol": view.symbol,
        "posSide": POSITION_SIDES[slot],
        "type": body.type.upper(),
    }


def risk_limits(call: Call) -> Any:
    query = from_query(call.query, ListQuery)
    view = call.core.orders.view(query.symbol)
    modes = (query.mgnMode.upper(),) if query.mgnMode else ("CROSS", "ISOLATED")
    sides = ("LONG", "SHORT") if _is_hedged(call) else ("BOTH",)
    wanted = (query.posSide.upper(),) if query.posSide else sides
    return [{**row, "posSide": side} for side in wanted for row in tier_rows(view.instrument, modes)]


FUTURES_POSITIONS = (
    Route("GET", "/v3/position/mode", position_mode, TEN, signed=True),
    Route("POST", "/v3/position/mode", set_position_mode, TEN, signed=True),
    Route("GET", "/v3/position/leverages", leverages, TEN, signed=True, text=""),
    Route("POST", "/v3/position/leverage", change_leverage, TEN, signed=True),
    Route("POST", "/v3/trade/position/margin", change_margin, TEN, signed=True),
    Route("GET", "/v3/position/riskLimit", risk_limits, TEN, signed=True, text=""),
)
