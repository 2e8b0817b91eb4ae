"""Verbs that read a journal: nothing runs behind them."""

import json

import pytest

from actors.cli.exit_codes import ExitCode
from tests.unit.control.test_journal_reader import change, stored, story, write


@pytest.fixture
def folder(tmp_path) -> str:
    write(tmp_path / "journal", *story(1, 1), *story(2, 6))
    return str(tmp_path / "journal")


def test_ls_sums_up(cli, folder) -> None:
    shown = cli("journal", "ls", folder)
    assert shown.exit_code == 0
    assert "10 in 6 records" in shown.stdout
    assert json.loads(cli("journal", "ls", folder, "--json").stdout)["events"] == 10


def test_cat_prints_events_of_a_range_an_actor_a_type(cli, folder) -> None:
    assert len(cli("journal", "cat", folder).stdout.splitlines()) == 10
    assert len(cli("journal", "cat", folder, "--from", "3", "--to", "4").stdout.splitlines()) == 2
    assert len(cli("journal", "cat", folder, "--actor", "feed/BTC").stdout.splitlines()) == 2
    line = json.loads(cli("journal", "cat", folder, "--type", "StoryOrder", "--json").stdout.splitlines()[0])
    assert line["fields"]["client_order_id"] == "abcdef-1-1"


def test_tail_prints_the_newest(cli, folder) -> None:
    lines = cli("journal", "tail", folder, "-n", "2").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["9", "10"]


def test_verify_believes_a_whole_journal(cli, folder) -> None:
    shown = cli("journal", "verify", folder)
    assert (shown.exit_code, shown.stdout.strip()) == (0, "intact: 10 events in 6 records")
    assert len(json.loads(cli("journal", "verify", folder, "--json").stdout)["chain"]) == 64


def test_verify_names_the_first_event_that_was_changed(cli, folder, tmp_path) -> None:
    change(tmp_path / "journal", 7, stored(tmp_path / "journal", 7).replace(b"fast", b"fasT"))
    shown = cli("journal", "verify", folder)
    assert shown.exit_code == ExitCode.JOURNAL_DAMAGED
    assert "from event 7 on" in shown.stderr
    found = json.loads(cli("journal", "verify", folder, "--json").stdout)
    assert (found["intact"], found["fault"]["sequence"]) == (False, 7)


def test_dead_letters_are_printed(cli, folder) -> None:
    assert cli("journal", "cat", folder, "--dead-letters").exit_code == 0


def test_why_tells_the_story(cli, folder) -> None:
    shown = cli("why", folder, "abcdef-1-1")
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0] == "abcdef-1-1 = trend/BTC#1.1"
    assert [line for line in lines if "─ " in line] == [
        "├─ StoryPrice  feed/BTC  #1",
        "│  └─ SubmitOrder  risk/main  #2 +0ms",
        "│     └─ StoryOrder  oms/main  #3 +0ms",
        "└─ Fill  oms/main  #4 +0ms",
    ]
    assert "because fast = 1.2" in shown.stdout
    assert "4 of 10 events" in shown.stderr


def test_why_as_json(cli, folder) -> None:
    found = json.loads(cli("why", folder, "trend/BTC#1.2", "--json").stdout)
    assert [event["sequence"] for event in found["events"]] == [6, 7, 8, 9]
    assert found["scanned_events"] == 10


def test_why_of_an_unknown_order(cli, folder) -> None:
    shown = cli("why", folder, "abcdef-9-9")
    assert shown.exit_code == ExitCode.NOT_FOUND
    assert "never heard of 'abcdef-9-9'" in shown.stderr


def test_a_folder_without_a_journal(cli, tmp_path) -> None:
    shown = cli("journal", "ls", str(tmp_path))
    assert shown.exit_code == ExitCode.NOT_FOUND
    assert "there is no journal here" in shown.stderr
