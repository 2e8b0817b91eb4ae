"""Drills without a stage: experiments are valid and found, records judged, secrets kept out, runs kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from actors.cli.drill import drill as cli
from actors.cli.drill_run import Session, line_of, parts
from actors.drills.actions.guard import NOT_HERE
from actors.drills.experiments import Drill, DrillFault, read_drill, read_drills
from actors.drills.history import Entry, append, last_passed, newest, read_history
from actors.drills.masks import MASK, Masks
from actors.drills.report_page import Row, page
from actors.drills.runbooks.document import Runbook, parse_runbook
from actors.drills.runbooks.drilled import drill_faults, drill_warnings
from actors.drills.runbooks.lint import read_all
from actors.drills.running import Budget, Measured, judged, measured, run_drill
from actors.drills.stage import Stage, save_stage

ROOT = Path(__file__).parents[3]
PLANTED = "planted-9f31c7"
DRILLS, FAULTS = read_drills(ROOT / "chaos")


def test_every_experiment_can_be_read_and_says_what_it_disturbs() -> None:
    assert not FAULTS
    assert all(one.about.blast for one in DRILLS)
    assert len(DRILLS) >= 3


@pytest.mark.parametrize("drill", DRILLS, ids=lambda one: one.name)
def test_an_experiment_is_valid_for_chaos_toolkit_and_has_what_the_house_wants(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chaoslib.experiment import ensure_experiment_is_valid

    monkeypatch.setenv("POLYTRADE_STAGE", "nowhere")
    ensure_experiment_is_valid(drill.experiment)
    assert drill.experiment["rollbacks"], "what was done must be taken back"
    assert drill.experiment["controls"][0]["provider"]["module"] == "actors.drills.controls"
    probes = [one["provider"]["func"] for one in drill.experiment["steady-state-hypothesis"]["probes"]]
    assert probes == ["is_well", "books_agree", "orders_are_kept"]
    assert (ROOT / "chaos" / "stages" / f"{drill.about.stage}.yaml").is_file()
    functions = [
        (one["provider"]["func"], one["provider"].get("arguments", {})) for one in drill.experiment["method"]
    ]
    if drill.about.alert:
        named = [function for function, given in functions if given.get("name") == drill.about.alert]
        assert named[-3:] == ["alert_fires", "run_runbook", "alert_ends"]
        assert (ROOT / "runbooks" / f"{drill.about.alert}.md").is_file()


def test_an_alert_whose_runbook_names_a_drill_that_exists_is_what_the_drill_is_about() -> None:
    known = {one.name: one for one in DRILLS}
    runbooks, _ = read_all(ROOT / "runbooks")
    for one in runbooks:
        if one.front.drill in known:
            assert known[one.front.drill].about.alert == one.name


def test_a_file_without_our_extension_is_no_drill(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("title: x\nmethod: []\n")
    with pytest.raises(DrillFault, match="extensions"):
        read_drill(file)


def test_chaos_discover_finds_actions_and_probes(tmp_path: Path) -> None:
    """As from a wheel: an editable install does not tell which modules it has."""
    place = tmp_path / "polytrade-0.1.0.dist-info"
    place.mkdir()
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: polytrade\nVersion: 0.1.0\n")
    (place / "RECORD").write_text("actors/__init__.py,,\n")
    out = tmp_path / "found.json"
    words = [*(sys.executable, "-m", "chaostoolkit", "--no-version-check", "discover")]
    done = subprocess.run(
        [*words, "--no-install", "--discovery-path", str(out), "polytrade"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {(one["type"], one["name"]) for one in json.loads(out.read_text())["activities"]}
    wanted = {
        ("action", "venue_fault"),
        ("action", "run_runbook"),
        ("probe", "alert_fires"),
        ("probe", "is_well"),
    }
    assert wanted <= found
    used = {
        (one["type"], one["provider"]["func"])
        for drill in DRILLS
        for one in (*drill.experiment["method"], *drill.experiment["rollbacks"])
    }
    assert used <= found


# -- the record ---------------------------------------------------------------------------------------------


def run_of(
    kind: str, function: str, at: int, to: int, status: str = "succeeded", **given: str
) -> dict[str, Any]:
    provider = {"func": function, "arguments": given}
    activity = {"type": kind, "name": function, "provider": provider}
    times = {"start": f"2026-11-28T12:00:{at:02}+00:00", "end": f"2026-11-28T12:00:{to:02}+00:00"}
    return {"activity": activity, "status": status, **times}


def record_of(*runs: dict[str, Any], **more: Any) -> dict[str, Any]:
    met = {"steady_state_met": True, "probes": []}
    plain = {"status": "completed", "deviated": False, "rollbacks": []}
    return {**plain, "steady_states": {"before": met, "after": met}, "run": list(runs), **more}


GOOD = (
    run_of("action", "prepare", 0, 5),
    run_of("action", "venue_fault", 10, 11),
    run_of("probe", "alert_fires", 11, 14, name="FeedStale"),
    run_of("action", "run_runbook", 14, 20),
    run_of("probe", "alert_ends", 20, 21, name="FeedStale"),
)


def test_times_are_counted_from_the_last_action_before_the_alert() -> None:
    assert measured(record_of(*GOOD), "FeedStale") == Measured(4.0, 7.0)


def test_without_an_alert_recovery_is_counted_to_the_steady_state() -> None:
    after = {"steady_state_met": True, "probes": [run_of("probe", "is_well", 15, 18)]}
    record = record_of(run_of("action", "kill", 10, 11), steady_states={"before": {}, "after": after})
    assert measured(record, "") == Measured(-1.0, 8.0)


def test_a_good_record_passes_and_one_that_is_late_does_not() -> None:
    times = measured(record_of(*GOOD), "FeedStale")
    assert judged(record_of(*GOOD), "FeedStale", times, Budget(5, 8)) == ""
    assert "to detect" in judged(record_of(*GOOD), "FeedStale", times, Budget(3, 8))
    assert "to recover" in judged(record_of(*GOOD), "FeedStale", times, Budget(5, 6))


FAILED = {
    **run_of("probe", "alert_fires", 11, 14, "failed", name="FeedStale"),
    "exception": ["ActivityFailed: late"],
}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (record_of(*GOOD[:2], FAILED), "alert_fires: late"),
        (record_of(*GOOD, deviated=True), "afterwards"),
        (record_of(*GOOD, rollbacks=[run_of("action", "venue_well", 1, 2, "failed")]), "rolling back"),
        (record_of(*GOOD, status="interrupted"), "interrupted"),
        (record_of(*GOOD[:2], {**GOOD[2], "status": None}, status="interrupted"), "interrupted"),
        (record_of(*GOOD[:2]), "nobody looked"),
        (
            record_of(steady_states={"before": {"steady_state_met": False, "probes": [FAILED]}}),
            "before it began",
        ),
    ],
)
def test_whatever_went_wrong_is_the_reason_it_did_not_pass(record: dict[str, Any], reason: str) -> None:
    assert reason in judged(record, "FeedStale", measured(record, "FeedStale"), Budget(60, 60))


def test_a_reason_is_told_without_the_names_of_classes() -> None:
    failed = {**FAILED, "exception": ["chaoslib.exceptions.ActivityFailed: a.wire.DrillFailed: it stays\n"]}
    record = record_of(*GOOD[:2], failed)
    assert (
        judged(record, "FeedStale", measured(record, "FeedStale"), Budget(60, 60)) == "alert_fires: it stays"
    )


@pytest.mark.parametrize(("reason", "kept"), [("x: late", 1), (f"x: {NOT_HERE}: they stay", 0)])
def test_a_drill_that_was_refused_does_not_hide_when_it_passed(
    tmp_path: Path, reason: str, kept: int
) -> None:
    history = tmp_path / "history.jsonl"
    entry = Entry(drill="halt", began_ns=1, began="", passed=False, reason=reason)
    Session(history, quiet=True)._kept(entry)
    assert len(read_history(history)) == kept
    assert ("refused" in line_of(entry)) is (kept == 0)


# -- secrets ------------------------------------------------------------------------------------------------


def leaky(
    secrets: dict[str, str] | None = None, configuration: dict[str, Any] | None = None
) -> dict[str, Any]:
    """An action that tells what it knows."""
    return {"said": f"the secret is {(secrets or {})['secret']}", "stage": configuration}


def failing(secrets: dict[str, str] | None = None) -> None:
    raise ValueError(f"{(secrets or {})['secret']} is refused; so is {PLANTED}-of-the-environment")


def leaky_drill(tmp_path: Path) -> tuple[Drill, Stage, Path]:
    stage = Stage(
        deployment="d",
        mode="paper",
        file="f",
        journal="j",
        socket="s",
        folder=str(tmp_path),
        secret=f"{PLANTED}-stage",
    )
    path = tmp_path / "stage.json"
    save_stage(stage, path)
    provider = {"type": "python", "module": __name__, "secrets": ["venue"]}
    experiment = {
        "title": "leaks",
        "description": f"even {PLANTED}-stage here",
        "extensions": [{"name": "polytrade", "blast": "nothing"}],
        "secrets": {"venue": {"secret": {"type": "env", "key": "DRILL_TEST_SECRET"}}},
        "method": [
            {"type": "action", "name": "tell", "provider": {**provider, "func": "leaky"}},
            {"type": "action", "name": "fail", "provider": {**provider, "func": "failing"}},
            {"type": "action", "name": "never", "provider": {**provider, "func": "leaky"}},
        ],
        "rollbacks": [{"type": "action", "name": "tell again", "provider": {**provider, "func": "leaky"}}],
    }
    file = tmp_path / "leaks.yaml"
    file.write_text(json.dumps(experiment))
    return read_drill(file), stage, path


def test_no_planted_secret_is_in_record_log_or_history_and_rollbacks_follow_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRILL_TEST_SECRET", f"{PLANTED}-variable")
    drill, stage, path = leaky_drill(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    environment = {"A_TOKEN": f"{PLANTED}-of-the-environment"}
    entry = run_drill(drill, stage, path, out / "record.json", environment, Budget())
    append(out / "history.jsonl", entry)
    assert not entry.passed
    assert entry.reason.startswith("fail: ValueError")
    record = json.loads((out / "record.json").read_text())
    assert [one["activity"]["name"] for one in record["run"]] == ["tell", "fail"], (
        "it went on after a failure"
    )
    assert [one["status"] for one in record["rollbacks"]] == ["succeeded"]
    kept = {file.name: file.read_text() for file in out.iterdir()}
    assert set(kept) == {"record.json", "record.log", "history.jsonl"}
    assert MASK in kept["record.json"]
    for name, text in kept.items():
        assert PLANTED not in text, name


def test_masks_reach_every_text_and_leave_short_words_alone() -> None:
    masks = Masks(["hunter22", "hunter22-long", "ab"])
    assert masks.cleaned({"a hunter22": ["x hunter22-long y", 3, ("ab",)]}) == {
        "a ***": ["x *** y", 3, ["ab"]]
    }


# -- the history --------------------------------------------------------------------------------------------


def entry_of(drill: str, at: int, passed: bool = True) -> Entry:
    return Entry(drill=drill, began_ns=at, began="2026-11-28T12:00:00Z", passed=passed)


def test_runs_are_kept_in_order_and_a_broken_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history.jsonl"
    assert read_history(path) == []
    for one in (entry_of("a", 2, passed=False), entry_of("a", 1), entry_of("b", 3)):
        append(path, one)
    with path.open("a") as file:
        file.write('{"drill": "half\n')
    runs = read_history(path)
    assert [one.began_ns for one in runs] == [1, 2, 3]
    assert newest(runs)["a"].began_ns == 2
    assert last_passed(runs)["a"].began_ns == 1
    assert path.stat().st_mode & 0o077 == 0


def test_the_list_tells_when_a_drill_passed_last(tmp_path: Path) -> None:
    append(tmp_path / "h.jsonl", entry_of("feed-mute", 1))
    done = CliRunner().invoke(cli, ["list", "--json", "--history", str(tmp_path / "h.jsonl")])
    rows = {row["drill"]: row for row in json.loads(done.output)}
    assert rows["feed-mute"]["last"] == "passed"
    assert rows["halt"]["last"] == "never"


def test_stages_run_the_longest_first_by_history_else_by_what_the_runbook_grants(tmp_path: Path) -> None:
    chosen = [one for one in DRILLS if one.name in {"feed-mute", "halt", "backup-missing", "rate-limit"}]

    def order(history: Path) -> list[str]:
        return [one.name for part in parts(chosen, 2, history) for one in part]

    granted = order(tmp_path / "none.jsonl")
    assert sorted(granted) == sorted(one.name for one in chosen)
    assert set(granted[:2]) == {"backup-missing", "rate-limit"}
    for name, took_s in (
        ("halt", 900.0),
        ("feed-mute", 5.0),
        ("backup-missing", 186.0),
        ("rate-limit", 310.0),
    ):
        append(tmp_path / "h.jsonl", msgspec.structs.replace(entry_of(name, 1), took_s=took_s))
    assert order(tmp_path / "h.jsonl") == ["halt", "rate-limit", "backup-missing", "feed-mute"]


def test_a_drill_that_does_not_exist_gets_a_suggestion() -> None:
    done = CliRunner().invoke(cli, ["run", "feed-mut"])
    assert "did you mean feed-mute" in str(getattr(done.exception, "remedy", ""))


# -- the lint, the page -------------------------------------------------------------------------------------


def runbook_of(alert: str, drill: str) -> Runbook:
    front = f"---\nalert: {alert}\nseverity: page\nowner: operations\nactors: [feed]\ndrill: {drill!r}\n---\n"
    return parse_runbook(
        front + "**Impact:** none.\n\n## Look\n\n```sh check id=look\npolytrade ps\n```\n", f"{alert}.md"
    )


def test_a_runbook_whose_drill_is_missing_or_about_something_else_is_faulty() -> None:
    known = {one.name: one for one in DRILLS}
    found = [
        runbook_of("FeedStale", "feed-mute"),
        runbook_of("FeedStale", "feed-gone"),
        runbook_of("FeedLying", "feed-mute"),
    ]
    texts = [fault.text for fault in drill_faults(found, known)]
    assert texts == [
        "there is no drill feed-gone: no file chaos/feed-gone.yaml",
        "the drill feed-mute is about FeedStale",
    ]


def test_a_drill_that_never_passed_or_long_ago_is_a_warning_and_a_young_one_none() -> None:
    known, day = {one.name: one for one in DRILLS}, 86_400
    found = [runbook_of("FeedStale", "feed-mute")]

    def warned(*history: Entry, days: int) -> list[str]:
        return [one.text for one in drill_warnings(found, known, history, days * day)]

    assert warned(days=1) == ["its drill feed-mute has never passed here"]
    assert warned(entry_of("feed-mute", 1, passed=False), days=1) == [
        "its drill feed-mute has never passed here"
    ]
    assert warned(entry_of("feed-mute", 1), days=89) == []
    assert warned(entry_of("feed-mute", 1), days=100) == [
        "its drill feed-mute passed 99 days ago, more than 90"
    ]
    assert [one.text for one in drill_warnings([runbook_of("FeedStale", "")], known, (), 0)] == [
        "no drill proves it"
    ]


def test_the_page_has_times_failures_and_what_was_done_and_escapes_what_it_was_told() -> None:
    known = {one.name: one for one in DRILLS}
    evil = {**run_of("action", "<b>fault</b>", 10, 11), "duration": 1.0, "output": "<script>"}
    passed = Entry(
        **{
            **entry_fields("feed-mute"),
            "detect_s": 4.0,
            "recover_s": 9.0,
            "alert": "FeedStale",
            "mode": "paper",
        }
    )
    failed = Entry(**{**entry_fields("halt"), "passed": False, "reason": "it <i>never</i> fired"})
    rows = [
        Row(known["feed-mute"], "page", Budget(8, 60), passed, record_of(evil)),
        Row(known["halt"], "ticket", Budget(), failed, {}),
        Row(known["key-revoked"], "page", Budget(), None, {}),
    ]
    text = page(rows, "", 1.0)
    assert "1 of 3" in text
    assert "4.0 s of 8 s" in text
    assert "width:50.0%" in text
    assert "it &lt;i&gt;never&lt;/i&gt; fired" in text
    assert "Never run here: key-revoked" in text
    assert "&lt;script&gt;" in text
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", ""), "the page needs nothing from elsewhere"


def entry_fields(drill: str) -> dict[str, Any]:
    return {"drill": drill, "began_ns": 1, "began": "2026-11-28T12:00:00Z", "passed": True}
