"""The plain view: a line about every second, for logs, pipes and CI; fewer facts than the screen."""

from __future__ import annotations

from typing import Any

from actors.cli.alerts_shown import care_of
from actors.cli.shown import clock_time, money, signed_money

__all__ = ["PlainLines"]


class PlainLines:
    """Turns views into lines; what happened only once gets a line of its own."""

    def __init__(self) -> None:
        self._before: dict[str, Any] = {}
        self._at_ns = 0

    def lines(self, view: dict[str, Any]) -> list[str]:
        """Return the lines of a view; none when it is the one before."""
        if view["at_ns"] == self._at_ns:
            return []
        self._at_ns = view["at_ns"]
        news = self._news(view)
        self._before = view
        return [*news, self._line(view)]

    def _line(self, view: dict[str, Any]) -> str:
        totals, journal = view["totals"], view["journal"]
        state = "ready" if view["ready"] else f"starting ({view['phase']})"
        return (
            f"{clock_time(view['at_ns'])} {state}  orders {totals['orders']}  fills {totals['fills']}  "
            f"denied {totals['denials']}  open {view['orders_live']}  positions {len(view['positions'])}  "
            f"equity {money(totals['equity_usdt'])} ({signed_money(totals['profit_usdt'])})  "
            f"restarts {view['restarts']}  journal {journal['sequence']} "
            f"({journal['events_per_s']:g}/s, {journal['commit_ms']:.1f} ms)"
        )

    def _news(self, view: dict[str, Any]) -> list[str]:
        at, before = clock_time(view["at_ns"]), self._before
        found = []
        known = {actor["address"]: actor for actor in before.get("actors", ())}
        for actor in view["actors"]:
            old = known.get(actor["address"])
            if old is not None and actor["restarts"] > old["restarts"]:
                error = f" after {actor['last_error']}" if actor["last_error"] else ""
                found.append(f"{at} restarted: {actor['address']}{error}")
        for name, text in (("alerts", "summary"), ("halts", "scope")):
            old_ones = [_identity(one) for one in before.get(name, ())]
            for one in view[name]:
                if _identity(one) not in old_ones:
                    more = care_of(one) if one.get("acknowledged_by") else one.get("reason", "")
                    found.append(f"{at} {name[:-1]}: {one.get(text)} {more}".rstrip())
        return found


def _identity(found: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(found.get(name) for name in ("name", "key", "scope", "actor", "level", "acknowledged_by"))
