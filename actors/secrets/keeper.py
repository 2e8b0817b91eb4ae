"""Hands every actor the values behind its own references, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from actors.secrets.port import Secret, SecretError, SecretSource
from actors.secrets.reference import parse_reference

__all__ = ["SecretKeeper"]


class SecretKeeper:
    """Values by reference, asked for once for all; an actor gets them anew whenever it is made."""

    def __init__(self, source: SecretSource, references: Mapping[str, Iterable[str]]) -> None:
        self._source = source
        self._references = {address: tuple(texts) for address, texts in references.items()}
        self._held: dict[str, Secret] = {}

    def fetch(self) -> list[SecretError]:
        """Ask for every reference; return what could not be had. What could be before stays as it was."""
        errors = []
        for text in sorted({text for texts in self._references.values() for text in texts}):
            reference = parse_reference(text)
            if reference is None:
                raise ValueError(f"no reference to a secret: {text!r}")
            try:
                self._held[text] = self._source.fetch(reference)
            except SecretError as error:
                errors.append(error)
        return errors

    def values_of(self, address: str) -> dict[str, str]:
        """Return what one actor may know, by the references in its settings."""
        texts = self._references.get(address, ())
        return {text: self._held[text].value for text in texts if text in self._held}

    def __repr__(self) -> str:
        return f"SecretKeeper({len(self._held)} held)"
