"""A change that others must agree to: whose word counts, for which plan, and for how long."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.control.persons import person_of
from actors.control.sockets import ControlUnavailable, bind_socket
from actors.deployment.applying import NotApplied, Wish
from actors.deployment.approvals import Approval, Approvals, digest_of, missing, why_approved
from actors.deployment.change_sections import ApplySection
from actors.deployment.changes import compare
from actors.deployment.loader import load
from actors.deployment.resolved import from_resolved, resolved
from tests.unit.deployment.test_applying import Running, faster, running, wider

__all__ = ["running"]

HOUR_NS = 3_600_000_000_000
NOW_NS = 100 * HOUR_NS
TWO = ApplySection(approvals=2)


def word(by: str, user_id: int = 1, at_ns: int = NOW_NS) -> Approval:
    return Approval("0" * 64, by, user_id, "", at_ns)


@pytest.mark.parametrize(
    ("section", "words", "lacks"),
    [
        (ApplySection(approvals=1), [], "needs 1 approval and has 0"),
        (ApplySection(approvals=1), [word("ann")], "has 0"),  # who applies
        (ApplySection(approvals=1), [word(" Ann ")], "has 0"),
        (ApplySection(approvals=1), [word("bob")], ""),
        (TWO, [word("bob"), word("BOB")], "needs 2 approvals and has 1 (bob)"),
        (TWO, [word("bob"), word("cyd")], ""),
        (TWO, [word("bob"), word("cyd", at_ns=NOW_NS - 25 * HOUR_NS)], "1 are older than 1d"),
        (ApplySection(approvals=1, persons="users"), [word("bob", user_id=7)], "has 0"),
        (ApplySection(approvals=1, persons="users"), [word("bob", user_id=8)], ""),
        (ApplySection(approvals=2, persons="users"), [word("bob", 8), word("cyd", 8)], "has 1 (bob)"),
    ],
)
def test_only_other_persons_count_each_once_and_for_a_while(
    section: ApplySection, words: list[Approval], lacks: str
) -> None:
    found = missing(section, words, "ann", 7, NOW_NS)
    assert (lacks in found) if lacks else not found


@pytest.mark.parametrize(
    ("section", "edit", "mode", "reasons"),
    [
        (TWO, faster, "paper", ()),
        (TWO, wider, "paper", ("loosens_limit",)),
        (TWO, faster, "live", ("live_mode",)),
        (ApplySection(approvals=1, when=("secrets",)), wider, "live", ()),
        (ApplySection(approvals=1, when=("anything",)), faster, "paper", ("anything",)),
        (ApplySection(approvals=0), wider, "live", ()),
    ],
)
def test_what_a_change_does_says_whether_it_needs_approval(
    section: ApplySection, edit: Any, mode: str, reasons: tuple[str, ...]
) -> None:
    before = load("config/paper.yaml")
    document = resolved(before)
    edit({one["address"]: one for one in document["actors"]})
    wanted = from_resolved(document, before)
    plan = compare(before, wanted)
    assert why_approved(section, replace(before, mode=mode), wanted, plan) == reasons


def test_another_reference_to_a_secret_is_a_change_of_secrets() -> None:
    before = load("config/local.yaml")
    document = resolved(before)
    venue = next(one for one in document["actors"] if one["kind"].startswith("venue."))
    venue["settings"]["key"] = "secret://local/other#key"
    wanted = from_resolved(document, before)
    assert why_approved(TWO, before, wanted, compare(before, wanted)) == ("secrets",)


def test_a_plan_is_applied_once_enough_others_have_agreed_to_exactly_it(running: Running) -> None:
    applier = running.applier
    applier.topology = replace(applier.topology, apply=ApplySection(approvals=1))
    document = running.document(wider)
    wish = Wish(document, 1, "ann", "more symbols", prove_s=0.1)
    with pytest.raises(NotApplied, match=r"not approved \(loosens_limit\): it needs 1 approval and has 0"):
        applier.apply(wish)
    other = running.document(lambda actors: actors["risk/main"]["settings"].update(max_open_orders=22))
    applier.approve(Approval(digest_of(1, other), "bob", 8, "", applier.now_ns), 1)
    with pytest.raises(NotApplied, match="has 0"):
        applier.apply(wish)
    with pytest.raises(NotApplied, match="generation 1 runs"):
        applier.approve(Approval(digest_of(2, document), "bob", 8, "", applier.now_ns), 2)
    applier.approve(Approval(digest_of(1, document), "bob", 8, "seen", applier.now_ns), 1)
    assert applier.apply(wish).generation == 2
    kept = running.generations.current()
    assert kept is not None
    assert (kept.actor, kept.approver) == ("ann", "bob")


def test_approvals_outlive_the_node_and_a_line_cut_off_in_a_crash(tmp_path: Path) -> None:
    kept = Approvals(tmp_path)
    kept.add(word("bob"))
    with (tmp_path / "approvals.jsonl").open("ab") as file:
        file.write(b'{"digest": "0000')
    assert [one.by for one in Approvals(tmp_path).of("0" * 64)] == ["bob"]
    with pytest.raises(ValueError, match="64 hexadecimal"):
        kept.add(Approval("../x", "bob", 1, "", 1))


def test_only_within_the_nodes_own_user_people_say_who_they_are() -> None:
    own = os.geteuid()
    assert (person_of("bob", own), person_of("", own), person_of("bob", -1)) == ("bob", "operator", "bob")
    assert person_of("root" if own else "bob", 4_000_000) == "user 4000000"
    assert person_of("somebody", 1 if own == 0 else 0) in ("daemon", "bin", "root")


def test_a_socket_may_be_shared_with_a_group_that_exists(tmp_path: Path) -> None:
    import grp

    name = grp.getgrgid(os.getegid()).gr_name
    path = tmp_path / "control.sock"
    bind_socket(path, name).close()
    assert (path.stat().st_mode & 0o777, path.stat().st_gid) == (0o660, os.getegid())
    with pytest.raises(ControlUnavailable, match="no group 'no-such-people'"):
        bind_socket(tmp_path / "other.sock", "no-such-people")
