"""A far side for `socket_to_decision`: a process that streams book updates at a fixed pace."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from actors.cli.benchmarks.wire import book_frames

__all__ = ["BURST_FACTOR", "streaming"]

TICK_S = 0.01
PER_TICK = 1  # messages per symbol and tick: 100 a second
BURST_EVERY_TICKS = 100
BURST_TICKS = 10  # 0.1 s in each second
BURST_FACTOR = 10
FRAMES_COUNT = 6_000  # of one symbol: half a minute with bursts
FRAMES: list[bytes] = []
PROGRAM = "from actors.cli.benchmarks.market_server import main; main()"


@contextlib.contextmanager
def streaming(*, bursts: bool) -> Iterator[str]:
    """Run the server in a process of its own; give the URL to connect to."""
    words = [sys.executable, "-c", PROGRAM, "bursts" if bursts else "steady"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().strip()
        finally:
            process.kill()


def main() -> None:
    """Serve until killed; the first line of output is the URL."""
    FRAMES.extend(book_frames(FRAMES_COUNT))
    asyncio.run(_serve(sys.argv[1] == "bursts"))


async def _serve(bursts: bool) -> None:
    from aiohttp import web

    sockets: list[tuple[Any, list[str]]] = []

    async def accept(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await _answer(socket, json.loads(message.data), sockets)
        return socket

    application = web.Application()
    application.router.add_get("/", accept)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    print(f"ws://127.0.0.1:{port}", flush=True)
    await _stream(sockets, bursts)


async def _answer(socket: Any, asked: dict[str, Any], sockets: list[tuple[Any, list[str]]]) -> None:
    if asked["event"] != "subscribe":
        await socket.send_str('{"event":"pong"}')
        return
    (channel,) = asked["channel"]
    await socket.send_str(json.dumps({"event": "subscribe", "channel": channel, "symbols": asked["symbols"]}))
    if channel == "book_lv2":
        (symbol,) = asked["symbols"]
        frames = [raw.decode().replace("BTC_USDT_PERP", symbol) for raw in FRAMES]
        await socket.send_str(frames[0])
        sockets.append((socket, frames[:0:-1]))


async def _stream(sockets: list[tuple[Any, list[str]]], bursts: bool) -> None:
    began, tick = time.monotonic(), 0
    while True:
        tick += 1
        await asyncio.sleep(max(0.0, began + tick * TICK_S - time.monotonic()))
        is_burst = bursts and tick % BURST_EVERY_TICKS < BURST_TICKS
        for socket, frames in list(sockets):
            for _ in range(PER_TICK * (BURST_FACTOR if is_burst else 1)):
                if frames and not socket.closed:
                    with contextlib.suppress(ConnectionError):
                        await socket.send_str(frames.pop())
