"""Secrets from environment variables: for one machine, and for whoever brings a store of their own."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from actors.secrets.port import Secret, SecretError
from actors.secrets.reference import SecretReference

__all__ = ["EnvironmentSource", "variable_name"]

NOT_IN_NAMES = re.compile(r"[^A-Z0-9]+")


def variable_name(reference: SecretReference, prefix: str) -> str:
    """Return a reference's variable: PREFIX + POLYTRADE_POLONIEX_KEY for `secret://polytrade/poloniex#key`."""
    words = f"{reference.mount}/{reference.path}/{reference.key}".upper()
    return prefix + NOT_IN_NAMES.sub("_", words)


class EnvironmentSource:
    """Reads variables. `defaults` hold where a variable is not set; they are by reference, for rehearsals."""

    def __init__(
        self, prefix: str, defaults: Mapping[str, str], variables: Mapping[str, str] | None = None
    ) -> None:
        self._prefix = prefix
        self._defaults = dict(defaults)
        self._variables = os.environ if variables is None else variables

    def fetch(self, reference: SecretReference) -> Secret:
        """See SecretSource."""
        if reference.version:
            help = "leave the version out, or choose a provider that keeps versions"
            raise SecretError(reference, "the environment keeps no versions", help)
        name = variable_name(reference, self._prefix)
        value = self._variables.get(name) or self._defaults.get(str(reference), "")
        if not value:
            state = "is empty" if name in self._variables else "is not set"
            raise SecretError(reference, f"the environment variable {name} {state}", f"export {name}=...")
        if value != value.strip() or not value.isprintable():
            reason = f"the environment variable {name} has spaces or control characters around or in it"
            raise SecretError(reference, reason, "set it without a line break or quotes")
        return Secret(value)
