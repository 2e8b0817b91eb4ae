"""What the OMS and the reconciler ask, answered from the venue's lists; and funding, told by no stream."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from actors.domain.place import Place
from actors.messages.terms import SetLeverage
from actors.messages.venue import (
    OrderFilled,
    QueryAccount,
    QueryOrder,
    RequestKind,
    VenueAccount,
    VenueOrder,
)
from actors.poloniex.answers import Answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.frames import OrderRow
from actors.poloniex.rate_budget import Priority
from actors.runtime.behaviour import Context
from actors.venue.errors import VenueError
from actors.venue.poloniex.core import MS, SECOND, Reading
from actors.venue.poloniex.orders import VenueOrders, one_request
from actors.venue.poloniex.readings import (
    AccountFinding,
    OrderFinding,
    Steps,
    read_account,
    read_funding,
)
from actors.venue.poloniex.reports import cash_usdt, margin_ratio_e8
from actors.venue.poloniex.requests import set_leverage
from actors.venue.poloniex.rows import BillRow, FillRow
from actors.venue.poloniex.settings import PoloniexAccountSettings

__all__ = ["VenueQuestions"]

DAY_MS = 86_400_000
RETENTION_MS = 89 * DAY_MS  # the venue remembers 90 days
HOUR_NS = 3_600 * SECOND
FUNDING_LOOKS_NS = (15 * SECOND, 90 * SECOND)  # after each full hour: settlements lie there, bills follow
ASKED_MAX = 256  # questions under way; more come from somebody who does not wait for answers


class VenueQuestions(VenueOrders):
    """Evidence on request."""

    def __init__(self, settings: PoloniexAccountSettings, place: Place) -> None:
        super().__init__(settings, place)
        self._asked: set[str] = set()  # client_order_ids and request_ids under way
        self._bills: set[str] = set()  # funding payments told since the newest date
        self._funding_due_ns = 0

    def on_query_order(self, message: QueryOrder, context: Context) -> None:
        """Read everything about one order."""
        name = message.client_order_id
        if message.account != self.account or not self._ask(name):
            return
        self.begin(
            self.order_steps(message.symbol, name),
            partial(self._order_found, message),
            partial(self._order_not_found, message),
            context,
        )

    def _order_found(
        self, message: QueryOrder, finding: OrderFinding, reading: Reading, context: Context
    ) -> None:
        client_order_id = message.client_order_id
        self._asked.discard(client_order_id)
        if finding.row is not None:
            self.tell_order(finding, client_order_id, reading.began_ns, context)
        elif finding.fills:
            # Lists forget orders earlier than fills: it was there, how it ended is not said any more.
            for row in reversed(finding.fills):
                self.fill_row(row, context)
            self._lose(client_order_id, RequestKind.QUERY, "only its fills are left in the lists", context)
        elif client_order_id in self.state.placing:
            self._lose(client_order_id, RequestKind.QUERY, "it is still on its way", context)
        else:
            context.publish(self.reporter.absent(message.symbol, client_order_id, reading.began_ns))

    def _order_not_found(
        self, message: QueryOrder, error: VenueError, reading: Reading, context: Context
    ) -> None:
        self._asked.discard(message.client_order_id)
        self._lose(message.client_order_id, RequestKind.QUERY, str(error), context)

    def on_query_account(self, message: QueryAccount, context: Context) -> None:
        """State the account as the venue shows it."""
        if message.account != self.account or not self._ask(message.request_id):
            return
        since_ms = max(message.fills_since_ns // MS, self.venue_now_ns() // MS - RETENTION_MS)
        self.begin(
            self.account_steps(since_ms, message.terms_of),
            partial(self._account_found, message),
            partial(self._account_not_found, message),
            context,
        )

    def _account_found(
        self, message: QueryAccount, finding: AccountFinding, reading: Reading, context: Context
    ) -> None:
        self._asked.discard(message.request_id)
        try:
            account = self._statement(message.request_id, finding, context)
        except Malformed as error:
            self.surprise(f"account: {error}", context)
            return
        context.publish(account)

    def _account_not_found(
        self, message: QueryAccount, error: VenueError, reading: Reading, context: Context
    ) -> None:
        """Nobody is told anything: whoever asked waits no longer than it wants to."""
        self._asked.discard(message.request_id)
        context.log("account not read", request_id=message.request_id, error=str(error))

    def _statement(self, request_id: str, finding: AccountFinding, context: Context) -> VenueAccount:
        reporter = self.reporter
        at_ns = finding.at_ns
        return VenueAccount(
            self.account,
            request_id,
            self.cash_of(finding),
            reporter.positions(finding.positions),
            tuple([self._resting(row, at_ns) for row in finding.orders]),
            tuple(self._known_fills(finding.fills, context)),
            tuple([reporter.funding(row) for row in finding.bills]),
            at_ns,
            tuple([reporter.terms(row) for row in finding.leverages]),
            tuple([reporter.transfer(row) for row in finding.transfers]),
            reporter.margin_mode == "ISOLATED",
            finding.is_hedged,
            margin_ratio_e8(finding.balance),
        )

    def _resting(self, row: OrderRow, at_ns: int) -> VenueOrder:
        return self.reporter.order(row, (), row.clOrdId, at_ns)

    def _known_fills(self, rows: Iterable[FillRow], context: Context) -> list[OrderFilled]:
        """Leave out what cannot be counted: the position it made shows in the statement all the same."""
        found = []
        for row in rows:
            if self.reporter.knows(row.symbol):
                found.append(self.reporter.fill(row))
            else:
                self.surprise(f"a fill in {row.symbol[:40]}, which is not in the catalog", context)
        return found

    def account_steps(self, since_ms: int, terms_of: tuple[str, ...]) -> Steps[AccountFinding]:
        """Return the reading of the account."""
        mode = self.reporter.margin_mode
        return read_account(since_ms, self.venue_now_ns, lambda: self.fills_heard, terms_of, mode)

    def cash_of(self, finding: AccountFinding) -> int:
        """Return the account's cash in 1e-8 USDT. Errors: Malformed."""
        return cash_usdt(finding.balance)

    def on_set_leverage(self, message: SetLeverage, context: Context) -> None:
        """Set the leverage of a symbol; whether it is set, the next statement shows."""
        if message.account != self.account:
            return
        request = set_leverage(message.symbol, self.reporter.margin_mode, message.leverage)

        def done(finding: Answer, reading: Reading, context: Context) -> None:
            context.log("leverage set", symbol=message.symbol, leverage=message.leverage)

        def failed(error: VenueError, reading: Reading, context: Context) -> None:
            context.log("leverage not set", symbol=message.symbol, error=str(error))

        self.begin(one_request(request), done, failed, context)

    # -- funding -------------------------------------------------------------------------------------

    def look_for_funding(self, context: Context) -> None:
        """Read new funding payments when a settlement may have been."""
        if context.now_ns < self._funding_due_ns or not self.is_up:
            return
        self._funding_due_ns = _next_funding_look(context.now_ns)
        since_ms = self.state.funding_ms
        if not since_ms:
            since_ms = (self.venue_now_ns() - self.settings.resync_lookback) // MS
        since_ms = max(since_ms, self.venue_now_ns() // MS - RETENTION_MS)
        steps = read_funding(since_ms)
        self.begin(steps, self._funding_found, self._ignored, context, priority=Priority.IDLE)

    def _funding_found(self, rows: list[BillRow], reading: Reading, context: Context) -> None:
        for row in rows:
            if row.id in self._bills:
                continue
            try:
                paid = self.reporter.funding(row)
            except Malformed as error:
                self.surprise(f"bill {row.id}: {error}", context)
                continue
            if row.cTime > self.state.funding_ms:
                self.state.funding_ms = row.cTime
                self._bills.clear()
            self._bills.add(row.id)
            context.publish(paid)
            context.save()

    def _ask(self, name: str) -> bool:
        """Tell whether this question is new and there is room for it."""
        if name in self._asked or len(self._asked) >= ASKED_MAX:
            self.repeats_count += 1
            return False
        self._asked.add(name)
        return True


def _next_funding_look(now_ns: int) -> int:
    """Return the next instant after `now_ns` at which bills may have come."""
    hour_ns = now_ns - now_ns % HOUR_NS
    looks = [hour_ns + after for after in FUNDING_LOOKS_NS] + [hour_ns + HOUR_NS + FUNDING_LOOKS_NS[0]]
    return next(look for look in looks if look > now_ns)
