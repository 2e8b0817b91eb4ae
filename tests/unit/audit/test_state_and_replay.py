"""States of any moment, from the journal and from the tape, and trades played again to the byte."""

import json
from collections.abc import Iterator

import msgspec
import pytest

from actors.audit.as_of import AsOfStore, plain_state
from actors.cli.exit_codes import ExitCode
from actors.control.journal_reader import JournalReader
from actors.deployment.assemble import assemble
from actors.deployment.replay import play_deployment
from actors.runtime.behaviour import Persistence
from actors.runtime.clock import VirtualClock
from actors.runtime.errors import JournalError
from actors.runtime.recovery import recover
from actors.runtime.store import TurnWrite
from tests.unit.audit.taped import TapedRun
from tests.unit.cli.conftest import cli, own_run_directory  # noqa: F401  (fixtures)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TapedRun:
    """A run that has ended, with what was in its actors' memory at the end and in the middle."""
    taped = TapedRun(tmp_path_factory.mktemp("taped"))
    taped.live = states_of(taped.node)  # type: ignore[attr-defined]
    taped.sequence = taped.node.journal.sequence  # type: ignore[attr-defined]
    taped.stop()
    return taped


def states_of(node) -> dict[str, bytes]:
    return {
        name: msgspec.msgpack.encode(cell.behaviour.state)
        for name, cell in node.loop.cells.items()
        if cell.behaviour.PERSISTENCE is Persistence.EVENT_SOURCED
    }


def as_of(run: TapedRun, sequence: int) -> dict[str, bytes]:
    with JournalReader(run.topology.journal_path) as reader:
        node = assemble(run.topology, AsOfStore(reader, sequence), VirtualClock(0))
        recover(node.journal, node.loop.cells.values())
        return states_of(node)


def test_the_state_now_is_the_live_one(run: TapedRun) -> None:
    assert as_of(run, run.sequence) == run.live  # type: ignore[attr-defined]


