"""A disk that fills, a power cut, limits counted again, the books of a spot account."""

from __future__ import annotations

from msgspec.structs import replace

from actors.messages.control import HaltLevel
from actors.oms.events import OrderSubmitted
from actors.risk.events import HaltLatched, HaltReleased
from actors.runtime.codec import decoder_for
from actors.runtime.journal import read_turns
from actors.runtime.messages import AlertRaised
from actors.simulation.faults import Fault
from actors.simulation.order_limits import OrderLimits
from actors.simulation.run import SeedRun
from tests.simulation.test_hunt import LOCAL, MINUTE_NS, PAPER, REPOSITORY, told, topology

SPOT = str(REPOSITORY / "config/examples/local-with-spot.yaml")
KINDS = (OrderSubmitted, HaltLatched, HaltReleased, AlertRaised)


def events(run: SeedRun) -> list[object]:
    """Return what the journal has of some kinds, in order."""
    decode, found = decoder_for(KINDS).decode, []
    for turn in read_turns(run.world.store, 1):
        for entry in turn.entries:
            if any(kind.__name__.encode() in bytes(memoryview(entry.event)[:40]) for kind in KINDS):
                found.append(decode(entry.event))
    return found


def test_a_disk_that_fills_stops_new_risk_first_and_says_so() -> None:
    filling = Fault(number=0, kind="disk_filling", at_ms=60_000, for_ms=7_000)
    run = SeedRun(topology(LOCAL), 1, [filling], 2 * MINUTE_NS)
    outcome = run.run()
    assert told(outcome) == []
    assert outcome.deaths_count == 0
    seen = events(run)
    alerts = [event for event in seen if isinstance(event, AlertRaised) and event.name == "DiskFilling"]
    halts = [event for event in seen if isinstance(event, HaltLatched) and "journal" in event.actor]
    assert len(alerts) == 1
    assert [halt.level for halt in halts] == [HaltLevel.NO_NEW_RISK]
    released = next(event for event in seen if isinstance(event, HaltReleased))
    last = seen.index(released)
    assert seen.index(halts[0]) < last
    assert any(isinstance(event, OrderSubmitted) for event in seen[last:]), "trading goes on"


def test_a_power_cut_takes_back_what_was_not_synced_and_all_agrees_again() -> None:
    cut = Fault(number=0, kind="power_cut", at_ms=70_900, for_ms=1_000)
    run = SeedRun(topology(PAPER), 1, [cut], 2 * MINUTE_NS)
    taken: list[tuple[int, int]] = []
    store = run.world.store
    lose = store.lose_unsynced

    def lose_unsynced() -> None:
        before = store.last("events")
        lose()
        after = store.last("events")
        assert before is not None
        assert after is not None
        taken.append((int.from_bytes(before[0], "big"), int.from_bytes(after[0], "big")))

    store.lose_unsynced = lose_unsynced  # type: ignore[method-assign]
    assert told(run.run()) == []
    assert [after < before for before, after in taken] == [True]


def test_a_power_cut_takes_nothing_from_a_disk_that_syncs() -> None:
    run = SeedRun(topology(LOCAL), 1, [Fault(number=0, kind="power_cut", at_ms=30_000)], MINUTE_NS)
    assert told(run.run()) == []


def test_orders_beyond_count_and_rate_are_told() -> None:
    run = SeedRun(topology(LOCAL), 1, (), MINUTE_NS)
    watched = run.watchers._counts["main"]
    tight = {"max_open_orders": 1, "max_orders_per_second": 1, "order_burst": 1}
    run.watchers._counts["main"] = OrderLimits(replace(watched.limits, **tight))  # the node keeps its own
    found = " ".join(told(run.run()))
    assert "live order of 1" in found or "before the rate of 1/s" in found


def test_counts_of_orders() -> None:
    settings = next(plan.settings for plan in topology(LOCAL).actors if plan.kind == "risk")
    counts = OrderLimits(replace(settings, max_open_orders=1, max_orders_per_second=2, order_burst=1))
    assert list(counts.submitted("a", "BTC", "pulse", False)) == []
    assert list(counts.submitted("b", "BTC", "pulse", False)) == ["b is the 2th live order, of 1"]
    assert list(counts.submitted("c", "BTC", "pulse", True)) == []
    for name in "abc":
        counts.ended(name)
    assert list(counts.submitted("d", "BTC", "pulse", False)) == []
    second = 1_000_000_000
    assert list(counts.allowed("a", "BTC", second, False)) == []
    assert list(counts.allowed("b", "BTC", second * 3 // 2, False)) == []
    assert len(list(counts.allowed("c", "BTC", second * 3 // 2 + 1, False))) == 1


def test_the_books_of_a_spot_account_are_compared_at_rest() -> None:
    run = SeedRun(topology(SPOT), 2, (), MINUTE_NS)
    assert told(run.run()) == []
    coins = run.far.core.spot.engine.purse(run._names["coins"]).coins  # type: ignore[union-attr]
    coins["BTC"] = coins.get("BTC", 0) + 1
    assert any("BTC_USDT" in quarrel for quarrel in run.quarrels())
