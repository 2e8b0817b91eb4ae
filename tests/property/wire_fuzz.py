"""Random and mutated frames and replies, for our decoder and for the exchange: neither may fall over.

Every input follows from a seed and its number. As a program it feeds as many as asked, in as many processes:

    python -m tests.property.wire_fuzz --count 10000000 --processes 2
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from multiprocessing import get_context

import msgspec

from actors.exchange.server.answering import ROUTES
from actors.exchange.server.messages import WebRequest
from actors.poloniex.answers import read_answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.frames import read_private, read_public
from actors.poloniex.market_rows import (
    read_candles,
    read_instruments,
    read_order_book,
    read_server_time_ms,
    read_tickers,
    read_tiers,
)
from actors.poloniex.spot_frames import read_spot_private, read_spot_public
from actors.poloniex.spot_market import read_spot_book, read_spot_candles, read_spot_day
from tests.unit.exchange.server.busy_world import busy_world
from tests.unit.exchange.server.served_world import (
    BTC,
    PRIVATE,
    PUBLIC,
    SPOT_PRIVATE,
    SPOT_PUBLIC,
    ServedWorld,
    sign,
)

WORLD_LASTS = 20_000  # inputs, then a new one: what a world remembers is bounded, but not small
PULSE_EVERY = 500
STEP_NS = 3_000_000
FRAME_READERS = (read_public, read_private, read_spot_public, read_spot_private)
ROW_READERS = (
    *(read_candles, read_instruments, read_order_book, read_server_time_ms, read_tickers, read_tiers),
    *(read_spot_book, read_spot_candles, read_spot_day),
)
ODD = (
    *(
        b"null",
        b"true",
        b"false",
        b"0",
        b"-1",
        b"1e999",
        b"-0",
        b"9" * 40,
        b"1.5",
        b"NaN",
        b'""',
        b"[]",
        b"{}",
    ),
    *(
        b'"1e-9"',
        b'"-1"',
        b'"BTC_USDT_PERP"',
        b'"BTC_USDT"',
        b'"all"',
        b'"\\ud800"',
        b'"\xd9\xa3"',
        b"[[[[[[[[",
    ),
    *(b'{"a":' * 30, b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b",", b":", b"}", b"]", b'"', b"\\", b"\r\n"),
)
CLIENT_FRAMES = tuple(
    json.dumps(frame).encode()
    for frame in (
        {"event": "subscribe", "channel": ["book_lv2"], "symbols": [BTC]},
        {"event": "subscribe", "channel": ["book"], "symbols": [BTC], "depth": 20},
        {"event": "subscribe", "channel": ["tickers", "trades", "candles_minute_1"], "symbols": ["all"]},
        {"event": "subscribe", "channel": ["orders", "positions", "trade", "account"], "symbols": ["all"]},
        {"event": "subscribe", "channel": ["auth"], "params": {"key": "ann", "signTimestamp": 1}},
        {"event": "subscribe", "channel": ["balances"]},
        {"event": "unsubscribe", "channel": ["book_lv2"], "symbols": [BTC]},
        {"event": "unsubscribe_all"},
        {"event": "list_subscriptions"},
        {"event": "ping"},
        {
            "id": "1",
            "event": "createOrder",
            "params": {
                "symbol": "BTC_USDT",
                "side": "BUY",
                "type": "LIMIT",
                "price": "79000",
                "quantity": "0.01",
            },
        },
        {"id": "2", "event": "cancelOrders", "params": {"orderIds": ["205000000000000001"]}},
        {"id": "3", "event": "cancelAllOrders", "params": {"symbols": ["BTC_USDT"]}},
    )
)
ORDER = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "px": "79000", "sz": "1", "clOrdId": "f1"}
BODIES = tuple(
    json.dumps(body).encode()
    for body in (
        ORDER,
        {**ORDER, "mgnMode": "ISOLATED", "posSide": "BOTH", "timeInForce": "IOC", "stpMode": "EXPIRE_BOTH"},
        {**ORDER, "type": "MARKET", "side": "SELL", "reduceOnly": True},
        [{**ORDER, "mgnMode": "CROSS", "posSide": "BOTH"}] * 3,
        {"symbol": BTC, "ordId": "331000000000000133"},
        {"symbol": BTC, "ordIds": ["331000000000000133"], "clOrdIds": ["f1"]},
        {"symbols": [BTC], "side": "BUY"},
        {"symbol": BTC, "lever": 10, "mgnMode": "CROSS", "posSide": "BOTH"},
        {"symbol": BTC, "amt": "1", "type": "ADD", "posSide": "BOTH"},
        {"posMode": "HEDGE"},
        {"symbol": "BTC_USDT", "side": "BUY", "type": "MARKET", "amount": "10"},
        {
            "symbol": "BTC_USDT",
            "side": "SELL",
            "type": "STOP_LIMIT",
            "stopPrice": "70000",
            "price": "1",
            "quantity": "1",
        },
        {"currency": "USDT", "amount": "1", "fromAccount": "SPOT", "toAccount": "FUTURES"},
        {"timeout": "10"},
        {},
    )
)
QUERIES = (
    *(
        b"",
        f"symbol={BTC}".encode(),
        f"symbol={BTC}&limit=20&interval=MINUTE_1".encode(),
        b"limit=100&from=1",
    ),
    *(
        b"symbol=BTC_USDT&limit=5&scale=0.01",
        b"clOrdId=f1&direct=PREV",
        b"sTime=1&eTime=2&type=PNL&state=FILLED",
    ),
)


@cache
def wire() -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return real frames and real replies of an exchange in which much has happened."""
    world = busy_world()
    frames: list[bytes] = []
    sockets = [world.connect(PUBLIC), world.connect(SPOT_PUBLIC)]
    sockets += [world.connect(PRIVATE, "ann"), world.connect(SPOT_PRIVATE, "ann")]
    for socket in sockets:
        for frame in CLIENT_FRAMES:
            frames += [json.dumps(one).encode() for one in world.say(socket, frame.decode())]
    world.place("BUY", 2)
    world.advance(2)
    for socket in sockets:
        frames += [json.dumps(one).encode() for one in world.heard(socket)]
    replies = [
        world.send("GET", path, query.decode())[2].body
        for method, path in ROUTES._exact
        if method == "GET"
        for query in QUERIES[:3]
    ]
    return tuple(dict.fromkeys(frames)), tuple(dict.fromkeys(replies))


