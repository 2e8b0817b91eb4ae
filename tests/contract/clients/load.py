"""Places signed orders over loopback as fast as some connections allow; run as a program, prints orders/s."""

import asyncio
import json
import sys
import time

import aiohttp

from tests.contract.clients.served import BTC, KEY, SECRET, signature

PATH, LEVERAGE = "/v3/trade/order", "/v3/position/leverage"


def signed(path: str, body: str) -> dict[str, str]:
    """Return the headers of a signed POST."""
    stamp = str(int(time.time() * 1000))
    text = f"POST\n{path}\nrequestBody={body}&signTimestamp={stamp}"
    headers = {"key": KEY, "signTimestamp": stamp, "signature": signature(SECRET, text)}
    return {**headers, "Content-Type": "application/json"}


async def place(url: str, connections: int, each: int, px: str) -> float:
    """Return accepted orders per second."""
    accepted = 0

    async def one(session: aiohttp.ClientSession) -> None:
        nonlocal accepted
        for _ in range(each):
            body = f'{{"symbol":"{BTC}","side":"BUY","type":"LIMIT","px":"{px}","sz":"1"}}'
            async with session.post(url + PATH, data=body, headers=signed(PATH, body)) as reply:
                accepted += json.loads(await reply.read())["code"] == 200

    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, skip_auto_headers={"User-Agent"}) as session:
        # The lowest leverage allows the largest position, so that risk tiers do not end the run.
        body = f'{{"symbol":"{BTC}","lever":1,"mgnMode":"CROSS"}}'
        await (await session.post(url + LEVERAGE, data=body, headers=signed(LEVERAGE, body))).read()
        began = time.perf_counter()
        await asyncio.gather(*(one(session) for _ in range(connections)))
        return accepted / (time.perf_counter() - began)


if __name__ == "__main__":
    print(asyncio.run(place(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])))
