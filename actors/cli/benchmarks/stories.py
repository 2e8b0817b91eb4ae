"""How long people wait for answers from a journal of a million events: why, and is it believable."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from actors.audit.verify import verify
from actors.control.journal_reader import JournalReader
from actors.control.why import why
from actors.domain.lifecycle import OrderEvent, OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.ledger.events import FillBooked
from actors.messages.trading import Reason
from actors.oms.events import OrderFillApplied, OrderStateChanged, OrderSubmitted
from actors.risk.events import IntentAllowed, OrderFinished
from actors.runtime.journal import Journal
from actors.runtime.messages import Message
from actors.runtime.store import TurnWrite
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.strategy.events import SignalDecided

__all__ = ["history", "verify_million_s", "why_million_s"]

EVENTS = int(os.environ.get("POLYTRADE_BENCH_EVENTS", "1000000"))
EVENTS_PER_ORDER = 8
BORN_NS = 1_750_000_000_000_000_000
APART_NS = 50_000_000
ORDERS_PER_COMMIT = 500
SYMBOLS = ("BTC_USDT_PERP", "ETH_USDT_PERP", "SOL_USDT_PERP", "XRP_USDT_PERP")

Entry = tuple[str, int, int, Message]


@cache
def history(events: int = EVENTS) -> Path:
    """Return a journal of orders that filled at once, two turns of four events each; kept until the exit."""
    directory = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    store = LmdbStore(directory, Durability.PROCESS)
    journal = Journal(store)
    journal.open_epoch({"deployment": "bench"}, BORN_NS)
    number, total = 0, events // EVENTS_PER_ORDER
    while number < total:
        written = []
        for _ in range(min(ORDERS_PER_COMMIT, total - number)):
            number += 1
            for entries in _order(number, journal.sequence + 1):
                written.append(journal.record(BORN_NS + number * APART_NS, entries))
                journal.written()
        store.commit(TurnWrite(events=tuple(written)))
    store.close()
    return directory


def _order(number: int, first: int) -> Iterator[list[Entry]]:
    """Yield the turns of one order; every second one closes what the one before has opened."""
    symbol = SYMBOLS[number // 2 % len(SYMBOLS)]
    side, at_ns = (Side.BUY if number % 2 else Side.SELL), BORN_NS + number * APART_NS
    strategy = f"trend/{symbol}"
    intent, client = f"{strategy}#1.{number}", f"abcdef-abcdefghi-1-{number}"
    ticks, net = 50_000 + number % 97, 1 if number % 2 else 0
    realised = 0 if number % 2 else 1_000
    reasons = (Reason("fast", "50012.5"), Reason("slow", "49987.25"))
    decided = SignalDecided(symbol, "order", "pulse", 1 - net, net, ticks, intent, reasons, at_ns)
    yield [
        (strategy, 0, 1, decided),
        ("risk/main", first, 1, IntentAllowed(intent, strategy, symbol, side, 1, ticks, 1, at_ns)),
        ("oms/main", first + 1, 1, _submitted(number, client, intent, strategy, symbol, side, ticks, at_ns)),
        ("oms/main", first + 2, 1, OrderStateChanged(client, OrderEvent.ACCEPTED, f"{number}", "", at_ns)),
    ]
    trade, signed = f"{number}", int(side)
    yield [
        (
            "oms/main",
            first + 2,
            1,
            OrderFillApplied(client, f"{number}", symbol, trade, signed, ticks, 400, False, at_ns, at_ns),
        ),
        (
            "ledger/main",
            first + 4,
            1,
            FillBooked(symbol, trade, client, signed, ticks, 400, realised, net, ticks, 10**12, False, at_ns),
        ),
        (
            "risk/main",
            first + 4,
            1,
            OrderFinished(intent, 1, OrderState.FILLED, symbol, side, at_ns),
        ),
        (
            "oms/main",
            first + 4,
            1,
            OrderStateChanged(client, OrderEvent.FILLED_WHOLLY, f"{number}", "", at_ns),
        ),
    ]


def _submitted(
    number: int, client: str, intent: str, strategy: str, symbol: str, side: Side, ticks: int, at_ns: int
) -> OrderSubmitted:
    return OrderSubmitted(
        client_order_id=client,
        sequence=number,
        intent_id=intent,
        intent_who=strategy,
        intent_epoch=1,
        intent_count=number,
        strategy=strategy,
        risk="risk/main",
        symbol=symbol,
        side=side,
        contracts=1,
        order_type=OrderType.MARKET,
        limit_ticks=0,
        time_in_force=TimeInForce.IOC,
        reduce_only=False,
        decision_ticks=ticks,
        at_ns=at_ns,
    )


def why_million_s() -> float:
    """Return the CPU time of the story of a fill near the end; a fill needs more passes than an order."""
    directory = history()
    wanted = f"{EVENTS // EVENTS_PER_ORDER - 3}"
    began = time.process_time()
    with JournalReader(directory) as reader:
        chain = why(reader, wanted)
    seconds = time.process_time() - began
    if len(chain.events) != EVENTS_PER_ORDER:
        raise RuntimeError(f"{len(chain.events)} events tell of {wanted}, not {EVENTS_PER_ORDER}")
    return seconds


def verify_million_s() -> float:
    """Return the CPU time of checking the chain from the first record to the last."""
    directory = history()
    began = time.process_time()
    with JournalReader(directory) as reader:
        found = verify(reader)
    if found.fault is not None:
        raise RuntimeError(found.fault.reason)
    return time.process_time() - began
