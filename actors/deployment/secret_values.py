"""From references in settings to a keeper of their values, asked for once, before anything starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from actors.deployment.sections import SecretsSection
from actors.deployment.setting_types import fields_of
from actors.deployment.topology import ActorPlan, Topology
from actors.secrets.env import EnvironmentSource
from actors.secrets.keeper import SecretKeeper
from actors.secrets.port import SecretError, SecretSource
from actors.secrets.reference import is_reference

__all__ = [
    "CONTROL",
    "SecretsMissing",
    "anchor_signer",
    "anchor_verifier",
    "keep_alert_secrets",
    "keep_secrets",
    "passphrase_file",
    "secret_source",
    "secrets_file",
    "secrets_of",
]


ALERTER = "alerter"
CONTROL = "/control"  # whose secret the token of the halt hook is; no actor can have this address


class SecretsMissing(Exception):
    """References without a value, each with its place and remedy."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


def keep_secrets(topology: Topology, source: SecretSource | None = None) -> SecretKeeper:
    """Return a keeper that holds every secret of the deployment. Errors: SecretsMissing."""
    held = {plan.address: tuple(text for _, text in secrets_of(plan)) for plan in topology.actors}
    if is_reference(topology.control.http.halt_token):
        held[CONTROL] = (topology.control.http.halt_token,)
    keeper = SecretKeeper(source or secret_source(topology), held)
    errors = keeper.fetch()
    if errors:
        raise SecretsMissing([_told(error, topology) for error in errors])
    return keeper


def keep_alert_secrets(topology: Topology, source: SecretSource | None = None) -> SecretKeeper:
    """Return a keeper of what the routes of alerts refer to, as far as it can be had now.

    It is for whoever tells people that the node is gone: the store may be as dead by then.
    """
    held = {
        plan.address: tuple(text for _, text in secrets_of(plan))
        for plan in topology.actors
        if plan.kind == ALERTER
    }
    keeper = SecretKeeper(source or secret_source(topology), held)
    keeper.fetch()
    return keeper


class HasSecrets(Protocol):
    """What says where secrets come from: a topology, or what is left of one beside its journal."""

    @property
    def secrets(self) -> SecretsSection: ...
    @property
    def directory(self) -> Path: ...  # where relative paths begin


def secret_source(deployment: HasSecrets) -> SecretSource:
    """Return the provider that the deployment names."""
    section = deployment.secrets
    if section.provider == "vault":
        from actors.secrets.vault import VaultSource

        vault, place = section.vault, partial(_from_folder, deployment)
        return VaultSource(
            replace(vault, ca_file=place(vault.ca_file), credential_file=place(vault.credential_file))
        )
    if section.provider == "file":
        from actors.secrets.encrypted_file import FileSource

        return FileSource(secrets_file(deployment), passphrase_file(deployment))
    return EnvironmentSource(section.prefix, section.defaults)


def anchor_signer(topology: Topology, source: SecretSource) -> Callable[[str], str] | None:
    """Return what signs anchors, which raises SigningFailed; None when the deployment wants none signed."""
    from actors.runtime.anchors import SigningFailed
    from actors.secrets.vault import VaultSource
    from actors.secrets.vault_trouble import VaultTrouble

    if not topology.secrets.vault.sign_anchors_with or not isinstance(source, VaultSource):
        return None

    def sign(text: str) -> str:
        try:
            return source.sign(text)
        except VaultTrouble as trouble:
            raise SigningFailed(f"{trouble.reason}; {trouble.help}") from None

    return sign


def anchor_verifier(topology: Topology) -> Callable[[str, str], bool] | None:
    """Return what tells whether a text bears a signature; None when the deployment wants none signed.

    It raises SigningFailed when the store cannot be asked.
    """
    from actors.runtime.anchors import SigningFailed
    from actors.secrets.vault import VaultSource
    from actors.secrets.vault_trouble import VaultTrouble

    source = secret_source(topology)
    if not topology.secrets.vault.sign_anchors_with or not isinstance(source, VaultSource):
        return None

    def is_signed(text: str, signature: str) -> bool:
        try:
            return source.is_signed(text, signature)
        except VaultTrouble as trouble:
            raise SigningFailed(f"{trouble.reason}; {trouble.help}") from None

    return is_signed


def secrets_file(deployment: HasSecrets) -> Path:
    """Return where the encrypted file of a deployment is, or will be."""
    return Path(_from_folder(deployment, deployment.secrets.file.path))


def passphrase_file(deployment: HasSecrets) -> str:
    """Return the file with its passphrase; empty when a variable has it."""
    return _from_folder(deployment, deployment.secrets.file.passphrase_file)


def _from_folder(deployment: HasSecrets, path: str) -> str:
    return os.path.normpath(deployment.directory / path) if path else ""


def secrets_of(plan: ActorPlan) -> Iterator[tuple[str, str]]:
    """Yield the references in one actor's settings: (path of the setting, reference).

    Only settings that are declared as secrets count, those inside of others too: no other text is ever
    replaced by a value.
    """
    yield from _references(plan.settings, "")


def _references(settings: msgspec.Struct, path: str) -> Iterator[tuple[str, str]]:
    for name, one in fields_of(type(settings)).items():
        value: Any = getattr(settings, name, "")
        if isinstance(value, str):
            if one.is_secret and is_reference(value):
                yield path + name, value
        elif isinstance(value, msgspec.Struct):
            yield from _references(value, f"{path}{name}.")
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, msgspec.Struct):
                    yield from _references(item, f"{path}{name}[{index}].")


def _told(error: SecretError, topology: Topology) -> str:
    """Return an error as an operator reads it, with the place of the first reference."""
    text = str(error.reference)
    for plan in topology.actors:
        for name, found in secrets_of(plan):
            if found == text:
                place = _place(plan.origins, plan, name)
                return f"{place}: actor {plan.address!r}: no value for {text}: {error.reason}; {error.help}"
    return f"no value for {text}: {error.reason}; {error.help}"


def _place(origins: Mapping[str, Any], plan: ActorPlan, name: str) -> str:
    return str(origins.get(f"settings.{name}", plan.origin))
