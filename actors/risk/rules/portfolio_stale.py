"""Where a limit of the portfolio is on, its figures must be young."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: ns."""
    on = (
        *(settings.portfolio_gross_usdt, settings.portfolio_net_usdt),
        *(settings.portfolio_loss_usdt, settings.portfolio_correlated_usdt),
    )
    if not any(on):
        return None
    limit = settings.portfolio_age_max

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        others = picture.others
        if not others.at_ns:
            return Denial("the portfolio has not spoken yet", picture.now_ns, limit)
        age_ns = picture.now_ns - others.at_ns
        if age_ns > limit:
            return Denial("the portfolio's figures are old", age_ns, limit)
        return None

    return check


RULE = Rule("portfolio_stale", make, limits=("portfolio_age_max",))
