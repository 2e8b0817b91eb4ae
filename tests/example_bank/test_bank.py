"""The bank at work: each feature of the runtime, used for something that is not trading."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from actors.runtime.cell import CellState
from actors.runtime.errors import MailboxFull
from actors.runtime.journal import verify_chain
from tests.example_bank.actors import SECOND
from tests.example_bank.bank import (
    ACCOUNTS,
    OPENING_CENTS,
    TOTAL_CENTS,
    balance,
    is_certain,
    money,
    run_bank,
)
from tests.example_bank.messages import Accepted, Balance, BalanceWanted, Robbery, TransferWanted


def wish(number: int, cents: int = 100, source: str = "ann", target: str = "account/bob") -> TransferWanted:
    return TransferWanted(f"t{number}", f"account/{source}", target, cents)


def test_a_transfer_moves_money_once_and_in_one_commit() -> None:
    bank, _, _ = run_bank()
    before = bank.store.commits_count
    assert bank.ask("counter/1", wish(1)) == Accepted("t1", True)
    assert bank.store.commits_count == before + 1
    assert balance(bank.node, "account/ann") == OPENING_CENTS - 100
    assert balance(bank.node, "account/bob") == OPENING_CENTS + 100
    assert bank.ask("counter/1", wish(1)) == Accepted("t1", False)
    assert balance(bank.node, "account/bob") == OPENING_CENTS + 100
    assert bank.node.cell("counter/1").behaviour.state.done_count == 1


def test_a_transfer_without_money_behind_it_is_declined_and_moves_nothing() -> None:
    bank, _, _ = run_bank()
    bank.ask("counter/1", wish(1, cents=OPENING_CENTS + 1))
    state = bank.node.cell("counter/1").behaviour.state
    assert (state.done_count, state.declined_count, state.waiting) == (0, 1, {})
    assert money(bank.node) == TOTAL_CENTS


def test_a_customer_may_ask_for_the_balance() -> None:
    bank, _, _ = run_bank()
    bank.ask("counter/2", wish(1))
    assert bank.ask("account/ann", BalanceWanted()) == Balance("account/ann", OPENING_CENTS - 100)


def test_nobody_is_served_before_the_auditor_knows_every_account() -> None:
    bank, _, _ = run_bank()
    assert bank.node.is_ready
    bank.node.suspend("account/cy")
    bank.settle()
    bank.node.kill("auditor")
    bank.run_for(SECOND)
    assert not bank.node.is_ready
    bank.node.resume("account/cy")
    bank.settle()
    assert bank.node.is_ready


def test_all_three_kinds_of_state_come_back_as_they_should() -> None:
    bank, _, _ = run_bank()
    for number in range(20):
        bank.ask("counter/1", wish(number, target="account/dee"))
    before = {name: bank.node.cell(name).behaviour.describe() for name in (*ACCOUNTS, "counter/1")}
    rates = dict(bank.node.cell("counter/1").behaviour.rates)
    bank.crash()
    assert {name: bank.node.cell(name).behaviour.describe() for name in before} == before
    bank.settle()
    assert bank.node.cell("counter/1").behaviour.rates not in ({}, rates)  # new ones: nobody kept the old


def test_money_goes_abroad_after_the_commit_and_is_settled_when_the_other_bank_confirms() -> None:
    bank, world, _ = run_bank()
    bank.ask("counter/1", wish(1, target="abroad/zoe"))
    clearing = bank.node.cell("clearing").behaviour
    assert clearing.state.pending == {"t1": 100}
    bank.run_for(20 * SECOND)
    assert world.received == {"t1": 100}
    assert clearing.state.pending == {}
    assert clearing.state.settled_cents == 100
    assert list(bank.store.items("outbox")) == []
    assert [key for key, _ in bank.store.items("timers") if b"overdue" in key] == []


def test_a_wire_that_nobody_knows_the_fate_of_is_sent_again_after_a_crash_and_counts_once() -> None:
    bank, world, _ = run_bank()
    bank.kill_at_commit(1, written=True)  # written, and not released
    bank.tell("counter/1", wish(1, target="abroad/zoe"))
    bank.settle()
    assert bank.crashes_count == 1
    bank.crash()
    bank.run_for(60 * SECOND)
    assert world.heard_count >= 2
    assert world.received == {"t1": 100}
    assert bank.node.cell("clearing").behaviour.state.settled_cents == 100


def test_a_late_wire_raises_an_alert_over_crashes_and_resolves_it_in_the_end() -> None:
    bank, world, _ = run_bank(loss=1.0)
    bank.ask("counter/1", wish(1, target="abroad/zoe"))
    bank.run_for(20 * SECOND)
    bank.crash()
    bank.run_for(20 * SECOND)
    assert bank.node.cell("bell").behaviour.state.open_alerts == ["WireLate/t1"]
    world._loss = 0.0
    bank.crash()
    assert bank.node.cell("bell").behaviour.state.open_alerts == ["WireLate/t1"]
    bank.run_for(60 * SECOND)
    assert bank.node.cell("bell").behaviour.state.open_alerts == []
    assert world.received == {"t1": 100}


def test_fees_are_paid_by_durable_timers_whatever_happens_in_between() -> None:
    bank, _, _ = run_bank()
    for _ in range(5):
        bank.run_for(1_800 * SECOND)
        bank.crash()
    bank.stop()
    bank.clock.advance_to(bank.now_ns + 1_800 * SECOND)
    bank.open()
    bank.run_for(1_000 * SECOND)
    fees = [bank.node.cell(name).behaviour.state.fees_count for name in ACCOUNTS[1:]]
    assert fees == [3] * 4
    assert balance(bank.node, ACCOUNTS[0]) == OPENING_CENTS + 3 * 4
    assert money(bank.node) == TOTAL_CENTS


def test_a_robbed_account_comes_back_with_its_money_and_its_waiting_messages() -> None:
    bank, _, _ = run_bank()
    bank.tell("account/bob", Robbery())
    for number in range(3):
        bank.tell("counter/1", wish(number))
    bank.settle()
    assert bank.node.cell("account/bob").state is CellState.BACKING_OFF
    assert bank.node.cell("account/ann").is_running, "started before bob"
    assert not bank.node.cell("account/dee").is_running, "started after bob, in the same vault"
    bank.run_for(5 * SECOND)
    assert balance(bank.node, "account/bob") == OPENING_CENTS + 300
    assert bank.node.cell("bell").behaviour.state.failures_count == 2
    assert "BooksDiffer" not in str(bank.node.cell("bell").behaviour.state.open_alerts)


def test_a_counter_that_is_robbed_too_often_sends_the_customers_home_and_opens_again() -> None:
    bank, _, _ = run_bank()
    for _ in range(2):  # each robbery is tried twice
        bank.tell("counter/1", Robbery())
        bank.run_for(2 * SECOND)
    bank.run_for(30 * SECOND)
    assert bank.node.cell("bell").behaviour.state.actions == ["send customers home"]
    assert bank.node.cell("counter/2").restarts_count == 1
    assert bank.ask("counter/1", wish(1)) == Accepted("t1", True)


def test_a_counter_with_too_many_waiting_refuses_and_nothing_that_was_accepted_is_lost() -> None:
    bank, _, customers = run_bank()
    bank.node.suspend("counter/1")
    bank.settle()
    for number in range(60):
        customers.wish("counter/1", wish(number, cents=1))
        bank.settle()
    assert bank.node.cell("counter/1").waiting_count == 50
    with pytest.raises(MailboxFull):
        bank.tell("counter/1", wish(99))
    bank.node.resume("counter/1")
    for _ in range(3):
        bank.settle()
        customers.ask_again()
    assert len(customers.accepted) == 60
    assert balance(bank.node, "account/ann") == OPENING_CENTS - 60


def test_the_auditor_finds_books_that_differ() -> None:
    bank, _, _ = run_bank()
    bank.node.cell("account/ann").behaviour.state.cents += 5
    bank.run_for(11 * SECOND)
    assert bank.node.cell("bell").behaviour.state.open_alerts == ["BooksDiffer/account/ann"]


def test_the_books_are_in_the_journal_and_its_chain_holds() -> None:
    bank, _, _ = run_bank()
    for number in range(50):
        bank.ask("counter/1", wish(number, cents=7))
    bank.run_for(3_700 * SECOND)
    bank.stop()
    assert verify_chain(bank.store)[1] is None
    bank.open()
    assert bank.node.events_folded == 0
    assert money(bank.node) == TOTAL_CENTS
    assert is_certain(bank.node)


def test_the_bank_knows_nothing_of_trading() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("actors."):
                assert (node.module or "").startswith("actors.runtime."), path
