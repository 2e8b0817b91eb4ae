"""Keys of fifty accounts changed at once under 1,000 orders a second: what fails, what comes late.

Real actors, the real exchange with its limits behind a simulated line, and virtual time: what is measured is
how a key is tried and adopted between two turns, not this machine.
"""

from __future__ import annotations

import json
from functools import partial
from typing import ClassVar

from actors.cli.benchmarks.kill_switch import BTC
from actors.cli.benchmarks.kill_switch_node import HOST, StandingMarket
from actors.cli.benchmarks.resting import Resting
from actors.cli.benchmarks.world import CATALOG, DEPOSIT, MINUTE_NS, UNLIMITED
from actors.domain.catalog import load_catalog
from actors.domain.instrument import Instrument
from actors.domain.lifecycle import OrderState
from actors.domain.place import Place
from actors.exchange.server.settings import AccountSettings, ServerSettings
from actors.ledger.actor import LedgerActor
from actors.ledger.settings import LedgerSettings
from actors.messages.secrets import SecretsAdopted, SecretsOffered, SecretsRefused
from actors.messages.trading import OrderDenied, OrderIntent, OrderUpdate
from actors.oms.actor import OmsActor
from actors.oms.settings import OmsSettings
from actors.reconciler.actor import ReconcilerActor
from actors.reconciler.settings import ReconcilerSettings
from actors.risk.actor import RiskActor
from actors.risk.settings import RiskSettings
from actors.runtime.behaviour import Behaviour, Context, Phase
from actors.runtime.cell import CellSpec
from actors.runtime.clock import VirtualClock
from actors.runtime.errors import require
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.simulation import START_NS
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from actors.runtime.wire import Wire
from actors.simulation.exchange_side import ExchangeSide, Sink
from actors.simulation.world import SimulatedWorld
from actors.venue.poloniex.actor import PoloniexVenue
from actors.venue.poloniex.settings import PoloniexVenueSettings

__all__ = ["rotation_percent", "steady_percent"]

MS_NS, SECOND_NS = 1_000_000, 1_000_000_000
ACCOUNTS = tuple(f"a{number}" for number in range(50))
EVERY_NS = 50 * MS_NS  # an order of each account: 20 a second, which the venue's limits allow for ever
WARM_UP_NS, LOAD_NS = 2 * SECOND_NS, 4 * SECOND_NS
LATE_NS = 100 * MS_NS
ORDERS_MAX = 1_000_000
KEY, SECRET = "secret://bench/{}#key", "secret://bench/{}#secret"
GOOD = (OrderState.OPEN, OrderState.PARTIALLY_FILLED, OrderState.FILLED)


def rotation_percent() -> float:
    """Return what part of the orders failed or was acknowledged later than 100 ms, in percent."""
    return RotatedWorld().measure(is_rotated=True)


def steady_percent() -> float:
    """Return the same without a rotation."""
    return RotatedWorld().measure(is_rotated=False)


class Asking(Resting):
    """Places an order each so often and notes what became of each, and when. It outlives its behaviours."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (*Resting.ACCEPTS, OrderUpdate, OrderDenied)

    def __init__(self, address: str, account: str, ticks: int) -> None:
        super().__init__(address, [(BTC, ticks)], ORDERS_MAX, per_step=1, step_ns=EVERY_NS)
        self.account = account
        self.asked: dict[str, int] = {}
        self.answered: dict[str, int] = {}
        self.failed: list[str] = []

    def _intent(self, context: Context) -> OrderIntent:
        found = super()._intent(context)
        self.asked[found.intent_id] = context.now_ns
        values = {name: getattr(found, name) for name in found.__struct_fields__}
        return OrderIntent(**{**values, "account": self.account})

    def on_order_update(self, update: OrderUpdate, context: Context) -> None:
        if update.state in GOOD:
            self.answered.setdefault(update.intent_id, context.now_ns)
        elif update.state is not OrderState.SUBMITTING:
            self.failed.append(f"{update.intent_id} {update.state.value} {update.reason}")

    def on_order_denied(self, denied: OrderDenied, context: Context) -> None:
        self.failed.append(f"{denied.intent_id} {denied.rule} {denied.text}")


class Rotation(Behaviour):
    """Hears which keys were adopted and which refused."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (SecretsAdopted, SecretsRefused)
    PHASE = Phase.SOURCE

    def __init__(self) -> None:
        self.adopted = 0
        self.refused: list[str] = []

    def on_secrets_adopted(self, message: SecretsAdopted, context: Context) -> None:
        self.adopted += 1

    def on_secrets_refused(self, message: SecretsRefused, context: Context) -> None:
        self.refused.append(message.reason)


