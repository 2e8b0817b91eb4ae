"""What happens on our account without us: each kind alone, with everybody in the loop, and on the record."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from actors.deployment.fault_kinds import HAND_KINDS
from actors.deployment.topology import Topology
from actors.exchange.server import faults as exchange_faults
from actors.oms.events import OrderSubmitted
from actors.reconciler.events import DifferenceResolved
from actors.runtime.codec import decoder_for, message_name
from actors.runtime.journal import read_turns
from actors.runtime.messages import Message
from actors.simulation.bundle import Recipe
from actors.simulation.faults import Fault
from actors.simulation.run import SeedRun

LOCAL = Path(__file__).resolve().parents[2] / "config" / "local.yaml"
SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS
VALUES = {"hand_trade": -1, "hand_leverage": 2, "hand_transfer": 25}
LASTS = {"hand_close_untold": 100_000, "hand_order": 90_000, "hand_leverage": 100_000}
# kind -> (difference, act) that must be on the record
RECORDED = {
    "hand_trade": ("manual trade", "stop the symbol"),
    "hand_close": ("manual trade", "stop the symbol"),
    "hand_close_untold": ("phantom position", "take the venue's word"),
    "hand_order": ("order unknown to us", "stop the symbol"),
    "hand_leverage": ("wrong leverage", "stop the symbol"),
    "hand_transfer": ("cash drift", "take the venue's word"),
    "odd_funding": ("funding missed", "book what the venue reports"),
}


@cache
def topology() -> Topology:
    return Recipe((str(LOCAL),)).topology()


def told(run: SeedRun, kind: type[Message]) -> list[Any]:
    """Return the events of one type, in order."""
    decode = decoder_for((kind,)).decode
    tag = message_name(kind).encode()
    return [
        decode(entry.event)
        for turn in read_turns(run.world.store)
        for entry in turn.entries
        if tag in bytes(memoryview(entry.event)[:40])
    ]


def run(kind: str, seed: int = 3, at_ms: int = 40_000) -> SeedRun:
    fault = Fault(number=0, kind=kind, at_ms=at_ms, for_ms=LASTS.get(kind, 0), value=VALUES.get(kind, 0))
    found = SeedRun(topology(), seed, [fault], 200 * SECOND_NS)
    outcome = found.run()
    assert [f"{one.invariant}: {one.detail}" for one in outcome.violations] == []
    return found


MOMENTS_MS = (43_000, 47_300, 41_500, 50_000)


def test_a_position_closed_by_hand_that_nobody_tells_of_is_taken_off_the_books() -> None:
    """What is open at a moment is chance: at one of these something is, and nothing breaks at any."""
    for at_ms in MOMENTS_MS:
        resolved = told(run("hand_close_untold", at_ms=at_ms), DifferenceResolved)
        if RECORDED["hand_close_untold"] in [(event.kind, event.act) for event in resolved]:
            return
    raise AssertionError("no phantom position came about")


@pytest.mark.parametrize("kind", [kind for kind in RECORDED if kind != "hand_close_untold"])
def test_what_is_done_by_hand_is_settled_and_on_the_record(kind: str) -> None:
    found = run(kind)
    resolved = [event for event in told(found, DifferenceResolved) if event.kind == RECORDED[kind][0]]
    assert RECORDED[kind][1] in [event.act for event in resolved]
    assert all(event.raw_theirs for event in resolved)
    halts = found.world.node.cell("risk/main").behaviour.state.halts
    stops = RECORDED[kind][1] == "stop the symbol"
    assert {scope for scope in halts if scope.startswith("symbol/")} == (
        {f"symbol/{resolved[0].symbol}"} if stops else set()
    )


def test_orders_canceled_by_hand_end_and_trading_goes_on() -> None:
    found = run("hand_cancel")
    halts = found.world.node.cell("risk/main").behaviour.state.halts
    assert [scope for scope in halts if scope.startswith("symbol/")] == []
    last_ns = max(event.at_ns for event in told(found, OrderSubmitted))
    assert last_ns - found.striker._start_ns > 150 * SECOND_NS


def test_every_kind_by_hand_is_covered() -> None:
    assert {*RECORDED, "hand_cancel"} == set(HAND_KINDS)


ENDPOINTS = [
    ("/v3/trade/order/trades", 502),
    ("/v3/account/balance", 403),
    ("/v3/account/bills", 503),
    ("/v3/trade/position/opens", 500),
    ("/v3/trade/order/opens", 500),
    ("/v3/position/leverages", 500),
]
FAILING = [
    *(pytest.param(*one, 600 * SECOND_NS, id=f"{one[0]} for ten minutes") for one in ENDPOINTS[:2]),
    *(pytest.param(*one, 3 * HOUR_NS, marks=pytest.mark.long, id=f"{one[0]} for hours") for one in ENDPOINTS),
]


@pytest.mark.parametrize(("path", "status", "for_ns"), FAILING)
def test_one_endpoint_that_fails_leaves_reductions_alone(path: str, status: int, for_ns: int) -> None:
    """A failed reconcile means reduce-only, not hope: nothing opens until a comparison agrees again."""
    found = SeedRun(topology(), 5, [], 0)
    far, world = found.far, found.world
    assert far is not None
    world.run_for(60 * SECOND_NS)
    rule = far.core.faults.add(
        exchange_faults.Fault(kind="http_error", path=path, status=status, code=status)
    )
    world.run_for(180 * SECOND_NS)
    risk, oms = world.node.cell("risk/main").behaviour, world.node.cell("oms/main").behaviour
    assert risk.describe()["reconciled"] is False
    before = len(told(found, OrderSubmitted))
    held = {symbol: abs(net) for symbol, net in oms.state.net_contracts.items()}
    world.run_for(for_ns)
    later = told(found, OrderSubmitted)[before:]
    assert all(order.reduce_only for order in later)
    for symbol, net in oms.state.net_contracts.items():
        assert abs(net) <= held.get(symbol, 0)
    assert risk.describe()["reconciled"] is False
    alerts = {alert["name"] for alert in world.node.cell("alerter").behaviour.describe()["active"]}
    assert alerts & {"ReconcileFailed", "VenueKeyRefused", "VenueUnreachable"}
    far.core.faults.remove(rule.id)
    world.run_for(480 * SECOND_NS)  # strategies wait longer after each refusal
    assert risk.describe()["reconciled"] is True
    assert len(told(found, OrderSubmitted)) > before + len(later) + 20, "trading did not start again"
