"""What a deployment says about the stores that hold its secrets. Nothing here is a secret itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from actors.runtime.settings import Duration, Reload, Settings, setting

__all__ = ["FileSettings", "SecretsWatchSettings", "VaultSettings"]

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS


def _at_start(help: str, **options: Any) -> Meta:
    return setting(help, reload=Reload.START, **options)


class FileSettings(Settings, frozen=True, kw_only=True):
    """A file that is encrypted with a passphrase: argon2id makes the key, AES-256-GCM keeps the values."""

    path: Annotated[
        str,
        _at_start(
            "The encrypted file, relative to the deployment's folder; see `polytrade secrets set`.",
            examples=("../var/secrets.enc",),
        ),
    ] = ""
    passphrase_file: Annotated[
        str,
        _at_start(
            "File whose first line is the passphrase, readable by its owner alone; without one the variable "
            "POLYTRADE_SECRETS_PASSPHRASE.",
        ),
    ] = ""


class VaultSettings(Settings, frozen=True, kw_only=True):
    """A HashiCorp Vault or OpenBao server with a KV version 2 engine per mount."""

    address: Annotated[
        str,
        _at_start(
            "Where the server is; without it the variable VAULT_ADDR.",
            pattern=r"^$|^https?://[^\s/]+/?$",
            examples=("https://vault.example.net:8200",),
        ),
    ] = ""
    namespace: Annotated[str, _at_start("Namespace of the server (Enterprise, OpenBao); empty for none.")] = (
        ""
    )
    ca_file: Annotated[
        str, _at_start("Certificates of the authority that signed the server's, in PEM; empty: the system's.")
    ] = ""
    auth: Annotated[
        Literal["approle", "kubernetes", "token"],
        _at_start("How we say who we are: an AppRole, a pod's service account, or a ready token."),
    ] = "approle"
    auth_mount: Annotated[
        str,
        _at_start("Where that login is mounted; empty: under its own name.", pattern=r"^[\w./-]*$"),
    ] = ""
    role: Annotated[
        str,
        _at_start("Kubernetes: the name of the role. AppRole: its role id, which is no secret."),
    ] = ""
    credential_file: Annotated[
        str,
        _at_start(
            "File with the AppRole's secret id, the pod's token, or the ready token; without one the "
            "variable POLYTRADE_VAULT_CREDENTIAL. A pod's token has a place of its own and is found there."
        ),
    ] = ""
    wrapped: Annotated[
        bool,
        _at_start(
            "AppRole: the file holds a response-wrapping token, which opens once, instead of the secret id."
        ),
    ] = False
    timeout: Annotated[
        Duration,
        _at_start("Longest wait for an answer.", minimum=50 * MILLISECOND_NS, maximum=60 * SECOND_NS),
    ] = 3 * SECOND_NS
    cache_for: Annotated[
        Duration,
        _at_start(
            "A value may be used for so long without the server confirming it; then trading is reduce-only.",
            minimum=SECOND_NS,
            risk="raise",
        ),
    ] = HOUR_NS
    sign_anchors_with: Annotated[
        str,
        _at_start(
            "Transit key that signs every anchor of the journal, `mount/name`; empty: they are not signed.",
            pattern=r"^$|^[\w-]+(/[\w-]+)+$",
            examples=("transit/polytrade-anchors",),
        ),
    ] = ""


class SecretsWatchSettings(Settings, frozen=True, kw_only=True):
    """How often the store is asked whether a secret has changed, and what follows when it does not answer."""

    check_every: Annotated[
        Duration, setting("How often the store is asked.", minimum=SECOND_NS, maximum=HOUR_NS, risk="raise")
    ] = 60 * SECOND_NS
    answer_within: Annotated[
        Duration, setting("A question without an answer for so long has none.", minimum=SECOND_NS)
    ] = 30 * SECOND_NS
    expiring_at: Annotated[
        int,
        setting(
            "Page when so much of the time is over for which a value may be used, in percent.", minimum=1
        ),
    ] = 50
    halt: Annotated[
        bool,
        setting(
            "Halt to reductions when a secret is refused to us, or its time unconfirmed is over.",
            risk="lower",
        ),
    ] = True
