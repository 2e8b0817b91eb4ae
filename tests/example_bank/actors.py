"""The cells of the example bank: counters, accounts, a clearing house, an auditor, a rates board, a bell."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import (
    ActorFailed,
    AlertRaised,
    AlertResolved,
    MessageRefused,
    Severity,
    SupervisorExhausted,
)
from tests.example_bank.messages import (
    Accepted,
    AuditDue,
    Balance,
    BalanceMoved,
    BalanceWanted,
    Credit,
    Declined,
    Deposited,
    FeeDue,
    Paid,
    Pay,
    Rate,
    RatesDue,
    Robbery,
    StatementsWanted,
    TransferWanted,
    Wire,
    WireDone,
    WireOverdue,
    WireQueued,
    WireSettled,
    WireWanted,
    Withdrawn,
)

SECOND = 1_000_000_000
FEE_CENTS = 1
FEE_EVERY_NS = 3_600 * SECOND
WIRE_WITHIN_NS = 30 * SECOND
AUDIT_EVERY_NS = 10 * SECOND
RATES_EVERY_NS = SECOND
HOUSE = "account/house"  # the bank's own


class Victim(Behaviour):
    """Can be robbed."""

    def on_robbery(self, robbery: Robbery, context: Context) -> None:
        raise RuntimeError(f"{context.name} was robbed")


class AccountState(msgspec.Struct):
    """One account's books."""

    cents: int = 0
    fees_count: int = 0


class Account(Victim):
    """Holds money. Event-sourced: every movement is a fact."""

    ACCEPTS = (Pay, Credit, BalanceWanted, StatementsWanted, FeeDue, Robbery)
    EMITS = (BalanceMoved,)
    REPLIES = (Paid, Declined, Credit, Balance)
    EVENTS = (Withdrawn, Deposited)
    STATE = AccountState
    PERSISTENCE = Persistence.EVENT_SOURCED
    PHASE = Phase.STATE

    def __init__(self, opening_cents: int) -> None:
        self.opening_cents = opening_cents

    def initial_state(self) -> AccountState:
        return AccountState(self.opening_cents)

    def apply_withdrawn(self, event: Withdrawn) -> None:
        self.state.cents -= event.cents
        if event.transfer_id.startswith("fee/"):
            self.state.fees_count += 1

    def apply_deposited(self, event: Deposited) -> None:
        self.state.cents += event.cents

    def started(self, context: Context) -> None:
        if context.name != HOUSE and self.state.fees_count == 0 and context.once("first fee"):
            context.schedule(FEE_EVERY_NS, FeeDue(), key="fee", durable=True)

    def on_pay(self, pay: Pay, context: Context) -> None:
        if not context.once(f"pay/{pay.transfer_id}"):
            return
        if pay.cents > self.state.cents:
            context.send(context.sender, Declined(pay.transfer_id))
            return
        context.record(Withdrawn(pay.transfer_id, pay.cents))
        context.publish(BalanceMoved(context.name, -pay.cents))
        context.send(context.sender, Paid(pay.transfer_id, pay.target, pay.cents))

    def on_credit(self, credit: Credit, context: Context) -> None:
        if context.once(f"credit/{credit.transfer_id}"):
            context.record(Deposited(credit.transfer_id, credit.cents))
            context.publish(BalanceMoved(context.name, credit.cents))

    def on_fee_due(self, due: FeeDue, context: Context) -> None:
        context.schedule(FEE_EVERY_NS, due, key="fee", durable=True)
        if self.state.cents >= FEE_CENTS:
            fee = f"fee/{context.name}/{self.state.fees_count + 1}"
            context.record(Withdrawn(fee, FEE_CENTS))
            context.publish(BalanceMoved(context.name, -FEE_CENTS))
            context.send(HOUSE, Credit(fee, FEE_CENTS))

    def on_balance_wanted(self, wanted: BalanceWanted, context: Context) -> None:
        context.reply(Balance(context.name, self.state.cents))

    def on_statements_wanted(self, wanted: StatementsWanted, context: Context) -> None:
        context.reply(Balance(context.name, self.state.cents))


