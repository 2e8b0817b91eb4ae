"""While a halt is in force in a scope that the order belongs to, only reductions pass."""

from __future__ import annotations

from actors.messages.control import HaltLevel
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check; it is never off. Unit: HaltLevel; 0 is none."""

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        if not (picture.halt_level or picture.market.halt_level or picture.strategy_halts):
            return None
        levels = picture.halt_level, picture.market.halt_level, picture.strategy_halts.get(intent.strategy, 0)
        level = max(levels)
        if not level:
            return None
        return Denial(f"halted ({HaltLevel(level).name}); only reductions pass until resumed", level, 0)

    return check


RULE = Rule("halted", make)
