"""The port every provider of secrets fills: a reference in; a value out, or an error with its remedy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from actors.secrets.reference import SecretReference

__all__ = ["Secret", "SecretError", "SecretSource"]


@dataclass(frozen=True, slots=True)
class Secret:
    """One value. Text made of it, by whatever way, does not show the value; it cannot be pickled."""

    value: str = field(repr=False)
    version: int = 0  # that was given out; 0 when the store does not count
    lease_ns: int = 0  # it should be asked for again within this time; 0: it does not run out

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets are not to be copied or stored")


class SecretError(Exception):
    """There is no value. `may_pass`: the store could not be asked, so it may be there a little later."""

    def __init__(self, reference: SecretReference, reason: str, help: str, *, may_pass: bool = False) -> None:
        super().__init__(f"{reference}: {reason}")
        self.reference = reference
        self.reason = reason
        self.help = help
        self.may_pass = may_pass


class SecretSource(Protocol):
    """A place that holds secrets."""

    def fetch(self, reference: SecretReference) -> Secret:
        """Return the value as it is now; it may block, so never call it from a node's loop.

        Errors: SecretError.
        """
        ...
