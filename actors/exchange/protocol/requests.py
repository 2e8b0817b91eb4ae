"""What clients of the futures API send, typed. Unknown fields are ignored, as the venue does.

Numbers stay what the client wrote, text or number; whoever reads them turns them into integers.
"""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from actors.exchange.protocol.errors import bad_parameter

__all__ = [
    "AllOrdersBody",
    "BatchCancelBody",
    "CancelBody",
    "CloseBody",
    "LeverageBody",
    "ListQuery",
    "MarginBody",
    "MarketQuery",
    "ModeBody",
    "PlaceBody",
    "from_json",
    "from_query",
    "query_pairs",
]

Number = str | int | float
T = TypeVar("T")
QUERY_FIELDS_MAX = 64


class PlaceBody(msgspec.Struct, gc=False):
    """POST /v3/trade/order, and each row of /v3/trade/orders."""

    symbol: str = ""
    side: str = ""
    type: str = ""
    sz: Number = ""
    px: Number = ""
    mgnMode: str = ""
    posSide: str = ""
    clOrdId: str = ""
    reduceOnly: bool | str = False
    timeInForce: str = ""
    stpMode: str = ""


class CancelBody(msgspec.Struct):
    symbol: str = ""
    ordId: str | int = ""
    clOrdId: str = ""


class BatchCancelBody(msgspec.Struct):
    symbol: str = ""
    ordIds: list[str | int] | str = []
    clOrdIds: list[str] | str = []


class AllOrdersBody(msgspec.Struct):
    symbol: str = ""
    symbols: list[str] | str = []
    side: str = ""


class CloseBody(msgspec.Struct):
    symbol: str = ""
    mgnMode: str = ""
    posSide: str = ""
    clOrdId: str = ""


class MarginBody(msgspec.Struct):
    symbol: str = ""
    amt: Number = ""
    type: str = ""
    posSide: str = ""


class LeverageBody(msgspec.Struct):
    symbol: str = ""
    lever: Number = ""
    mgnMode: str = ""
    posSide: str = ""


class ModeBody(msgspec.Struct):
    posMode: str = ""


class ListQuery(msgspec.Struct):
    """What the lists of an account can be asked for; each list reads its own part."""

    symbol: str = ""
    side: str = ""
    ordId: str = ""
    clOrdId: str = ""
    state: str = ""
    type: str = ""
    mgnMode: str = ""
    posSide: str = ""
    sTime: int = 0
    eTime: int = 0
    limit: int = 10
    direct: str = "NEXT"
    from_: str = msgspec.field(name="from", default="0")


class MarketQuery(msgspec.Struct):
    """What public market data can be asked for."""

    symbol: str = ""
    interval: str = ""
    scale: str = ""
    limit: int = 0
    sTime: int = 0
    eTime: int = 0
    sT: int = 0
    eT: int = 0
    mgnMode: str = ""
    tier: str = ""
    direct: str = "NEXT"
    from_: str = msgspec.field(name="from", default="0")


def query_pairs(query: str) -> dict[str, str]:
    """Return the decoded fields of a query; of a field given twice the last counts."""
    if not query:
        return {}
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX))
    except ValueError:
        raise bad_parameter("query") from None


def from_query(query: str, kind: type[T]) -> T:
    """Return a query as a typed request; an empty value is as good as none. Errors: ApiError."""
    found = {name: value for name, value in query_pairs(query).items() if value}
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        raise bad_parameter(_field(error)) from None


def from_json(body: bytes, kind: Any) -> Any:
    """Return a JSON body as a typed request. Errors: ApiError that names the field."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise bad_parameter(_field(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad_parameter("body") from None


def _field(error: Exception) -> str:
    _, found, path = str(error).partition("`$.")
    return path.rstrip("`") if found else "body"
