"""The rules by name, and what may follow when one of them says no."""

from __future__ import annotations

from collections.abc import Mapping

from actors.risk.rules import RULES
from actors.risk.settings import Action

__all__ = ["RULE_OF", "check_actions"]

RULE_OF = {rule.name: rule for rule in RULES}


def check_actions(actions: Mapping[str, Action]) -> None:
    """Refuse an action that makes no sense for its rule. Errors: ValueError."""
    for name, action in actions.items():
        rule = RULE_OF.get(name)
        if rule is None:
            raise ValueError(f"actions: there is no rule {name!r}; there are: {', '.join(sorted(RULE_OF))}")
        if action not in rule.actions:
            allowed = ", ".join(one.value for one in rule.actions)
            raise ValueError(f"actions: {name} cannot {action.value}; it can: {allowed}")
