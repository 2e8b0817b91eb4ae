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
from actors.cli.benchmarks.rotated import (
    ACCOUNTS,
    KEY,
    SECRET,
    Asking,
    account_specs,
    keys_each,
    outcome_of,
)
from actors.cli.benchmarks.world import CATALOG, MINUTE_NS
from actors.domain.catalog import load_catalog
from actors.domain.instrument import Instrument
from actors.domain.place import Place
from actors.exchange.server.faults import Fault
from actors.exchange.server.settings import ServerSettings
from actors.messages.secrets import SecretsAdopted, SecretsOffered, SecretsRefused
from actors.messages.venue import VenueConnection
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

__all__ = ["rotation_percent", "steady_percent"]

MS_NS, SECOND_NS = 1_000_000, 1_000_000_000
EVERY_NS = 50 * MS_NS  # an order of each account: 20 a second, which the venue's limits allow for ever
WARM_UP_NS, LOAD_NS = 2 * SECOND_NS, 4 * SECOND_NS


def rotation_percent() -> float:
    """Return what part of the orders failed or was acknowledged later than 100 ms, in percent."""
    return RotatedWorld().measure(is_rotated=True)


def steady_percent() -> float:
    """Return the same without a rotation."""
    return RotatedWorld().measure(is_rotated=False)


class Rotation(Behaviour):
    """Hears which keys were adopted and which refused, and who lost the venue."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (SecretsAdopted, SecretsRefused, VenueConnection)
    PHASE = Phase.SOURCE

    def __init__(self) -> None:
        self.adopted = 0
        self.refused: list[str] = []
        self.lost: list[str] = []

    def on_secrets_adopted(self, message: SecretsAdopted, context: Context) -> None:
        self.adopted += 1

    def on_secrets_refused(self, message: SecretsRefused, context: Context) -> None:
        self.refused.append(message.reason)

    def on_venue_connection(self, message: VenueConnection, context: Context) -> None:
        if not message.up and message.reason != "starting":
            self.lost.append(f"{message.account}: {message.reason}")


class RotatedWorld:
    """A node with fifty accounts at the exchange, each with two keys there. `measure()` once."""

    def __init__(self) -> None:
        self._instruments: dict[str, Instrument] = {BTC: load_catalog(json.loads(CATALOG.read_text()))[BTC]}
        served = ServerSettings(accounts=keys_each(2), symbols=(BTC,), participants=False)
        self._far = ExchangeSide(served, self._instruments, has_spot=False)
        self._rotation = Rotation()
        wire = Wire({HOST: self._far}, Sink(), 7)
        self._world = SimulatedWorld(self._make, wire, START_NS)
        self._far.start(wire)

    def measure(self, *, is_rotated: bool) -> float:
        """Return the percent of the orders placed from the beginning of the rotation on."""
        world = self._world
        world.run_until(lambda: world.node.is_ready, MINUTE_NS)
        world.run_for(WARM_UP_NS)
        began_ns = world.now_ns
        if is_rotated:
            self._offer()
            world.run_until(lambda: self._rotation.adopted == len(ACCOUNTS), LOAD_NS)
            self._delete_old()
        world.run_for(LOAD_NS)
        if is_rotated:
            self._expect_new_keys()
        return self._percent(began_ns, world.now_ns - SECOND_NS)

    def _offer(self) -> None:
        for name in ACCOUNTS:
            offered = tuple(f"{text.format(name)}@2" for text in (KEY, SECRET))
            self._world.tell(f"venue/{name}", SecretsOffered(offered))

    def _delete_old(self) -> None:
        for name in ACCOUNTS:
            self._far.core.faults.add(Fault(kind="revoke_key", key=f"{name}-1"))
        self._far.core.hub.cut_revoked()

    def _expect_new_keys(self) -> None:
        require(self._rotation.adopted == len(ACCOUNTS), "every key is adopted")
        require(not self._rotation.refused, "no key is refused")
        require(not self._rotation.lost, "nobody loses the venue when the old keys are deleted")
        for name in ACCOUNTS:
            venue = self._world.node.cell(f"venue/{name}").behaviour
            require(venue.credentials.key == f"{name}-2", "orders are signed with the new key")  # type: ignore[attr-defined]

    def _percent(self, from_ns: int, until_ns: int) -> float:
        found = [self._world.node.cell(f"ask/{name}").behaviour for name in ACCOUNTS]
        outcome = outcome_of([one for one in found if isinstance(one, Asking)], from_ns, until_ns)
        seconds = (until_ns - from_ns) / SECOND_NS
        require(outcome.orders >= 950 * seconds, "a thousand orders a second", orders=outcome.orders)
        return outcome.percent

    def _make(self, store: MemoryStore, clock: VirtualClock) -> Node:
        feed = f"feed/{BTC}"
        ticks = self._instruments[BTC].reference_ticks
        venues = tuple(f"venue/{name}" for name in ACCOUNTS)
        specs = [CellSpec(feed, lambda: StandingMarket(BTC, ticks), ())]
        for name in ACCOUNTS:
            specs += account_specs(name, HOST, feed, ticks, EVERY_NS, partial(self._place, name))
        specs.append(CellSpec("secrets", lambda: self._rotation, venues))
        return Node(specs, (SupervisorSpec("root"),), store, clock)

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
