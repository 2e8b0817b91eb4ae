"""Hands every actor the values behind its own references, and nobody else's."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping

from actors.secrets.desk import Failed, Seen
from actors.secrets.port import Secret, SecretError, SecretSource, Trouble
from actors.secrets.reference import SecretReference, parse_reference, unversioned

__all__ = ["SecretKeeper"]


class SecretKeeper:
    """Values by reference. What the store has anew is held beside what is in use until `take`."""

    def __init__(self, source: SecretSource, references: Mapping[str, Iterable[str]]) -> None:
        self.source = source
        self._references = {address: tuple(texts) for address, texts in references.items()}
        self._held: dict[str, Secret] = {}
        self._offered: dict[str, Secret] = {}
        self._lock = threading.Lock()

    def fetch(self) -> list[SecretError]:
        """Ask for every reference; return what could not be had. What could be before stays as it was."""
        errors = []
        for text, reference in self._all():
            try:
                self._held[text] = self.source.fetch(reference)
            except SecretError as error:
                errors.append(error)
        return errors

    def extend(self, references: Mapping[str, Iterable[str]]) -> list[SecretError]:
        """Look after these actors' references from now on; return what of them could not be had.

        When something could not, everything stays as it was. Blocks as long as the store does.
        """
        wanted = {address: tuple(texts) for address, texts in references.items()}
        new = {text for texts in wanted.values() for text in texts} - self._held.keys()
        found: dict[str, Secret] = {}
        errors = []
        for text, reference in _parsed(new):
            try:
                found[text] = self.source.fetch(reference)
            except SecretError as error:
                errors.append(error)
        if not errors:
            with self._lock:
                self._held |= found
                self._references |= wanted
        return errors

    def look(self) -> tuple[tuple[Seen, ...], tuple[Failed, ...]]:
        """Ask again for every reference, from whatever thread; what is new is offered, not yet used.

        Once the store has not answered it is not asked for the rest: that would only take as long again.
        """
        seen: list[Seen] = []
        failed: list[Failed] = []
        for text, reference in self._all():
            if failed and failed[-1].trouble == Trouble.UNREACHABLE:
                failed.append(Failed(text, failed[-1].trouble, failed[-1].reason))
                continue
            try:
                secret = self.source.fetch(reference)
            except SecretError as error:
                failed.append(Failed(text, error.trouble, error.reason))
                continue
            with self._lock:
                held = self._held.setdefault(text, secret)
                if secret.version != held.version:
                    self._offered[text] = secret
            seen.append(Seen(text, secret.version, held.version, secret.lease_ns))
        return tuple(seen), tuple(failed)

    def take(self, references: Iterable[str]) -> None:
        """Use offered versions from now on, for actors that are made anew too."""
        with self._lock:
            for text in references:
                base, version = unversioned(text)
                offered = self._offered.get(base)
                if offered is not None and offered.version == version:
                    self._held[base] = self._offered.pop(base)

    def values_of(self, address: str) -> Mapping[str, str]:
        """Return what one actor may know: by its references, and of each by `...@version` what is at hand."""
        return _Values(self, self._references.get(address, ()))

    def find(self, text: str) -> Secret | None:
        """Return what is in use, or the version that the text names when it is at hand."""
        with self._lock:
            if text in self._held:
                return self._held[text]
            base, version = unversioned(text)
            found = (self._offered.get(base), self._held.get(base))
        return next((one for one in found if one is not None and one.version == version), None)

    def _all(self) -> Iterator[tuple[str, SecretReference]]:
        return _parsed({text for texts in self._references.values() for text in texts})

    def __repr__(self) -> str:
        return f"SecretKeeper({len(self._held)} held)"


def _parsed(texts: Iterable[str]) -> Iterator[tuple[str, SecretReference]]:
    for text in sorted(texts):
        reference = parse_reference(text)
        if reference is None:
            raise ValueError(f"no reference to a secret: {text!r}")
        yield text, reference


class _Values(Mapping[str, str]):
    """A view on the keeper through the references of one actor."""

    __slots__ = ("_keeper", "_texts")

    def __init__(self, keeper: SecretKeeper, texts: tuple[str, ...]) -> None:
        self._keeper = keeper
        self._texts = texts

    def __getitem__(self, text: str) -> str:
        if text in self._texts or unversioned(text)[0] in self._texts:
            found = self._keeper.find(text)
            if found is not None:
                return found.value
        raise KeyError(text)

    def __iter__(self) -> Iterator[str]:
        return (text for text in dict.fromkeys(self._texts) if self._keeper.find(text) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"{len(self)} secrets"
