"""Accounts that ask for orders all the time while their keys change, and what came of their orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, NamedTuple

from actors.cli.benchmarks.kill_switch import BTC
from actors.cli.benchmarks.resting import PlaceSome, Resting
from actors.cli.benchmarks.world import DEPOSIT, MINUTE_NS, UNLIMITED
from actors.domain.lifecycle import OrderState
from actors.domain.place import Place
from actors.exchange.server.settings import AccountSettings
from actors.ledger.actor import LedgerActor
from actors.ledger.settings import LedgerSettings
from actors.messages.trading import OrderDenied, OrderIntent, OrderUpdate
from actors.oms.actor import OmsActor
from actors.oms.settings import OmsSettings
from actors.reconciler.actor import ReconcilerActor
from actors.reconciler.settings import ReconcilerSettings
from actors.risk.actor import RiskActor
from actors.risk.settings import RiskSettings
from actors.runtime.behaviour import Context
from actors.runtime.cell import CellSpec
from actors.runtime.messages import Message
from actors.venue.poloniex.actor import PoloniexVenue
from actors.venue.poloniex.settings import PoloniexVenueSettings

__all__ = ["ACCOUNTS", "KEY", "SECRET", "Asking", "Outcome", "account_specs", "keys_each", "outcome_of"]

ACCOUNTS = tuple(f"a{number}" for number in range(50))
KEY, SECRET = "secret://bench/{}#key", "secret://bench/{}#secret"
LATE_NS = 100_000_000
ORDERS_MAX = 1_000_000
GOOD = (OrderState.OPEN, OrderState.PARTIALLY_FILLED, OrderState.FILLED)


class Asking(Resting):
    """Places an order each so often and notes what became of each, and when. It outlives its behaviours."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (*Resting.ACCEPTS, OrderUpdate, OrderDenied)

    def __init__(self, address: str, account: str, ticks: int, every_ns: int) -> None:
        super().__init__(address, [(BTC, ticks)], ORDERS_MAX, per_step=1, step_ns=every_ns)
        self.account = account
        self._first_ns = every_ns * (1 + ACCOUNTS.index(account)) // len(ACCOUNTS)  # one after the other
        self.asked: dict[str, int] = {}
        self.answered: dict[str, int] = {}
        self.failed: dict[str, str] = {}

    def started(self, context: Context) -> None:
        context.schedule(self._first_ns, PlaceSome())

    def _intent(self, context: Context) -> OrderIntent:
        found = super()._intent(context)
        self.asked[found.intent_id] = context.now_ns
        values = {name: getattr(found, name) for name in found.__struct_fields__}
        return OrderIntent(**{**values, "account": self.account})

    def on_order_update(self, update: OrderUpdate, context: Context) -> None:
        if update.state in GOOD:
            self.answered.setdefault(update.intent_id, context.now_ns)
        elif update.state is not OrderState.SUBMITTING:
            self.failed[update.intent_id] = f"{update.state.value} {update.reason}"

    def on_order_denied(self, denied: OrderDenied, context: Context) -> None:
        self.failed[denied.intent_id] = f"{denied.rule} {denied.text}"


class Outcome(NamedTuple):
    """What came of the orders that were asked for in a span of time."""

    orders: int
    failed: int
    late: int  # acknowledged after more than 100 ms, or never

    @property
    def percent(self) -> float:
        """Return what part failed or was late."""
        return (self.failed + self.late) / self.orders * 100

    def plus(self, other: Outcome) -> Outcome:
        """Return both together."""
        return Outcome(self.orders + other.orders, self.failed + other.failed, self.late + other.late)


def outcome_of(askings: Iterable[Asking], from_ns: int, until_ns: int) -> Outcome:
    """Count."""
    orders = failed = late = 0
    for asking in askings:
        for intent_id, asked_ns in asking.asked.items():
            if not from_ns <= asked_ns < until_ns:
                continue
            orders += 1
            if intent_id in asking.failed:
                failed += 1
            else:
                late += asking.answered.get(intent_id, asked_ns + MINUTE_NS) - asked_ns > LATE_NS
    return Outcome(orders, failed, late)


def keys_each(count: int) -> tuple[AccountSettings, ...]:
    """Return the accounts as the exchange knows them: `<name>-1`, `<name>-2` and so on trade for each."""
    return tuple(
        AccountSettings(key=f"{name}-{number}", secret=f"{name}-{number}-s", usdt=DEPOSIT, name=name)
        for name in ACCOUNTS
        for number in range(1, count + 1)
    )


def account_specs(
    name: str, host: str, feed: str, ticks: int, every_ns: int, at: Callable[[str], Place]
) -> list[CellSpec]:
    """Return the actors of one account, which asks for an order each `every_ns`; `at` makes their places."""
    venue = PoloniexVenueSettings(
        key=KEY.format(name),
        secret=SECRET.format(name),
        rest_url=f"http://{host}",
        stream_url=f"ws://{host}/ws/v3/private",
    )
    risk = RiskSettings(
        max_orders_per_second=UNLIMITED,
        daily_loss_usdt=UNLIMITED,
        max_open_orders=UNLIMITED,
        max_open_trades=UNLIMITED,
    )
    ledger = LedgerSettings(initial_usdt=DEPOSIT)
    v, o, n, r, k, a = (f"{kind}/{name}" for kind in ("venue", "oms", "ledger", "reconciler", "risk", "ask"))
    return [
        CellSpec(v, lambda: PoloniexVenue(venue, at(v)), (o, r, "secrets")),
        CellSpec(o, lambda: OmsActor(OmsSettings(), at(o)), (k, v, r)),
        CellSpec(n, lambda: LedgerActor(ledger, at(n)), (o, v, r, feed)),
        CellSpec(r, lambda: ReconcilerActor(ReconcilerSettings(), at(r)), (v, o, n)),
        CellSpec(k, lambda: RiskActor(risk, at(k)), (o, n, r, feed, a)),
        CellSpec(a, lambda: Asking(a, name, ticks, every_ns), (k, o)),
    ]
