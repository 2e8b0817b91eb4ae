"""What goes wrong with Vault, in an operator's words. Its own texts stay out: they might hold values."""

from __future__ import annotations

from actors.secrets.port import Trouble

__all__ = ["VaultTrouble", "told"]


class VaultTrouble(Exception):
    """Why the server did not do what was asked, and what to do about it."""

    def __init__(self, kind: Trouble, reason: str, help: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.help = help


def told(error: Exception, path: str, verb: str = "read") -> VaultTrouble:
    """Return an error of hvac or of the HTTP library below it, which knows refused connections."""
    import hvac.exceptions as vault
    import requests.exceptions as http

    if isinstance(error, VaultTrouble):
        return error
    if isinstance(error, vault.InvalidPath):
        return VaultTrouble(
            Trouble.ABSENT, f"Vault has nothing at {path}", "write it there, or mend the reference"
        )
    if isinstance(error, vault.Forbidden | vault.Unauthorized):
        help = "compare its policy with `polytrade secrets policy`"
        return VaultTrouble(Trouble.DENIED, f"Vault does not let us {verb} {path}", help)
    if isinstance(error, vault.VaultDown):
        return VaultTrouble(Trouble.SEALED, "Vault is sealed", "unseal it")
    if isinstance(error, http.SSLError):
        help = "set vault.ca_file to the authority that signed it"
        return VaultTrouble(Trouble.UNREACHABLE, "the certificate of Vault is not trusted", help)
    if isinstance(error, http.Timeout):
        return VaultTrouble(
            Trouble.UNREACHABLE, "Vault did not answer in time", "see whether it is overloaded"
        )
    if isinstance(error, http.ConnectionError | OSError):
        help = "see whether it runs, and whether its address is right"
        return VaultTrouble(Trouble.UNREACHABLE, "Vault cannot be reached", help)
    if isinstance(error, vault.VaultError):
        reason = f"Vault answered with an error ({type(error).__name__}) at {path}"
        return VaultTrouble(Trouble.FAILING, reason, "its own log says why")
    if isinstance(error, KeyError | TypeError | ValueError):
        reason = f"what answers at {path} is no KV engine of version 2"
        return VaultTrouble(Trouble.ABSENT, reason, "enable one there, or mend the reference's mount")
    raise error
