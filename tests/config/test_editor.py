"""What an editor shows of deployments, overlays and tests, asked of the YAML language server itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.language_client import ROOT, LanguageClient, server_command

COMMAND = server_command()
pytestmark = pytest.mark.skipif(
    COMMAND is None,
    reason="no yaml-language-server in var/tools: `make editor-tools` installs it (needs npm)",
)
CONFIG = ROOT / "config"
DEPLOYMENT = "# yaml-language-server: $schema=../schemas/deployment.schema.json\n"
OVERLAY = "# yaml-language-server: $schema=../../schemas/overlay.schema.json\n"
TESTS = "# yaml-language-server: $schema=../../schemas/test.schema.json\n"
WHOLE = (
    DEPLOYMENT
    + """deployment: drawn
mode: paper
journal: {path: ../var/drawn}
actors:
  risk:
    kind: risk
    for_each: {account: [main]}
    reads: [feed/*]
    settings:
      daily_loss_usdt: "500"
      max_open_orders: 20
"""
)


@pytest.fixture(scope="module")
def editor() -> Iterator[LanguageClient]:
    assert COMMAND is not None
    with LanguageClient(COMMAND, ROOT) as client:
        yield client


def place(text: str, mark: str) -> tuple[int, int]:
    """Return line and column, from 0, of the beginning of a text."""
    before = text[: text.index(mark)]
    return before.count("\n"), len(before) - (before.rfind("\n") + 1)


def completed(editor: LanguageClient, path: Path, text: str) -> dict[str, dict[str, object]]:
    """Return what is proposed where `<>` stands."""
    line, column = place(text, "<>")
    editor.open(path, text.replace("<>", ""))
    return editor.complete(path, line, column)


# -- completion ----------------------------------------------------------------------------------------------


def test_sections_and_their_choices_are_completed(editor: LanguageClient) -> None:
    sections = completed(editor, CONFIG / "a1.yaml", WHOLE + "<>\n")
    assert {"supervisors", "loop", "dead_man", "secrets"} <= set(sections)
    modes = completed(editor, CONFIG / "a2.yaml", DEPLOYMENT + "deployment: a\nmode: <>\n")
    assert {"paper", "live", "backtest"} <= set(modes)


def test_kinds_are_completed(editor: LanguageClient) -> None:
    kinds = completed(editor, CONFIG / "a3.yaml", WHOLE + "  trend:\n    kind: <>\n")
    assert {"strategy.trend_follow", "feed.poloniex", "alerter"} <= set(kinds)


def test_settings_are_those_of_the_kind(editor: LanguageClient) -> None:
    text = WHOLE + "  trend:\n    kind: strategy.trend_follow\n    settings:\n      fast: 8\n      <>\n"
    found = completed(editor, CONFIG / "a4.yaml", text)
    assert {"slow", "bar", "notional_fraction"} <= set(found)
    assert "daily_loss_usdt" not in found


def test_an_overlay_is_completed_without_what_lies_below(editor: LanguageClient) -> None:
    path = CONFIG / "environments" / "a5.yaml"
    found = completed(editor, path, OVERLAY + "journal:\n  <>\n")
    assert {"path", "durability", "size_max"} <= set(found)


def test_steps_messages_and_their_fields_are_completed_in_tests(editor: LanguageClient) -> None:
    head = TESTS + "deployment: ../paper.yaml\ntests:\n  - name: a\n    steps:\n"
    folder = CONFIG / "tests"
    steps = completed(editor, folder / "a6.test.yaml", head + "      - <>\n")
    assert {"advance", "send", "order", "expect", "expect_not", "market"} <= set(steps)
    send = "      - send:\n          to: risk/main\n          message: "
    messages = completed(editor, folder / "a7.test.yaml", head + send + "<>\n")
    assert {"Halt", "Resume", "OrderIntent"} <= set(messages)
    fields = completed(
        editor, folder / "a8.test.yaml", f"{head}{send}Halt\n          fields:\n            <>\n"
    )
    assert {"scope", "level", "actor", "reason"} <= set(fields)
    assert "intent_id" not in fields
    alerts = completed(editor, folder / "a9.test.yaml", head + "      - expect:\n          alert: <>\n")
    assert {"FeedStale", "LossLimitHit"} <= set(alerts)
    faults = completed(editor, folder / "a10.test.yaml", head + "      - fault:\n          kind: <>\n")
    assert {"venue_mute", "crash_cell", "hand_trade", "delay"} <= set(faults)


# -- hover ---------------------------------------------------------------------------------------------------


def test_a_setting_says_what_it_is_for_and_what_a_change_does(editor: LanguageClient) -> None:
    path = CONFIG / "b1.yaml"
    editor.open(path, WHOLE)
    shown = editor.hover(path, *place(WHOLE, "daily_loss_usdt"))
    assert "Loss since 00:00 UTC" in shown
    assert "restarts the actor, its state kept; raising it loosens a limit, and so does 0" in shown
    shown = editor.hover(path, *place(WHOLE, "path: ../var"))
    assert "needs a new journal" in shown


def test_keys_of_a_test_are_explained(editor: LanguageClient) -> None:
    path, text = CONFIG / "tests" / "b2.test.yaml", TESTS + "deployment: ../paper.yaml\ngiven: {seed: 7}\n"
    editor.open(path, text)
    assert "Another market, other chances" in editor.hover(path, *place(text, "seed: 7"))


# -- diagnostics ---------------------------------------------------------------------------------------------


def messages(found: list[dict[str, object]]) -> str:
    return "\n".join(str(one["message"]) for one in found)


@pytest.mark.parametrize(
    "path",
    [
        *("config/paper.yaml", "config/live.yaml", "config/environments/vault.yaml"),
        *("config/tests/halts.test.yaml", "config/tests/live.test.yaml", "config/examples/parade.yaml"),
    ],
)
def test_nothing_is_wrong_with_what_is_shipped(editor: LanguageClient, path: str) -> None:
    file = ROOT / path
    assert editor.open(file, file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mode: paper", "mode: papr", "paper"),
        ("max_open_orders: 20", "max_open_order: 20", "max_open_order"),
        ("max_open_orders: 20", "max_open_orders: many", "This must be an integer"),
        (
            "journal: {path: ../var/drawn}",
            "journal: {path: a, sync_interval: 5x}",
            "a whole number and a unit",
        ),
        ('daily_loss_usdt: "500"', "daily_loss_usdt: 0.5", "Incorrect type"),
        ("journal: {path: ../var/drawn}", "journal: {durability: disk}", "path"),
        ("for_each: {account: [main]}", "supervisor: root", "for_each"),
    ],
)
def test_faults_are_underlined_where_they_are(editor: LanguageClient, old: str, new: str, said: str) -> None:
    text = WHOLE.replace(old, new)
    found = editor.open(CONFIG / f"c-{re.sub(r'[^a-z0-9]+', '-', new)}.yaml", text)
    assert said in messages(found), found
    lines = {one["range"]["start"]["line"] for one in found}  # type: ignore[index]
    wrong = place(text, new)[0]
    assert lines & {wrong, wrong - 1, wrong - 2}, found


def test_faults_of_overlays_and_tests_are_underlined(editor: LanguageClient) -> None:
    found = editor.open(CONFIG / "environments" / "c1.yaml", OVERLAY + "journal: {durability: dsk}\n")
    assert "disk" in messages(found)
    text = TESTS + "deployment: ../paper.yaml\ntests:\n  - name: a\n    steps:\n      - adance: 5s\n"
    found = editor.open(CONFIG / "tests" / "c2.test.yaml", text)
    assert "adance" in messages(found)
    text = text.replace("adance: 5s", "send: {to: risk/main, message: Halt, fields: {scop: all}}")
    found = editor.open(CONFIG / "tests" / "c3.test.yaml", text)
    assert "scop" in messages(found)
