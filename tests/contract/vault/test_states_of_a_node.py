"""What a node does while its Vault is away or says no; how a new version is brought in; over real HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from actors.control.desk import ControlError, Desk
from actors.control.secrets_desk import SecretsDesk
from actors.domain.place import Place
from actors.drills.vault.faults import Fault
from actors.messages.control import Acknowledged, Halt
from actors.messages.secrets import SecretsAdopted, SecretsOffered, SecretsRefused
from actors.runtime.behaviour import Behaviour, Context
from actors.runtime.cell import CellSpec
from actors.runtime.clock import SystemClock
from actors.runtime.messages import AlertRaised, AlertResolved, Severity
from actors.runtime.node import Node
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from actors.secrets.actor import SecretsWatch
from actors.secrets.desk import PORT, SecretDesk, SecretPump
from actors.secrets.keeper import SecretKeeper
from actors.secrets.settings import SecretsWatchSettings
from tests.contract.vault.conftest import Bench
from tests.contract.vault.server import ROOT
from tests.unit.control.house import running

hvac = pytest.importorskip("hvac")

KEY = "secret://mine/poloniex#key"
LEASE_NS = 2_500_000_000
WAIT_S = 10.0


class FarSide(Behaviour):
    """Stands for a venue: takes what is offered, refuses it, or says nothing."""

    ACCEPTS = (SecretsOffered,)
    EMITS = (SecretsAdopted, SecretsRefused)
    answer = "adopt"

    def on_secrets_offered(self, offer: SecretsOffered, context: Context) -> None:
        if FarSide.answer == "adopt":
            context.publish(SecretsAdopted(offer.references))
        elif FarSide.answer == "refuse":
            context.publish(SecretsRefused(offer.references, "the venue answered 401"))


class Guard(Behaviour):
    """Stands for risk: keeps the reasons of halts."""

    ACCEPTS = (Halt,)

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def on_halt(self, halt: Halt, context: Context) -> None:
        self.reasons.append(halt.reason)
        context.reply(Acknowledged("halted"))

    def describe(self) -> Any:
        return list(self.reasons)


@dataclass
class Watched:
    """A node with a watch, its keeper, and what it has said so far."""

    node: Node
    keeper: SecretKeeper
    vault: Bench
    open_alerts: dict[tuple[str, str], Severity] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.open_alerts}

    def rotate(self, wait_s: float = 5.0) -> dict[str, Any]:
        desk = Desk(self.node, {}, {})
        return asyncio.run(SecretsDesk(desk).rotate(wait_s))

    def row(self, wait_s: float = 5.0) -> dict[str, Any]:
        (row,) = self.rotate(wait_s)["references"]
        return dict(row)

    def halts(self) -> list[str]:
        return list(self.node.cell("guard").behaviour.describe())

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT_S
        while not holds():
            assert time.monotonic() < end, (self.open_alerts, self.halts())
            time.sleep(0.02)


@pytest.fixture
def watched(double: Bench) -> Iterator[Watched]:
    FarSide.answer = "adopt"
    double.put("poloniex", key="first")
    double.allow("mine/data/poloniex")
    source = double.source(*double.approle(), timeout=400_000_000, cache_for=LEASE_NS)
    keeper = SecretKeeper(source, {"venue/main": (KEY,), "trend/BTC": ()})
    assert keeper.fetch() == []
    settings = SecretsWatchSettings(answer_within=2_000_000_000)
    cells = [
        CellSpec(
            "secrets",
            lambda: SecretsWatch(settings, Place("t", "secrets", "live")),
            reads=("venue/main", "guard"),
            kind="secrets",
        ),
        CellSpec("venue/main", FarSide, reads=("secrets",), kind="venue"),
        CellSpec("guard", Guard, reads=("secrets",), kind="risk"),
    ]
    node = Node(cells, (SupervisorSpec("root"),), MemoryStore(), SystemClock())
    found = Watched(node, keeper, double)

    def hear(message: object) -> None:
        if isinstance(message, AlertRaised):
            found.open_alerts[message.name, message.key] = message.severity
        elif isinstance(message, AlertResolved):
            found.open_alerts.pop((message.name, message.key), None)

    announce = node.loop.announce
    node.loop.announce = lambda message, *rest: (hear(message), announce(message, *rest))[1]
    pump = SecretPump(SecretDesk(keeper), node.deliver_from_outside)
    node.loop.pumps[PORT] = pump
    with running(node):
        found.until(lambda: bool(node.cell("secrets").behaviour.versions))
        yield found
    pump.stop()


def test_a_new_version_is_fetched_tried_and_in_use_at_once(watched: Watched) -> None:
    assert watched.row() == {
        "reference": KEY,
        "old": 1,
        "in_use": 1,
        "newest": 1,
        "outcome": "unchanged",
        "reason": "",
    }
    watched.vault.put("poloniex", key="second")
    row = watched.row()
    assert (row["outcome"], row["old"], row["in_use"]) == ("adopted", 1, 2)
    assert watched.keeper.values_of("venue/main")[KEY] == "second"


def test_a_version_that_is_refused_is_tried_again_by_the_next_rotation(watched: Watched) -> None:
    FarSide.answer = "refuse"
    watched.vault.put("poloniex", key="second")
    row = watched.row()
    assert (row["outcome"], row["in_use"], row["newest"]) == ("refused", 1, 2)
    assert row["reason"] == "the venue answered 401"
    assert watched.names == {"SecretRefused"}
    FarSide.answer = "adopt"  # somebody has switched the key on at the venue
    assert (watched.row()["outcome"], watched.names) == ("adopted", set())


def test_a_version_that_nobody_tries_is_told_as_waiting(watched: Watched) -> None:
    FarSide.answer = "nothing"
    watched.vault.put("poloniex", key="second")
    found = watched.rotate(0.5)
    assert (found["settled"], found["references"][0]["outcome"]) == (False, "waits")
    assert watched.keeper.values_of("venue/main")[KEY] == "first"


def test_a_deployment_without_a_watch_says_so() -> None:
    node = Node(
        [CellSpec("guard", Guard, kind="risk")], (SupervisorSpec("root"),), MemoryStore(), SystemClock()
    )
    with running(node), pytest.raises(ControlError, match="no actor that watches"):
        asyncio.run(SecretsDesk(Desk(node, {}, {})).rotate(1))


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (Fault(kind="hang_up", path="mine/"), "unreachable"),
        (Fault(kind="slow", path="mine/", delay_ms=900), "unreachable"),
        (Fault(kind="refuse", path="mine/", status=500), "failing"),
    ],
    ids=["unreachable", "slow", "failing"],
)
def test_a_store_that_is_away_is_told_and_what_is_held_stays_in_use(
    watched: Watched, fault: Fault, trouble: str
) -> None:
    assert watched.vault.served is not None
    rules = watched.vault.served.vault.faults.rules
    rules.append(fault)
    assert (watched.row()["outcome"], watched.halts()) == (trouble, [])
    assert "SecretStoreDown" in watched.names
    assert watched.keeper.values_of("venue/main")[KEY] == "first"
    rules.clear()
    assert watched.row()["outcome"] == "unchanged"
    watched.until(lambda: not watched.names)


def test_a_store_that_stays_sealed_pages_at_half_the_time_and_halts_at_its_end(watched: Watched) -> None:
    watched.vault.admin.sys.seal()
    assert (watched.row()["outcome"], watched.halts()) == ("sealed", [])
    watched.until(lambda: "SecretExpiring" in watched.names)
    assert watched.open_alerts["SecretExpiring", ""] is Severity.PAGE
    watched.until(lambda: bool(watched.halts()))
    assert "unconfirmed" in watched.halts()[0]
    assert watched.keeper.values_of("venue/main")[KEY] == "first"  # so that orders can still be canceled
    watched.vault.admin.sys.submit_unseal_key(ROOT)
    assert watched.row()["outcome"] == "unchanged"
    watched.until(lambda: not watched.names)
    assert len(watched.halts()) == 1


def test_a_token_that_has_expired_is_replaced_and_nobody_is_told(watched: Watched) -> None:
    ours = watched.keeper.source._login.client()  # type: ignore[attr-defined]
    watched.vault.admin.auth.token.revoke_accessor(ours.auth.token.lookup_self()["data"]["accessor"])
    assert (watched.row()["outcome"], watched.names, watched.halts()) == ("unchanged", set(), [])


def test_a_permission_that_is_taken_away_fails_closed_at_once_and_keeps_the_value(watched: Watched) -> None:
    watched.vault.allow("mine/data/elsewhere")
    assert watched.row()["outcome"] == "denied"
    assert watched.open_alerts["SecretDenied", KEY] is Severity.PAGE
    watched.until(lambda: bool(watched.halts()))
    assert KEY in watched.halts()[0]
    assert watched.keeper.values_of("venue/main")[KEY] == "first"  # so that orders can still be canceled
    watched.vault.allow("mine/data/poloniex")
    assert watched.row()["outcome"] == "unchanged"
    watched.until(lambda: not watched.names)


def test_a_strategy_reaches_no_value_by_any_reference(watched: Watched) -> None:
    values = watched.keeper.values_of("trend/BTC")
    assert (list(values), values.get(KEY), values.get(f"{KEY}@1")) == ([], None, None)
