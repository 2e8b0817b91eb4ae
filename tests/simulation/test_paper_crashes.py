"""Every actor of the paper deployment fails: by one bad message, by one that never works, by being killed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import pytest

from actors.domain.lifecycle import OrderState
from actors.feed.timers import Tick
from actors.ledger.statements import LedgerHeartbeat
from actors.messages.account import LedgerSnapshot, LedgerSnapshotRequest
from actors.messages.market import HistoryRequest
from actors.messages.trading import CancelIntent, Fill, OrderDenied, OrderIntent, OrderUpdate
from actors.messages.venue import OrderFilled, PlaceOrder, QueryOrder, VenueAccount
from actors.oms.timers import Sweep
from actors.reconciler.timers import Wake
from actors.risk.events import IntentDenied
from actors.runtime.behaviour import Behaviour
from actors.runtime.cell import CellState
from actors.runtime.messages import ActorFailed, ActorRestarted, AlertRaised, AlertResolved, Message, Severity
from actors.strategy.actor import PendingCheck
from actors.venue.simulated import CheckAnswers
from tests.simulation.paper import (
    MINUTE,
    SECOND,
    Paper,
    Poison,
    orders_that_add_risk,
    paper_addresses,
    quarrels,
    states_in_journal,
    states_in_memory,
)

# As config/paper.yaml has them: `trading` restarts whoever fails and those declared after it.
TRADING = ["venue/main", "oms/main", "ledger/main", "reconciler/main", "risk/main"]


def goes_down_with(address: str) -> list[str]:
    return TRADING[TRADING.index(address) :] if address in TRADING else [address]


class Kind(NamedTuple):
    """How to hurt one kind of actor."""

    poison: type[Message]
    harmless: Callable[[str, int], Message]  # told apart by the number; changes nothing
    from_outside: Callable[[str], Message] | None = None  # the poison, where it seldom comes by itself
    suits: Callable[[Message], bool] = lambda message: True


def _symbol(address: str) -> str:
    return address.rpartition("/")[2]


def _question(address: str, number: int) -> Message:
    return HistoryRequest(_symbol(address), MINUTE, number)


def _alert_ends(address: str, number: int) -> Message:
    return AlertResolved("NothingOfTheKind", str(number), "test", 0)


STRATEGY = Kind(
    OrderUpdate,
    lambda address, n: OrderDenied(f"strange#0.{n}", address, "main", _symbol(address), "none", "", 0, 0, 0),
    suits=lambda update: update.state is OrderState.FILLED,  # type: ignore[attr-defined]
)
KINDS = {
    "feed": Kind(HistoryRequest, _question, lambda address: _question(address, 7)),
    "exchange": Kind(PlaceOrder, lambda address, n: QueryOrder("main", f"strange-{n}", "BTC_USDT_PERP")),
    "venue": Kind(OrderFilled, lambda address, n: QueryOrder("main", f"strange-{n}", "BTC_USDT_PERP")),
    "oms": Kind(OrderFilled, lambda address, n: CancelIntent(f"strange#0.{n}", "strange", "main")),
    "ledger": Kind(Fill, lambda address, n: LedgerSnapshotRequest("main", f"strange-{n}")),
    "reconciler": Kind(VenueAccount, lambda address, n: LedgerSnapshot("main", f"old-{n}", 0, (), 0, (), 0)),
    "risk": Kind(OrderIntent, lambda address, n: CancelIntent(f"strange#0.{n}", "strange", "main")),
    "trend": STRATEGY,
    "reversion": STRATEGY,
    "alerter": Kind(
        AlertRaised, _alert_ends, lambda address: AlertRaised("Try", "1", Severity.TICKET, "try", "test", 0)
    ),
}


def kind_of(address: str) -> Kind:
    return KINDS[address.partition("/")[0]]


@dataclass
class Crash:
    """What was seen of one failure, from the end of its turn on."""

    in_journal: dict[str, bytes]  # every state, as a node opened then would find it
    waiting: list[Message]  # what the failed actor keeps, oldest first
    handled_count: int  # of the failed actor until then
    behaviours: dict[str, Behaviour]


def watch_crash(paper: Paper, address: str) -> list[Crash]:
    """Have every failure of an actor looked at before anything else happens; add harmless mail to it."""
    seen: list[Crash] = []
    cell, watched = paper.cell(address), paper.watched[address]
    failures = cell.failures_count
    reference = cell.actor.actor_ref  # as somebody outside got it before: it has to stay good

    def look() -> None:
        nonlocal failures
        if cell.failures_count > failures:
            failures = cell.failures_count
            in_journal = states_in_journal(paper.topology, paper.store)
            behaviours = {name: cell.behaviour for name, cell in paper.node.loop.cells.items()}
            seen.append(Crash(in_journal, [], len(watched.handled), behaviours))
            for number in range(1, 4):
                reference.tell(kind_of(address).harmless(address, number))
        if seen and cell.state is CellState.BACKING_OFF:
            seen[-1].waiting = [item[0] for item in cell.data]

    paper.sim.after_turn.append(look)
    return seen


def running_paper() -> Paper:
    """Return the deployment after it has traded for a while."""
    paper = Paper()
    paper.trade_on(5)
    return paper


def poisoned_paper(address: str, times: int, kind: Kind | None = None) -> tuple[Paper, Poison, list[Crash]]:
    """Return a deployment in which one message has failed its reader so many times, and all are back."""
    paper, kind = running_paper(), kind or kind_of(address)
    crashes = watch_crash(paper, address)
    poison = paper.watched[address].poison = Poison(kind.poison, times, kind.suits)
    if kind.from_outside is not None:
        paper.sim.tell(address, kind.from_outside(address))
        paper.sim.tell(address, kind.harmless(address, 11))  # waits right behind it
    paper.sim.run_until(lambda: len(crashes) == times, 15 * MINUTE)
    paper.sim.run_until(lambda: all(cell.is_running for cell in paper.node.loop.cells.values()), MINUTE)
    return paper, poison, crashes


def check_comeback(paper: Paper, address: str, crash: Crash, restarts: int = 1) -> None:
    """Whoever had to go down is back with the state of the journal; nobody else noticed."""
    down = goes_down_with(address)
    for name, cell in paper.node.loop.cells.items():
        if name in down:
            assert cell.behaviour is not crash.behaviours[name], f"{name} was not restarted"
            assert paper.watched[name].found[-1] == crash.in_journal[name], f"{name} lost something"
            assert cell.restarts_count == restarts, name
        else:
            assert cell.behaviour is crash.behaviours[name], f"{name} was restarted too"
            assert cell.restarts_count == 0, name
    back = [(event.actor, event.restarts_count) for event in paper.recorded(ActorRestarted)]
    assert back == [(name, count) for count in range(1, restarts + 1) for name in down]


def check_mail(paper: Paper, address: str, crash: Crash) -> None:
    """What waited while the actor was down was handled after the restart, in order and once."""
    assert len(crash.waiting) >= 3
    kept = {id(message) for message in crash.waiting}
    handled = [m for m in paper.watched[address].handled[crash.handled_count :] if id(m) in kept]
    assert [id(message) for message in handled] == [id(message) for message in crash.waiting]


def check_trading_goes_on(paper: Paper) -> None:
    """Orders fill again; the exchange and all of ours agree, and so do memory and journal."""
    paper.trade_on(6)
    paper.sim.run_for(SECOND)
    assert quarrels(paper.node) == []
    assert states_in_memory(paper.node) == states_in_journal(paper.topology, paper.store)


def letters(paper: Paper) -> list[tuple[str, str, str, bool]]:
    """Return the dead letters as (actor, message type, error, whether it is tried again)."""
    found = [msgspec.msgpack.decode(raw) for _, raw in paper.store.items("dead_letters")]
    return [(actor, name, error, again) for _, actor, name, error, again, *_ in found]


@pytest.mark.parametrize("address", paper_addresses())
def test_one_failure_leaves_no_trace_and_the_message_is_handled_after_all(address: str) -> None:
    paper, poison, (crash,) = poisoned_paper(address, 1)
    name = kind_of(address).poison.__name__
    assert poison.states_before == [crash.in_journal[address]], "the failed message left something"
    assert poison.handled == 2
    assert crash.waiting[0] is poison.message
    check_comeback(paper, address, crash)
    check_mail(paper, address, crash)
    assert letters(paper) == [(address, name, "Poisoned: poisoned", True)]
    failed = paper.recorded(ActorFailed)
    assert [(event.actor, event.message_type, event.attempt) for event in failed] == [(address, name, 1)]
    check_trading_goes_on(paper)


# Whose dead letter nobody makes up for: the strategy that waits for an answer, and the ledger without a fill.
LASTING = {"risk", "trend", "reversion", "ledger"}


@pytest.mark.parametrize("address", paper_addresses())
def test_a_message_that_always_fails_is_tried_twice_and_then_set_aside(address: str) -> None:
    paper, poison, (first, second) = poisoned_paper(address, 2)
    name = kind_of(address).poison.__name__
    assert first.waiting[0] is poison.message
    assert all(message is not poison.message for message in second.waiting)
    in_journal = [crash.in_journal[address] for crash in (first, second)]
    assert poison.states_before == in_journal, "a failed try left something"
    assert poison.handled == 2
    check_comeback(paper, address, second, restarts=2)
    check_mail(paper, address, second)
    error = "Poisoned: poisoned"
    assert letters(paper) == [(address, name, error, True), (address, name, error, False)]
    failed = paper.recorded(ActorFailed)
    assert [(event.message_type, event.attempt) for event in failed] == [(name, 1), (name, 2)]
    if address.partition("/")[0] not in LASTING:
        paper.sim.run_for(MINUTE)  # the reconciler passes on what was missed
        check_trading_goes_on(paper)


@pytest.mark.parametrize(
    ("address", "timer"),
    [
        ("feed/SOL_USDT_PERP", Tick),
        ("venue/main", CheckAnswers),
        ("oms/main", Sweep),
        ("ledger/main", LedgerHeartbeat),
        ("reconciler/main", Wake),
        ("trend/BTC_USDT_PERP", PendingCheck),
    ],
)
def test_a_timer_that_fails_is_not_tried_again_and_the_next_one_comes(
    address: str, timer: type[Message]
) -> None:
    paper, poison, (crash,) = poisoned_paper(address, 1, Kind(timer, kind_of(address).harmless))
    check_comeback(paper, address, crash)
    check_mail(paper, address, crash)
    assert letters(paper) == [(address, timer.__name__, "Poisoned: poisoned", False)]
    assert poison.states_before == [crash.in_journal[address]]
    check_trading_goes_on(paper)
    paper.sim.run_for(MINUTE)
    later = paper.watched[address].handled[crash.handled_count :]
    assert any(type(message) is timer for message in later)


@pytest.mark.parametrize("address", paper_addresses())
def test_an_actor_that_is_killed_comes_back_as_it_was(address: str) -> None:
    paper = running_paper()
    crashes = watch_crash(paper, address)
    in_memory = states_in_memory(paper.node)
    paper.node.kill(address)
    paper.sim.settle()
    paper.sim.run_until(lambda: paper.cell(address).is_running, MINUTE)
    (crash,) = crashes
    assert crash.in_journal == in_memory
    check_comeback(paper, address, crash)
    check_mail(paper, address, crash)
    assert letters(paper) == []
    check_trading_goes_on(paper)


@pytest.mark.parametrize("address", ["risk/main", "trend/ETH_USDT_PERP", "reversion/SOL_USDT_PERP"])
def test_a_strategy_whose_answer_was_set_aside_stands_still_and_says_so(address: str) -> None:
    paper, poison, _ = poisoned_paper(address, 2)
    assert isinstance(poison.message, OrderIntent | OrderUpdate)
    strategy, intent_id = poison.message.strategy, poison.message.intent_id
    intents_count = paper.cell(strategy).behaviour.state.intents_count
    paper.trade_on(6)
    paper.sim.run_for(2 * MINUTE)
    state = paper.cell(strategy).behaviour.state
    assert list(state.pending) == [intent_id]
    assert state.intents_count == intents_count
    assert ("OrderUnresolved", intent_id) in alerts(paper)
    told = {quarrel.partition(":")[0] for quarrel in quarrels(paper.node)}
    assert told <= {"positions"}  # what the strategy does not know of its own
    assert all(", strategies " in quarrel for quarrel in quarrels(paper.node))


def test_a_fill_that_the_ledger_cannot_book_ends_new_risk() -> None:
    paper, poison, _ = poisoned_paper("ledger/main", 2)
    paper.sim.run_until(lambda: not risk_is_open(paper), 2 * MINUTE)
    closed_at_ns = paper.sim.now_ns
    paper.sim.run_for(5 * MINUTE)
    assert not risk_is_open(paper)
    assert orders_that_add_risk(paper.store, closed_at_ns) == []
    assert {event.rule for event in paper.recorded(IntentDenied) if event.at_ns > closed_at_ns} == {
        "not_reconciled"
    }
    assert ("ReconcileFailed", "main") in alerts(paper)
    missing = poison.message
    assert isinstance(missing, Fill)
    oms, ledger = paper.cell("oms/main").behaviour.state, paper.cell("ledger/main").behaviour.state
    assert oms.fills_count - ledger.fills_count == 1
    net = ledger.holdings[missing.symbol].net_contracts if missing.symbol in ledger.holdings else 0
    assert oms.net_contracts.get(missing.symbol, 0) - net == missing.side * missing.contracts


def risk_is_open(paper: Paper) -> bool:
    return bool(paper.cell("risk/main").behaviour.describe()["reconciled"])


def alerts(paper: Paper) -> set[tuple[str, str]]:
    heard = paper.watched["alerter"].handled
    return {(message.name, message.key) for message in heard if isinstance(message, AlertRaised)}
