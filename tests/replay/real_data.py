"""A deployment over recorded market data in virtual time, and what every such run must come to.

Run as a module it prints digests of its code and of a run, one a line, for a comparison with another process:
`python -m tests.replay.real_data real_trades.yaml 86400 21600 seed=7`
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

from actors.deployment.assemble import assemble
from actors.deployment.loader import load
from actors.domain.lifecycle import OrderState
from actors.ledger.events import FillBooked, FundingBooked
from actors.oms.events import OrderFillApplied, OrderSubmitted
from actors.risk.events import OrderFinished
from actors.runtime.journal import verify_chain
from actors.runtime.messages import ActorFailed
from actors.runtime.simulation import Simulation
from actors.runtime.store_memory import DATABASES
from tests.simulation.paper import (
    SECOND,
    quarrels,
    recorded,
    states_in_journal,
    states_in_memory,
)

FOLDER = Path(__file__).resolve().parent
DATA = FOLDER.parents[1].parent / "shared" / "data"


def code_digest() -> str:
    """Return a digest of the code as it lies on the disk now."""
    whole = sha256()
    for path in sorted((FOLDER.parents[1] / "actors").rglob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()


CODE = code_digest()  # as it was when this process began


class RealRun:
    """One node over one deployment file of this folder."""

    def __init__(self, name: str, **inputs: str) -> None:
        self.topology = load(FOLDER / name, inputs=inputs, environment={"POLYTRADE_STATE": "never-written"})
        start_ns = self.topology.clock_start_ns
        assert start_ns is not None
        self.sim = Simulation(lambda store, clock: assemble(self.topology, store, clock), start_ns=start_ns)
        self.digests: list[str] = []

    def run_for(self, duration_s: int, step_s: int) -> RealRun:
        """Run, and keep a digest of the whole disk after every step."""
        for _ in range(duration_s // step_s):
            self.sim.run_for(step_s * SECOND)
            self.digests.append(self.digest())
        return self

    def digest(self) -> str:
        """Return a digest of every byte that a restart would read: events, snapshots, timers, the rest."""
        whole = sha256()
        for database in DATABASES:
            for key, value in self.sim.store.items(database):
                whole.update(b"%b %d %b %d %b" % (database.encode(), len(key), key, len(value), value))
        return whole.hexdigest()

    def fills(self) -> list[OrderFillApplied]:
        return recorded(self.sim.store, OrderFillApplied)

    def check(self, *, known_quarrels: tuple[str, ...] = ()) -> None:
        """Nothing failed; exchange and ours agree to the last unit; the journal says the same."""
        node, store = self.sim.node, self.sim.store
        assert self.sim.ended == ""
        assert recorded(store, ActorFailed) == []
        assert all(cell.is_running for cell in node.loop.cells.values())
        assert [quarrel for quarrel in quarrels(node) if quarrel not in known_quarrels] == []
        assert states_in_memory(node) == states_in_journal(self.topology, store)
        assert verify_chain(store)[1] is None
        self.check_money()
        self.check_orders()

    def check_money(self) -> None:
        """Add the account up from its fills alone: what was paid and received, what open positions cost."""
        ledger, instruments = self.sim.node.cell("ledger/main").behaviour.state, self.topology.instruments
        cash = ledger.initial_usdt - sum(paid.payment_usdt for paid in self.funding())
        for fill in self.fills():
            worth = fill.signed_contracts * fill.price_ticks * instruments[fill.symbol].tick_value
            cash -= worth + fill.fee_usdt
        for symbol, holding in ledger.holdings.items():
            cash += holding.cost_ticks * instruments[symbol].tick_value
        assert ledger.cash_usdt == cash

    def check_orders(self) -> None:
        """Every order has an end, by OMS and risk alike, or is open here and at the exchange."""
        node, store = self.sim.node, self.sim.store
        oms, exchange = node.cell("oms/main").behaviour.state, node.cell("exchange").behaviour.state
        resting = {order.request.client_order_id for order in exchange.open_orders.values()}
        assert {i for i, order in oms.live.items() if order.state is not OrderState.SUBMITTING} == resting
        submitted = {event.intent_id for event in recorded(store, OrderSubmitted)}
        ended = {event.intent_id for event in recorded(store, OrderFinished)}
        assert submitted - ended == {order.intent_id for order in oms.live.values()}
        assert ended <= submitted
        assert set(node.cell("risk/main").behaviour.state.reserved) == submitted - ended

    def check_trading(self, orders_min: int) -> None:
        """It traded, and both won and lost."""
        store = self.sim.store
        booked = recorded(store, FillBooked)
        assert len({fill.client_order_id for fill in booked}) >= orders_min
        assert any(fill.realised_usdt > 0 for fill in booked)
        assert any(fill.realised_usdt < 0 for fill in booked)
        assert len({fill.symbol for fill in booked}) >= 4

    def funding(self) -> list[FundingBooked]:
        return recorded(self.sim.store, FundingBooked)


def main() -> None:
    name, duration_s, step_s, *inputs = sys.argv[1:]
    run = RealRun(name, **dict(item.split("=", 1) for item in inputs)).run_for(int(duration_s), int(step_s))
    print("\n".join([CODE, *run.digests]))


if __name__ == "__main__":
    main()
