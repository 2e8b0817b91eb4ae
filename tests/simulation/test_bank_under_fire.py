"""A busy bank on a bad line, its cells and its process dying all the time. Watchers check from outside."""

from __future__ import annotations

import random

import pytest

from actors.runtime.journal import read_turns, verify_chain
from actors.runtime.simulation import Simulation
from actors.runtime.store_memory import MemoryStore
from tests.example_bank.actors import SECOND
from tests.example_bank.bank import (
    ACCOUNTS,
    COUNTERS,
    CUSTOMERS,
    TOTAL_CENTS,
    Customers,
    OtherBank,
    balance,
    is_certain,
    money,
    run_bank,
)
from tests.example_bank.messages import Robbery, TransferWanted

SEEDS_IN_EVERY_RUN = 25
SEEDS_IN_A_LONG_RUN = 500


def wish(chance: random.Random, number: int) -> tuple[str, TransferWanted]:
    source = f"account/{chance.choice(CUSTOMERS)}"
    target = f"account/{chance.choice(CUSTOMERS)}" if chance.random() < 0.7 else "abroad/zoe"
    return chance.choice(COUNTERS), TransferWanted(f"t{number}", source, target, chance.randrange(1, 4_000))


def fire(bank: Simulation, customers: Customers, chance: random.Random) -> None:
    """Do some harm."""
    choice = chance.random()
    anyone = chance.choice(["clearing", "auditor", "board", *ACCOUNTS, *COUNTERS])
    if choice < 0.15:
        bank.node.kill(anyone)
    elif choice < 0.25:
        bank.tell(anyone, Robbery())
    elif choice < 0.30:
        bank.node.restart(anyone)
    elif choice < 0.35:
        bank.node.suspend(anyone)
    elif choice < 0.50:
        for cell in bank.node.loop.cells.values():
            bank.node.resume(cell.name)
    elif choice < 0.60:
        bank.kill_at_commit(chance.randrange(1, 8), written=chance.random() < 0.5)
    elif choice < 0.65:
        bank.crash()
    elif choice < 0.68:
        bank.stop()
        bank.open()


def calm_down(bank: Simulation, customers: Customers, world: OtherBank) -> None:
    """Repair the line, wake everybody, and let everything that is under way come to its end."""
    world._loss = 0.0
    for _ in range(8):
        for cell in bank.node.loop.cells.values():
            bank.node.resume(cell.name)
        bank.run_for(40 * SECOND)
        customers.forget_questions()
        customers.ask_again()
        bank.settle()
        customers.ask_again()


def check(
    bank: Simulation, customers: Customers, world: OtherBank, wishes: dict[str, TransferWanted]
) -> None:
    node = bank.node
    counters = [node.cell(name).behaviour.state for name in COUNTERS]
    clearing = node.cell("clearing").behaviour.state
    assert is_certain(node)
    assert money(node) == TOTAL_CENTS
    assert all(balance(node, name) >= 0 for name in ACCOUNTS)

    # Every wish was accepted in the end, and each was carried out or declined exactly once.
    assert set(customers.accepted) == set(wishes)
    assert all(not state.waiting for state in counters)
    assert sum(state.done_count + state.declined_count for state in counters) == len(wishes)
    moved = [fields for cell, fields in events(bank.store) if fields[0] in ("Withdrawn", "Deposited")]
    withdrawn = [fields[1] for fields in moved if fields[0] == "Withdrawn"]
    deposited = [fields[1] for fields in moved if fields[0] == "Deposited"]
    assert len(withdrawn) == len(set(withdrawn)), "no transfer took money twice"
    assert len(deposited) == len(set(deposited)), "no transfer gave money twice"
    abroad = {t for t in withdrawn if t in wishes and wishes[t].target.startswith("abroad/")}
    assert set(deposited) == set(withdrawn) - abroad

    # The other bank and ours agree.
    assert clearing.pending == {}
    assert set(world.received) == abroad
    assert sum(world.received.values()) == clearing.settled_cents
    assert list(bank.store.items("outbox")) == []

    # The auditor, who only listened, has the same books; nothing rings any more.
    assert node.cell("auditor").behaviour.state.books == {name: balance(node, name) for name in ACCOUNTS}
    assert node.cell("bell").behaviour.state.open_alerts == []
    assert verify_chain(bank.store)[1] is None
    assert list(bank.store.items("held")) == []


def events(store: MemoryStore) -> list[tuple[str, list[object]]]:
    import msgspec

    return [
        (entry.cell, msgspec.msgpack.decode(entry.event))
        for record in read_turns(store)
        for entry in record.entries
    ]


def live_through(seed: int) -> Simulation:
    chance = random.Random(f"{seed}/fire")
    bank, world, customers = run_bank(seed=seed, loss=chance.choice([0.0, 0.2, 0.6]), snapshot_events=25)

    def watch() -> None:
        if is_certain(bank.node):
            assert money(bank.node) == TOTAL_CENTS

    bank.after_turn.append(watch)
    wishes: dict[str, TransferWanted] = {}
    lives = bank.crashes_count
    for number in range(60):
        for _ in range(chance.randrange(4)):
            counter, wanted = wish(chance, len(wishes))
            wishes[wanted.transfer_id] = wanted
            customers.wish(counter, wanted)
        fire(bank, customers, chance)
        bank.run_for(chance.randrange(3 * SECOND))
        if bank.crashes_count != lives or bank.ended or number % 10 == 9:
            lives = bank.crashes_count
            customers.forget_questions()
        customers.ask_again()
    calm_down(bank, customers, world)
    check(bank, customers, world, wishes)
    return bank


@pytest.mark.parametrize("seed", range(SEEDS_IN_EVERY_RUN))
def test_no_cent_and_no_accepted_transfer_is_lost_or_doubled(seed: int) -> None:
    live_through(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1_000, 1_000 + SEEDS_IN_A_LONG_RUN))
def test_no_cent_is_lost_or_doubled_over_many_seeds(seed: int) -> None:
    live_through(seed)


def test_the_fire_is_hot_enough() -> None:
    banks = [live_through(seed) for seed in range(5)]
    assert sum(bank.crashes_count for bank in banks) > 20
    restarts = sum(fields[0] == "ActorRestarted" for bank in banks for _, fields in events(bank.store))
    assert restarts > 50


def test_the_same_seed_burns_down_to_the_same_bytes() -> None:
    from actors.runtime.store_memory import DATABASES

    first, second, other = live_through(3), live_through(3), live_through(4)

    def content(bank: Simulation) -> list[object]:
        return [list(bank.store.items(name)) for name in DATABASES]

    assert content(first) == content(second)
    assert content(first) != content(other)
