"""The port every provider of secrets fills: a reference in; a value out, or an error with its remedy."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn, Protocol

from actors.secrets.reference import SecretReference

__all__ = ["Secret", "SecretError", "SecretSource", "Trouble"]


@dataclass(frozen=True, slots=True)
class Secret:
    """One value. Text made of it, by whatever way, does not show the value; it cannot be pickled."""

    value: str = field(repr=False)
    version: int = 0  # that was given out; 0 when the store does not count
    lease_ns: int = 0  # it should be asked for again within this time; 0: it does not run out

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets are not to be copied or stored")


class Trouble(StrEnum):
    """Why there is no value."""

    ABSENT = "absent"  # the store answers, and has no such value
    DENIED = "denied"  # the store answers, and does not give it to us
    UNREACHABLE = "unreachable"  # nobody answers, or not in time
    SEALED = "sealed"  # the store is there and cannot read itself
    FAILING = "failing"  # the store answers with an error of its own


class SecretError(Exception):
    """There is no value. `may_pass`: the store could not be asked, so it may be there a little later."""

    def __init__(
        self, reference: SecretReference, reason: str, help: str, trouble: Trouble = Trouble.ABSENT
    ) -> None:
        super().__init__(f"{reference}: {reason}")
        self.reference = reference
        self.reason = reason
        self.help = help
        self.trouble = trouble

    @property
    def may_pass(self) -> bool:
        """Tell whether the store's word is still to come: only what it says counts against a value."""
        return self.trouble in (Trouble.UNREACHABLE, Trouble.SEALED, Trouble.FAILING)


class SecretSource(Protocol):
    """A place that holds secrets."""

    def fetch(self, reference: SecretReference) -> Secret:
        """Return the value as it is now; it may block, so never call it from a node's loop.

        Errors: SecretError.
        """
        ...