class RotatedWorld:
    """A node with fifty accounts at the exchange, each with two keys there. `measure()` once."""

    def __init__(self) -> None:
        self._instruments: dict[str, Instrument] = {BTC: load_catalog(json.loads(CATALOG.read_text()))[BTC]}
        keys = tuple(
            AccountSettings(key=f"{name}-{number}", secret=f"{name}-{number}-s", usdt=DEPOSIT, name=name)
            for name in ACCOUNTS
            for number in (1, 2)
        )
        served = ServerSettings(accounts=keys, symbols=(BTC,), participants=False)
        far = ExchangeSide(served, self._instruments, has_spot=False)
        self._rotation = Rotation()
        wire = Wire({HOST: far}, Sink(), 7)
        self._world = SimulatedWorld(self._make, wire, START_NS)
        far.start(wire)

    def measure(self, *, is_rotated: bool) -> float:
        """Return the percent of the orders placed from the beginning of the rotation on."""
        world = self._world
        world.run_until(lambda: world.node.is_ready, MINUTE_NS)
        world.run_for(WARM_UP_NS)
        began_ns = world.now_ns
        if is_rotated:
            for name in ACCOUNTS:
                offered = tuple(f"{text.format(name)}@2" for text in (KEY, SECRET))
                world.tell(f"venue/{name}", SecretsOffered(offered))
        world.run_for(LOAD_NS)
        if is_rotated:
            self._expect_new_keys()
        return self._percent(began_ns, world.now_ns - SECOND_NS)

    def _expect_new_keys(self) -> None:
        require(self._rotation.adopted == len(ACCOUNTS), "every key is adopted")
        require(not self._rotation.refused, "no key is refused")
        for name in ACCOUNTS:
            venue = self._world.node.cell(f"venue/{name}").behaviour
            require(venue.credentials.key == f"{name}-2", "orders are signed with the new key")  # type: ignore[attr-defined]

    def _percent(self, from_ns: int, until_ns: int) -> float:
        orders = bad = 0
        for name in ACCOUNTS:
            asking = self._world.node.cell(f"ask/{name}").behaviour
            require(isinstance(asking, Asking), "who asks")
            bad += len(asking.failed)  # type: ignore[attr-defined]
            for intent_id, asked_ns in asking.asked.items():  # type: ignore[attr-defined]
                if from_ns <= asked_ns < until_ns:
                    orders += 1
                    at_ns = asking.answered.get(intent_id, asked_ns + MINUTE_NS)  # type: ignore[attr-defined]
                    bad += at_ns - asked_ns > LATE_NS
        seconds = (until_ns - from_ns) / SECOND_NS
        require(orders >= 950 * seconds, "a thousand orders a second were placed", orders=orders)
        return bad / orders * 100

    def _make(self, store: MemoryStore, clock: VirtualClock) -> Node:
        feed = f"feed/{BTC}"
        ticks = self._instruments[BTC].reference_ticks
        venues = tuple(f"venue/{name}" for name in ACCOUNTS)
        specs = [CellSpec(feed, lambda: StandingMarket(BTC, ticks), ())]
        for name in ACCOUNTS:
            specs += self._account(name, feed, ticks)
        specs.append(CellSpec("rotation", lambda: self._rotation, venues))
        return Node(specs, (SupervisorSpec("root"),), store, clock)

    def _account(self, name: str, feed: str, ticks: int) -> list[CellSpec]:
        at = partial(self._place, name)
        venue = PoloniexVenueSettings(
            key=KEY.format(name),
            secret=SECRET.format(name),
            rest_url=f"http://{HOST}",
            stream_url=f"ws://{HOST}/ws/v3/private",
        )
        risk = RiskSettings(
            max_orders_per_second=UNLIMITED,
            daily_loss_usdt=UNLIMITED,
            max_open_orders=UNLIMITED,
            max_open_trades=UNLIMITED,
        )
        ledger = LedgerSettings(initial_usdt=DEPOSIT)
        v, o, n, r, k, a = (
            f"{kind}/{name}" for kind in ("venue", "oms", "ledger", "reconciler", "risk", "ask")
        )
        return [
            CellSpec(v, lambda: PoloniexVenue(venue, at(v)), (o, r)),
            CellSpec(o, lambda: OmsActor(OmsSettings(), at(o)), (k, v, r)),
            CellSpec(n, lambda: LedgerActor(ledger, at(n)), (o, v, r, feed)),
            CellSpec(r, lambda: ReconcilerActor(ReconcilerSettings(), at(r)), (v, o, n)),
            CellSpec(k, lambda: RiskActor(risk, at(k)), (o, n, r, feed, a)),
            CellSpec(a, lambda: Asking(a, name, ticks), (k, o)),
        ]

    def _place(self, name: str, address: str) -> Place:
        values = {}
        for number in (1, 2):
            version = f"@{number}" if number > 1 else ""
            values[KEY.format(name) + version] = f"{name}-{number}"
            values[SECRET.format(name) + version] = f"{name}-{number}-s"
        return Place(
            *("bench", address, "paper"),
            variables={"account": name},
            instruments=self._instruments,
            secrets=values,
        )
