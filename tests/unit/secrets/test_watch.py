"""The watch over the store: what it asks, offers, tells and halts, and what it remembers."""

from __future__ import annotations

from actors.domain.place import Place
from actors.messages.control import Halt, HaltLevel
from actors.messages.secrets import SecretsAdopted, SecretsOffered, SecretsRefused
from actors.runtime.testing import Bench
from actors.secrets.actor import SecretsWatch
from actors.secrets.desk import Failed, LookAtSecrets, SecretsSeen, Seen, TakeSecrets
from actors.secrets.port import Trouble
from actors.secrets.settings import SecretsWatchSettings

SECOND = 1_000_000_000
KEY, SECRET = "secret://desk/poloniex#key", "secret://desk/poloniex#secret"
LEASE_NS = 3_600 * SECOND


class WatchBench(Bench):
    """`answer` is what the store says; None and it says nothing."""

    def __init__(self, **settings: object) -> None:
        self.answer: tuple[tuple[Seen, ...], tuple[Failed, ...]] | None = (self.seen(), ())
        self.asked = 0
        self.taken: list[str] = []
        wanted = SecretsWatchSettings(**settings)  # type: ignore[arg-type]
        place = Place("test", "secrets", "live")
        super().__init__(lambda: SecretsWatch(wanted, place), name="secrets")
        self.run(2)

    @staticmethod
    def seen(newest: int = 1, held: int = 1, lease_ns: int = LEASE_NS) -> tuple[Seen, ...]:
        return tuple(Seen(text, newest, held, lease_ns) for text in (KEY, SECRET))

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.advance(SECOND)
            effects, self.effects = self.effects, []
            for _, message in effects:
                if isinstance(message, LookAtSecrets):
                    self.asked += 1
                    if self.answer is not None:
                        self.tell(SecretsSeen(message.number, *self.answer))
                elif isinstance(message, TakeSecrets):
                    self.taken += message.references

    def take(self, kind: type) -> list:  # type: ignore[type-arg]
        found = [one for one in self.published if isinstance(one, kind)]
        self.published = [one for one in self.published if not isinstance(one, kind)]
        return found

    def open_alerts(self) -> set[str]:
        raised = {(one.name, one.key): one.at_ns for one in self.alerts}
        ended = {(one.name, one.key): one.at_ns for one in self.resolved}
        return {alert[0] for alert, at_ns in raised.items() if at_ns > ended.get(alert, 0)}


def test_it_asks_at_the_start_and_every_minute_and_is_silent_while_nothing_changes() -> None:
    bench = WatchBench()
    assert bench.asked == 1
    bench.run(120)
    assert bench.asked == 3
    assert (bench.published, bench.open_alerts()) == ([], set())


def test_a_new_version_is_offered_until_it_is_adopted_and_then_taken_for_all() -> None:
    bench = WatchBench()
    bench.answer = (bench.seen(newest=2), ())
    bench.run(120)
    offers = bench.take(SecretsOffered)
    assert offers == [SecretsOffered((f"{KEY}@2", f"{SECRET}@2"))] * 2
    bench.tell(SecretsAdopted((f"{KEY}@2", f"{SECRET}@2")), sender="venue/main")
    bench.answer = (bench.seen(newest=2, held=2), ())
    bench.run(120)
    assert (bench.taken, bench.take(SecretsOffered)) == ([f"{KEY}@2", f"{SECRET}@2"], [])


def test_a_refused_version_is_told_once_and_not_offered_again_until_there_is_another() -> None:
    bench = WatchBench()
    bench.answer = (bench.seen(newest=2), ())
    bench.run(60)
    bench.tell(SecretsRefused((f"{KEY}@2", f"{SECRET}@2"), "the venue answered 401"), sender="venue/main")
    bench.take(SecretsOffered)
    bench.restart()
    bench.run(120)
    assert (bench.take(SecretsOffered), bench.open_alerts()) == ([], {"SecretRefused"})
    bench.answer = (bench.seen(newest=3), ())
    bench.run(60)
    assert bench.take(SecretsOffered) == [SecretsOffered((f"{KEY}@3", f"{SECRET}@3"))]
    bench.tell(SecretsAdopted((f"{KEY}@3", f"{SECRET}@3")), sender="venue/main")
    assert bench.open_alerts() == set()


def test_a_store_that_is_down_is_told_at_once_paged_at_half_the_time_and_halted_at_its_end() -> None:
    bench = WatchBench()
    bench.answer = ((), (Failed(KEY, Trouble.SEALED, "Vault is sealed"),))
    bench.run(120)
    assert (bench.open_alerts(), bench.take(Halt)) == ({"SecretStoreDown"}, [])
    bench.run(1_700)
    assert "SecretExpiring" in bench.open_alerts()
    assert bench.take(Halt) == []
    bench.run(1_800)
    (halt,) = bench.take(Halt)
    assert (halt.scope, halt.level) == ("all", HaltLevel.NO_NEW_RISK)
    assert "unconfirmed" in halt.reason
    bench.restart()
    bench.run(120)
    assert bench.take(Halt) == []
    bench.answer = (bench.seen(), ())
    bench.run(120)
    assert (bench.open_alerts(), bench.behaviour.state.halted) == (set(), "")  # type: ignore[attr-defined]


def test_a_store_that_says_no_halts_at_once() -> None:
    bench = WatchBench()
    bench.answer = (bench.seen()[:1], (Failed(SECRET, Trouble.DENIED, "Vault does not let us read it"),))
    bench.run(60)
    (halt,) = bench.take(Halt)
    assert SECRET in halt.reason
    assert bench.open_alerts() == {"SecretDenied"}


def test_without_halting_it_only_tells() -> None:
    bench = WatchBench(halt=False)
    bench.answer = ((), (Failed(SECRET, Trouble.DENIED, "no"),))
    bench.run(60)
    assert (bench.take(Halt), bench.open_alerts()) == ([], {"SecretDenied"})


def test_a_store_that_hangs_counts_as_down_and_a_late_answer_as_none() -> None:
    bench = WatchBench()
    bench.answer = None
    bench.run(100)
    assert bench.open_alerts() == {"SecretStoreDown"}
    bench.tell(SecretsSeen(1, bench.seen(newest=2), ()))
    assert bench.take(SecretsOffered) == []
    bench.answer = (bench.seen(), ())
    bench.run(60)
    assert bench.open_alerts() == set()


def test_values_without_a_lease_never_run_out() -> None:
    bench = WatchBench()
    bench.answer = (bench.seen(lease_ns=0), ())
    bench.run(60)
    bench.answer = ((), (Failed(KEY, Trouble.FAILING, "no such file"),))
    bench.run(7_300)
    assert (bench.take(Halt), bench.open_alerts()) == ([], {"SecretStoreDown"})
