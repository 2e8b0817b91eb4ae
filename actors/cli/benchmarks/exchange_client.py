"""A client that costs next to nothing: requests signed beforehand, one in flight per connection.

Run as a program, it is the load of `exchange_orders`: arguments are the port, connections, orders of each
connection and the price; it prints `ready` when all are signed, then how many were accepted and in how many
seconds.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import sys
import time
from functools import partial

__all__ = ["KEY", "SECRET", "main", "signed_order"]

KEY, SECRET = "bench-key", "bench-secret"
SYMBOL = "BTC_USDT_PERP"
ORDER_PATH, LEVERAGE_PATH = "/v3/trade/order", "/v3/position/leverage"
ACCEPTED = b'"code":200'
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "


def signed_order(number: int, price: str, stamp_ms: int) -> bytes:
    """Return a whole HTTP request that places one resting order."""
    body = (
        f'{{"symbol":"{SYMBOL}","side":"BUY","type":"LIMIT","px":"{price}","sz":"1","clOrdId":"b{number}"}}'
    )
    return _signed(ORDER_PATH, body, stamp_ms)


def _signed(path: str, body: str, stamp_ms: int) -> bytes:
    text = f"POST\n{path}\nrequestBody={body}&signTimestamp={stamp_ms}"
    signature = base64.b64encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()).decode()
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"key: {KEY}\r\nsignTimestamp: {stamp_ms}\r\nsignature: {signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


class Sender(asyncio.Protocol):
    """Sends its requests one after the other, each when the answer to the last has come."""

    def __init__(self, requests: list[bytes], ended: asyncio.Future[int]) -> None:
        self._requests = requests
        self._ended = ended
        self._next = 0
        self._accepted = 0
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def go(self) -> None:
        """Send the next request, or end."""
        if self._next == len(self._requests):
            self._ended.set_result(self._accepted)
            return
        self._transport.write(self._requests[self._next])  # type: ignore[attr-defined]
        self._next += 1

    def data_received(self, data: bytes) -> None:
        heard = self._heard + data if self._heard else data
        head, found, body = heard.partition(HEAD_END)
        at = head.lower().find(LENGTH)
        if not found or at < 0 or len(body) < int(head[at + len(LENGTH) :].partition(b"\r\n")[0]):
            self._heard = heard
            return
        self._heard = b""
        self._accepted += ACCEPTED in body
        self.go()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(self._accepted)


async def _run(port: int, connections: int, each: int, price: str) -> tuple[int, float]:
    stamp_ms = int(time.time() * 1_000)
    # The lowest leverage allows the largest position: no risk tier ends the run.
    leverage = _signed(LEVERAGE_PATH, f'{{"symbol":"{SYMBOL}","lever":1,"mgnMode":"CROSS"}}', stamp_ms)
    await _answers(port, [[leverage]])
    batches = [
        [signed_order(number * each + one, price, stamp_ms) for one in range(each)]
        for number in range(connections)
    ]
    print("ready", flush=True)
    began = time.perf_counter()
    accepted = await _answers(port, batches)
    return accepted, time.perf_counter() - began


async def _answers(port: int, batches: list[list[bytes]]) -> int:
    """Send each batch over a connection of its own; return how many answers say that all is well."""
    loop, ends = asyncio.get_running_loop(), []
    for requests in batches:
        end: asyncio.Future[int] = loop.create_future()
        _, sender = await loop.create_connection(partial(Sender, requests, end), "127.0.0.1", port)
        ends.append(end)
        sender.go()
    return sum(await asyncio.gather(*ends))


def main() -> None:
    """Run the load; print `accepted seconds`."""
    port, connections, each, price = sys.argv[1:5]
    accepted, seconds = asyncio.run(_run(int(port), int(connections), int(each), price))
    print(accepted, seconds)


if __name__ == "__main__":
    main()
