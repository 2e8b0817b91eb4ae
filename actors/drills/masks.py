"""Secrets out of a drill's record: every text of it, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from actors.drills.stage import stage_of

__all__ = ["MASK", "Masks"]

MASK = "***"
LETTERS_MIN = 5  # what is shorter stands in too many words to be told from them
TELLING = ("secret", "token", "passphrase", "password", "key")


class Masks:
    """Texts that must not be written down."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: list[str] = []
        self._add(secrets)

    def learn(
        self,
        configuration: Mapping[str, Any] | None,
        secrets: Any,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Add those of an experiment: its `secrets`, the stage's, variables with a telling name."""
        found = list(_texts(secrets))
        if configuration and configuration.get("stage"):
            stage = stage_of(configuration)
            found += [stage.key, stage.secret, stage.vault_token]
            environment = {**(environment or {}), **stage.environment}
        self._add([*found, *(text for name, text in (environment or {}).items() if _is_telling(name))])

    def _add(self, secrets: Iterable[str]) -> None:
        """Keep the longest first: one may be part of another."""
        more = {one for one in secrets if len(one) >= LETTERS_MIN}
        self._secrets = sorted({*self._secrets, *more}, key=len, reverse=True)

    def cleaned(self, value: Any) -> Any:
        """Return a value of a JSON document without them."""
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, MASK)
            return value
        if isinstance(value, Mapping):
            return {self.cleaned(name): self.cleaned(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.cleaned(inner) for inner in value]
        return value


def _is_telling(name: str) -> bool:
    return any(word in name.lower() for word in TELLING)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
