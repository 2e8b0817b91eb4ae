"""The gap between a node and its model: zero in paper; over bytes in parts of the right size and sign."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from actors.audit.parity import PARTS, Books, OrderFills, RunBooks, split_gap
from actors.control.journal_reader import JournalReader
from actors.deployment.loader import load
from actors.deployment.parity import Measured, Model, measure
from actors.deployment.parity_worker import ParityPump, answer_of
from actors.deployment.topology import Topology
from actors.messages.parity import MeasureParity, ParityFailed, ParityMeasured
from actors.runtime.journal import Journal
from actors.runtime.store import TurnWrite
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.runtime.tape import Tape
from actors.simulation.bundle import DATABASES
from actors.simulation.run import SeedRun
from tests.unit.audit.taped import REPOSITORY, SECOND, TapedRun
from tests.unit.cli.conftest import cli, own_run_directory  # noqa: F401  (fixtures)

LATENCY_NS = 50_000_000


def parts_of(found: Measured) -> dict[str, int]:
    return {name: getattr(found.parts, f"{name}_usdt") for name in PARTS}


def adds_up(found: Measured) -> None:
    parts = found.parts
    assert sum(parts_of(found).values()) == parts.gap_usdt == parts.actual_usdt - parts.model_usdt


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> TapedRun:
    taped = TapedRun(tmp_path_factory.mktemp("paper"), 60)
    taped.stop()
    return taped


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Topology:
    """Two minutes against the exchange over bytes, each message 50 ms under way; all of it on disk."""
    folder = tmp_path_factory.mktemp("local")
    found = load(
        REPOSITORY / "config" / "local.yaml",
        environment={"POLYTRADE_STATE": str(folder)},
        inputs={"pace": "5s"},
    )
    topology = replace(found, seed=0)
    tape = Tape(topology.journal_path / "tape")
    run = SeedRun(topology, 0, (), 120 * SECOND, tape)
    run.wire._latency = lambda: LATENCY_NS  # type: ignore[method-assign]
    assert not run.run().violations
    tape.close()
    store = LmdbStore(topology.journal_path, Durability.PROCESS)
    store.commit(TurnWrite(**{name: tuple(run.world.store.items(name)) for name in DATABASES}))
    store.close()
    return topology


# -- zero in paper -----------------------------------------------------------------------------------------


def test_paper_is_its_own_model_to_the_last_unit(paper: TapedRun) -> None:
    found = measure(paper.topology)
    assert found.parts.actual_usdt == found.parts.model_usdt != 0
    assert (found.parts.orders_actual_only, found.parts.orders_model_only) == (0, 0)
    assert found.parts.orders_both > 5
    assert set(parts_of(found).values()) == {0}
    ledger = paper.node.cell("ledger/main").behaviour
    opened = ledger.state.initial_usdt
    assert found.parts.actual_usdt == ledger.describe()["equity_usdt"] - opened


def test_a_part_of_papers_life_is_zero_too(paper: TapedRun) -> None:
    end_ns = paper.clock.now_ns()
    found = measure(paper.topology, None, end_ns - 50 * SECOND, end_ns - 10 * SECOND)
    assert 0 < found.parts.orders_both < measure(paper.topology).parts.orders_both
    assert set(parts_of(found).values()) == {0}


# -- measured over bytes -----------------------------------------------------------------------------------


def test_over_bytes_the_parts_add_up_and_the_latency_is_the_lines(local: Topology) -> None:
    found = measure(local, Model(latency_ns=2 * SECOND))
    adds_up(found)
    assert found.is_modelled
    assert found.latency_ns_measured == LATENCY_NS
    assert found.parts.gap_usdt != 0
    others = [measure(local, Model(latency_ns=seconds * SECOND)) for seconds in (4, 8)]
    assert any(other.parts.latency_usdt for other in (found, *others))
    assert found.parts.code_usdt == 0  # the tape gives the journal again
    assert found.parts.orders_both > 5


def test_a_model_with_the_right_latency_has_no_gap_from_it(local: Topology) -> None:
    found = measure(local, Model(latency_ns=LATENCY_NS))
    adds_up(found)
    assert found.parts.latency_usdt == 0
    blind = measure(local, Model(latency_ns=2 * SECOND))
    assert found.parts.model_usdt - blind.parts.model_usdt == blind.parts.latency_usdt


def test_fees_that_the_model_does_not_know_are_the_fees_that_were_paid(local: Topology) -> None:
    found = measure(local, Model(latency_ns=LATENCY_NS, taker_fee_e8=0, maker_fee_e8=0))
    adds_up(found)
    paid = sum(fields["fee_usdt"] for fields in _events(local.journal_path, "FillBooked"))
    assert paid > 0
    assert -paid <= found.parts.fees_usdt < 0
    if not found.parts.orders_actual_only:  # of what only one of both filled, fees are the queue's
        assert found.parts.fees_usdt == -paid


def test_a_model_that_expects_dear_prices_is_beaten_by_them(local: Topology) -> None:
    fair = measure(local, Model(latency_ns=LATENCY_NS))
    dear = measure(local, Model(latency_ns=LATENCY_NS, slippage_e8=1_000_000))  # a whole percent
    adds_up(dear)
    assert dear.parts.slippage_usdt > fair.parts.slippage_usdt
    assert dear.parts.model_usdt < fair.parts.model_usdt


def test_a_day_is_what_its_end_has_beyond_its_beginning(local: Topology) -> None:
    events = _events(local.journal_path, "FillBooked")
    middle_ns = events[len(events) // 2]["at_ns"]
    whole, first, rest = measure(local), measure(local, to_ns=middle_ns), measure(local, from_ns=middle_ns)
    for found in (first, rest):
        adds_up(found)
    for name, usdt in parts_of(whole).items():
        assert usdt == parts_of(first)[name] + parts_of(rest)[name], name


def test_an_altered_journal_is_a_gap_of_the_code(local: Topology, tmp_path: Path) -> None:
    """The journal says that one fee was a unit higher than the tape makes it."""
    path = tmp_path / "journal"
    (path).mkdir()
    (path / "tape").symlink_to(local.journal_path / "tape")
    old = LmdbStore(local.journal_path, readonly=True)
    new = LmdbStore(path, Durability.PROCESS)
    journal, changed = Journal(new), False
    for record in Journal(old).turns():
        entries = []
        for entry in record.entries:
            event = _plain(entry.event)
            if event[0] == "FillBooked" and not changed:
                event[6] += 1
                changed = True
            entries.append((entry.cell, entry.cause, entry.version, event))
        new.commit(TurnWrite(events=(journal.record(record.at_ns, entries),)))  # type: ignore[arg-type]
        journal.written()
    old.close()
    new.close()
    found = measure(replace(local, journal_path=path))
    adds_up(found)
    assert found.parts.code_usdt == -1


def _plain(raw: object) -> list:
    return msgspec.msgpack.decode(raw)  # type: ignore[arg-type]


def _events(journal: Path, kind: str) -> list[dict]:
    with JournalReader(journal) as reader:
        return [event["fields"] for event in reader.events(kind=kind)]


# -- the accounts, by hand ---------------------------------------------------------------------------------


def run_of(realised: int, fees: int, funding: int, fills: dict[str, tuple[int, int, int]]) -> RunBooks:
    orders = {name: OrderFills("BTC_USDT_PERP", *sums) for name, sums in fills.items()}
    return RunBooks(Books(), Books(realised, fees, funding, {}, {}, orders), [])


def test_each_part_has_the_sign_and_the_size_of_what_caused_it(paper: TapedRun) -> None:
    instruments = paper.topology.instruments
    value = instruments["BTC_USDT_PERP"].tick_value
    # Bought 10 two ticks dearer and for 5 more in fees; sold 4 of the model's 10 one tick dearer and for 1
    # less than the model's share of 20; 3 less of funding; a third order that the model never filled, and
    # what prices made beyond that, are the queue's; the journal is 5 below what the tape gives.
    model = run_of(1_000 * value, 70, 10, {"a": (10, 10 * 500, 20), "b": (-10, 10 * 600, 50)})
    later = run_of(990 * value, 70, 10, {"a": (10, 10 * 500, 20), "b": (-10, 10 * 600, 50)})
    filled = {"a": (10, 10 * 502, 25), "b": (-4, 4 * 601, 19), "c": (1, 1, 9)}
    again = run_of(900 * value, 53, 7, filled)
    actual = run_of(900 * value, 58, 7, filled)
    parts = split_gap(actual, again, model, later, ({}, {}), instruments, data_usdt=11)
    assert parts.data_usdt == 11
    assert parts.latency_usdt == -10 * value
    assert parts.slippage_usdt == (-20 + 4) * value
    assert parts.fees_usdt == -5 + 1
    assert parts.queue_usdt == (900 - 990 + 20 - 4) * value + (50 - 20) - 9
    assert parts.funding_usdt == 3
    assert parts.code_usdt == -5
    total = sum(getattr(parts, f"{name}_usdt") for name in PARTS)
    assert total == parts.gap_usdt == parts.actual_usdt - parts.model_usdt
    assert (parts.orders_both, parts.orders_actual_only, parts.orders_model_only) == (2, 1, 0)


# -- the worker and the command ----------------------------------------------------------------------------


def request(topology: Topology, **more: int) -> MeasureParity:
    values = {"from_ns": 0, "to_ns": 0, "latency_ns": LATENCY_NS, "taker_fee_e8": -1, "maker_fee_e8": -1}
    values |= {"slippage_e8": 0, "timeout_ns": 60 * SECOND} | more
    return MeasureParity(request_id="1.2", queue="through", **values)


def test_the_worker_process_gives_the_same_answer(local: Topology) -> None:
    got, told = [], threading.Event()

    def deliver(address: str, message: object) -> None:
        got.append((address, message))
        told.set()

    ParityPump(local, deliver).put(request(local), "parity")
    assert told.wait(60)
    ((address, answer),) = got
    here = answer_of(local, request(local))
    assert address == "parity"
    assert isinstance(answer, ParityMeasured)
    assert isinstance(here, ParityMeasured)
    assert (answer.gap_usdt, answer.latency_usdt) == (here.gap_usdt, here.latency_usdt)


def test_a_node_without_a_tape_is_told_so(local: Topology, tmp_path: Path) -> None:
    LmdbStore(tmp_path / "empty", Durability.PROCESS).close()
    answer = answer_of(replace(local, journal_path=tmp_path / "empty"), request(local))
    assert isinstance(answer, ParityFailed)
    assert "there is no tape" in answer.reason


def test_the_command_tells_the_parts_and_their_sum(cli, paper: TapedRun) -> None:  # noqa: F811
    shown = cli("parity", str(paper.file))
    assert shown.exit_code == 0
    assert [line.split()[:2] for line in shown.stdout.splitlines()][-1] == ["gap", "0"]
    assert "any gap is the code's" in shown.stderr
    found = json.loads(cli("parity", str(paper.file), "--day", "2025-10-09", "--json").stdout)
    assert found["parts"]["gap_usdt"] == 0
    assert found["parts"]["orders_both"] > 5
    assert cli("parity", str(paper.file), "--day", "2025-10-09T08:00Z").exit_code == 2
