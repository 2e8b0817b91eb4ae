"""The node's log: JSON lines with their places in the journal, secrets masked, never in the loop's way."""

import json
import logging
import stat
import threading

import pytest

from actors.control import logs
from actors.control.logs import NodeLog
from tests.unit.control.house import HousePing, HousePoison, make_node


def lines(log: NodeLog) -> list[dict]:
    return [json.loads(line) for line in log.path.read_text().splitlines()]


@pytest.fixture
def log(tmp_path):
    found = NodeLog(tmp_path / "log")
    yield found
    found.stop()


def test_a_line_says_who_in_which_turn_and_why(tmp_path) -> None:
    log = NodeLog(tmp_path / "log")
    node = make_node()
    log.watch(node)
    node.start()
    node.tell("clerk/main", HousePing("one"))
    while node.turn():
        pass
    log.stop()
    (line,) = lines(log)
    assert line["actor"] == "clerk/main"
    assert line["event"] == "counted"
    assert line["text"] == "one"
    assert line["password"] == "***"
    assert line["level"] == "info"
    assert (line["turn"], line["cause"]) == (node.journal.turn, node.journal.sequence)
    assert line["at"].endswith("Z")
    assert len(line["at"]) == 27


def test_a_failure_is_written_with_its_traceback(tmp_path) -> None:
    log = NodeLog(tmp_path / "log")
    node = make_node()
    log.watch(node)
    node.start()
    node.tell("clerk/main", HousePoison())
    while node.turn():
        pass
    log.stop()
    failed = next(line for line in lines(log) if line["event"] == "actor_failed")
    assert failed["level"] == "error"
    assert failed["message_type"] == "HousePoison"
    assert "ValueError: poisoned" in failed["traceback"]
    assert node.cell("clerk/main").failures_count in (1, 2)  # the supervisor heard of it, and tried again


def test_levels_are_kept_apart(tmp_path) -> None:
    log = NodeLog(tmp_path / "log", "warning")
    log.sink("a", "small", {"level": "debug"}, 0)
    log.sink("a", "usual", {}, 0)
    log.sink("a", "grave", {"level": "error"}, 0)
    log.stop()
    assert [(line["event"], line["level"]) for line in lines(log)] == [("grave", "error")]


def test_fields_do_not_hide_the_lines_own_keys(tmp_path) -> None:
    log = NodeLog(tmp_path / "log")
    log.sink("a", "odd", {"actor": "b", "turn": 9, "nested": {"api_key": "k", "n": 1}}, 4)
    log.stop()
    (line,) = lines(log)
    assert (line["actor"], line["actor_"], line["turn_"], line["cause"]) == ("a", "b", 9, 4)
    assert line["nested"] == {"api_key": "***", "n": 1}


def test_a_reference_to_a_secret_stays_readable(tmp_path) -> None:
    log = NodeLog(tmp_path / "log")
    log.sink("a", "opened", {"token": "secret://venue#key", "token_missing": True, "signature": b"\x01"}, 0)
    log.stop()
    (line,) = lines(log)
    assert line["token"] == "secret://venue#key"
    assert line["token_missing"] is True
    assert line["signature"] == "***"


def test_the_file_is_private_and_rotated(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES_MAX", 2_000)
    monkeypatch.setattr(logs, "FILES_KEPT", 2)
    log = NodeLog(tmp_path / "log")
    for number in range(200):
        log.sink("a", "line", {"number": number}, 0)
    log.stop()
    names = sorted(path.name for path in log.path.parent.iterdir())
    assert names == ["node.jsonl", "node.jsonl.1", "node.jsonl.2"]
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
    assert lines(log)[-1]["number"] == 199


def test_a_slow_disk_costs_lines_but_no_time(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(logs, "WAITING_MAX", 10)
    log = NodeLog(tmp_path / "log")
    gate = threading.Event()
    written = log._file.emit
    log._file.emit = lambda record: (gate.wait(5), written(record))
    for number in range(100):
        log.sink("a", "line", {"number": number}, 0)
    assert log.dropped_count >= 85
    gate.set()
    log.stop()
    assert lines(log)[-1]["event"] == "log_lines_dropped"


def test_what_libraries_warn_about_is_kept_too(tmp_path) -> None:
    log = NodeLog(tmp_path / "log")
    logging.getLogger("asyncio").warning("slow callback")
    log.stop()
    assert lines(log)[0]["event"] == "slow callback"
    assert not any(type(handler).__name__ == "_BoundedHandler" for handler in logging.getLogger().handlers)
