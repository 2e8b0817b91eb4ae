"""Settings as they may be shown to anybody: without secrets that somebody has written as text.

The address of a webhook lets whoever knows it write there, so it is hidden like a key; references stay
readable. What is masked is still a valid value: a deployment can be made of it, one that reaches nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import inspect

from actors.deployment.generations import Generation
from actors.deployment.registry import KINDS
from actors.deployment.setting_types import FieldType, fields_of, item_type, simplified
from actors.secrets.reference import is_reference

__all__ = ["MASK", "apart", "masked_generation", "masked_settings", "masked_value"]

MASK = "***"
ANOTHER = f"{MASK} (another)"


def masked_generation(generation: Generation) -> Generation:
    """Return a generation for others to look at, or to play again."""
    canary = generation.canary
    if canary is not None:
        canary = msgspec.structs.replace(canary, wanted=_masked_document(canary.wanted))
    document = _masked_document(generation.document)
    return msgspec.structs.replace(generation, document=document, canary=canary)


def _masked_document(document: Mapping[str, Any]) -> dict[str, Any]:
    return {**document, "actors": [_masked_actor(one) for one in document["actors"]]}


def _masked_actor(one: Mapping[str, Any]) -> dict[str, Any]:
    kind = KINDS.get(one["kind"])
    settings = one["settings"] if kind is None else masked_settings(kind.settings_class, one["settings"])
    return {**one, "settings": settings}


def masked_settings(kind: type[msgspec.Struct], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings, as an operator writes them, with their secrets masked."""
    fields = fields_of(kind)
    return {
        name: masked_value(value, fields[name].type) if name in fields else value
        for name, value in values.items()
    }


def masked_value(value: Any, found: FieldType) -> Any:
    """Return one value of a setting, as an operator writes it, masked if it is a secret or holds some."""
    base = found.base
    if isinstance(value, str):
        return _masked(value) if found.extra.get("secret") else value
    if isinstance(value, list):
        return [masked_value(item, item_type(found, index)) for index, item in enumerate(value)]
    if isinstance(value, dict) and isinstance(base, inspect.StructType):
        return masked_settings(base.cls, value)
    if isinstance(value, dict) and isinstance(base, inspect.DictType):
        inner = simplified(base.value_type)
        return {name: masked_value(item, inner) for name, item in value.items()}
    return value


def _masked(text: str) -> str:
    """Keep nothing but how an address begins, without which it would be no address."""
    if not text or is_reference(text):
        return text
    scheme, mark, _ = text.partition("://")
    return f"{scheme}{mark}{MASK}" if mark else MASK


def apart(before: Any, after: Any, shown: Any) -> Any:
    """Return `shown`, which is `after` masked, with a word where a secret is another one than before."""
    if before == after or shown == after:
        return shown
    if isinstance(shown, dict):
        old = before if isinstance(before, dict) else {}
        return {name: apart(old.get(name), after[name], item) for name, item in shown.items()}
    if isinstance(shown, list):
        olds = [*(before if isinstance(before, list) else []), *[None] * len(shown)]
        return [apart(*each) for each in zip(olds, after, shown, strict=False)]
    return shown.replace(MASK, ANOTHER) if before else shown
