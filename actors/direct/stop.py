"""Stops accounts side by side, each on a line of its own, and says what their venues showed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from actors.direct.account import FUTURES, SIMULATED, AccountPlan, Shown, Wish
from actors.direct.driver import Driver, OutOfTime, Times, Wire
from actors.direct.futures import stop_futures
from actors.direct.spot import stop_spot
from actors.messages.control import HaltLevel
from actors.poloniex.decoding import Malformed
from actors.venue.errors import VenueError
from actors.venue.poloniex.credentials import Credentials

__all__ = ["Stopping", "proof_text"]

JOIN_GRACE_S = 1.0  # a request under way may last as long as its time-out, and no longer


class Stopping:
    """The stopping of some accounts. `widen` when it is known that their node sends nothing any more."""

    def __init__(
        self,
        plans: Sequence[AccountPlan],
        credentials: Mapping[str, Credentials],
        wish: Wish,
        make_wire: Callable[[], Wire],
        times: Times,
        began_ns: int,
    ) -> None:
        self.shown = {plan.account: Shown(plan.account) for plan in plans}
        self._plans = [plan for plan in plans if plan.kind != SIMULATED]
        self._wish = wish
        self._times = times
        self._began_ns = began_ns
        self._drivers = {
            plan.account: Driver(
                plan, credentials[plan.account], make_wire(), times, self.shown[plan.account], began_ns
            )
            for plan in self._plans
        }
        for plan in plans:
            if plan.kind == SIMULATED:
                self._at_rest_already(self.shown[plan.account])

    def _at_rest_already(self, shown: Shown) -> None:
        """A simulated venue lives in the node: there is nothing outside that could be stopped or asked."""
        shown.fault = "its venue lives in the node: the latch alone holds it"
        shown.proven = True

    def widen(self) -> None:
        """Use the whole budget of the deployment from now on."""
        for driver in self._drivers.values():
            driver.widen()

    def run(self, within_ns: int) -> bool:
        """Stop all accounts, within a time; return whether every venue showed that it is done."""
        if self._wish.level >= HaltLevel.CANCEL_ALL:
            deadline_ns = self._began_ns + within_ns
            threads = [
                threading.Thread(target=self._stop, args=(p, deadline_ns), daemon=True) for p in self._plans
            ]
            for thread in threads:
                thread.start()
            for thread, plan in zip(threads, self._plans, strict=True):
                left_ns = deadline_ns - self._times.monotonic_ns()
                thread.join(max(0.0, left_ns / 1e9) + plan.request_timeout_ns / 1e9 + JOIN_GRACE_S)
        return all(one.proven for one in self.shown.values())

    def _stop(self, plan: AccountPlan, deadline_ns: int) -> None:
        shown = self.shown[plan.account]
        steps = (stop_futures if plan.kind == FUTURES else stop_spot)(plan, self._wish, shown)
        try:
            self._drivers[plan.account].run(steps, deadline_ns)
        except OutOfTime:
            shown.fault = f"the time is over; last: {shown.fault or 'the venue still shows something'}"
        except (VenueError, Malformed) as error:
            shown.fault = str(error)
        else:
            shown.proven, shown.fault = True, ""
        shown.ended_ns = self._times.monotonic_ns() - self._began_ns


def proof_text(shown: Shown, level: HaltLevel) -> str:
    """Return in a line what an account's venue showed."""
    if not shown.looks_count:
        return f"{shown.account}: nothing was shown: {shown.fault or 'no answer'}"
    what = [f"orders {len(shown.orders)}", f"canceled {shown.canceled_count}"]
    what.append("positions " + (_listed(shown.positions) or "0"))
    if level >= HaltLevel.FLATTEN and shown.positions_before:
        what.append("before: " + _listed(shown.positions_before))
    end = "shown twice by the venue" if shown.proven else f"NOT PROVEN: {shown.fault}"
    return f"{shown.account}: {'; '.join(what)}; {end}, after {shown.looks_count} looks"


def _listed(positions: Mapping[str, str]) -> str:
    return ", ".join(f"{symbol} {held}" for symbol, held in sorted(positions.items()))
