"""`kill -9` at random moments of a busy run: nothing acknowledged is lost, nothing happens twice."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tests.process.node import Books, busy_topology, is_busy, start_observed, wait_for


def kill_often(topology, observations: Path, kills: int, chance: random.Random) -> int:
    """Kill the node so many times while it is busy; return how often the heart restarted it."""
    heart = start_observed(topology, observations)
    wait_for(lambda: is_busy(heart, observations))
    for _ in range(kills):
        size = observations.stat().st_size if observations.exists() else 0
        wait_for(lambda size=size: observations.exists() and observations.stat().st_size > size)
        time.sleep(chance.uniform(0.0, 0.25))
        victim = heart.node_pid
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda victim=victim: heart.poll() is not None and heart.node_pid != victim)
        wait_for(lambda: not heart.poll() and heart.exit_code is None)
    size = observations.stat().st_size
    wait_for(lambda: observations.stat().st_size > size)
    heart.poll()
    heart.stop()
    assert heart.wait(20) == 0
    return heart.restarts_count


def check(topology, observations: Path) -> Books:
    books = Books(topology)
    assert books.chain_break is None
    events = Counter()
    fills: set[str] = set()
    orders: set[str] = set()
    for cell, raw in books.entries:
        name, *fields = msgspec.msgpack.decode(raw)
        events[cell, name] += 1
        if (cell, name) == ("oms/main", "OrderFillApplied"):
            key = f"{fields[2]}/{fields[3]}"
            assert key not in fills, f"{key} was booked twice"
            fills.add(key)
        if (cell, name) == ("oms/main", "OrderSubmitted"):
            assert fields[0] not in orders, f"{fields[0]} was submitted twice"
            orders.add(fields[0])
    for line in observations.read_text().splitlines():
        kind, subject, *rest = line.split()
        if kind == "fill":
            assert subject in fills, f"fill {subject} was acknowledged and is gone"
        assert (rest[0] if rest else subject) in orders, f"{line}: acknowledged and gone"
    wallet = books.exchange.wallets["main"]
    held = {s: h.position for s, h in wallet.holdings.items() if h.position.net_contracts}
    ours = {s: (p.net_contracts, p.cost_ticks) for s, p in books.ledger.holdings.items() if p.net_contracts}
    assert {s: tuple(p) for s, p in held.items()} == ours
    assert wallet.cash_usdt == books.ledger.cash_usdt
    assert books.behaviour("ledger/main").books_balance()
    assert events["exchange", "OrderBooked"] <= len(orders)
    assert len(fills) == books.ledger.fills_count
    return books


@pytest.mark.parametrize("latency", ["0ms", "15ms"])
def test_nothing_is_lost_or_doubled_when_the_process_is_killed(tmp_path: Path, latency: str) -> None:
    topology = busy_topology(tmp_path, latency=latency)
    observations = tmp_path / "observed"
    restarts = kill_often(topology, observations, 3, random.Random(3))
    assert restarts == 3
    check(topology, observations)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_doubled_however_often_the_process_is_killed(tmp_path: Path, seed: int) -> None:
    topology = busy_topology(tmp_path, latency="5ms")
    observations = tmp_path / "observed"
    assert kill_often(topology, observations, 30, random.Random(seed)) == 30
    books = check(topology, observations)
    assert len(books.entries) > 1000
