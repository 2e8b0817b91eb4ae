"""What is handed out to auditors: every row has its topic, its start, its person, and no secret."""

import json
import tracemalloc
from pathlib import Path

import duckdb
import pytest

from actors.audit.export import COLUMNS, TOPICS, export_rows, topic_of
from actors.cli.benchmarks.stories import history
from actors.cli.exit_codes import ExitCode
from actors.control.journal_reader import JournalReader
from actors.domain.lifecycle import OrderState
from actors.domain.orders import Side
from actors.messages.audit import OperatorCommanded
from actors.messages.control import HaltLevel
from actors.messages.trading import Reason
from actors.oms.events import OrderResolved
from actors.risk.events import HaltLatched, HaltReleased, IntentDenied
from actors.runtime.messages import ActorFailed, Message
from actors.runtime.node import NodeStarted, NodeStopping
from actors.runtime.reshape import NodeReshaped
from actors.strategy.events import SignalDecided
from tests.unit.cli.conftest import cli, own_run_directory  # noqa: F401  (fixtures)
from tests.unit.control.house import SYMBOL
from tests.unit.control.test_journal_reader import AT, Entry, write


class PasswordNoted(Message, frozen=True):
    """An event that should not exist: it holds a secret."""

    api_key: str
    reason: str


def turns() -> list[list[Entry]]:
    denied = IntentDenied("trend/BTC#1.5", "trend/BTC", SYMBOL, Side.BUY, 5, "max_position", 9, 7, AT)
    reasons = (Reason("fast", "1.2"),)
    signal = SignalDecided(SYMBOL, "order", "crossed up", 0, 5, 100, "trend/BTC#1.5", reasons, AT)
    command = OperatorCommanded("ann", 1000, "/v1/halt", "lunch", '{"scope":"all"}')
    return [
        [("node", 0, 1, NodeStarted(1, "story", "aaaa", 0, 0, "1.2"))],
        [("trend/BTC", 0, 1, signal), ("risk/main", 2, 1, denied)],
        [("node", 0, 1, command)],
        [("risk/main", 0, 1, HaltLatched("all", HaltLevel.CANCEL_ALL, "ann", "lunch", AT))],
        [("node", 0, 1, NodeStopping("asked to stop"))],
        [("node", 0, 1, NodeStarted(2, "story", "aaaa", 0, 0, "1.2"))],
        [("node", 0, 1, NodeStarted(3, "story", "bbbb", 0, 0, "1.3"))],
        [("risk/main", 0, 1, HaltReleased("all", "bob", "lunch is over", AT))],
        [("oms/main", 0, 1, OrderResolved("abcdef-1-1", OrderState.FILLED, "bill 7", "bob", AT))],
        [("node", 0, 1, ActorFailed("oms/main", "boom", "Fill", 1, AT))],
        [("node", 0, 1, PasswordNoted("hunter2", "why not"))],
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "journal", *turns())
    return tmp_path / "journal"


def rows(folder: Path, *words: object) -> list[dict]:
    with JournalReader(folder) as reader:
        return list(export_rows(reader, *words))


def test_a_row_says_who_did_what_under_which_configuration(folder: Path) -> None:
    found = {row["sequence"]: row for row in rows(folder)}
    kept = ("topic", "type", "who", "strategy", "reason", "epoch", "generation", "configuration_hash")
    said = {sequence: tuple(row[name] for name in kept) for sequence, row in found.items()}
    assert said == {
        1: ("deployment", "NodeStarted", "", "", "", 1, 1, "aaaa"),
        2: ("signal", "SignalDecided", "", "trend/BTC", "crossed up", 1, 1, "aaaa"),
        3: ("decision", "IntentDenied", "", "trend/BTC", "max_position: 9 against 7", 1, 1, "aaaa"),
        4: ("operator", "OperatorCommanded", "ann", "", "lunch", 1, 1, "aaaa"),
        5: ("halt", "HaltLatched", "ann", "", "lunch", 1, 1, "aaaa"),
        6: ("deployment", "NodeStopping", "", "", "asked to stop", 1, 1, "aaaa"),
        7: ("deployment", "NodeStarted", "", "", "", 2, 1, "aaaa"),
        8: ("deployment", "NodeStarted", "", "", "", 3, 2, "bbbb"),
        9: ("halt", "HaltReleased", "bob", "", "lunch is over", 3, 2, "bbbb"),
        10: ("resolution", "OrderResolved", "bob", "", "bill 7", 3, 2, "bbbb"),
        11: ("deployment", "ActorFailed", "", "", "boom", 3, 2, "bbbb"),
    }
    assert found[1]["fields"]["version"] == "1.2"
    assert found[3]["fields"]["measured"] == 9
    assert found[3]["at"] == "2025-10-09T08:53:20.000000001Z"