def test_the_state_of_any_moment_is_what_the_tape_plays(run: TapedRun) -> None:
    for wanted in (1, run.sequence // 3, run.sequence - 20):  # type: ignore[attr-defined]
        played = play_deployment(run.topology, wanted).node
        assert as_of(run, played.journal.sequence) == states_of(played)


def test_a_moment_within_a_turn_has_its_events_up_to_there(run: TapedRun) -> None:
    with JournalReader(run.topology.journal_path) as reader:
        events = [e for e in reader.events(actor="ledger/main") if e["type"] == "FillBooked"]
        last = events[-1]
        found = []
        for sequence in (last["sequence"] - 1, last["sequence"]):
            node = assemble(run.topology, AsOfStore(reader, sequence), VirtualClock(0))
            recover(node.journal, [node.cell("ledger/main")])
            found.append(node.cell("ledger/main").behaviour.state.cash_usdt)
    fields = last["fields"]
    assert found[1] == fields["cash_usdt"]
    assert found[1] - found[0] == fields["realised_usdt"] - fields["fee_usdt"]


def test_nothing_is_written_into_the_past(run: TapedRun) -> None:
    with (
        JournalReader(run.topology.journal_path) as reader,
        pytest.raises(JournalError, match="reading only"),
    ):
        AsOfStore(reader, 5).commit(TurnWrite())


def test_the_command_rebuilds_a_state(cli, run: TapedRun) -> None:  # noqa: F811
    found = json.loads(cli("state", str(run.file), "ledger/main", "--json").stdout)
    ledger = run.node.cell("ledger/main").behaviour.state
    assert found["state"] == json.loads(json.dumps(plain_state(ledger)))
    assert found["state"]["fills_count"] == ledger.fills_count > 10
    with JournalReader(run.topology.journal_path) as reader:
        first = next(event for event in reader.events() if event["type"] == "FillBooked")
    shown = cli("state", str(run.file), "ledger/main", "--at", f"{first['sequence'] - 1}")
    assert shown.exit_code == 0
    assert "fills_count: 0" in shown.stdout
    assert f"ledger/main after event {first['sequence'] - 1}," in shown.stderr
    shown = cli("state", str(run.file), "ledger/main", "--at", "2025-10-09T08:53:19Z")
    assert shown.exit_code == ExitCode.NOT_FOUND


def test_a_saved_state_of_the_past_comes_from_the_tape(cli, run: TapedRun) -> None:  # noqa: F811
    words = ("state", str(run.file), "trend/BTC_USDT_PERP")
    shown = cli(*words, "--at", "5")
    assert shown.exit_code == ExitCode.NOT_FOUND
    assert "say --tape" in shown.stderr
    past = json.loads(cli(*words, "--at", "5", "--tape", "--json").stdout)
    now, taped = (json.loads(cli(*words, *more, "--json").stdout) for more in ((), ("--tape",)))
    assert now["state"] == taped["state"] != past["state"]
    assert cli("state", str(run.file), "venue/main").exit_code == ExitCode.NOT_FOUND
    venue = json.loads(cli("state", str(run.file), "venue/main", "--tape", "--json").stdout)
    assert venue["state_kept"] == "ephemeral"
    assert venue["state"]


def test_an_actor_that_is_not_there_is_told(cli, run: TapedRun) -> None:  # noqa: F811
    assert cli("state", str(run.file), "nobody/main").exit_code == ExitCode.NOT_FOUND
    assert cli("state", str(run.topology.journal_path), "risk/main").exit_code == ExitCode.USAGE


# -- trades, once more -------------------------------------------------------------------------------------


def order_of(run: TapedRun) -> str:
    with JournalReader(run.topology.journal_path) as reader:
        fills = [e for e in reader.events() if e["type"] == "OrderFillApplied"]
    return str(fills[len(fills) // 2]["fields"]["client_order_id"])


def test_a_trade_is_played_again_to_the_byte(cli, run: TapedRun) -> None:  # noqa: F811
    shown = cli("replay", str(run.file), "--trade", order_of(run))
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "SignalDecided" in shown.stdout
    assert "FillBooked" in shown.stdout
    assert shown.stdout.splitlines()[-1].endswith("are the same, byte for byte")


def test_another_configuration_is_not_played(cli, run: TapedRun, tmp_path) -> None:  # noqa: F811
    other = tmp_path / "other.yaml"
    journal = f"path: {run.topology.journal_path}"
    other.write_text(run.file.read_text().replace("path: journal", journal).replace("fast: 8", "fast: 9"))
    shown = cli("replay", str(other), "--trade", order_of(run))
    assert shown.exit_code == ExitCode.CONFIGURATION
    assert "play it with the file" in shown.stderr


def test_a_journal_that_was_altered_does_not_come_out_the_same(
    cli,  # noqa: F811
    run: TapedRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw_records = JournalReader.raw_records

    def altered(self: JournalReader, from_sequence: int = 0) -> Iterator[tuple[int, bytes]]:
        for number, (first, raw) in enumerate(raw_records(self, from_sequence)):
            yield first, raw[:-1] + bytes([raw[-1] ^ 1]) if number == 2 and not from_sequence else raw

    import actors.cli.replay as module

    compare = module._compare

    def compared(reader, store, last: int) -> tuple[int, int]:
        with monkeypatch.context() as patch:
            patch.setattr(JournalReader, "raw_records", altered)
            return compare(reader, store, last)

    monkeypatch.setattr(module, "_compare", compared)
    shown = cli("replay", str(run.file), "--trade", order_of(run))
    assert shown.exit_code == ExitCode.DRIFT
    assert "different from event" in shown.stdout


def test_what_cannot_be_replayed_is_told(cli, run: TapedRun, tmp_path) -> None:  # noqa: F811
    assert cli("replay", str(run.file), "--trade", "abcdef-9-9").exit_code == ExitCode.NOT_FOUND
    assert cli("replay", str(tmp_path / "none")).exit_code == ExitCode.USAGE
    assert cli("replay").exit_code == ExitCode.USAGE