def mutated(rng: random.Random, known: tuple[bytes, ...]) -> bytes:
    """Return one of these, changed a few times; now and then pure noise."""
    if rng.random() < 0.02:
        return rng.randbytes(rng.randrange(64))
    raw = known[rng.randrange(len(known))]
    kinds = 7 if rng.random() < 0.5 else 1  # half of them stay JSON, with other values in it
    for _ in range(rng.randrange(1, 4)):
        size = len(raw)
        at, kind = rng.randrange(size + 1), 6 - rng.randrange(kinds)
        if kind == 0:
            raw = raw[:at]
        elif kind == 1:
            raw = raw[:at] + bytes((rng.randrange(256),)) + raw[at + 1 :]
        elif kind == 2:
            raw = raw[:at] + raw[at + rng.randrange(20) :]
        elif kind == 3:
            raw = raw[:at] + raw[max(0, at - rng.randrange(60)) :]
        elif kind == 4:
            raw = raw[:at] + ODD[rng.randrange(len(ODD))] + raw[at:]
        elif kind == 5:
            other = known[rng.randrange(len(known))]
            raw = raw[:at] + other[rng.randrange(len(other) + 1) :]
        else:
            raw = _with_another_value(rng, raw, at)
    return raw


def _with_another_value(rng: random.Random, raw: bytes, at: int) -> bytes:
    """Put something else in the place of the JSON value behind the next colon."""
    colon = raw.find(b":", at)
    if colon < 0:
        return raw
    ends = [end for end in (raw.find(b",", colon), raw.find(b"}", colon)) if end > 0]
    end = min(ends, default=len(raw))
    return raw[: colon + 1] + ODD[rng.randrange(len(ODD))] + raw[end:]


