"""Orders that the served exchange accepts over loopback: signed, journaled, answered to another process."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from aiohttp import web

from actors.cli.benchmarks import exchange_client
from actors.cli.benchmarks.exchange_client import KEY, SECRET
from actors.cli.benchmarks.world import CATALOG, DEPOSIT
from actors.cli.exchange import build_node, loop_factory
from actors.domain.catalog import load_catalog
from actors.exchange.server.settings import AccountSettings, ServerSettings
from actors.exchange.server.web import EXCHANGE, ExchangeServer
from actors.runtime.errors import require

__all__ = ["bare_http_per_s", "exchange_order_cpu_us", "exchange_orders_per_s", "load"]

T = TypeVar("T")
CONNECTIONS = 8
EACH = 1_000  # orders of one connection
BTC = "BTC_USDT_PERP"
ANSWER = b'{"code":200,"msg":"Success","data":{"ordId":"331000000000000133","clOrdId":"b1"}}'


class Load(NamedTuple):
    """What came of one run."""

    accepted: int
    seconds: float
    cpu_s: float  # of the server's process


def exchange_orders_per_s() -> float:
    """Return orders accepted per second, one in flight on each of eight connections."""
    found = load(EACH)
    return found.accepted / found.seconds


def exchange_order_cpu_us() -> float:
    """Return the CPU time that one order costs the server, its sockets included."""
    found = load(EACH)
    return found.cpu_s / found.accepted * 1e6


def load(each: int) -> Load:
    """Serve an exchange with a journal on disk, and send it `each` resting orders over every connection."""
    with tempfile.TemporaryDirectory() as directory:
        return _run(_load(each, Path(directory)))


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run on the loop that the command uses."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(work)


async def _load(each: int, directory: Path) -> Load:
    account = AccountSettings(key=KEY, secret=SECRET, usdt=DEPOSIT)
    settings = ServerSettings(accounts=(account,), symbols=(BTC, "ETH_USDT_PERP"), rate_limits=0)
    node = build_node(settings, load_catalog(CATALOG.read_text()), directory / "journal")
    server = ExchangeServer(node)
    await server.start("127.0.0.1", 0)
    try:
        market = node.cell(EXCHANGE).behaviour.core.engine.markets[BTC]  # type: ignore[attr-defined]
        # Far from the market, so that orders rest.
        price = market.instrument.price_text(market.band_low_ticks * 101 // 100)
        return await _sent(server.port, each, price)
    finally:
        await server.stop("measured")


async def _sent(port: int, each: int, price: str) -> Load:
    words = (str(port), str(CONNECTIONS), str(each), price)
    client = await asyncio.create_subprocess_exec(
        sys.executable, exchange_client.__file__, *words, stdout=asyncio.subprocess.PIPE
    )
    assert client.stdout is not None
    await client.stdout.readline()  # its requests are signed: it begins now
    began = time.process_time()
    accepted, seconds = (await client.stdout.readline()).split()
    cpu_s = time.process_time() - began
    await client.wait()
    require(int(accepted) == CONNECTIONS * each, "an order of the benchmark was refused")
    return Load(int(accepted), float(seconds), cpu_s)


def bare_http_per_s() -> float:
    """Return what the same client gets from a server that says the same thing each time."""

    async def run() -> float:
        async with _constant() as port:
            found = await _sent(port, EACH, "1")
            return found.accepted / found.seconds

    return _run(run())


@asynccontextmanager
async def _constant() -> AsyncIterator[int]:
    async def answer(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response(body=ANSWER, content_type="application/json")

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
