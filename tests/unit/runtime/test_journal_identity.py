"""The name of a journal: given once, at its first start, after the instant."""

from actors.runtime.journal import Journal, identity_of
from actors.runtime.store import TurnWrite
from actors.runtime.store_memory import MemoryStore

MS = 1_000_000
BORN_NS = 1_764_314_400_000 * MS


def test_a_journal_keeps_the_name_of_its_first_start() -> None:
    store = MemoryStore()
    Journal(store).open_epoch({}, BORN_NS)
    journal = Journal(store)
    assert journal.open_epoch({}, BORN_NS + 5_000 * MS) == 2
    assert journal.identity == Journal(store).identity == "btlevkria"


def test_journals_of_different_instants_have_different_names_of_nine_letters() -> None:
    instants = [BORN_NS + step * MS for step in (0, 1, 2, 1_000, 86_400_000, 10 * 365 * 86_400_000)]
    names = {identity_of(at_ns) for at_ns in instants}
    assert len(names) == len(instants)
    assert {len(name) for name in names} == {9}
    assert all(name.isalnum() and name.islower() for name in names)


def test_a_journal_begun_by_an_older_version_stays_without_a_name() -> None:
    store = MemoryStore()
    store.commit(TurnWrite(meta=((b"epoch", b"3"), (b"schema_version", b"2"))))
    journal = Journal(store)
    assert journal.open_epoch({}, BORN_NS) == 4
    assert journal.identity == Journal(store).identity == ""
