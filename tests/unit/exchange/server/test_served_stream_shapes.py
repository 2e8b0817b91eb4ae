"""Every documented channel sends the documented fields, each of its documented type."""

import pytest

from tests.unit.exchange.server.busy_world import busy_world
from tests.unit.exchange.server.reference import CHANNELS, LIQUIDATION, PRIVATE_CHANNELS, SIDE, SPOT_CHANNELS
from tests.unit.exchange.server.served_world import (
    BTC,
    ETH,
    PRIVATE,
    PUBLIC,
    SPOT_PRIVATE,
    SPOT_PUBLIC,
    ServedWorld,
)
from tests.unit.exchange.server.shapes import (
    count,
    decimal,
    either,
    found,
    ms,
    of,
    text,
    whole,
    word,
)


@pytest.fixture(scope="module")
def world() -> ServedWorld:
    return busy_world()


# -- channels --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_public_channel_sends_the_documented_fields(world, channel) -> None:
    socket = world.connect(PUBLIC)
    heard = world.subscribe(socket, channel, [BTC])
    for _ in range(20):
        world.advance(0.5)
        heard += world.heard(socket)
    frames = [frame for frame in heard if frame.get("channel") == channel and "data" in frame]
    assert found(frames[0]["data"], [CHANNELS[channel]]) == []
    world.core.close_socket(socket)


def test_private_channels_send_the_documented_fields(world) -> None:
    socket = world.connect(PRIVATE, "ann")
    for channel in PRIVATE_CHANNELS:
        world.subscribe(socket, channel, ["all"])
    world.place("BUY", 1)
    frames = world.heard(socket)
    seen = {frame["channel"]: frame["data"] for frame in frames}
    assert [(name, found(seen[name], [shape])) for name, shape in PRIVATE_CHANNELS.items()] == [
        (name, []) for name in PRIVATE_CHANNELS
    ]
    world.core.close_socket(socket)


def test_liquidations_are_streamed_with_the_documented_fields(world) -> None:
    socket = world.connect(PUBLIC)
    world.subscribe(socket, "liquidation_orders", [ETH])
    isolated = {"mgnMode": "ISOLATED", "posSide": "BOTH"}
    world.place("BUY", 3, symbol=ETH, **isolated)
    world.price(1_700, ETH)
    (frame, *_) = world.heard(socket, "liquidation_orders")
    shape = {**{k: v for k, v in LIQUIDATION.items() if k != "symbol"}, "s": word, "uTime": ms, "ts": ms}
    assert found(frame["data"], [shape]) == []
    world.core.close_socket(socket)


@pytest.mark.parametrize("channel", SPOT_CHANNELS)
def test_a_spot_channel_sends_the_documented_fields(world, channel) -> None:
    socket = world.connect(SPOT_PUBLIC)
    heard = world.subscribe(socket, channel, ["BTC_USDT"])
    for _ in range(20):
        world.advance(0.5)
        heard += world.heard(socket)
    frames = [frame for frame in heard if frame.get("channel") == channel and "data" in frame]
    assert found(frames[0]["data"], [SPOT_CHANNELS[channel]]) == []
    world.core.close_socket(socket)


def test_private_spot_channels_send_the_documented_fields(world) -> None:
    socket = world.connect(SPOT_PRIVATE, "ann")
    world.subscribe(socket, "orders", ["all"])
    world.say(socket, {"event": "subscribe", "channel": ["balances"]})
    body = {"symbol": "BTC_USDT", "side": "BUY", "type": "MARKET", "amount": "20"}
    world.data("POST", "/orders", body=body)
    frames = world.heard(socket)
    shape = {
        **of(symbol=word, type=word, quantity=decimal, orderId=whole, tradeFee=decimal),
        **of(clientOrderId=text, accountType=word, feeCurrency=text, source=word, side=SIDE),
        **of(eventType=either("place", "trade", "canceled"), filledQuantity=decimal),
        **of(filledAmount=decimal, matchRole=word, state=word, tradeTime=count, price=decimal),
        **of(tradeAmount=decimal, orderAmount=decimal, createTime=ms, tradeQty=decimal),
        **of(tradePrice=decimal, tradeId=word, ts=ms),
    }
    for frame in (one for one in frames if one["channel"] == "orders"):
        assert found(frame["data"], [shape]) == []
    changes = [one for one in frames if one["channel"] == "balances"]
    balances = {
        **of(changeTime=ms, accountId=whole, accountType=word, eventType=word),
        **of(available=decimal, currency=word, id=count, userId=count, hold=decimal, ts=ms),
    }
    assert found(changes[0]["data"], [balances]) == []
