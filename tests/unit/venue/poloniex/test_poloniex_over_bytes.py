"""Venue actor and feed in a real node, through the real pumps, against a server on the loopback.

What the bench cannot show: headers, queries and bodies leave as they were signed, frames arrive whole.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from aiohttp import WSMsgType, web

from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.place import Place
from actors.feed.poloniex.actor import PoloniexFeed
from actors.feed.poloniex.settings import PoloniexFeedSettings
from actors.messages.market import Quote
from actors.messages.venue import (
    OrderAccepted,
    OrderFilled,
    OrderRejected,
    PlaceOrder,
    VenueAccount,
    VenueConnection,
)
from actors.runtime.behaviour import Behaviour, Context
from actors.runtime.cell import CellSpec
from actors.runtime.clock import SystemClock
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.pumps.http import HttpPump
from actors.runtime.pumps.socket import SocketPump
from actors.runtime.pumps.thread import PumpThread
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from actors.venue.poloniex.actor import PoloniexVenue
from actors.venue.poloniex.settings import PoloniexVenueSettings
from actors.venue.poloniex.signing import sign
from tests.unit.venue.poloniex.far_side import BTC, INSTRUMENT, KEY, SECRET, FarSide, stream_fill

HEARD = (OrderAccepted, OrderRejected, OrderFilled, VenueAccount, VenueConnection, Quote)
REFERENCES = {"secret://kv/poloniex#key": KEY, "secret://kv/poloniex#secret": SECRET}


class Desk(Behaviour):
    """Passes orders on and keeps what it hears."""

    ACCEPTS: ClassVar = (PlaceOrder, *HEARD)
    EMITS: ClassVar = (PlaceOrder,)

    def __init__(self) -> None:
        self.heard: list[Message] = []

    def on_place_order(self, message: PlaceOrder, context: Context) -> None:
        context.publish(message)

    def _keep(self, message: Message, context: Context) -> None:
        self.heard.append(message)

    on_order_accepted = on_order_rejected = on_order_filled = on_venue_account = _keep
    on_venue_connection = on_quote = _keep


class Server:
    """The far side's lists behind aiohttp, and both streams."""

    def __init__(self) -> None:
        self.far = FarSide()
        self.signed_count = 0
        self.faults: list[str] = []
        self.privates: list[web.WebSocketResponse] = []
        self.port = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/ws/v3/private", self._private)
        app.router.add_get("/ws/v3/public", self._public)
        app.router.add_route("*", "/{path:.*}", self._rest)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _rest(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        raw_query = request.rel_url.raw_query_string
        if request.path != "/timestamp" and not request.path.startswith("/v3/market"):
            self._verify(request, raw_query, body)
        found = self.far.answer(
            request.method,
            request.path,
            dict(request.query),
            json.loads(body) if body else None,
            time.time_ns(),
        )
        return web.json_response(found)

    def _verify(self, request: web.Request, raw_query: str, body: str) -> None:
        """Verify over what arrived on the wire, as the venue does."""
        pairs = [pair for pair in raw_query.split("&") if pair]
        at = request.headers["signTimestamp"]
        parameters = "&".join(sorted([*pairs, f"signTimestamp={at}"]))
        if body:
            parameters = f"requestBody={body}&signTimestamp={at}"
            if request.headers.get("Content-Type") != "application/json":
                self.faults.append("a body without its type")
        text = f"{request.method}\n{request.path}\n{parameters}"
        wanted = b64encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()).decode()
        self.signed_count += 1
        if request.headers["key"] != KEY or request.headers["signature"] != wanted:
            self.faults.append(f"signature of {text!r}")

    async def _private(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.privates.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._answer(socket, json.loads(message.data))
        return socket

    async def _answer(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        if frame["event"] == "ping":
            await socket.send_str('{"event":"pong"}')
        elif frame["channel"] == ["auth"]:
            params = frame["params"]
            good = params["signature"] == sign(SECRET.encode(), "GET", "/ws", int(params["signTimestamp"]))
            await socket.send_json({"channel": "auth", "data": {"success": good, "ts": 1}})
        else:
            for channel in frame["channel"]:
                await socket.send_json({"event": frame["event"], "channel": channel})

    async def _public(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            frame = json.loads(message.data)
            await self._answer(socket, frame)
            if frame.get("channel") == ["book_lv2"]:
                row = {"s": BTC, "id": 1, "lid": 0, "ts": time.time_ns() // 10**6}
                row |= {"bids": [["59999.99", "3"]], "asks": [["60000", "4"]]}
                await socket.send_json({"channel": "book_lv2", "action": "snapshot", "data": [row]})
        return socket

    async def tell(self, frame: dict[str, Any]) -> None:
        await self.privates[-1].send_json(frame)


class World:
    def __init__(self, server: Server, pumps: PumpThread) -> None:
        self.server, self.pumps = server, pumps
        self.desk = Desk()
        rest, streams = f"http://127.0.0.1:{server.port}", f"ws://127.0.0.1:{server.port}/ws/v3"
        references = dict(zip(("key", "secret"), REFERENCES, strict=True))
        wanted = PoloniexVenueSettings(rest_url=rest, stream_url=f"{streams}/private", **references)
        feeding = PoloniexFeedSettings(rest_url=rest, stream_url=f"{streams}/public")
        catalog = {BTC: INSTRUMENT}
        at_venue = Place("t", "venue/main", "live", 1, {"account": "main"}, catalog, ".", REFERENCES)
        at_feed = Place("t", f"feed/{BTC}", "live", 1, {"symbol": BTC}, catalog)
        cells = (
            CellSpec("venue/main", lambda: PoloniexVenue(wanted, at_venue), reads=("desk/main",)),
            CellSpec(f"feed/{BTC}", lambda: PoloniexFeed(feeding, at_feed)),
            CellSpec("desk/main", lambda: self.desk, reads=("venue/main", f"feed/{BTC}")),
        )
        clock = SystemClock()
        self.node = Node(cells, (SupervisorSpec("root"),), MemoryStore(), clock)
        self.node.loop.pumps["http"] = HttpPump(pumps, self.node.deliver_from_outside)
        self.node.loop.pumps["socket"] = SocketPump(pumps, self.node.deliver_from_outside, clock)
        self.node.start()

    def until(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
        give_up = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < give_up, self.desk.heard
            if not self.node.turn():
                self.node.loop.wait(20_000_000)

    def heard(self, kind: type[Message]) -> list[Any]:
        return [message for message in self.desk.heard if type(message) is kind]


@pytest.fixture
def world() -> Iterator[World]:
    pumps = PumpThread("pumps under test")
    server = Server()
    pumps.run(server.start())
    found = World(server, pumps)
    yield found
    found.node.stop("the test is over")
    pumps.run(server.stop())
    pumps.stop()


def test_an_order_goes_out_and_its_fill_comes_in(world: World) -> None:
    world.until(lambda: any(message.up for message in world.heard(VenueConnection)))
    order = PlaceOrder("main", "o-1", BTC, Side.BUY, 1, OrderType.LIMIT, 6_000_000, TimeInForce.GTC, False)
    world.node.tell("desk/main", order)
    world.until(lambda: bool(world.heard(OrderAccepted)))
    tell = world.server.tell({"channel": "trade", "data": [stream_fill("o-1", "1", 1)]})
    asyncio.run_coroutine_threadsafe(tell, world.pumps.loop)
    world.until(lambda: bool(world.heard(OrderFilled)))
    world.until(lambda: bool(world.heard(Quote)))
    assert world.heard(Quote)[0].ask_ticks == 6_000_000
    assert world.server.faults == []
    assert world.server.signed_count >= 5
