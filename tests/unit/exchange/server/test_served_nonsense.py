"""Whatever comes in, the exchange answers; nothing a client sends makes it fall over or lose money."""

import json
import os
import random
from itertools import product

import pytest

from actors.exchange.server.answering import ROUTES
from tests.unit.exchange.server.served_world import (
    BTC,
    ETH,
    PRIVATE,
    PUBLIC,
    SPOT_PRIVATE,
    SPOT_PUBLIC,
    ServedWorld,
    sign,
)

VALUES = [
    *(
        "",
        "0",
        "-1",
        "1",
        "10",
        "80000",
        "1e400",
        "NaN",
        "Infinity",
        "-0",
        "1e-9",
        "9" * 50,
        "0x10",
        "\u0663",
    ),
    *(0, -1, 1, 2**63, 10**30, 1.5, 1e308, True, None, [], {}, [1], {"a": 1}, "all", "BUY", "SELL", "LIMIT"),
    *(
        "MARKET",
        "ISOLATED",
        "CROSS",
        "LONG",
        "BOTH",
        "HEDGE",
        "ONE_WAY",
        BTC,
        ETH,
        "BTC_USDT",
        "\x00",
        "\ud800",
    ),
    *("ADD", "REDUCE", "IOC", "FOK", "LIMIT_MAKER", "STOP", "5%", "USDT", "SPOT", "FUTURES", "DAY_1", "NEXT"),
]
FIELDS = [
    *("symbol", "side", "type", "px", "sz", "mgnMode", "posSide", "clOrdId", "reduceOnly", "timeInForce"),
    *(
        "stpMode",
        "ordId",
        "ordIds",
        "clOrdIds",
        "symbols",
        "amt",
        "lever",
        "posMode",
        "limit",
        "from",
        "direct",
    ),
    *("sTime", "eTime", "sT", "eT", "interval", "scale", "state", "price", "quantity", "amount", "currency"),
    *(
        "fromAccount",
        "toAccount",
        "timeout",
        "stopPrice",
        "trailingOffset",
        "limitOffset",
        "operator",
        "tier",
    ),
    *(
        "startTime",
        "endTime",
        "orderIds",
        "clientOrderId",
        "clientOrderIds",
        "states",
        "types",
        "accountTypes",
    ),
]

PATHS = (PUBLIC, PRIVATE, SPOT_PUBLIC, SPOT_PRIVATE)


def paths():
    exact = [(method, path) for method, path in ROUTES._exact]
    named = [
        (method, "/".join("BTC_USDT" if p.startswith("{") else p for p in parts))
        for method, parts, _ in ROUTES._patterns
    ]
    return sorted(exact + named)


def nonsense(rng: random.Random) -> bytes:
    made = {rng.choice(FIELDS): rng.choice(VALUES) for _ in range(rng.randrange(9))}
    if rng.random() < 0.4:  # close to an order, so that it comes further
        made = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "px": "80000", "sz": "1"} | made
    whole = [made] * rng.randrange(12) if rng.random() < 0.2 else made
    raw = json.dumps(whole).encode()
    if rng.random() < 0.2:
        at = rng.randrange(len(raw) + 1)
        raw = (
            raw[:at]
            + bytes(rng.randrange(256) for _ in range(rng.randrange(4)))
            + raw[at + rng.randrange(3) :]
        )
    return raw


def query(rng: random.Random) -> str:
    pairs = [f"{rng.choice(FIELDS)}={rng.choice(VALUES)}" for _ in range(rng.randrange(5))]
    return "&".join(pairs).encode("utf-8", "replace").decode()


def send(world: ServedWorld, method: str, path: str, asked: str, body: bytes, key: str) -> int:
    stamp = str(world.now_ns // 1_000_000)
    if body:
        parameters = f"requestBody={body.decode('utf-8', 'replace')}&signTimestamp={stamp}"
    else:
        pairs = [*asked.split("&"), f"signTimestamp={stamp}"] if asked else [f"signTimestamp={stamp}"]
        parameters = "&".join(sorted(pairs, key=lambda pair: pair.partition("=")[0]))
    headers = (
        ("key", key),
        ("signtimestamp", stamp),
        ("signature", sign(f"{key}-secret", f"{method}\n{path}\n{parameters}")),
    )
    return world.raw(method, path, asked, body, headers)[0]


@pytest.mark.parametrize("seed", range(3))
def test_no_request_brings_the_exchange_down(seed) -> None:
    rounds, rng = int(os.environ.get("NONSENSE_ROUNDS", "2000")), random.Random(seed)
    world = ServedWorld(closed_orders_kept_max=200)
    coins = world.core.spot.engine.coins_balance()
    known = paths()
    statuses = set()
    for number in range(rounds):
        method, path = rng.choice(known)
        body = nonsense(rng) if method != "GET" and rng.random() < 0.9 else b""
        status = send(world, method, path, query(rng) if not body else "", body, rng.choice(["ann", "bob"]))
        statuses.add(status)
        world.now_ns += 5_000_000
        if number % 100 == 0:
            world.advance(0.2)
    assert statuses <= {200, 400, 404}
    assert world.core.engine.books_balance()
    assert {c: n for c, n in world.core.spot.engine.coins_balance().items() if c != "USDT"} == {
        c: n for c, n in coins.items() if c != "USDT"
    }


@pytest.mark.parametrize(("path", "seed"), list(product(PATHS, range(2))))
def test_no_frame_brings_the_exchange_down(path, seed) -> None:
    rng = random.Random(seed)
    world = ServedWorld()
    socket = world.connect(path, "ann" if path in (PRIVATE, SPOT_PRIVATE) else "")
    events = [
        "subscribe",
        "unsubscribe",
        "ping",
        "list_subscriptions",
        "createOrder",
        "cancelOrders",
        "cancelAllOrders",
    ]
    channels = [
        "book_lv2",
        "book",
        "tickers",
        "orders",
        "auth",
        "balances",
        "candles_minute_1",
        "ticker",
        *map(str, VALUES[:9]),
    ]
    for number in range(600):
        frame = {
            "event": rng.choice(events),
            "channel": rng.choice([rng.choice(channels), [rng.choice(channels)], rng.choice(VALUES)]),
            "symbols": rng.choice([[BTC], ["BTC_USDT"], ["all"], "all", rng.choice(VALUES)]),
            "params": json.loads(json.dumps({rng.choice(FIELDS): rng.choice(VALUES) for _ in range(4)})),
            "depth": rng.choice([5, "10", 30, *VALUES[:6]]),
        }
        raw = json.dumps(frame)
        if rng.random() < 0.3:
            at = rng.randrange(len(raw))
            raw = raw[:at] + chr(rng.randrange(1, 0x800)) + raw[at + 1 :]
        world.core.frame(socket, raw, world.now_ns)
        world._deliver()
        world.now_ns += 10_000_000
        if number % 200 == 0:
            world.advance(0.2)
    assert socket not in world.closed
    assert world.say(socket, "ping")[-1] == {"event": "pong"}
