"""Reading a journal from outside: its list, its chain, its dead letters, and why an order exists."""

from pathlib import Path

import lmdb
import pytest

from actors.control.fields import FieldNames
from actors.control.journal_reader import JournalReader
from actors.control.why import needle, why
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.trading import Fill, OrderIntent, Reason, SubmitOrder
from actors.runtime.errors import JournalError
from actors.runtime.journal import Journal, sequence_key
from actors.runtime.messages import Message
from actors.runtime.store import TurnWrite
from actors.runtime.store_lmdb import Durability, LmdbStore
from tests.unit.control.house import SYMBOL, HouseCounted, HousePing, HousePoison, make_node

Entry = tuple[str, int, int, Message]
AT = 1_760_000_000_000_000_000


class StoryOrder(Message, frozen=True):
    """An intent became an order."""

    client_order_id: str
    intent_id: str


class StoryPrice(Message, frozen=True):
    """What the market did."""

    price_ticks: int


def write(directory: Path, *turns: list[Entry]) -> None:
    store = LmdbStore(directory, Durability.PROCESS)
    journal = Journal(store)
    journal.open_epoch({"deployment": "story"}, 1_760_000_000_000_000_000)
    for number, entries in enumerate(turns):
        store.commit(TurnWrite(events=(journal.record(AT + number, entries),)))
        journal.written()
    store.close()


def intent(number: int) -> OrderIntent:
    name = f"trend/BTC#1.{number}"
    reasons = (Reason("fast", "1.2"), Reason("slow", "1.1"))
    fields = (name, "trend/BTC", "main", SYMBOL, Side.BUY, 5, OrderType.LIMIT, 100, TimeInForce.GTC)
    return OrderIntent(*fields, False, 100, AT, reasons)


def fill(number: int) -> Fill:
    name = f"abcdef-1-{number}"
    return Fill("main", SYMBOL, name, "v", f"t{number}", "trend/BTC", Side.BUY, 5, 100, 7, True, False, AT)


def story(number: int, start: int) -> list[list[Entry]]:
    """Return the turns of one order whose first event has sequence `start`."""
    order = StoryOrder(f"abcdef-1-{number}", f"trend/BTC#1.{number}")
    return [
        [("feed/BTC", 0, 1, StoryPrice(number))],
        [("risk/main", start, 1, SubmitOrder(intent(number), AT)), ("oms/main", start + 1, 1, order)],
        [("oms/main", 0, 1, fill(number)), ("ledger/main", start + 3, 1, HouseCounted("nothing to do"))],
    ]


@pytest.fixture
def journal(tmp_path) -> Path:
    write(tmp_path, *story(1, 1), *story(12, 6), *story(2, 11))
    return tmp_path


def change(directory: Path, sequence: int, value: bytes | None, key: int | None = None) -> None:
    environment = lmdb.open(str(directory), max_dbs=16)
    events = environment.open_db(b"events")
    with environment.begin(db=events, write=True) as transaction:
        transaction.delete(sequence_key(sequence))
        if value is not None:
            transaction.put(sequence_key(key or sequence), value)
    environment.close()


def stored(directory: Path, sequence: int) -> bytes:
    with JournalReader(directory) as reader:
        return dict(reader.raw_records())[sequence]


def test_a_journal_is_summed_up(journal) -> None:
    with JournalReader(journal) as reader:
        found = reader.summary()
    assert (found["events"], found["records"], found["turns"]) == (15, 9, 9)
    assert (found["deployment"], found["epoch"]) == ("story", "1")
    assert (found["first_at_ns"], found["last_at_ns"]) == (AT, AT + 8)


def test_events_are_read_from_the_middle_of_a_turn(journal) -> None:
    with JournalReader(journal) as reader:
        assert [event["sequence"] for event in reader.events(3, 7)] == [3, 4, 5, 6, 7]
        assert [event["sequence"] for event in reader.events(actor="feed/BTC")] == [1, 6, 11]
        assert [event["sequence"] for event in reader.events(kind="StoryOrder")] == [3, 8, 13]
        assert list(reader.events(99)) == []


def test_fields_have_names_as_far_as_the_types_are_known(journal) -> None:
    with JournalReader(journal) as reader:
        event = next(reader.events(2))
        assert event["fields"]["intent"]["reasons"][0] == {"type": "Reason", "name": "fast", "value": "1.2"}
    with JournalReader(journal, FieldNames({})) as reader:
        assert next(reader.events(3))["fields"] == {"0": "abcdef-1-1", "1": "trend/BTC#1.1"}


def test_a_whole_journal_is_believed(journal) -> None:
    with JournalReader(journal) as reader:
        verdict = reader.verify()
    assert (verdict.records, verdict.last_sequence, verdict.fault) == (9, 15, None)
    assert len(verdict.chain) == 64


