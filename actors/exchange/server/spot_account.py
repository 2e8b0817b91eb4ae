"""Spot accounts: balances, fees, transfers between an account's two sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.domain.money import format_e8
from actors.exchange.protocol.errors import ApiError, Problem, bad_parameter
from actors.exchange.protocol.ids import number_of
from actors.exchange.protocol.numbers import units_of
from actors.exchange.protocol.requests import from_json
from actors.exchange.protocol.spot_requests import TransferBody
from actors.exchange.provisions import move_cash
from actors.exchange.server.routes import Call, Limit, Route
from actors.exchange.server.spot_engine import FEE_E8, QUOTE
from actors.exchange.server.spot_orders import spot_member
from actors.exchange.server.spot_state import CoinsMoved, Transfer

__all__ = ["SPOT_ACCOUNT", "account_id"]

MS_NS = 1_000_000
TRANSFER_BASE = 12_000_000
SIDES = ("SPOT", "FUTURES")


def account_id(call_core: Any, account: str) -> str:
    """Return the wire's id of an account: its place among the accounts."""
    names = sorted(call_core.spot.engine.members)
    return str(210_000_000_000_000_000 + names.index(account))


def accounts(call: Call) -> Any:
    number = account_id(call.core, call.account)
    return [{"accountId": number, "accountType": "SPOT", "accountState": "NORMAL"}]


def balances(call: Call) -> Any:
    if call.parts and call.parts[0] != account_id(call.core, call.account):
        raise ApiError(Problem.NO_ACCOUNT)
    engine, member = call.core.spot.engine, spot_member(call)
    rows = [
        {
            "currencyId": str(number),
            "currency": currency,
            "available": format_e8(engine.available(member, currency)),
            "hold": format_e8(engine.held(member, currency)),
        }
        for number, currency in enumerate(sorted(engine.purse(call.account).coins), 1)
    ]
    number = account_id(call.core, call.account)
    return [{"accountId": number, "accountType": "SPOT", "balances": rows}]


def fees(call: Call) -> Any:
    rate = format_e8(FEE_E8)
    return {
        "trxDiscount": False,
        "makerRate": rate,
        "takerRate": rate,
        "volume30D": "0",
        "specialFeeRates": [],
    }


def activity(call: Call) -> Any:
    return []


def transfer(call: Call) -> Any:
    body: TransferBody = from_json(call.body, TransferBody)
    amount = units_of(body.amount, 1, "amount")
    origin, destination = body.fromAccount.upper(), body.toAccount.upper()
    if amount <= 0:
        raise bad_parameter("amount")
    if {origin, destination} != set(SIDES) or body.currency != QUOTE:
        raise ApiError(Problem.TRANSFER)
    spot, now_ns = call.core.spot, call.now_ns
    to_spot = amount if destination == "SPOT" else -amount
    if to_spot < 0 and amount > spot.engine.available(spot_member(call), QUOTE):
        raise ApiError(Problem.SPOT_INSUFFICIENT)
    refused = move_cash(call.core.engine, call.member, -to_spot, now_ns)
    if refused is not None:
        raise ApiError(Problem.SPOT_INSUFFICIENT)
    spot.record(CoinsMoved(call.account, QUOTE, to_spot, origin, destination, now_ns))
    spot.tell_balance(call.account, QUOTE, "transfer", now_ns)
    call.core.reports.tell_account(call.account, now_ns)
    return {"transferId": str(TRANSFER_BASE + spot.engine.spot.transfers_count)}


def transfers(call: Call) -> Any:
    known = call.core.spot.engine.purse(call.account).transfers.newest_first()
    return [_transfer_row(one) for one in known if one.origin in SIDES]  # not the deposits


def one_transfer(call: Call) -> Any:
    wanted = number_of(call.parts[0], TRANSFER_BASE)
    for one in call.core.spot.engine.purse(call.account).transfers.newest_first():
        if one.number == wanted:
            return _transfer_row(one)
    raise ApiError((500, "Transfer not found"))


def _transfer_row(one: Transfer) -> dict[str, Any]:
    return {
        "id": str(TRANSFER_BASE + one.number),
        "fromAccount": one.origin,
        "toAccount": one.destination,
        "currency": one.currency,
        "amount": format_e8(abs(one.amount)),
        "state": "SUCCESS",
        "createTime": one.at_ns // MS_NS,
    }


def _signed(method: str, path: str, handler: Callable[[Call], Any], per_second: int = 50) -> Route:
    return Route(method, path, handler, Limit("", per_second), signed=True, bare=True)


SPOT_ACCOUNT = (
    _signed("GET", "/accounts", accounts),
    _signed("GET", "/accounts/balances", balances),
    _signed("GET", "/accounts/activity", activity, 10),
    _signed("POST", "/accounts/transfer", transfer),
    _signed("GET", "/accounts/transfer", transfers, 10),
    _signed("GET", "/accounts/transfer/{id}", one_transfer, 10),
    _signed("GET", "/accounts/{id}/balances", balances),
    _signed("GET", "/feeinfo", fees, 10),
)
