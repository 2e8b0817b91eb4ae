"""What an operator may write about an actor: one frozen struct per kind, with formats for text values.

The deployment loader turns YAML text into these fields and generates the JSON Schema from them, so the
annotation is the single place where unit, bounds, help and reload class are said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

__all__ = ["E8", "Duration", "Reload", "Settings", "setting"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parent of all settings classes. Every field has a safe default or is required on purpose."""


# In code an int of nanoseconds; in YAML `250ms`, `5s`, `1m`, `8h`, `1d`.
Duration = Annotated[int, Meta(extra={"format": "duration"})]

# In code an int of 1e-8; in YAML decimal text or an integer: `"500"`, `"0.01"`. Never a float.
E8 = Annotated[int, Meta(extra={"format": "e8"})]


class Reload:
    """How a changed setting reaches a running actor."""

    LIVE = "live"  # between two turns
    RESTART = "restart"  # by rebuilding the behaviour
    START = "start"  # only with the next start of the node
    FIXED = "fixed"  # only with a new journal
    NONE = "none"  # no node reads it: files for others are made from it


def setting(
    help: str,
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    reload: str = Reload.RESTART,
    risk: str = "",
    examples: tuple[Any, ...] = (),
    pattern: str | None = None,
    secret: bool = False,
    plain: bool = False,
    optional: bool = False,
    off_at_zero: bool = False,
    ascending: tuple[str, ...] = (),
) -> Meta:
    """Return the annotation of one setting; use as `Annotated[Duration, setting("...")]`.

    minimum and maximum are in the unit the code sees (ns, 1e-8). risk says which direction of change loosens
    a limit: "raise" or "lower", empty when neither does. A secret is written as a reference, never as text,
    unless it may be plain. An optional limit need not be written down for live trading. With off_at_zero, 0
    is no limit at all.
    ascending: the choices from the lowest to the highest, where risk speaks of a choice.
    """
    options: dict[str, Any] = {"ge": minimum, "le": maximum, "pattern": pattern}
    options = {name: bound for name, bound in options.items() if bound is not None}
    options["examples"] = list(examples) or None
    options["extra"] = {"reload": reload, "risk": risk, **({"secret": True} if secret else {})}
    if plain:
        options["extra"]["plain"] = True
    if optional:
        options["extra"]["optional"] = True
    if off_at_zero:
        options["extra"]["off_at_zero"] = True
    if ascending:
        options["extra"]["ascending"] = ascending
    make: Callable[..., Meta] = Meta
    return make(description=help, **options)
