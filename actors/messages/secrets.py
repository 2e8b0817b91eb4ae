"""What is said about secrets: references and versions, never a value."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["LookForSecrets", "SecretsAdopted", "SecretsOffered", "SecretsRefused"]


class LookForSecrets(Message, frozen=True):
    """Order: ask the store now, and offer also what was refused before."""


class SecretsOffered(Message, frozen=True):
    """Newer versions are at hand, `secret://...#key@version` each; who uses such a secret may try them."""

    references: tuple[str, ...]


class SecretsAdopted(Message, frozen=True):
    """The far side takes these versions; they are in use from this turn on."""

    references: tuple[str, ...]


class SecretsRefused(Message, frozen=True):
    """The far side does not take these versions; those before stay in use."""

    references: tuple[str, ...]
    reason: str