def decode_any(seed: int, first: int, count: int) -> Counter[str]:
    """Feed frames and replies to every decoder of our side: each is understood or is `Malformed`."""
    frames, replies = wire()
    found: Counter[str] = Counter()
    for number in range(first, first + count):
        rng = random.Random(seed << 40 | number)
        try:
            if number % 2:
                raw = mutated(rng, frames)
                FRAME_READERS[number // 2 % len(FRAME_READERS)](raw)
            else:
                raw = mutated(rng, replies)
                status = (200, 200, 200, 400, 404, 500)[rng.randrange(6)]
                answer = read_answer(status, raw, spot=rng.random() < 0.5)
                ROW_READERS[number // 2 % len(ROW_READERS)](answer)
            found["decoded"] += 1
        except Malformed:
            found["malformed"] += 1
        except Exception as error:
            raise AssertionError(f"decoder, seed {seed}, input {number}: {raw!r}") from error
    return found


def frames_for_exchange(seed: int, first: int, count: int) -> Counter[str]:
    """Let clients of all four streams say anything: each frame is answered or ignored, none is fatal."""
    found: Counter[str] = Counter()
    world, sockets = None, []
    for number in range(first, first + count):
        rng = random.Random(seed << 40 | number)
        if world is None or number % WORLD_LASTS == 0:
            world, sockets = ServedWorld(), []
        if not sockets or rng.random() < 0.001:
            paths = ((PUBLIC, ""), (PRIVATE, "ann"), (SPOT_PUBLIC, ""), (SPOT_PRIVATE, "bob"))
            for socket in sockets:
                world.core.close_socket(socket)
            sockets = [world.connect(path, key) for path, key in paths]
        raw = mutated(rng, CLIENT_FRAMES)
        try:
            world.now_ns += STEP_NS
            world.core.frame(sockets[number % 4], raw.decode("utf-8", "replace"), world.now_ns)
            for out in world.core.take_out():
                found[type(out).__name__] += 1
            if number % PULSE_EVERY == 0:
                world.core.pulse(world.now_ns)
                world.core.tell_books(world.now_ns)
                world.core.take_out()
        except Exception as error:
            raise AssertionError(f"frames, seed {seed}, input {number}: {raw!r}") from error
    found["frames"] += count
    return found


ALL_PATHS = tuple(sorted({(method, path) for method, path in ROUTES._exact})) + tuple(
    (method, "/".join("BTC_USDT" if part.startswith("{") else part for part in parts))
    for method, parts, _ in ROUTES._patterns
)


def requests_for_exchange(seed: int, first: int, count: int) -> Counter[str]:
    """Ask the exchange anything, mostly with a good signature: it answers with JSON, and no money is made."""
    found: Counter[str] = Counter()
    world = None
    for number in range(first, first + count):
        rng = random.Random(seed << 40 | number)
        if world is None or number % WORLD_LASTS == 0:
            world = ServedWorld(closed_orders_kept_max=100)
        request = _request(rng, world, number)
        try:
            world.now_ns += STEP_NS
            reply = world.core.handle(request, world.now_ns)
            msgspec.json.decode(reply.body)
            found[f"HTTP {reply.status}"] += 1
            if reply.status >= 500:
                raise AssertionError("an answer of a broken server")
            if number % PULSE_EVERY == 0:
                world.core.pulse(world.now_ns)
                if not world.core.engine.books_balance():
                    raise AssertionError("the books do not balance")
        except Exception as error:
            raise AssertionError(f"requests, seed {seed}, input {number}: {request!r}") from error
    return found


def _request(rng: random.Random, world: ServedWorld, number: int) -> WebRequest:
    method, path = ALL_PATHS[rng.randrange(len(ALL_PATHS))]
    if rng.random() < 0.05:
        path = mutated(rng, (path.encode(),)).decode("ascii", "replace")
    body = mutated(rng, BODIES) if method != "GET" and rng.random() < 0.9 else b""
    query = mutated(rng, QUERIES) if not body else b""
    asked = query.decode("utf-8", "replace")
    stamp, key = str(world.now_ns // 1_000_000), "ann" if number % 2 else "bob"
    if body:
        parameters = f"requestBody={body.decode('utf-8', 'replace')}&signTimestamp={stamp}"
    else:
        pairs = [pair for pair in asked.split("&") if pair]
        named = sorted([*pairs, f"signTimestamp={stamp}"], key=lambda pair: pair.partition("=")[0])
        parameters = "&".join(named)
    text = f"{method}\n{path}\n{parameters}"
    signature = sign(f"{key}-secret", text) if text.isascii() or rng.random() < 0.5 else asked
    headers = (("key", key), ("signtimestamp", stamp), ("signature", signature))
    if rng.random() < 0.02:
        headers = tuple((name, mutated(rng, (value.encode(),)).decode("latin-1")) for name, value in headers)
    return WebRequest(number, method, path, asked, headers, body, "127.0.0.1")


TARGETS: dict[str, tuple[Callable[[int, int, int], Counter[str]], int]] = {
    "decoder": (decode_any, 5),  # shares of ten
    "frames": (frames_for_exchange, 3),
    "requests": (requests_for_exchange, 2),
}
CHUNK = 20_000


def _work(job: tuple[str, int, int, int]) -> tuple[str, Counter[str]]:
    name, *numbers = job
    return name, TARGETS[name][0](*numbers)


def main() -> None:
    """Feed all targets; print what came of it, or end with the first input that broke something."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=100_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--processes", type=int, default=2)
    given = asked.parse_args()
    jobs = [
        (name, given.seed, first, min(CHUNK, total - first))
        for name, (_, share) in TARGETS.items()
        for total in [given.count * share // 10]
        for first in range(0, total, CHUNK)
    ]
    random.Random(given.seed).shuffle(jobs)
    began, done, found = time.monotonic(), 0, {name: Counter() for name in TARGETS}
    with get_context("spawn").Pool(given.processes) as pool:
        for number, (name, part) in enumerate(pool.imap_unordered(_work, jobs), 1):
            found[name] += part
            done += CHUNK
            if number % 25 == 0:
                print(f"{min(done, given.count):,} inputs, {time.monotonic() - began:,.0f} s", flush=True)
    for name, counts in found.items():
        print(name, dict(counts))
    print(f"{given.count:,} inputs, seed {given.seed}, 0 crashes, {time.monotonic() - began:,.0f} s")


if __name__ == "__main__":
    main()
