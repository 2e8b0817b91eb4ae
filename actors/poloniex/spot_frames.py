"""Frames of the spot streams. Spot spells its names out and counts units of the coin, as text.

Source: docs/poloniex.md, Spot.
"""

from __future__ import annotations

import msgspec

from actors.poloniex.decoding import DECODE_ERRORS, Milliseconds, Name, Row, decoder_of
from actors.poloniex.frames import AuthFrame, Control, Frame, read_odd

__all__ = [
    "SpotBookFrame",
    "SpotBookRow",
    "SpotOrderEvent",
    "SpotOrdersFrame",
    "SpotTickerFrame",
    "SpotTradesFrame",
    "read_spot_private",
    "read_spot_public",
]


class SpotOrderEvent(Row):
    """One order after something happened to it; the fields of a trade are empty unless that was one."""

    symbol: Name
    orderId: Name
    side: Name
    type: Name
    state: Name
    eventType: Name  # place, trade, canceled
    clientOrderId: Name = ""
    quantity: str = "0"
    price: str = "0"
    filledQuantity: str = "0"
    createTime: Milliseconds = 0
    ts: Milliseconds = 0
    matchRole: Name = ""
    tradeId: Name = ""
    tradeQty: str = "0"
    tradePrice: str = "0"
    tradeFee: str = "0"
    tradeTime: Milliseconds = 0
    feeCurrency: Name = ""


class SpotOrdersFrame(Frame, tag="orders"):
    """Orders that were placed, filled or canceled."""

    data: tuple[SpotOrderEvent, ...] = ()


class SpotBalancesFrame(Frame, tag="balances"):
    """Balances that changed; only the fact is used."""


class SpotBookRow(Row):
    """Levels that changed, or all of them: (price, quantity), quantity 0 removing the level."""

    symbol: Name
    id: int
    asks: list[tuple[str, str]]
    bids: list[tuple[str, str]]
    ts: Milliseconds
    lastId: int = -1  # id of the message before this one


class SpotBookFrame(Frame, tag="book_lv2"):
    """Order book, 20 levels a side."""

    data: tuple[SpotBookRow, ...] = ()


class SpotTradeRow(Row):
    """One trade of the market."""

    symbol: Name
    id: Name
    price: str
    quantity: str
    takerSide: Name
    createTime: Milliseconds


class SpotTradesFrame(Frame, tag="trades"):
    """Trades of the market."""

    data: tuple[SpotTradeRow, ...] = ()


class SpotTickerRow(Row):
    """Last price, and the mark price where the venue has one."""

    symbol: Name
    close: str
    ts: Milliseconds
    markPrice: str = ""


class SpotTickerFrame(Frame, tag="ticker"):
    """Tickers."""

    data: tuple[SpotTickerRow, ...] = ()


SpotPrivateFrame = AuthFrame | SpotOrdersFrame | SpotBalancesFrame
SpotPublicFrame = SpotBookFrame | SpotTradesFrame | SpotTickerFrame

PRIVATE_CHANNELS = frozenset(kind.__struct_config__.tag for kind in SpotPrivateFrame.__args__)
PUBLIC_CHANNELS = frozenset(kind.__struct_config__.tag for kind in SpotPublicFrame.__args__)

_private: msgspec.json.Decoder[SpotPrivateFrame] = decoder_of(SpotPrivateFrame)
_public: msgspec.json.Decoder[SpotPublicFrame] = decoder_of(SpotPublicFrame)


def read_spot_private(raw: bytes) -> SpotPrivateFrame | Control:
    """Return a frame of the private spot socket. Errors: Malformed, and nothing else."""
    try:
        return _private.decode(raw)
    except DECODE_ERRORS:
        found: SpotPrivateFrame | Control = read_odd(_private, PRIVATE_CHANNELS, raw)
        return found


def read_spot_public(raw: bytes) -> SpotPublicFrame | Control:
    """Return a frame of the public spot socket. Errors: Malformed, and nothing else."""
    try:
        return _public.decode(raw)
    except DECODE_ERRORS:
        found: SpotPublicFrame | Control = read_odd(_public, PUBLIC_CHANNELS, raw)
        return found