def test_a_changed_record_is_found(journal) -> None:
    raw = stored(journal, 7)
    change(journal, 7, raw.replace(b"fast", b"fasT"))
    with JournalReader(journal) as reader:
        verdict = reader.verify()
    assert verdict.fault is not None
    assert verdict.fault.sequence == 7
    assert "hash differs" in verdict.fault.reason
    assert verdict.last_sequence == 6


def test_a_removed_record_is_found(journal) -> None:
    change(journal, 4, None)
    with JournalReader(journal) as reader:
        verdict = reader.verify()
    assert verdict.fault is not None
    assert "4 to 5 are missing" in verdict.fault.reason


def test_a_missing_beginning_is_found(journal) -> None:
    change(journal, 1, None)
    with JournalReader(journal) as reader:
        assert reader.verify().fault is not None


def test_bytes_that_are_no_record_are_found(journal) -> None:
    change(journal, 7, b"\x93not a record")
    with JournalReader(journal) as reader:
        verdict = reader.verify()
        assert verdict.fault is not None
        assert "cannot be read" in verdict.fault.reason
        with pytest.raises(JournalError, match="cannot be read"):
            list(reader.events())


def test_a_record_moved_elsewhere_is_found(journal) -> None:
    change(journal, 14, stored(journal, 14), key=15)
    with JournalReader(journal) as reader:
        assert reader.verify().fault is not None


def test_the_chain_of_an_order_leads_from_the_market_to_its_fills(journal) -> None:
    with JournalReader(journal) as reader:
        for asked in ("abcdef-1-1", "trend/BTC#1.1"):
            chain = why(reader, asked)
            assert [(event["sequence"], event["type"], event["why"]) for event in chain.events] == [
                (1, "StoryPrice", "led to it"),
                (2, "SubmitOrder", "names the order"),
                (3, "StoryOrder", "names the order"),
                (4, "Fill", "names the order"),
            ]
            assert set(chain.ids) == {"abcdef-1-1", "trend/BTC#1.1"}
            assert chain.scanned_events == 15


def test_causes_are_followed_back_step_by_step(tmp_path) -> None:
    first = [("feed/BTC", 0, 1, StoryPrice(1))]
    second = [("trend/BTC", 1, 1, StoryPrice(2))]
    third = [("oms/main", 2, 1, StoryOrder("abcdef-1-1", ""))]
    write(tmp_path, first, second, [("feed/BTC", 0, 1, StoryPrice(3))], third)
    with JournalReader(tmp_path) as reader:
        assert [event["sequence"] for event in why(reader, "abcdef-1-1").events] == [1, 2, 4]


def test_ids_are_followed_without_the_names_of_fields(journal) -> None:
    with JournalReader(journal, FieldNames({})) as reader:
        assert [event["sequence"] for event in why(reader, "trend/BTC#1.12").events] == [6, 7, 8, 9]


def test_an_id_is_not_found_in_a_longer_one(journal) -> None:
    with JournalReader(journal) as reader:
        assert {event["sequence"] for event in why(reader, "abcdef-1-12").events} == {6, 7, 8, 9}
    assert needle("x-1") not in needle("x-12")


def test_an_order_nobody_knows_has_no_story(journal) -> None:
    with JournalReader(journal) as reader:
        assert why(reader, "abcdef-1-99").events == []


def test_dead_letters_are_shown_with_their_error(tmp_path) -> None:
    node = make_node(LmdbStore(tmp_path, Durability.PROCESS))
    node.start()
    node.tell("clerk/main", HousePing("fine"))
    node.tell("clerk/main", HousePoison())
    while node.turn():
        pass
    node.stop("done")
    with JournalReader(tmp_path) as reader:
        letter, *again = reader.dead_letters()  # the second try, when the clock left time for it
        assert reader.summary()["dead_letters"] == 1 + len(again)
    assert (letter["actor"], letter["type"], letter["tried_again"]) == ("clerk/main", "HousePoison", True)
    assert letter["error"] == "ValueError: poisoned"


def test_a_folder_without_a_journal_is_told(tmp_path) -> None:
    with pytest.raises(JournalError, match="there is no journal here"):
        JournalReader(tmp_path)


def test_a_file_that_is_no_journal_is_told(tmp_path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"something else entirely" * 1000)
    with pytest.raises(JournalError, match="cannot be read"):
        JournalReader(tmp_path)


def test_an_empty_journal_has_nothing_to_say(tmp_path) -> None:
    LmdbStore(tmp_path, Durability.PROCESS).close()
    with JournalReader(tmp_path) as reader:
        assert reader.last_sequence == 0
        assert list(reader.events()) == []
        assert reader.verify().fault is None
        assert why(reader, "x").events == []


def test_large_records_are_read_in_small_looks(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("actors.control.journal_reader.BYTES_PER_LOOK", 1)
    write(tmp_path, *([("clerk/main", 0, 1, HouseCounted(str(number)))] for number in range(120)))
    with JournalReader(tmp_path) as reader:
        assert [len(part) for part in reader.raw_chunks()] == [50, 50, 20]
        assert len(list(reader.events())) == 120
