"""A WebSocket client of nothing but aiohttp, and the fault port by hand."""

import asyncio
import json
import time

import aiohttp

from tests.contract.clients.served import KEY, SECRET, RawClient, signature


class Socket:
    """One WebSocket with a few words."""

    def __init__(self, socket) -> None:
        self.socket = socket

    async def say(self, frame) -> None:
        await self.socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def hear(self, wanted, timeout_s=10):
        """Return the first frame that is wanted."""
        while True:
            message = await self.socket.receive(timeout=timeout_s)
            assert message.type is aiohttp.WSMsgType.TEXT, message
            frame = json.loads(message.data)
            if wanted(frame):
                return frame

    async def subscribe(self, channel, symbols, **more):
        await self.say({"event": "subscribe", "channel": [channel], "symbols": symbols, **more})

    async def listen(self, seconds) -> list[dict]:
        """Return the frames of some time."""
        heard, end = [], time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                message = await self.socket.receive(timeout=left)
            except TimeoutError:
                break
            assert message.type is aiohttp.WSMsgType.TEXT, message
            heard.append(json.loads(message.data))
        return heard

    async def log_in(self, key=KEY, secret=SECRET):
        stamp = int(time.time() * 1000)
        params = {
            "key": key,
            "signTimestamp": stamp,
            "signature": signature(secret, f"GET\n/ws\nsignTimestamp={stamp}"),
        }
        await self.say({"event": "subscribe", "channel": ["auth"], "params": params})
        return (await self.hear(lambda f: f.get("channel") == "auth"))["data"]["success"]


def on_socket(served, path, work):
    """Run a coroutine function with a connected socket."""

    async def run():
        async with aiohttp.ClientSession() as session, session.ws_connect(served.socket_url + path) as socket:
            return await asyncio.wait_for(work(Socket(socket)), 30)

    return asyncio.run(run())


def fault(served, **rule):
    status, found = RawClient(served.url).send("POST", "/__faults__", body=rule, sign=False)
    assert status == 200, found
