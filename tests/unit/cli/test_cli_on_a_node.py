"""Verbs that talk to a running node, over its real socket."""

import json
import time

import pytest

from actors.cli.client import ControlClient
from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem
from actors.control.sockets import bind_socket


def test_ps_lists_the_actors(cli, house) -> None:
    shown = cli("ps")
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0].split()[:3] == ["ACTOR", "KIND", "STATE"]
    assert [line.split()[0] for line in lines[1:]] == ["feed/BTC", "clerk/main", "guard/main", "books/main"]
    assert json.loads(cli("ps", "--json").stdout)[0]["address"] == "feed/BTC"


def test_ps_lists_the_running_deployments(cli, house) -> None:
    assert "house" in cli("ps", "--all").stdout
    assert json.loads(cli("ps", "--all", "--json").stdout)[0]["journal"] == str(house.journal_path)


def test_status_says_how_it_is(cli, house) -> None:
    shown = cli("status")
    assert shown.exit_code == 0
    assert "equity 1,001.00 USDT, profit +11.00" in shown.stdout
    assert "9 orders, 7 fills, 3 denials" in shown.stdout
    assert json.loads(cli("status", "--json").stdout)["ready"] is True


def test_a_command_takes_the_file_or_the_journal_first(cli, house) -> None:
    file = str(house.journal_path.parent / "house.yaml")
    assert cli("status", file).exit_code == 0
    assert cli("status", str(house.journal_path)).exit_code == 0


def test_inspect_shows_an_actor_and_a_supervisor(cli, house) -> None:
    shown = cli("inspect", "clerk/main").stdout
    assert "HouseClerk, event-sourced" in shown
    assert "count: 1" in shown
    assert "HousePing  text=one" in shown
    assert "- clerk/main  running" in cli("inspect", "trading").stdout
    assert json.loads(cli("inspect", "clerk/main", "--json").stdout)["description"] == {"count": 1}


def test_an_unknown_actor_has_a_code_of_its_own(cli, house) -> None:
    shown = cli("inspect", "nobody")
    assert shown.exit_code == ExitCode.NOT_FOUND
    assert "help:" in shown.stderr
    assert shown.stdout == ""


def test_restart_tells_the_recovery(cli, house) -> None:
    shown = cli("restart", "clerk/main")
    assert shown.exit_code == 0
    assert "running, recovered in" in shown.stdout
    assert json.loads(cli("restart", "clerk/main", "--json").stdout)["restarts"] == 2


def test_halt_and_resume_are_acknowledged_and_seen_at_once(cli, house) -> None:
    assert cli("halt", "--level", "cancel_all", "--reason", "drill").exit_code == 0
    assert "all: drill" in cli("status").stdout
    assert "all: drill" not in cli("resume", "--reason", "over").stdout
    assert json.loads(cli("status", "--json").stdout)["halts"] == []


def test_a_halt_that_is_refused_has_a_code_of_its_own(cli, house) -> None:
    shown = cli("halt", "--scope", "account/other")
    assert shown.exit_code == ExitCode.REFUSED
    assert "REFUSED: not my account" in shown.stdout


def test_a_scope_that_means_nothing_is_a_usage_error(cli, house) -> None:
    assert cli("halt", "--scope", "everything").exit_code == ExitCode.USAGE


def test_resume_asks_for_a_reason(cli, house) -> None:
    cli("halt")
    shown = cli("resume", stdin="looked at it\n")
    assert shown.exit_code == 0
    assert "why is it safe" in shown.stderr


def test_logs_show_lines_of_one_actor(cli, house) -> None:
    end = time.monotonic() + 5
    while not (shown := cli("logs", "clerk/main")).stdout and time.monotonic() < end:
        time.sleep(0.02)
    assert shown.exit_code == 0
    assert "clerk/main" in shown.stdout
    assert "counted  text=one password=***" in shown.stdout
    assert cli("logs", "feed").stdout == ""
    assert cli("logs", "--level", "error").stdout == ""
    assert json.loads(cli("logs", "--json", "clerk").stdout.splitlines()[0])["event"] == "counted"


def test_stop_waits_until_the_node_has_stopped(cli, house, monkeypatch) -> None:
    shown = cli("stop", "--wait", "0.3")
    assert shown.exit_code == ExitCode.NO_ANSWER  # the fixture takes the socket away later
    assert "stops in order" in shown.stderr


def test_a_node_that_does_not_run_has_a_code_of_its_own(cli, tmp_path) -> None:
    shown = cli("ps", str(tmp_path))
    assert shown.exit_code == ExitCode.NOT_RUNNING
    assert "does not run" in shown.stderr


def test_a_node_that_does_not_answer_has_a_code_of_its_own(tmp_path) -> None:
    listening = bind_socket(tmp_path / "control.sock")
    with pytest.raises(Problem) as caught:
        ControlClient(tmp_path / "control.sock").get("/v1/view", 0.1)
    assert caught.value.code is ExitCode.NO_ANSWER
    listening.close()


def test_no_colour_is_written_to_a_pipe(cli, house) -> None:
    assert "\x1b[" not in cli("logs").stdout + cli("status").stdout + cli("inspect", "nobody").stderr