class CounterState(msgspec.Struct):
    """What a counter has to do, and has done."""

    waiting: dict[str, str] = msgspec.field(default_factory=dict)  # transfer -> source
    done_count: int = 0
    declined_count: int = 0
    refused_count: int = 0


class Counter(Victim):
    """Takes customers' wishes and sees them through. Saved: its state is written when it changes."""

    ACCEPTS = (TransferWanted, Paid, Declined, Rate, MessageRefused, Robbery)
    REPLIES = (Pay, Credit, WireWanted, Accepted)
    STATE = CounterState
    PERSISTENCE = Persistence.SAVED
    PHASE = Phase.DECIDE

    def __init__(self) -> None:
        self.rates: dict[str, int] = {}

    def on_transfer_wanted(self, wanted: TransferWanted, context: Context) -> None:
        is_new = context.once(wanted.transfer_id)
        context.reply(Accepted(wanted.transfer_id, is_new))
        if is_new:
            self.state.waiting[wanted.transfer_id] = wanted.source
            context.save()
            context.send(wanted.source, Pay(wanted.transfer_id, wanted.target, wanted.cents))

    def on_paid(self, paid: Paid, context: Context) -> None:
        if self.state.waiting.pop(paid.transfer_id, None) is None:
            return
        self.state.done_count += 1
        context.save()
        if paid.target.startswith("abroad/"):
            context.send("clearing", WireWanted(paid.transfer_id, paid.target, paid.cents))
        else:
            context.send(paid.target, Credit(paid.transfer_id, paid.cents))

    def on_declined(self, declined: Declined, context: Context) -> None:
        if self.state.waiting.pop(declined.transfer_id, None) is not None:
            self.state.declined_count += 1
            context.save()

    def on_rate(self, rate: Rate, context: Context) -> None:
        self.rates[rate.currency] = rate.cents

    def on_message_refused(self, refused: MessageRefused, context: Context) -> None:
        self.state.refused_count += 1
        context.save()


class ClearingState(msgspec.Struct):
    """Money that is on its way abroad, and how much has arrived."""

    pending: dict[str, int] = msgspec.field(default_factory=dict)  # transfer -> cents
    settled_cents: int = 0
    settled_count: int = 0


class Clearing(Victim):
    """Sends money to other banks and does not rest before they have confirmed."""

    ACCEPTS = (WireWanted, WireDone, WireOverdue, Robbery)
    EVENTS = (WireQueued, WireSettled)
    STATE = ClearingState
    PERSISTENCE = Persistence.EVENT_SOURCED
    PHASE = Phase.STATE

    def apply_wire_queued(self, event: WireQueued) -> None:
        self.state.pending[event.transfer_id] = event.cents

    def apply_wire_settled(self, event: WireSettled) -> None:
        self.state.settled_cents += self.state.pending.pop(event.transfer_id)
        self.state.settled_count += 1

    def on_wire_wanted(self, wanted: WireWanted, context: Context) -> None:
        wire = Wire(wanted.transfer_id, wanted.target, wanted.cents)
        context.record(WireQueued(wanted.transfer_id, wanted.target, wanted.cents))
        context.effect("wire", wire, key=wanted.transfer_id)
        context.schedule(
            WIRE_WITHIN_NS, WireOverdue(wanted.transfer_id), key=f"overdue/{wanted.transfer_id}", durable=True
        )

    def on_wire_done(self, done: WireDone, context: Context) -> None:
        if done.transfer_id in self.state.pending:
            context.record(WireSettled(done.transfer_id))
            context.effect_done(done.transfer_id)
            context.cancel_timer(f"overdue/{done.transfer_id}")
            context.resolve("WireLate", key=done.transfer_id)

    def on_wire_overdue(self, overdue: WireOverdue, context: Context) -> None:
        wire_id = overdue.transfer_id
        if wire_id in self.state.pending:
            context.alert("WireLate", Severity.PAGE, "no confirmation yet", key=wire_id, transfer=wire_id)
            context.effect("wire", Wire(wire_id, "again", self.state.pending[wire_id]), key=wire_id)
            context.schedule(WIRE_WITHIN_NS, overdue, key=f"overdue/{wire_id}", durable=True)


