"""Secrets from Vault over its HTTP API, by hvac: log in, read KV version 2, keep the token alive.

Source: the HTTP API reference of Vault 1.15 (AppRole, Kubernetes, wrapping, KV v2). All of it blocks.
"""

from __future__ import annotations

import threading
from typing import Any

from actors.runtime.clock import Clock, SystemClock
from actors.secrets.port import Secret, SecretError, Trouble
from actors.secrets.reference import SecretReference
from actors.secrets.settings import VaultSettings
from actors.secrets.vault_login import Grant, VaultLogin
from actors.secrets.vault_trouble import VaultTrouble, told

__all__ = ["VaultSource"]


class VaultSource:
    """Reads one server. It may be forked: each process makes its own connection with the same token."""

    def __init__(self, settings: VaultSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._login = VaultLogin(settings)
        self._grant: Grant | None = None
        self._lock = threading.Lock()

    def fetch(self, reference: SecretReference) -> Secret:
        """See SecretSource. A refusal is believed after a new login only: an expired token looks the same."""
        with self._lock:
            try:
                return self._fetched(reference)
            except VaultTrouble as trouble:
                raise SecretError(reference, trouble.reason, trouble.help, trouble.kind) from None

    def keep(self) -> None:
        """Renew the token when a third of its time is left, or log in anew. Errors: VaultTrouble."""
        with self._lock:
            grant = self._grant
            if grant is None or self._clock.now_ns() >= grant.expires_ns:
                self._log_in()
            elif self._clock.now_ns() >= grant.renew_ns:
                self._renew(grant)

    def client(self) -> Any:
        """Return a logged-in hvac client, for what is not a secret (signing). Errors: VaultTrouble."""
        with self._lock:
            self._log_in_if_needed()
            return self._login.client()

    def _fetched(self, reference: SecretReference) -> Secret:
        is_fresh = self._log_in_if_needed()
        try:
            return self._read(reference)
        except VaultTrouble as trouble:
            if trouble.kind != Trouble.DENIED or is_fresh:
                raise
        self._log_in()
        return self._read(reference)

    def _read(self, reference: SecretReference) -> Secret:
        kv = self._login.client().secrets.kv.v2
        try:
            answer = kv.read_secret_version(
                path=reference.path,
                mount_point=reference.mount,
                version=reference.version or None,
                raise_on_deleted_version=True,
            )
            data, version = answer["data"]["data"], int(answer["data"]["metadata"]["version"])
        except Exception as error:
            raise told(error, f"{reference.mount}/data/{reference.path}") from None
        value = data.get(reference.key)
        if not isinstance(value, str) or not value:
            has = ", ".join(sorted(data)) or "nothing"
            state = "is no text" if reference.key in data else "is not there"
            reason = (
                f"version {version} of {reference.mount}/{reference.path} has no value for it: it {state}"
            )
            raise VaultTrouble(Trouble.ABSENT, reason, f"the keys there are: {has}")
        return Secret(value, version, self._settings.cache_for)

    # -- the token ------------------------------------------------------------------------------------

    def _log_in_if_needed(self) -> bool:
        """Return True when the login is new."""
        if self._grant is not None and self._clock.now_ns() < self._grant.expires_ns:
            return False
        self._log_in()
        return True

    def _log_in(self) -> None:
        self._grant = None
        self._grant = self._login.log_in(self._clock.now_ns())

    def _renew(self, grant: Grant) -> None:
        """A token that cannot be renewed, or not as long as before, is replaced by a new one."""
        renewed = self._login.renew(self._clock.now_ns()) if grant.is_renewable else None
        if renewed is None or renewed.ttl_ns < grant.ttl_ns // 2:
            self._log_in()
        else:
            self._grant = renewed

    def __repr__(self) -> str:
        return f"VaultSource({self._settings.address or 'VAULT_ADDR'})"
