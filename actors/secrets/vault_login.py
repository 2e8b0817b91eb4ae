"""Saying who we are to Vault: AppRole (with a wrapped secret id), Kubernetes, or a ready token."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.secrets.port import Trouble
from actors.secrets.settings import VaultSettings
from actors.secrets.vault_trouble import VaultTrouble, told

__all__ = ["CREDENTIAL_VARIABLE", "Grant", "VaultLogin"]

SECOND_NS = 1_000_000_000
FOR_EVER_NS = 1 << 62
ADDRESS_VARIABLE = "VAULT_ADDR"
CREDENTIAL_VARIABLE = "POLYTRADE_VAULT_CREDENTIAL"
POD_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"


@dataclass(frozen=True, slots=True)
class Grant:
    """How long a login lasts. A token is renewed when a third of its time is left."""

    granted_ns: int
    ttl_ns: int  # 0: for ever
    is_renewable: bool

    @property
    def expires_ns(self) -> int:
        """When the token is worth nothing any more."""
        return self.granted_ns + self.ttl_ns if self.ttl_ns else FOR_EVER_NS

    @property
    def renew_ns(self) -> int:
        """When it should be renewed."""
        return self.granted_ns + self.ttl_ns * 2 // 3 if self.ttl_ns else FOR_EVER_NS


class VaultLogin:
    """One identity at one server; makes the connection anew in a forked process."""

    def __init__(self, settings: VaultSettings) -> None:
        self._settings = settings
        self._secret_id = ""  # what was unwrapped; a wrapping opens once, so it is kept for the next login
        self._token = ""
        self._client: Any = None
        self._pid = 0

    def client(self) -> Any:
        """Return an hvac client of this process with the token of the last login."""
        if self._client is None or self._pid != os.getpid():
            self._client = self._connected()
            self._pid = os.getpid()
        self._client.token = self._token or None
        return self._client

    def log_in(self, now_ns: int) -> Grant:
        """Get a token. Errors: VaultTrouble."""
        settings, credential = self._settings, self._credential()
        mount = settings.auth_mount or settings.auth
        self._token = ""
        auth = self.client().auth
        try:
            if settings.auth == "token":
                return self._ready_token(credential, now_ns)
            if settings.auth == "kubernetes":
                answer = auth.kubernetes.login(
                    role=settings.role, jwt=credential, use_token=False, mount_point=mount
                )
            else:
                answer = auth.approle.login(
                    role_id=settings.role, secret_id=credential, use_token=False, mount_point=mount
                )
            found = answer["auth"]
            self._token = str(found["client_token"])
            return Grant(now_ns, int(found["lease_duration"]) * SECOND_NS, bool(found["renewable"]))
        except Exception as error:
            raise self._refused(error, mount) from None

    def renew(self, now_ns: int) -> Grant | None:
        """Renew the token; None when it cannot be. Errors: VaultTrouble when nobody answers."""
        try:
            found = self.client().auth.token.renew_self()["auth"]
        except Exception as error:
            trouble = told(error, "auth/token/renew-self")
            if trouble.kind in (Trouble.UNREACHABLE, Trouble.SEALED):
                raise trouble from None
            return None
        return Grant(now_ns, int(found["lease_duration"]) * SECOND_NS, bool(found["renewable"]))

    def _connected(self) -> Any:
        try:
            import hvac
        except ImportError:
            help = "pip install 'polytrade[vault]'"
            raise VaultTrouble(Trouble.ABSENT, "hvac is not installed", help) from None
        settings = self._settings
        address = settings.address or os.environ.get(ADDRESS_VARIABLE, "")
        if not address:
            help = f"set secrets.vault.address, or export {ADDRESS_VARIABLE}=..."
            raise VaultTrouble(Trouble.ABSENT, "no address of a Vault is given", help)
        if settings.ca_file and not Path(settings.ca_file).is_file():
            raise VaultTrouble(Trouble.ABSENT, f"there is no file {settings.ca_file}", "mend vault.ca_file")
        # An empty token keeps hvac from taking one out of the environment or a file of the user's.
        return hvac.Client(
            url=address,
            token="",
            verify=settings.ca_file or True,
            timeout=settings.timeout / SECOND_NS,
            namespace=settings.namespace or None,
            allow_redirects=False,
        )

    def _ready_token(self, credential: str, now_ns: int) -> Grant:
        self._token = credential
        data = self.client().auth.token.lookup_self()["data"]
        return Grant(now_ns, int(data["ttl"]) * SECOND_NS, bool(data["renewable"]))

    def _refused(self, error: Exception, mount: str) -> VaultTrouble:
        """A login that the server refuses is no missing value: it is us that it does not know."""
        import hvac.exceptions as vault

        refused = vault.InvalidRequest | vault.Forbidden | vault.Unauthorized | vault.InvalidPath
        if isinstance(error, refused):
            self._secret_id = ""  # revoked or used up; a new one may lie in the file
            reason = f"Vault refuses our login at auth/{mount}"
            help = f"see whether vault.role is right and {self._credential_place()} holds a fresh credential"
            return VaultTrouble(Trouble.DENIED, reason, help)
        return told(error, f"auth/{mount}/login")

    # -- what we show ----------------------------------------------------------------------------------

    def _credential_place(self) -> str:
        if self._settings.credential_file:
            return self._settings.credential_file
        return POD_TOKEN if self._settings.auth == "kubernetes" else f"the variable {CREDENTIAL_VARIABLE}"

    def _credential(self) -> str:
        if self._secret_id:
            return self._secret_id
        settings = self._settings
        path = settings.credential_file or (POD_TOKEN if settings.auth == "kubernetes" else "")
        if path:
            try:
                text = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}"
                raise VaultTrouble(Trouble.ABSENT, reason, "put our credential for Vault there") from None
        else:
            text = os.environ.get(CREDENTIAL_VARIABLE, "").strip()
        if not text:
            help = f"put it into {self._credential_place()}"
            raise VaultTrouble(Trouble.ABSENT, "our credential for Vault is missing", help)
        if settings.auth == "approle" and settings.wrapped:
            self._secret_id = self._unwrapped(text)
            return self._secret_id
        return text

    def _unwrapped(self, token: str) -> str:
        """Open a wrapping after a look at where it comes from: one that was opened before was stolen."""
        import hvac.exceptions as vault

        place = self._credential_place()
        mount = self._settings.auth_mount or "approle"
        self._token = ""
        try:
            path = str(
                self.client().adapter.post("/v1/sys/wrapping/lookup", json={"token": token})["data"][
                    "creation_path"
                ]
            )
            if not (path.startswith(f"auth/{mount}/role/") and path.endswith("/secret-id")):
                reason = (
                    f"the wrapping in {place} holds the answer of {path}, not a secret id of auth/{mount}"
                )
                raise VaultTrouble(Trouble.DENIED, reason, "treat it as forged; deliver a new one")
            self._token = token  # a wrapping token opens itself, so that nobody need be logged in
            return str(self.client().sys.unwrap()["data"]["secret_id"])
        except vault.InvalidRequest:
            reason = f"the wrapping in {place} was opened before, or ran out"
            help = (
                "deliver a new one; when nobody of you opened it, somebody else has the secret id: revoke it"
            )
            raise VaultTrouble(Trouble.DENIED, reason, help) from None
        except Exception as error:
            raise told(error, "sys/wrapping/unwrap") from None
        finally:
            self._token = ""
