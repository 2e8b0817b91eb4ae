"""Each fault of the exchange's fault port, against orders, cancels and streams, with everybody in the loop.

Whatever the exchange does, it ends without a lost, a doubled or a guessed order, and with books that agree.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from actors.deployment.topology import Topology
from actors.exchange.server.faults import FRAME_KINDS, KINDS, ORDER_KINDS, REQUEST_KINDS, Fault
from actors.simulation.bundle import Recipe
from actors.simulation.run import SeedRun

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs" / "simulation.md"
SECOND_NS = 1_000_000_000
FROM_NS, FOR_NS, ALL_NS = 25 * SECOND_NS, 20 * SECOND_NS, 55 * SECOND_NS
AIMS = {
    "submit": {"path": "/v3/trade/order", "method": "POST"},
    "cancel": {"path": "/v3/trade/order", "method": "DELETE"},
    "stream": {},
}
CHANNELS = {"submit": "orders", "cancel": "trade", "stream": ""}
NUMBERS = {"delay_ms": 1_500, "skew_ms": 4_000, "status": 502, "code": 500}


@cache
def topology() -> Topology:
    return Recipe((str(REPOSITORY / "config" / "local.yaml"),)).topology()


def rules(kind: str, aim: str) -> list[Fault]:
    """Return what is put into the fault port: aimed where the kind can be aimed."""
    if kind in REQUEST_KINDS:
        wanted = AIMS[aim] if aim != "stream" else {"path": "/v3/", "method": "GET"}
        return [Fault(kind=kind, every=2, **NUMBERS, **wanted)]
    if kind in FRAME_KINDS:
        every = 1 if kind == "mute" else 7 if kind == "disconnect" else 2
        return [Fault(kind=kind, every=every, channel=CHANNELS[aim], **NUMBERS)]
    if kind == "symbol_status":
        word = {"submit": "PAUSED", "cancel": "CANCEL_ONLY", "stream": "CANCEL_CLOSE_ONLY"}[aim]
        return [Fault(kind=kind, symbol=s, status_word=word) for s in ("BTC_USDT_PERP", "ETH_USDT_PERP")]
    if kind in ORDER_KINDS:
        return [Fault(kind=kind, every={"submit": 1, "cancel": 2, "stream": 3}[aim])]
    account = "main" if kind == "revoke_key" else ""
    return [Fault(kind=kind, account=account, **NUMBERS)]


def run(kind: str, aim: str) -> tuple[SeedRun, list[str]]:
    found = SeedRun(topology(), 11, (), ALL_NS)
    far, world = found.far, found.world
    assert far is not None
    given = rules(kind, aim)
    world.after(FROM_NS, lambda: [far.core.faults.add(rule) for rule in given] and None)
    world.after(FROM_NS + FOR_NS, lambda: far.core.faults.remove() and None)
    outcome = found.run()
    assert outcome.orders_count > 20
    return found, [f"{one.invariant}: {one.detail}" for one in outcome.violations]


SAMPLE = {
    "submit": ("lose_answer", "partial_body", "duplicate_request"),
    "cancel": ("drop", "delay"),
    "stream": ("reorder",),
}
CASES = [
    pytest.param(kind, aim, marks=[] if kind in SAMPLE[aim] else pytest.mark.long)
    for kind in KINDS
    for aim in AIMS
]


@pytest.mark.parametrize(("kind", "aim"), CASES)
def test_no_order_is_lost_doubled_or_guessed(kind: str, aim: str) -> None:
    found, broken = run(kind, aim)
    assert broken == []
    for name, booked in found.watchers.booked.items():
        assert name in found.watchers.submitted, "an order at the exchange that nobody here wrote down"
        assert booked.request.client_order_id not in found.watchers.absent


def table() -> str:
    """Return the table for docs/simulation.md."""
    rows = [f"| `{kind}` | {text} |" for kind, text in KINDS.items()]
    return "\n".join(["| fault | what the exchange does |", "|---|---|", *rows])


def test_the_documentation_names_every_fault_of_the_matrix() -> None:
    assert table() in DOCS.read_text(encoding="utf-8")
