"""Faults as text, JSON and SARIF; and the drawings and explanations beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actors.deployment.codes import CODES, TIERS
from actors.deployment.explain import NotExplained, explain
from actors.deployment.faults import Fault, FaultLog, did_you_mean
from actors.deployment.graph import graph
from actors.deployment.loader import load
from actors.deployment.places import SourceFile, Span
from actors.deployment.registry import KINDS
from actors.deployment.report import json_report, sarif_report, summary, text_report
from actors.deployment.setting_types import walk_fields

SMALL = Path(__file__).resolve().parents[2] / "config" / "bases" / "small.yaml"
LINE = "    reads: [riks/main, venue/main]"
UNKNOWN = Fault(
    "E201",
    "actor 'oms' reads from 'riks/main', which is not declared",
    "config/paper.yaml",
    31,
    13,
    9,
    LINE,
    "did you mean 'risk/main' (declared at 24:3)?",
)


def test_the_text_shows_place_line_caret_and_help() -> None:
    assert text_report([UNKNOWN]) == (
        "config/paper.yaml:31:13: error[E201]: actor 'oms' reads from 'riks/main', which is not declared\n"
        "   31 |     reads: [riks/main, venue/main]\n"
        "      |             ^^^^^^^^^\n"
        "      = help: did you mean 'risk/main' (declared at 24:3)?\n"
        "\n"
        "1 error\n"
    )


def test_color_changes_nothing_but_color() -> None:
    colored = text_report([UNKNOWN], color=True)
    assert "\x1b[31m" in colored
    for code in ("\x1b[31m", "\x1b[33m", "\x1b[36m", "\x1b[1m", "\x1b[0m"):
        colored = colored.replace(code, "")
    assert colored == text_report([UNKNOWN])


def test_a_long_line_is_shown_around_the_place() -> None:
    long = Fault("E101", "no", "f.yaml", 1, 501, 3, "x" * 500 + "BAD" + "y" * 500)
    _, excerpt, caret, *_ = text_report([long]).splitlines()
    assert len(excerpt) < 140
    assert excerpt[caret.index("^") : caret.index("^") + 3] == "BAD"


def test_tabs_and_wide_control_characters_do_not_move_the_caret() -> None:
    odd = Fault("E101", "no \x1b[31m", "f.yaml", 1, 4, 3, "\t\x07 BAD")
    first, excerpt, caret, *_ = text_report([odd]).splitlines()
    assert "\x1b" not in first
    assert excerpt[caret.index("^") :] == "BAD"


def test_a_fault_of_the_command_line_has_no_excerpt() -> None:
    log = FaultLog()
    log.add("E024", Span(SourceFile("--input x", ()), 0, 0), "there is no input 'x'", "declare it")
    shown = text_report(log.sorted())
    assert shown.startswith("--input x: error[E024]: there is no input 'x'\n      = help: ")


def test_the_summary_counts_errors_and_warnings() -> None:
    warning = Fault("W402", "unused", "f.yaml", 1, 1)
    assert summary([]) == "no faults"
    assert summary([UNKNOWN]) == "1 error"
    assert summary([UNKNOWN, UNKNOWN, warning]) == "2 errors, 1 warning"
    assert text_report([]) == ""


def test_json_has_a_record_for_each_fault() -> None:
    (record,) = json.loads(json_report([UNKNOWN]))
    assert record["code"] == "E201"
    assert (record["file"], record["line"], record["column"], record["end_column"]) == (
        *("config/paper.yaml", 31, 13, 22),
    )
    assert record["severity"] == "error"
    assert record["title"] == CODES["E201"].title


def test_sarif_has_what_code_hosts_read() -> None:
    warning = Fault("W402", "unused", "f.yaml", 1, 1)
    log = json.loads(sarif_report([UNKNOWN, warning]))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["E201", "W402"]
    assert [(r["ruleId"], r["level"], rules[r["ruleIndex"]]["id"]) for r in run["results"]] == [
        ("E201", "error", "E201"),
        ("W402", "warning", "W402"),
    ]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 31, "startColumn": 13, "endColumn": 22}


def test_a_secret_is_kept_out_of_every_fault_of_its_line() -> None:
    line = "key: hunter2-secret, other: 1"
    source = SourceFile("f.yaml", (line,))
    log = FaultLog()
    log.add("E106", Span(source, 1, 22, 5), "'key' cannot be 'hunter2-secret'")
    log.hide(Span(source, 1, 6, 14), "hunter2-secret")
    assert "hunter2" not in text_report(log.sorted()) + json_report(log.sorted()) + sarif_report(log.sorted())


def test_the_same_fault_at_the_same_place_is_told_once() -> None:
    span = Span(SourceFile("f.yaml", ("a",)), 1, 1)
    log = FaultLog()
    for _ in range(3):
        log.add("E101", span, "no")
    log.add("E103", span, "one is missing")
    log.add("E103", span, "two is missing")
    assert [fault.code for fault in log.sorted()] == ["E101", "E103", "E103"]


def test_an_unknown_code_is_our_own_fault() -> None:
    with pytest.raises(KeyError):
        FaultLog().add("E999", Span(SourceFile("f.yaml", ()), 1, 1), "no")


def test_a_hint_names_the_nearest_and_where_it_is() -> None:
    there = {"risk/main": Span(SourceFile("a.yaml", ()), 24, 3)}
    assert did_you_mean("riks/main", there, "a.yaml") == "did you mean 'risk/main' (declared at 24:3)?"
    assert did_you_mean("riks/main", there, "b.yaml") == "did you mean 'risk/main' (declared at a.yaml:24:3)?"
    assert did_you_mean("weather", ["risk", "oms"]) == "there are risk, oms"
    assert did_you_mean("weather", [f"x{i}" for i in range(50)]) == ""


def test_every_code_belongs_to_a_tier_and_explains_itself() -> None:
    for code, (title, explanation) in CODES.items():
        assert code[:2] in TIERS
        assert title
        assert explanation.endswith(".")


def test_everything_can_be_explained() -> None:
    assert "feed.synthetic" in explain("")
    for name, kind in KINDS.items():
        assert kind.summary in explain(name)
        for path, field in walk_fields(kind.settings_class):
            assert field.description in explain(f"{name}.{path}")
    assert "durability" in explain("journal")
    assert "power cut" in explain("journal.durability")


@pytest.mark.parametrize(
    ("subject", "hint"),
    [
        ("riks", "did you mean 'risk'?"),
        ("risk.max_leverge", "did you mean 'max_leverage'?"),
        ("journal.x", ""),
    ],
)
def test_what_cannot_be_explained_is_said_with_a_hint(subject: str, hint: str) -> None:
    with pytest.raises(NotExplained) as raised:
        explain(subject)
    assert hint in str(raised.value)


def test_a_graph_shows_every_actor_and_every_edge() -> None:
    topology = load(SMALL)
    for form in ("text", "mermaid", "dot"):
        drawn = graph(topology, form)  # type: ignore[arg-type]
        assert all(plan.address in drawn for plan in topology.actors)
    assert graph(topology, "mermaid").count("-->") == len(topology.edges)
    assert graph(topology, "dot").count("->") == len(topology.edges)
    assert graph(topology, "text").count("<-") == len(topology.edges)
