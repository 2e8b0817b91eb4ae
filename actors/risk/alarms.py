"""What people should hear of beside what the limits do: storms of refused orders, margin that runs out."""

from __future__ import annotations

from collections import deque

from actors.domain.money import E8
from actors.domain.place import Place
from actors.messages.account import AccountState
from actors.messages.control import ReconcileFinished
from actors.messages.parents import ParentIntent
from actors.messages.trading import OrderIntent
from actors.risk.heartbeats import Heartbeats
from actors.risk.parent_gate import ParentGate
from actors.risk.rule import Denial
from actors.risk.settings import RiskSettings
from actors.runtime.behaviour import Context
from actors.runtime.messages import Severity

__all__ = ["Alarms", "RefusalWindow"]

REJECT_STORM, MARGIN_NEAR = "RejectStorm", "MarginNear"
REFRESHES = 4  # in a window, while a storm lasts
MARGIN_BACK = 90  # percent of the limit, below which it is over
# Denials that follow from what has an alert of its own, or an end that is known.
EXPLAINED = frozenset(
    {
        *("halted", "not_reconciled", "account_unknown", "portfolio_stale", "stale_data", "exit_pause"),
        *("daily_loss", "weekly_loss", "drawdown", "portfolio_loss", "loss_streak"),
    }
)


class RefusalWindow:
    """The newest refusals, and how many orders went well between them. Instants are ns."""

    def __init__(self, count: int) -> None:
        self._newest: deque[tuple[int, int]] = deque(maxlen=count)  # (when, orders gone well by then)

    def refused(self, now_ns: int, well_count: int, window_ns: int) -> tuple[int, int] | None:
        """Take one more refusal; return (refused, gone well) of the time since the first of so many.

        None while there are not so many within the window.
        """
        newest = self._newest
        newest.append((now_ns, well_count))
        if len(newest) < (newest.maxlen or 0) or now_ns - newest[0][0] > window_ns:
            return None
        return len(newest), max(0, well_count - newest[0][1])


class Alarms(Heartbeats, ParentGate):
    """Raises them. Neither stops an order; each is over when its cause is."""

    def __init__(self, settings: RiskSettings, place: Place) -> None:
        super().__init__(settings, place)
        self._refusals = RefusalWindow(settings.refusals_max or 1)
        self._storm_told_ns = 0
        self._venue_margin_e8 = 0  # maintenance margin over equity, by the venue's last statement
        self._margin_is_near: bool | None = None  # None: not known since the start

    # -- refusals ---------------------------------------------------------------------------------

    def follow_denial(
        self, intent: OrderIntent | ParentIntent, name: str, denied: Denial, context: Context
    ) -> None:
        super().follow_denial(intent, name, denied, context)
        if name not in EXPLAINED:
            self.note_refusal(f"{name}: {denied.text}", context)

    def note_refusal(self, last: str, context: Context) -> None:
        """An order was denied here, or rejected by the venue."""
        settings, state, now_ns = self.settings, self.state, context.now_ns
        if not settings.refusals_max:
            return
        well_count = state.allowed_count - state.rejects_count
        found = self._refusals.refused(now_ns, well_count, settings.refusals_window)
        if found is None or now_ns - self._storm_told_ns < settings.refusals_window // REFRESHES:
            return
        refused, well = found
        if refused * E8 < (refused + well) * settings.refusals_fraction:
            return
        self._storm_told_ns = now_ns
        text = f"{self._account}: {refused} orders were refused and {well} taken lately; the last: {last}"
        context.alert(
            REJECT_STORM,
            Severity.PAGE,
            text,
            key=self._account,
            ends_after_ns=settings.refusals_window,
        )

    # -- margin -----------------------------------------------------------------------------------

    def take_account(self, account: AccountState, context: Context) -> None:
        super().take_account(account, context)
        maintenance, equity = account.margin_usdt_maintenance, account.equity_usdt
        own_e8 = maintenance * E8 // equity if equity > 0 else E8 if maintenance else 0
        self._look_at_margin(max(own_e8, self._venue_margin_e8), context)

    def take_venue_margin(self, finished: ReconcileFinished, context: Context) -> None:
        """Take what the venue said of the margin; our own figures may be wrong, or without a price."""
        if finished.margin_ratio_e8 != self._venue_margin_e8:
            self._venue_margin_e8 = finished.margin_ratio_e8
            if finished.margin_ratio_e8 >= self.settings.margin_near:
                self._look_at_margin(finished.margin_ratio_e8, context)

    def _look_at_margin(self, ratio_e8: int, context: Context) -> None:
        near = self.settings.margin_near
        is_near = bool(near) and ratio_e8 * 100 >= near * (MARGIN_BACK if self._margin_is_near else 100)
        if is_near is self._margin_is_near:
            return
        self._margin_is_near = is_near
        if is_near:
            text = (
                f"{self._account}: maintenance margin takes {ratio_e8 / E8:.0%} of equity; at 100% the venue "
                "closes positions by force"
            )
            context.alert(MARGIN_NEAR, Severity.PAGE, text, key=self._account)
        else:  # also the first time: the actor before a restart may have left it behind
            context.resolve(MARGIN_NEAR, key=self._account)