def test_a_configuration_that_changed_while_the_node_ran_counts_once(tmp_path: Path) -> None:
    write(
        tmp_path / "journal",
        [("node", 0, 1, NodeStarted(1, "story", "aaaa", 0, 0))],
        [("node", 0, 1, NodeReshaped(2, ("trend/X",), (), (), ()))],
        [("node", 0, 1, NodeStarted(2, "story", "bbbb", 0, 0))],
        [("node", 0, 1, NodeStarted(3, "story", "cccc", 0, 0))],
    )
    found = [(row["generation"], row["configuration_hash"]) for row in rows(tmp_path / "journal")]
    assert found == [(1, "aaaa"), (2, ""), (2, "bbbb"), (3, "cccc")]


def test_a_part_knows_the_start_and_the_configuration_before_it(folder: Path) -> None:
    found = rows(folder, 9, 10)
    assert [(row["sequence"], row["epoch"], row["generation"]) for row in found] == [(9, 3, 2), (10, 3, 2)]


def test_only_the_topics_asked_for_are_handed_out(folder: Path) -> None:
    assert [row["sequence"] for row in rows(folder, 1, 0, frozenset({"halt", "operator"}))] == [4, 5, 9]


def test_what_is_called_like_a_secret_is_masked(folder: Path) -> None:
    found = rows(folder, 12, 0, frozenset(TOPICS))
    assert found[0]["fields"] == {"api_key": "***", "reason": "why not"}
    assert "hunter2" not in json.dumps(found)


@pytest.mark.parametrize(
    ("kind", "topic"),
    [
        ("LimitsLoosened", "approval"),
        ("AmendStarted", "order"),
        ("ParentMoved", "order"),
        ("ChildAsked", "order"),
        ("Wake", "other"),
    ],
)
def test_types_that_came_later_have_a_topic_too(kind: str, topic: str) -> None:
    assert topic_of(kind) == topic


def test_a_long_journal_is_handed_out_in_constant_memory() -> None:
    short, long = history(16_000), history(48_000)
    peaks = []
    for folder in (short, long):
        with JournalReader(folder) as reader:
            tracemalloc.start()
            count = sum(1 for _ in export_rows(reader, topics=frozenset({"signal"})))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert count == 6_000
    assert peaks[1] < peaks[0] * 1.2


# -- the command -------------------------------------------------------------------------------------------


def test_parquet_holds_the_same_rows(cli, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    target = tmp_path / "it's.parquet"
    shown = cli("audit", "export", str(folder), "--format", "parquet", "--out", str(target))
    assert (shown.exit_code, shown.stderr) == (0, f"11 rows in {target}\n")
    table = duckdb.read_parquet(str(target))
    assert list(zip(table.columns, map(str, table.types), strict=True)) == [(c.name, c.kind) for c in COLUMNS]
    lines = cli("audit", "export", str(folder)).stdout.splitlines()
    expected = [tuple({**json.loads(line)}.values()) for line in lines]
    for got, want in zip(table.fetchall(), expected, strict=True):
        assert got[:-1] == want[:-1]
        assert json.loads(got[-1]) == want[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["it's.parquet", "journal", "session"]


def test_the_command_takes_times_and_says_its_schema(cli, folder: Path) -> None:  # noqa: F811
    shown = cli("audit", "export", str(folder), "--from", "2025-10-10", "--topic", "halt")
    assert (shown.exit_code, shown.stdout, shown.stderr) == (0, "", "0 rows\n")
    schema = cli("audit", "export", "--schema").stdout
    assert all(column.name in schema for column in COLUMNS)
    assert all(topic in schema for topic in TOPICS)


def test_a_wrong_use_of_the_command_is_told(cli, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    assert cli("audit", "export", str(folder), "--topic", "gossip").exit_code == ExitCode.USAGE
    assert cli("audit", "export", str(folder), "--format", "parquet").exit_code == ExitCode.USAGE
    shown = cli("audit", "export", str(folder), "--out", str(tmp_path / "no" / "file"))
    assert (shown.exit_code, "cannot be written" in shown.stderr) == (ExitCode.FAILURE, True)
    assert cli("audit", "export", str(folder), "--from", "soon").exit_code == ExitCode.USAGE
