"""What clients of the spot API send, typed. Unknown fields are ignored, as the venue does."""

from __future__ import annotations

import msgspec

__all__ = [
    "CancelAllBody",
    "CancelManyBody",
    "KillSwitchBody",
    "ReplaceBody",
    "SmartBody",
    "SpotListQuery",
    "SpotMarketQuery",
    "SpotPlaceBody",
    "TransferBody",
]

Number = str | int | float


class SpotPlaceBody(msgspec.Struct):
    symbol: str = ""
    side: str = ""
    type: str = "MARKET"
    timeInForce: str = "GTC"
    price: Number = ""
    quantity: Number = ""
    amount: Number = ""
    clientOrderId: str = ""
    accountType: str = "SPOT"
    stpMode: str = ""
    allowBorrow: bool | str = False
    slippageTolerance: Number = ""


class ReplaceBody(msgspec.Struct):
    clientOrderId: str = ""
    price: Number = ""
    quantity: Number = ""
    amount: Number = ""
    type: str = ""
    timeInForce: str = ""
    proceedOnFailure: bool | str = False


class CancelManyBody(msgspec.Struct):
    orderIds: list[str | int] = []
    clientOrderIds: list[str] = []


class CancelAllBody(msgspec.Struct):
    symbols: list[str] = []
    accountTypes: list[str] = []


class KillSwitchBody(msgspec.Struct):
    timeout: Number = ""


class SmartBody(msgspec.Struct):
    symbol: str = ""
    side: str = ""
    type: str = "STOP"
    timeInForce: str = "GTC"
    price: Number = ""
    stopPrice: Number = ""
    quantity: Number = ""
    amount: Number = ""
    clientOrderId: str = ""
    accountType: str = "SPOT"
    operator: str = ""
    trailingOffset: Number = ""
    limitOffset: Number = ""


class TransferBody(msgspec.Struct):
    currency: str = ""
    amount: Number = ""
    fromAccount: str = ""
    toAccount: str = ""


class SpotMarketQuery(msgspec.Struct):
    interval: str = ""
    scale: str = ""
    limit: int = 0
    startTime: int = 0
    endTime: int = 0


class SpotListQuery(msgspec.Struct):
    symbol: str = ""
    symbols: str = ""
    side: str = ""
    type: str = ""
    types: str = ""
    states: str = ""
    accountType: str = ""
    hideCancel: bool = False
    limit: int = 0
    startTime: int = 0
    endTime: int = 0
    direction: str = "NEXT"
    from_: str = msgspec.field(name="from", default="0")
