"""Limits that people change in a running node: what is tighter, what is allowed, what holds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect, structs

from actors.messages.limits import ChangeLimit
from actors.risk.settings import RiskSettings, StrategyLimits, SymbolLimits
from actors.risk.state import Override
from actors.risk.table import RULE_OF

__all__ = ["change_fault", "effective", "limit_name", "looser", "near", "value_of"]

GROUPS: dict[str, type[msgspec.Struct]] = {"symbols": SymbolLimits, "strategies": StrategyLimits}
UNLIMITED = 1 << 100
# They widen what may happen, too, but only a file says them: a timer may be under way by the old ones.
ONLY_IN_FILES = frozenset({"venue_silence_max", "feed_silence_max"})


@cache
def _directions(kind: type[msgspec.Struct]) -> dict[str, str]:
    """Return for each limit which change loosens it: raise or lower."""
    info = inspect.type_info(kind)
    found = {}
    for one in getattr(info, "fields", ()):
        inner, risk = one.type, ""
        while isinstance(inner, inspect.Metadata):
            risk = risk or (inner.extra or {}).get("risk", "")
            inner = inner.type
        is_number = not isinstance(inner, inspect.BoolType | inspect.LiteralType)
        if risk and is_number and one.name not in ONLY_IN_FILES:
            found[one.name] = risk
    return found


def limit_name(name: str, settings: RiskSettings, symbols: Mapping[str, Any]) -> str:
    """Return the full name of a limit; a rule's own name will do where it has one. Errors: ValueError."""
    rule = RULE_OF.get(name)
    if rule is not None and rule.limits and rule.limits[0] in _directions(RiskSettings):
        return rule.limits[0]
    if name in _directions(RiskSettings):
        return name
    group, _, rest = name.partition(".")
    owner, _, field = rest.rpartition(".")
    if group in GROUPS and field in _directions(GROUPS[group]):
        if group == "symbols" and owner not in symbols:
            raise ValueError(f"{owner!r} is not among this deployment's symbols")
        if owner:
            return name
    raise ValueError(
        f"{name!r} is no limit; write a setting such as max_open_orders, "
        f"symbols.<symbol>.<setting> or strategies.<address>.<setting>"
    )


def _loose(name: str, value: int | None) -> int:
    """Return a number that is the larger the looser the limit is."""
    field = name.rpartition(".")[2]
    kinds: tuple[type[msgspec.Struct], ...] = (RiskSettings, SymbolLimits, StrategyLimits)
    risk = next(found[field] for found in map(_directions, kinds) if field in found)
    if risk == "lower":
        return -(value or 0)
    return value or UNLIMITED


def looser(name: str, first: int, second: int) -> bool:
    """Tell whether the first value of a limit is looser than the second; 0 turns most limits off."""
    return _loose(name, first) > _loose(name, second)


def value_of(settings: RiskSettings, name: str) -> int:
    """Return a limit's value; a symbol without its own has the account's."""
    group, _, rest = name.partition(".")
    owner, _, field = rest.rpartition(".")
    if not field:
        return int(getattr(settings, name))
    if group == "strategies":
        return int(getattr(settings.strategies.get(owner, StrategyLimits()), field))
    own = getattr(settings.symbols.get(owner), field, None)
    return int(getattr(settings, field) if own is None else own)


def _with(settings: RiskSettings, name: str, value: int) -> RiskSettings:
    group, _, rest = name.partition(".")
    owner, _, field = rest.rpartition(".")
    if not field:
        return structs.replace(settings, **{name: value})
    groups: dict[str, Any] = dict(getattr(settings, group))
    groups[owner] = structs.replace(groups.get(owner, GROUPS[group]()), **{field: value})
    return structs.replace(settings, **{group: groups})


def _tightened(settings: RiskSettings, name: str, value: int) -> RiskSettings:
    if looser(name, value_of(settings, name), value):
        settings = _with(settings, name, value)
    if "." not in name:
        for symbol, own in settings.symbols.items():
            current = getattr(own, name, None)
            if current is not None and looser(name, current, value):
                settings = _with(settings, f"symbols.{symbol}.{name}", value)
    return settings


def effective(
    settings: RiskSettings, tightened: Mapping[str, Override], loosened: Mapping[str, Override]
) -> RiskSettings:
    """Return the limits in force: the tighter of file and change, unless a loosening is in force."""
    found = settings
    for name, override in tightened.items():
        found = _tightened(found, name, override.value)
    for name, override in loosened.items():
        if looser(name, override.value, value_of(found, name)):
            found = _with(found, name, override.value)
    return found


def change_fault(change: ChangeLimit, name: str, current: int, file: int, now_ns: int) -> str:
    """Return why a change cannot be made; empty when it can. current: the value in force."""
    if not change.actor or not change.reason.strip():
        return "a change of a limit needs to say who wants it and why"
    if change.until_ns and change.until_ns <= now_ns:
        return "the end of the change lies in the past"
    if change.value < 0:
        return f"{name} cannot be less than 0"
    if change.loosens:
        if not looser(name, change.value, current):
            return f"that does not loosen {name}; tighten it instead"
        if not change.until_ns and not change.approves and looser(name, change.value, file):
            return "a loosening beyond what the file says needs an end: say until when"
        return ""
    if looser(name, change.value, current):
        return f"that would loosen {name}; a loosening is another command, with an end and, maybe, approval"
    return ""


def checked(settings: RiskSettings, name: str, value: int) -> str:
    """Return why a value cannot stand in a setting; empty when it can."""
    try:
        msgspec.convert(msgspec.to_builtins(_with(settings, name, value)), RiskSettings)
    except (msgspec.ValidationError, ValueError) as error:
        return str(error)
    return ""


def near(settings: RiskSettings) -> RiskSettings:
    """Return the settings with every limit at the part of itself at which somebody is warned."""
    part = settings.warn_at

    def scaled(kind: type[msgspec.Struct], found: Any) -> dict[str, int]:
        values = {name: getattr(found, name) for name, risk in _directions(kind).items() if risk == "raise"}
        return {name: max(1, value * part // 100_000_000) for name, value in values.items() if value}

    symbols = {
        name: structs.replace(own, **scaled(SymbolLimits, own)) for name, own in settings.symbols.items()
    }
    strategies = {
        name: structs.replace(own, **scaled(StrategyLimits, own)) for name, own in settings.strategies.items()
    }
    return structs.replace(settings, **scaled(RiskSettings, settings), symbols=symbols, strategies=strategies)
