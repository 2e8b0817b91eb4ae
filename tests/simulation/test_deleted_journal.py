"""A journal is deleted while its account has a history: the deployment goes on under other names."""

from __future__ import annotations

from pathlib import Path

from actors.exchange.events import OrderBooked
from actors.runtime.messages import Message
from actors.simulation.bundle import Recipe
from actors.simulation.run import SeedRun

LOCAL = Path(__file__).resolve().parents[2] / "config" / "local.yaml"
SECOND_NS = 1_000_000_000


def test_a_deployment_whose_journal_was_deleted_trades_under_new_order_ids() -> None:
    run = SeedRun(Recipe((str(LOCAL),)).topology(), 11, (), 0)
    assert run.far is not None
    booked: list[str] = []

    def note(event: Message) -> None:
        if isinstance(event, OrderBooked) and event.request.account == "main":
            booked.append(event.request.client_order_id)

    run.far.on_event.append(note)
    run.world.run_for(40 * SECOND_NS)
    before = list(booked)
    assert len(before) > 10
    run.world.lose_journal()
    run.world.run_for(90 * SECOND_NS)
    after = booked[len(before) :]
    assert len(after) > 10, "trading did not start again"
    assert len(set(booked)) == len(booked)
    assert {name.split("-")[0] for name in before} == {name.split("-")[0] for name in after}
    assert {name.split("-")[1] for name in before}.isdisjoint(name.split("-")[1] for name in after)
    oms = run.world.node.cell("oms/main").behaviour
    assert {order.client_order_id for order in oms.state.closed.values()} & set(after)
    assert run.world.ends == []
