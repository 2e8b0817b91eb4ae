"""WebSocket frames as typed structs: one pass from bytes to rows, told apart by their channel.

Acknowledgements carry a channel and an event and no data; pongs and errors have no channel at all.
Source: docs/poloniex.md, WebSocket.
"""

from __future__ import annotations

from typing import Any

import msgspec

from actors.poloniex.decoding import (
    DECODE_ERRORS,
    Count,
    Malformed,
    Milliseconds,
    Name,
    Row,
    Size,
    decode,
    decoder_of,
)

__all__ = [
    "AuthFrame",
    "BookFrame",
    "BookRow",
    "Control",
    "FundingFrame",
    "IndexFrame",
    "MarkFrame",
    "OrderRow",
    "OrdersFrame",
    "StreamFillRow",
    "StreamFillsFrame",
    "TradesFrame",
    "read_odd",
    "read_private",
    "read_public",
]


class Frame(Row, tag_field="channel"):
    """Parent of frames that belong to a channel. `event` is empty on data."""

    event: str = ""
    action: str = ""  # snapshot | update, on some channels
    symbols: tuple[str, ...] = ()


class Control(Row):
    """A frame without data: an acknowledgement, a pong, an error, or a channel nobody asked for."""

    event: str = ""
    channel: str = ""
    message: str = ""
    symbols: tuple[str, ...] = ()


class BookRow(Row):
    """Levels that changed, or all of them: (price, contracts), 0 contracts removing the level."""

    s: Name
    id: int
    asks: list[tuple[str, Size]]
    bids: list[tuple[str, Size]]
    ts: Milliseconds
    lid: int = -1  # id of the message before this one


class BookFrame(Frame, tag="book_lv2"):
    """Order book, 20 levels a side."""

    data: tuple[BookRow, ...] = ()


class TradeRow(Row):
    """One trade of the market; side is the taker's."""

    s: Name
    id: int
    px: str
    qty: Size
    side: Name
    cT: Milliseconds
    ts: Milliseconds = 0


class TradesFrame(Frame, tag="trades"):
    """Trades of the market."""

    data: tuple[TradeRow, ...] = ()


class MarkRow(Row):
    """The mark price."""

    s: Name
    mPx: str
    ts: Milliseconds


class MarkFrame(Frame, tag="mark_price"):
    """Mark prices, once a second."""

    data: tuple[MarkRow, ...] = ()


class IndexRow(Row):
    """The index price."""

    s: Name
    iPx: str
    ts: Milliseconds


class IndexFrame(Frame, tag="index_price"):
    """Index prices, once a second."""

    data: tuple[IndexRow, ...] = ()


class FundingRow(Row):
    """The rate settled last and the one expected next, with their instants in ms."""

    s: Name
    ts: Milliseconds
    fR: str
    fT: Milliseconds
    nFR: str
    nFT: Milliseconds


class FundingFrame(Frame, tag="funding_rate"):
    """Funding rates, once a minute."""

    data: tuple[FundingRow, ...] = ()


class AuthResult(Row):
    """How a login ended."""

    success: bool
    message: str = ""


class AuthFrame(Frame, tag="auth"):
    """Answer to a login."""

    data: AuthResult | None = None


class OrderRow(Row):
    """One order, in REST and on the stream alike."""

    symbol: Name
    side: Name
    type: Name
    ordId: Name
    sz: Count
    state: Name
    clOrdId: Name = ""
    px: str = "0"
    execQty: Count = 0
    cancelReason: Name = ""
    reduceOnly: bool = False
    uTime: Milliseconds = 0
    cTime: Milliseconds = 0


class OrdersFrame(Frame, tag="orders"):
    """Orders that were placed, filled or canceled."""

    data: tuple[OrderRow, ...] = ()


class StreamFillRow(Row):
    """One fill of ours on the stream."""

    symbol: Name
    side: Name
    ordId: Name
    trdId: Name
    fpx: str
    fqty: Count
    uTime: Milliseconds
    clOrdId: Name = ""
    role: Name = "TAKER"
    feeAmt: str = "0"
    feeCcy: Name = "USDT"
    type: Name = "TRADE"


class StreamFillsFrame(Frame, tag="trade"):
    """Fills of ours."""

    data: tuple[StreamFillRow, ...] = ()


class PositionsFrame(Frame, tag="positions"):
    """Positions that changed; only the fact is used."""


class AccountFrame(Frame, tag="account"):
    """Balances that changed; only the fact is used."""


PublicFrame = BookFrame | TradesFrame | MarkFrame | IndexFrame | FundingFrame
PrivateFrame = AuthFrame | OrdersFrame | StreamFillsFrame | PositionsFrame | AccountFrame

PUBLIC_CHANNELS = frozenset(kind.__struct_config__.tag for kind in PublicFrame.__args__)
PRIVATE_CHANNELS = frozenset(kind.__struct_config__.tag for kind in PrivateFrame.__args__)

_public: msgspec.json.Decoder[PublicFrame] = decoder_of(PublicFrame)
_private: msgspec.json.Decoder[PrivateFrame] = decoder_of(PrivateFrame)
_control: msgspec.json.Decoder[Control] = decoder_of(Control)


def read_public(raw: bytes) -> PublicFrame | Control:
    """Return a frame of the public socket. Errors: Malformed, and nothing else."""
    try:
        return _public.decode(raw)
    except DECODE_ERRORS:
        found: PublicFrame | Control = read_odd(_public, PUBLIC_CHANNELS, raw)
        return found


def read_private(raw: bytes) -> PrivateFrame | Control:
    """Return a frame of the private socket. Errors: Malformed, and nothing else."""
    try:
        return _private.decode(raw)
    except DECODE_ERRORS:
        found: PrivateFrame | Control = read_odd(_private, PRIVATE_CHANNELS, raw)
        return found


def read_odd(decoder: msgspec.json.Decoder[Any], channels: frozenset[str], raw: bytes) -> Any:
    """Return what did not fit at first: a frame without channel, of an unknown one, or loosely written."""
    try:
        return decode(decoder, raw, "frame")
    except Malformed as error:
        control = decode(_control, raw, "frame")
        if control.event or control.channel not in channels:
            return control
        raise error from None
