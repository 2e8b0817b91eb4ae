"""A change is tried on one symbol, then promoted or taken back; also by a node that ends meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.deployment.applying import Applied, NotApplied, Wish
from actors.deployment.approvals import Approval, digest_of
from actors.deployment.beginning import first_generation
from actors.deployment.canary.keeper import CanaryKeeper
from actors.deployment.canary.part import part_of
from actors.deployment.canary.settings import CanarySection
from actors.deployment.change_sections import ApplySection
from actors.deployment.generations import Generation
from actors.messages.alerting import AcknowledgeAlerts
from actors.messages.control import Halt, HaltLevel
from actors.runtime.messages import AlertRaised, Severity
from actors.strategy.actor import StrategyActor
from tests.unit.deployment.running_node import TREND, Running

BTC = "BTC_USDT_PERP"
LONG_NS, SHORT_NS = 600_000_000_000, 300_000_000


def faster(actors: dict[str, Any]) -> None:
    """Change all of one strategy, and a limit that nobody owns alone."""
    for name, actor in actors.items():
        if name.startswith("trend/"):
            actor["settings"]["fast"] = 9
    actors["risk/main"]["settings"]["max_open_orders"] = 19


class Trial:
    """A node with a keeper of canaries that looks when the test says so."""

    def __init__(self, folder: Path) -> None:
        self.running = Running(folder)
        self.keeper = CanaryKeeper(self.running.applier, self.running.node, CanarySection(), 0.2)

    def begin(self, target: str = BTC, for_ns: int = LONG_NS, edit: Any = faster, **more: Any) -> Applied:
        words = {"base": self.newest.number, "actor": "ann", "reason": "why", "prove_s": 0.2, **more}
        return self.keeper.begin(Wish(self.running.document(edit), **words), target, for_ns)

    @property
    def newest(self) -> Generation:
        found = self.running.generations.current()
        assert found is not None
        return found

    def fast(self, symbol: str) -> int:
        return int(self.running.node.cell(f"trend/{symbol}").behaviour.settings.fast)  # type: ignore[attr-defined]

    def alert(self) -> str:
        """Return what is told of a canary that was rolled back; empty when nothing holds."""
        time.sleep(0.3)
        alerts = self.running.node.cell("alerter").behaviour.state.alerts
        found = [one.summary for one in alerts.values() if one.name == "CanaryRolledBack" and not one.over]
        return found[0] if found else ""

    def until(self, holds: Callable[[], bool]) -> None:
        end_s = time.monotonic() + 20
        while not holds() and time.monotonic() < end_s:
            self.keeper.look()
            time.sleep(0.05)
        assert holds()


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    found = Trial(tmp_path)
    yield found
    found.running.stop()


def test_only_what_the_symbol_owns_comes_first_and_the_rest_when_it_did_well(trial: Trial) -> None:
    applied = trial.begin(for_ns=SHORT_NS)
    assert (applied.generation, applied.restarted) == (2, (TREND,))
    assert applied.deferred == (
        "restart risk/main",
        "restart trend/ETH_USDT_PERP",
        "restart trend/XRP_USDT_PERP",
    )
    assert (trial.fast(BTC), trial.fast("ETH_USDT_PERP")) == (9, 8)
    status = trial.keeper.status()
    assert (status["running"], status["target"], status["base"]) == (True, BTC, 1)
    trial.until(lambda: trial.newest.number == 3)
    assert (trial.fast(BTC), trial.fast("ETH_USDT_PERP")) == (9, 9)
    restarted = {TREND, "risk/main", "trend/ETH_USDT_PERP", "trend/XRP_USDT_PERP"}
    assert trial.running.restarts() == dict.fromkeys(restarted, 1), "what was on trial goes on"
    newest = trial.newest
    assert (newest.actor, newest.canary, newest.of) == ("canary", None, 0)
    assert newest.reason == f"why; canary of {BTC} promoted: it did well until the end"
    assert trial.keeper.status() == {"running": False}
    assert trial.alert() == ""


def test_a_canary_that_fails_is_rolled_back_and_told_until_somebody_takes_care(trial: Trial) -> None:
    trial.begin()
    trial.keeper.look()
    assert trial.newest.number == 2, "nothing is wrong yet"
    node = trial.running.node
    trial.running.applier.inside(lambda: node.revive([node.cell(TREND)]))
    trial.keeper.look()
    assert (trial.newest.number, trial.newest.of, trial.newest.actor) == (3, 1, "canary")
    assert trial.fast(BTC) == 8
    assert "the changed actors restarted 1 times, 0 are allowed" in trial.alert()
    ack = AcknowledgeAlerts("CanaryRolledBack", "*", "*", 60_000_000_000, True, "bob", "looked at")
    node.tell("alerter", ack)
    time.sleep(0.3)
    trial.keeper.look()
    assert trial.alert() == ""
    assert trial.running.generations.gone_back_from(_wanted(trial)) is not None, "a watch would try it again"


def _wanted(trial: Trial) -> str:
    terms = trial.running.generations.read(2).canary
    assert terms is not None
    return str(terms.wanted["content_hash"])


def test_the_next_change_that_is_brought_in_ends_the_alert(trial: Trial) -> None:
    trial.begin()
    page(trial)
    trial.until(lambda: trial.newest.number == 3)
    assert "FeedStale: for the test pages" in trial.alert()
    trial.running.apply(lambda actors: actors["risk/main"]["settings"].update(max_open_orders=18))
    assert trial.alert() == ""


def page(trial: Trial) -> None:
    node = trial.running.node
    fact = AlertRaised("FeedStale", "x", Severity.PAGE, "for the test", "oms/main", node.now_ns)
    node.loop.call(lambda: node.note(fact))


def test_what_paged_before_the_canary_is_not_held_against_it(trial: Trial) -> None:
    page(trial)
    time.sleep(0.3)
    trial.begin()
    trial.keeper.look()
    assert trial.newest.number == 2


def test_a_halt_ends_it(trial: Trial) -> None:
    trial.begin()
    trial.running.node.tell("risk/main", Halt("all", HaltLevel.NO_NEW_RISK, "ann", "enough"))
    trial.until(lambda: trial.newest.number == 3)
    assert "trading was halted: all by ann: enough" in trial.alert()


def test_a_rest_that_cannot_be_brought_in_takes_the_canary_back(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = StrategyActor.started

    def fragile(self: StrategyActor, context: Any) -> None:
        if context.self_address == "trend/ETH_USDT_PERP":
            raise RuntimeError("cannot stand nine")
        started(self, context)

    trial.begin(for_ns=SHORT_NS)
    monkeypatch.setattr(StrategyActor, "started", fragile)
    trial.until(lambda: trial.newest.canary is None and trial.newest.of == 1)
    assert "the rest could not be brought in" in trial.newest.reason
    assert (trial.fast(BTC), trial.keeper.status()["running"]) == (8, False)
    assert "the rest could not be brought in" in trial.alert()


def test_people_promote_and_abort_before_the_time(trial: Trial) -> None:
    trial.begin()
    assert trial.keeper.abort("bob", "changed my mind") == 3
    assert (trial.fast(BTC), trial.newest.of, trial.alert()) == (8, 1, "")
    with pytest.raises(NotApplied, match="no canary runs"):
        trial.keeper.promote("bob", "again")
    trial.begin()
    assert trial.keeper.promote("bob", "seen enough").taken_back == ""
    assert (trial.fast("ETH_USDT_PERP"), trial.newest.actor) == (9, "bob")


def test_a_canary_that_nothing_waits_for_ends_as_a_generation_too(trial: Trial) -> None:
    def alone(actors: dict[str, Any]) -> None:
        actors[TREND]["settings"]["fast"] = 9

    assert trial.begin(edit=alone).deferred == ()
    assert trial.keeper.promote("bob", "").generation == 3
    assert trial.newest.canary is None
    assert trial.running.restarts() == {TREND: 1}


def test_beside_a_canary_nothing_comes_but_the_way_back(trial: Trial) -> None:
    trial.begin()
    with pytest.raises(NotApplied, match="generation 2 is a canary of BTC_USDT_PERP"):
        trial.running.apply(lambda actors: actors["risk/main"]["settings"].update(max_open_orders=18))
    with pytest.raises(NotApplied, match="generation 2 is a canary"):
        trial.begin()
    first = trial.running.generations.read(1)
    words = {"base": 2, "actor": "bob", "reason": "back", "of": 1, "prove_s": 0.1}
    trial.running.applier.apply(Wish(first.document, **words))
    trial.keeper.look()
    assert (trial.keeper.status()["running"], trial.fast(BTC)) == (False, 8)


@pytest.mark.parametrize(
    ("target", "edit", "said"),
    [
        ("BTC_USDT_PERQ", faster, "no actor belongs to 'BTC_USDT_PERQ'"),
        ("SOL_USDT_PERP", faster, "none of the changes is of SOL_USDT_PERP alone"),
        (BTC, lambda actors: None, "nothing changes"),
        (BTC, lambda actors: actors["risk/main"]["settings"].update(max_open_orders=21), "loosens a limit"),
    ],
)
def test_what_makes_no_canary_is_refused_and_nothing_touched(
    trial: Trial, target: str, edit: Any, said: str
) -> None:
    with pytest.raises(NotApplied, match=said):
        trial.begin(target, edit=edit, reason="")
    assert (trial.newest.number, trial.running.restarts()) == (1, {})


def test_an_account_is_a_target_too(trial: Trial) -> None:
    applied = trial.begin("main")
    assert set(applied.restarted) == {"risk/main", TREND, "trend/ETH_USDT_PERP", "trend/XRP_USDT_PERP"}
    assert applied.deferred == (), "strategies trade on an account"


@pytest.mark.parametrize("run", ["run", "another run"])
def test_a_node_that_ends_while_a_canary_runs_begins_with_what_ran_before(trial: Trial, run: str) -> None:
    trial.begin()
    kept, files = trial.running.generations, trial.running.topology
    if run != "run":  # the files say the whole change by now
        files = trial.running.applier.plan(kept.read(2).canary.wanted)[0]  # type: ignore[union-attr]
    again = first_generation(files, kept, run, 7)
    assert again.content_hash == kept.read(1).content_hash
    assert (trial.newest.number, trial.newest.of, trial.newest.actor) == (3, 1, "heart")
    assert (trial.newest.run, trial.newest.canary) == (run, None)
    trial.running.applier.begun()
    assert "the node ended while it was a canary of BTC_USDT_PERP" in trial.alert()
    if run != "run":
        assert first_generation(files, kept, "a third run", 8) is files, "whoever starts it again means it"


def test_the_whole_change_is_approved_before_its_part_begins_and_not_again(trial: Trial) -> None:
    applier = trial.running.applier
    applier.topology = replace(applier.topology, apply=ApplySection(approvals=1, when=("anything",)))
    with pytest.raises(NotApplied, match="needs 1 approval"):
        trial.begin()
    digest = digest_of(1, trial.running.document(faster))
    applier.approve(Approval(digest, "bob", 7, "fine", applier.now_ns), 1)
    trial.begin()
    assert trial.newest.approver == "bob"
    assert trial.keeper.promote("ann", "").taken_back == ""
    assert (trial.fast("ETH_USDT_PERP"), trial.newest.approver) == (9, "bob")


def test_what_a_new_actor_needs_from_others_comes_with_it() -> None:
    def actor(address: str, reads: list[str], **variables: str) -> dict[str, Any]:
        return {"address": address, "reads": reads, "variables": variables, "settings": {}}

    before = {"actors": [actor("feed/A", ["trend/A"], symbol="A"), actor("risk", ["trend/A"])], "x": 1}
    wanted = {
        "actors": [
            actor("feed/A", ["trend/A", "trend/B"], symbol="A"),
            actor("feed/B", ["trend/B"], symbol="B"),
            actor("risk", ["trend/B", "trend/C"]),
            actor("trend/B", ["feed/B", "risk"], symbol="B"),
            actor("trend/C", ["feed/B", "risk"], symbol="C"),
        ],
        "x": 2,
    }
    part = part_of(before, wanted, "B")
    assert part["x"] == 1
    assert {one["address"]: one["reads"] for one in part["actors"]} == {
        "feed/A": ["trend/A", "trend/B"],
        "risk": ["trend/A", "trend/B"],
        "feed/B": ["trend/B"],
        "trend/B": ["feed/B", "risk"],
    }
