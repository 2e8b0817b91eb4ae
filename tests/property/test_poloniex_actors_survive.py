"""Neither the venue actor nor the feed dies of anything that the far side may say, in whatever order."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.messages.venue import OrderFilled, OrderRejected, OutcomeUnknown
from actors.runtime.codec import encode_message
from tests.property.test_poloniex_codecs import FRAMES, JSON, mutated
from tests.unit.feed.poloniex.feed_bench import SECOND as SECOND
from tests.unit.feed.poloniex.feed_bench import FeedBench
from tests.unit.venue.poloniex.far_side import (
    BTC,
    MS,
    Body,
    Silence,
    VenueBench,
    fill_row,
    ok,
    order_row,
    refusal,
    stream_fill,
)

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

VALUES: Any = st.one_of(JSON, st.sampled_from(["-1", "0", "10000001", "1e30", "99999999999999999999", "NaN"]))


@st.composite
def bent(draw: Any, row: dict[str, Any]) -> dict[str, Any]:
    """A row with some fields replaced by anything."""
    return {**row, **draw(st.dictionaries(st.sampled_from(sorted(row)), VALUES, max_size=3))}


STREAM_ROWS: Any = st.one_of(
    bent(order_row("o-1", execQty="4", state="PARTIALLY_FILLED")).map(lambda row: ("orders", row)),
    bent(stream_fill("o-1", "5", 4)).map(lambda row: ("trade", row)),
)


def encode_all(bench: Any) -> None:
    """Everything that was told must fit into the journal and the wire."""
    for message in bench.published:
        encode_message(message)
    msgspec.msgpack.encode(bench.behaviour.state)


@QUICK
@given(st.lists(st.one_of(mutated(), st.binary(max_size=50), STREAM_ROWS), max_size=12))
def test_the_venue_actor_survives_any_stream(frames: list[Any]) -> None:
    bench = VenueBench()
    for frame in frames:
        if isinstance(frame, tuple):
            frame = {"channel": frame[0], "data": [frame[1]]}
            if not _is_json(frame):
                continue
        if bench.sockets:
            bench.frame(frame)
        bench.run(100 * MS, 50 * MS)
    bench.run(2 * SECOND, 100 * MS)
    encode_all(bench)


ANSWERS: Any = st.one_of(
    st.builds(Silence, st.booleans()),
    st.builds(Body, st.binary(max_size=60), st.sampled_from([200, 400, 401, 429, 500, 503])),
    st.sampled_from([refusal(code) for code in (250, 400, 401, 429, 500, 503, 1002, 11008, 24201, 77777)]),
    JSON.map(lambda data: Body(json.dumps({"code": 200, "data": data}).encode())),
)
PATHS = st.sampled_from(
    [
        "GET /timestamp",
        "GET /v3/position/mode",
        "POST /v3/trade/order",
        "DELETE /v3/trade/order",
        "GET /v3/trade/order/opens",
        "GET /v3/trade/order/history",
        "GET /v3/trade/order/details",
        "GET /v3/trade/order/trades",
        "GET /v3/account/balance",
        "GET /v3/trade/position/opens",
        "GET /v3/account/bills",
    ]
)


@QUICK
@given(st.dictionaries(PATHS, ANSWERS, max_size=4))
def test_the_venue_actor_survives_any_answer_and_every_order_gets_exactly_one_verdict(overrides: Any) -> None:
    bench = VenueBench()
    bench.far.overrides = dict(overrides)
    bench.far.opens = [order_row("o-9")]
    bench.place("o-1")
    bench.cancel("o-2")
    bench.query("o-3")
    bench.ask_account()
    bench.run(30 * SECOND, 100 * MS)
    encode_all(bench)
    sent = [request for request in bench.requests if request.method == "POST"]
    verdicts = [
        message
        for message in bench.published
        if getattr(message, "client_order_id", "") == "o-1" and not isinstance(message, OrderFilled)
    ]
    assert len(verdicts) == 1
    if isinstance(verdicts[0], OrderRejected):
        unclear = overrides.get("POST /v3/trade/order")
        assert not (isinstance(unclear, Silence) and unclear.bytes_left)
    if isinstance(verdicts[0], OutcomeUnknown):
        assert len(sent) >= 1


@QUICK
@given(st.lists(bent(fill_row("o-1", "3", 2)), max_size=4), st.lists(bent(order_row("o-1")), max_size=3))
def test_evidence_of_any_rows_is_told_whole_or_not_at_all(fills: Any, orders: Any) -> None:
    bench = VenueBench()
    rows = {"fills": fills, "orders": orders}
    if not _is_json(rows):
        return
    bench.far.overrides["GET /v3/trade/order/trades"] = ok(fills)
    bench.far.overrides["GET /v3/trade/order/opens"] = ok(orders)
    bench.query("o-1")
    bench.ask_account()
    bench.run(25 * SECOND, 100 * MS)
    encode_all(bench)


@QUICK
@given(st.lists(st.one_of(mutated(), st.binary(max_size=50), st.sampled_from(FRAMES)), max_size=20))
def test_the_feed_survives_any_stream(frames: list[Any]) -> None:
    bench = FeedBench()
    for frame in frames:
        if isinstance(frame, dict):
            frame = json.loads(json.dumps(frame).replace('"A"', f'"{BTC}"'))
        if bench.sockets:
            bench.frame(frame)
        bench.run(250 * MS)
    bench.run(SECOND)
    encode_all(bench)


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True
