"""Whether two names are one person's."""

from __future__ import annotations

__all__ = ["same_person"]


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are meant for one person: `Ann` and ` ann` are."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