class AuditorState(msgspec.Struct):
    """What every account should hold."""

    books: dict[str, int] = msgspec.field(default_factory=dict)
    audits_count: int = 0


class Auditor(Victim):
    """Keeps books of its own from what it hears, and compares. Nobody is served before it knows them all."""

    ACCEPTS = (BalanceMoved, Balance, AuditDue, Robbery)
    EMITS = (StatementsWanted,)
    STATE = AuditorState
    PERSISTENCE = Persistence.SAVED
    PHASE = Phase.CHECK
    EXPLICIT_READY = True

    def __init__(self, accounts_count: int) -> None:
        self.accounts_count = accounts_count
        self.heard: set[str] = set()

    def started(self, context: Context) -> None:
        context.publish(StatementsWanted())
        context.schedule(AUDIT_EVERY_NS, AuditDue())

    def on_audit_due(self, due: AuditDue, context: Context) -> None:
        context.publish(StatementsWanted())
        context.schedule(AUDIT_EVERY_NS, due)

    def on_balance_moved(self, moved: BalanceMoved, context: Context) -> None:
        if moved.account in self.state.books:
            self.state.books[moved.account] += moved.cents
            context.save()

    def on_balance(self, balance: Balance, context: Context) -> None:
        known = self.state.books.get(balance.account)
        if known is not None and known != balance.cents:
            context.alert(
                "BooksDiffer", Severity.PAGE, "an account is not what it should be", key=balance.account
            )
        self.state.books[balance.account] = balance.cents
        self.state.audits_count += 1
        context.save()
        self.heard.add(balance.account)
        if len(self.heard) == self.accounts_count:
            context.ready()


class Board(Victim):
    """Shows rates that nobody needs tomorrow. Ephemeral."""

    ACCEPTS = (RatesDue, Robbery)
    EMITS = (Rate,)
    PHASE = Phase.SOURCE
    CURRENCIES: ClassVar[tuple[str, ...]] = ("EUR", "GBP", "JPY")

    def started(self, context: Context) -> None:
        context.schedule(0, RatesDue())

    def on_rates_due(self, due: RatesDue, context: Context) -> None:
        context.schedule(RATES_EVERY_NS, due)
        for currency in self.CURRENCIES:
            context.publish(Rate(currency, context.random.randrange(50, 150)))


class BellState(msgspec.Struct):
    """Alerts that hold, and how often something fell over."""

    open_alerts: list[str] = msgspec.field(default_factory=list)
    rung_count: int = 0
    failures_count: int = 0
    actions: list[str] = msgspec.field(default_factory=list)


class Bell(Behaviour):
    """Rings for alerts and failures."""

    ACCEPTS = (AlertRaised, AlertResolved, ActorFailed, SupervisorExhausted)
    STATE = BellState
    PERSISTENCE = Persistence.SAVED
    PHASE = Phase.SOURCE

    def on_alert_raised(self, raised: AlertRaised, context: Context) -> None:
        name = f"{raised.name}/{raised.key}"
        self.state.rung_count += 1
        if name not in self.state.open_alerts:
            self.state.open_alerts.append(name)
        context.save()

    def on_alert_resolved(self, resolved: AlertResolved, context: Context) -> None:
        name = f"{resolved.name}/{resolved.key}"
        if name in self.state.open_alerts:
            self.state.open_alerts.remove(name)
            context.save()

    def on_actor_failed(self, failed: ActorFailed, context: Context) -> None:
        self.state.failures_count += 1
        context.save()

    def on_supervisor_exhausted(self, exhausted: SupervisorExhausted, context: Context) -> None:
        self.state.actions.append(exhausted.action)
        context.save()
