"""No account comes to more than the portfolio granted it: the parts never add up to more than the limits."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import Check, Denial, Rule
from actors.risk.settings import Action, RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when no limit is shared. Unit: 1e-8 USDT at the mark."""
    gross, net = settings.portfolio_gross_usdt, settings.portfolio_net_usdt
    correlated = settings.portfolio_correlated_usdt
    if not (gross or net or correlated):
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        grant = picture.state.grant
        if not grant.number:
            return Denial("the portfolio has not granted this account its part yet", picture.order_usdt, 0)
        found = _beyond(gross, grant.all_gross_usdt, grant.gross_usdt, picture.exposure_usdt_after)
        if found is None and net:
            after = picture.net_usdt_with(intent.side)
            found = _beyond(net, grant.all_net_usdt, grant.net_usdt, after)
        if found is None and correlated:
            after = picture.own_correlated_usdt_with(intent)
            found = _beyond(correlated, grant.all_correlated_usdt, grant.correlated_usdt, after)
        return found

    return check


def _beyond(limit: int, together: int, granted: int, after: int) -> Denial | None:
    if not limit:
        return None
    if together > limit:
        text = "what all accounts may come to is above the limit until each has taken a smaller part"
        return Denial(text, together, limit)
    if after > granted:
        return Denial("the account would come to more than its part of the portfolio's limit", after, granted)
    return None


RULE = Rule("portfolio_grant", make, actions=(Action.DENY, Action.SHRINK))
