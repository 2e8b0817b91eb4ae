"""Nothing opens in a symbol whose position risk is closing, or has closed a moment ago."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: ns since the close was ordered."""
    own = (settings.stop_loss, settings.take_profit, settings.max_holding)
    by_symbol = ((one.stop_loss, one.take_profit, one.max_holding) for one in settings.symbols.values())
    if not any(own) and not any(any(found) for found in by_symbol):
        return None
    pause_ns = settings.exit_pause

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        exited_ns = picture.state.exits.get(intent.symbol)
        if exited_ns is None:
            return None
        since_ns = picture.now_ns - exited_ns
        if since_ns >= pause_ns and not picture.book.net_contracts:
            return None
        return Denial("risk closes the position, or has just closed it", since_ns, pause_ns)

    return check


RULE = Rule("exit_pause", make, limits=("exit_pause",), scope=Scope.SYMBOL)
