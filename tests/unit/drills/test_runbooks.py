"""Runbooks: read from Markdown, held against the program, run step by step on the record."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from actors.cli import runbook as cli
from actors.drills.runbooks.catalogue import listed_alerts, raised_names
from actors.drills.runbooks.document import RunbookFault, Step, parse_runbook
from actors.drills.runbooks.lint import Lint, read_all
from actors.drills.runbooks.matrix import matrix_page
from actors.drills.runbooks.running import Outcome, Output, Runner

ROOT = Path(__file__).parents[3]
SECOND = 1_000_000_000
GOOD = """\
---
alert: FeedStale
severity: page
owner: operations
actors: [feed]
---
# FeedStale

**Impact:** nothing new is opened in the symbol.

## Look

Which one it is.

```sh check id=look expect=feed
polytrade ps $FILE
```

## Restart it

```sh act id=restart confirm="restart the feed?" undo="nothing to undo"
polytrade restart $FILE feed/$SYMBOL
```

```sh verify id=live within=20s expect=live expect_not="not live"
polytrade inspect $FILE feed/$SYMBOL
```
"""


@pytest.fixture(scope="module")
def lint() -> Lint:
    """Reading the whole program takes a moment; once is enough."""
    return Lint(ROOT, cli.command_fault)


def test_front_matter_impact_and_steps_are_read_with_their_places() -> None:
    found = parse_runbook(GOOD, "FeedStale.md")
    assert (found.name, found.impact) == ("FeedStale", "nothing new is opened in the symbol.")
    look, restart, live = found.steps
    assert (look.kind, look.id, look.title, look.text, look.expect) == (
        "check",
        "look",
        "Look",
        "Which one it is.",
        "feed",
    )
    assert (restart.confirm, restart.undo) == ("restart the feed?", "nothing to undo")
    assert (live.within_ns, live.expect_not) == (20 * SECOND, "not live")
    assert GOOD.splitlines()[look.line - 1].startswith("```sh check id=look")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("---\nalert", "alert", "no front matter"),
        ("severity: page", "severity: loud", "front matter"),
        ("owner: operations", "owners: x", "front matter"),
        ("**Impact:**", "Impact:", "no line **Impact:**"),
        ("sh check id=look", "sh look id=look", "no kind of step"),
        ("id=look ", "", "has no id"),
        ("id=live", "id=look", "a second step"),
        ("expect=feed", "expects=feed", "is not understood"),
        ("within=20s", "within=soon", "soon"),
        ('confirm="restart', 'confirm="restart" "', "is not understood"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(old: str, new: str, said: str) -> None:
    with pytest.raises(RunbookFault) as caught:
        parse_runbook(GOOD.replace(old, new, 1), "FeedStale.md")
    assert said in caught.value.text
    assert caught.value.line >= 1


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("Other.md", "", "", "the file should be called FeedStale.md"),
        ("Nothing.md", "alert: FeedStale", "alert: Nothing", "no actor raises an alert"),
        ("FeedStale.md", "severity: page", "severity: ticket", "severity ticket"),
        ("FeedStale.md", "sh check id=look", 'sh act confirm="x" id=look', "the first step should look"),
        ("FeedStale.md", ' confirm="restart the feed?"', "", "asks nobody"),
        ("FeedStale.md", "sh verify id=live", "sh check id=live", "no verify follows"),
        ("FeedStale.md", "polytrade ps", "polytrade pss", "has no command pss"),
        ("FeedStale.md", "polytrade ps", "polytrade ps --nothing", "has no option --nothing"),
        ("FeedStale.md", "$SYMBOL", "$SYMBOLS", "there is no $SYMBOLS"),
        ("FeedStale.md", "**Impact:** nothing", "**Impact:** " + "very " * 40, "letters"),
        ("FeedStale.md", "actors: [feed]", "actors: [fed]", "there is no actor 'fed'"),
        (
            "FeedStale.md",
            "Which one",
            "`polytrade_feed_lives` tells which one",
            "there is no metric polytrade_f",
        ),
        ("FeedStale.md", "Which one", "The dashboard *feed* shows which one", "there is no dashboard feed"),
        ("FeedStale.md", "Which one it is.", "\n\n".join(["Words."] * 20), "below line"),
    ],
)
def test_the_lint_finds_what_would_fail_at_three_in_the_morning(
    tmp_path: Path, lint: Lint, name: str, old: str, new: str, said: str
) -> None:
    assert not old or old in GOOD
    (tmp_path / name).write_text(GOOD.replace(old, new) if old else GOOD)
    faults = [fault.text for fault in lint.faults(tmp_path) if name in str(fault)]
    assert any(said in text for text in faults), faults


def test_a_good_one_has_no_fault_and_a_missing_one_has(tmp_path: Path, lint: Lint) -> None:
    (tmp_path / "FeedStale.md").write_text(GOOD)
    faults = [str(fault) for fault in lint.faults(tmp_path)]
    assert not [text for text in faults if "FeedStale" in text]
    assert any("OrderUnknown.md:1: missing" in text for text in faults)


def test_the_catalogue_knows_every_alert_the_code_raises() -> None:
    assert sorted(set(raised_names(ROOT)) - set(listed_alerts(ROOT))) == []
    assert len(listed_alerts(ROOT)) > 40


class Crew:
    """Answers and a clock for a run; outputs by step, the last one repeated."""

    def __init__(self, outputs: Mapping[str, list[Output]], act: str = "", on: str = "") -> None:
        self.outputs = {name: list(found) for name, found in outputs.items()}
        self.act, self.on = act, on
        self.now_ns = 0
        self.asked: list[str] = []
        self.recorded: list[Outcome] = []
        self.commands: list[str] = []

    def show(self, step: Step, number: int, count: int) -> None:
        self.step = step

    def shown(self, outcome: Outcome) -> None:
        pass

    def may_act(self, step: Step) -> str:
        self.asked.append(step.id)
        return self.act

    def goes_on(self, step: Step, outcome: Outcome) -> str:
        return self.on

    def execute(self, command: str, variables: Mapping[str, str], within_ns: int) -> Output:
        self.commands.append(command)
        self.now_ns += SECOND
        found = self.outputs[self.step.id]
        return found.pop(0) if len(found) > 1 else found[0]

    def wait(self, ns: int) -> None:
        self.now_ns += ns

    def run(self, **more: Any) -> list[tuple[str, str]]:
        runner = Runner(
            self, self.execute, lambda _, one: self.recorded.append(one), lambda: self.now_ns, self.wait
        )
        done = runner.run(parse_runbook(GOOD, "FeedStale.md"), {"FILE": "x"}, **more)
        self.good = done.is_good
        return [(one.step, one.result) for one in done.outcomes]


FINE = {
    "look": [Output(0, "feed/BTC")],
    "restart": [Output(0, "running")],
    "live": [Output(0, "not live"), Output(0, "live")],
}


def test_a_verify_is_tried_until_it_comes_true_and_all_of_it_is_kept() -> None:
    crew = Crew(FINE)
    assert crew.run() == [("look", "as_expected"), ("restart", "as_expected"), ("live", "as_expected")]
    assert crew.good
    assert [one.step for one in crew.recorded] == ["look", "restart", "live"]
    assert len(crew.commands) == 4
    assert crew.asked == ["restart"]


def test_a_verify_that_never_comes_true_ends_with_its_time() -> None:
    crew = Crew({**FINE, "live": [Output(0, "not live")]})
    assert crew.run()[-1] == ("live", "not_as_expected")
    assert not crew.good
    assert crew.recorded[-1].took_ns <= 21 * SECOND


def test_an_act_is_left_out_with_a_reason_only() -> None:
    crew = Crew(FINE, act="it is being restarted already")
    assert crew.run()[1] == ("restart", "skipped")
    assert crew.recorded[1].reason == "it is being restarted already"
    assert "polytrade restart" not in " ".join(crew.commands)


@pytest.mark.parametrize(("on", "count"), [("", 1), ("known", 3)])
def test_what_was_not_expected_ends_it_unless_somebody_says_why(on: str, count: int) -> None:
    crew = Crew({**FINE, "look": [Output(1, "")]}, on=on)
    assert len(crew.run()) == count
    assert not crew.good
    assert crew.recorded[0].reason == on


def test_whoever_goes_away_instead_of_answering_leaves_what_they_saw() -> None:
    crew = Crew({**FINE, "look": [Output(1, "no feed")]})

    def goes_on(step: Step, outcome: Outcome) -> str:
        raise KeyboardInterrupt

    crew.goes_on = goes_on  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        crew.run()
    assert [one.got for one in crew.recorded] == ["no feed"]


def test_who_is_asked_sees_what_about_and_how_it_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "README.md").write_text("x")
    text = GOOD.replace("polytrade ps $FILE", "echo feed is here")
    text = re.sub('confirm="[^"]*"', 'confirm="Rebuild $SYMBOL?"', text)
    text = re.sub('undo="[^"]*"', 'undo="polytrade halt $FILE"', text)
    (folder / "FeedStale.md").write_text(text)
    monkeypatch.chdir(tmp_path)
    words = ["run", "FeedStale", str(tmp_path), "--key", "BTC_USDT_PERP"]
    found = CliRunner().invoke(cli.runbook, words, input="n\n")
    assert "Rebuild BTC_USDT_PERP?" in found.stderr
    assert f"$ polytrade restart {tmp_path} feed/BTC_USDT_PERP" in found.stderr
    assert f"to take it back: polytrade halt {tmp_path}" in found.stderr
    assert "look" in found.stdout, "no timeline of what was broken off"


def test_dry_only_looks() -> None:
    crew = Crew(FINE)
    assert crew.run(dry=True) == [("look", "as_expected"), ("restart", "planned"), ("live", "planned")]
    assert len(crew.commands) == 1


def test_the_command_line_runs_one_and_keeps_it_beside_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "README.md").write_text("x")
    text = GOOD.replace("polytrade ps $FILE", "echo feed is here; polytrade version")
    text = text.replace("polytrade restart $FILE feed/$SYMBOL", "echo done for $SYMBOL")
    (folder / "FeedStale.md").write_text(text.replace("polytrade inspect $FILE feed/$SYMBOL", "echo live"))
    journal = tmp_path / "journal"
    journal.mkdir()
    monkeypatch.chdir(tmp_path)
    words = ["run", "FeedStale", str(journal), "--key", "BTC_USDT_PERP", "--auto", "--json"]
    found = CliRunner().invoke(cli.runbook, words, catch_exceptions=False)
    done = json.loads(found.stdout)
    assert (found.exit_code, done["good"]) == (0, True)
    assert "done for BTC_USDT_PERP" in done["outcomes"][1]["got"]
    (log,) = (journal / "runbooks").glob("FeedStale-*.jsonl")
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == ["look", "restart", "live"]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert(lint: Lint) -> None:
    assert [str(fault) for fault in lint.faults(ROOT / "runbooks")] == []
    assert {path.stem for path in (ROOT / "runbooks").glob("*.md")} - {"README"} == set(listed_alerts(ROOT))


def test_a_command_that_prose_offers_is_checked_too(tmp_path: Path, lint: Lint) -> None:
    text = GOOD.replace("Which one it is.", "Then `polytrade restrat $FILE`, or `polytrade halt $SCOPES`.")
    (tmp_path / "FeedStale.md").write_text(text)
    faults = [str(fault) for fault in lint.faults(tmp_path)]
    assert any("has no command restrat" in fault for fault in faults)
    assert any("there is no $SCOPES" in fault for fault in faults)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("BTC_USDT_PERP", {"SYMBOL": "BTC_USDT_PERP", "ACCOUNT": "main", "SCOPE": "all"}),
        ("hedge", {"SYMBOL": "", "ACCOUNT": "hedge", "ACTOR": "hedge"}),
        (
            "hedge:symbol/BTC_USDT_PERP",
            {"ACCOUNT": "hedge", "SCOPE": "symbol/BTC_USDT_PERP", "SYMBOL": "BTC_USDT_PERP"},
        ),
        ("BTC_USDT_PERP/1234", {"SYMBOL": "BTC_USDT_PERP", "ACCOUNT": "main"}),
        ("wxh46v-buiq26ect-1-117", {"KEY": "wxh46v-buiq26ect-1-117", "ACCOUNT": "main"}),
        ("", {"ACCOUNT": "main", "SCOPE": "all"}),
    ],
)
def test_the_key_of_an_alert_says_what_commands_are_about(key: str, expected: dict[str, str]) -> None:
    class Named:
        command_words = "config/paper.yaml"

    found = cli.variables_of(Named(), key, ("main", "hedge"))  # type: ignore[arg-type]
    assert {name: found[name] for name in expected} == expected


def test_the_alert_matrix_is_what_tables_and_runbooks_say_today() -> None:
    runbooks, _ = read_all(ROOT / "runbooks")
    page = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    assert page == matrix_page(listed_alerts(ROOT), runbooks), (
        "run `python -m actors.drills.runbooks.matrix docs/alerts.md`"
    )


def test_a_step_ends_with_its_time_and_with_all_that_it_started() -> None:
    began = time.monotonic()
    found = cli._execute("echo seen; sleep 20 | cat; echo never", {}, 500_000_000)
    assert (found.code, found.text) == (-1, "seen\n")
    assert time.monotonic() - began < 10
