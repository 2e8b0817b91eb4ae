"""Secrets in one encrypted file: argon2id makes the key out of a passphrase, AES-256-GCM keeps all values.

The file is JSON: what is needed to make the key, and one sealed text. The header is authenticated with it, so
that neither part can be changed or exchanged without notice. A file is replaced as a whole, never in place.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actors.secrets.port import Secret, SecretError, Trouble
from actors.secrets.reference import SecretReference

__all__ = ["PASSPHRASE_VARIABLE", "EncryptedFile", "FileSource", "FileTrouble", "read_passphrase"]

PASSPHRASE_VARIABLE = "POLYTRADE_SECRETS_PASSPHRASE"
PASSPHRASE_LETTERS_MIN = 12
FORMAT = 1
SALT_BYTES, NONCE_BYTES, KEY_BYTES = 16, 12, 32
# OWASP's floor for argon2id is 19 MiB and two passes; this takes about 0.2 s.
KDF = {"name": "argon2id", "passes": 3, "memory_kib": 65_536, "lanes": 4}
LIMITS = {"passes": 16, "memory_kib": 1 << 20, "lanes": 16}  # what a forged header may cost us at most
OTHERS = 0o077


class FileTrouble(Exception):
    """Why the file cannot be read or written, and what to do."""

    def __init__(self, reason: str, help: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.help = help


def read_passphrase(file: str) -> str:
    """Return the passphrase out of a file, or out of the variable. Errors: FileTrouble."""
    if not file:
        found = os.environ.get(PASSPHRASE_VARIABLE, "")
        if not found:
            help = f"export {PASSPHRASE_VARIABLE}=..., or set secrets.file.passphrase_file"
            raise FileTrouble("there is no passphrase for the secrets file", help)
        return found
    path = Path(file)
    try:
        if path.stat().st_mode & OTHERS:
            raise FileTrouble(f"others can read {file}", f"chmod 600 {file}")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}"
        raise FileTrouble(reason, "put the passphrase into its first line") from None
    if not lines or not lines[0]:
        raise FileTrouble(f"{file} is empty", "put the passphrase into its first line")
    return lines[0]


class EncryptedFile:
    """Values by mount/path, key and version. `passphrase` is asked for when the file is opened."""

    def __init__(self, path: Path, passphrase: str) -> None:
        self.path = path
        self._passphrase = passphrase

    def read(self) -> dict[str, dict[str, dict[str, str]]]:
        """Return path -> key -> version -> value. Errors: FileTrouble."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            if self.path.stat().st_mode & OTHERS:
                raise FileTrouble(f"others can read {self.path}", f"chmod 600 {self.path}")
            whole = json.loads(self.path.read_bytes())
            header = whole["header"]
            sealed, nonce = _bytes(whole["sealed"]), _bytes(header["nonce"])
            key = self._key(header["kdf"])
        except OSError as error:
            reason = f"{self.path} cannot be read: {error.strerror}"
            raise FileTrouble(reason, "make it with `polytrade secrets set`") from None
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise FileTrouble(f"{self.path} is no secrets file", "restore it from a copy") from None
        try:
            found: dict[str, dict[str, dict[str, str]]] = json.loads(
                AESGCM(key).decrypt(nonce, sealed, _canonical(header))
            )
        except InvalidTag:
            reason = f"{self.path} does not open: the passphrase is wrong, or the file was changed"
            raise FileTrouble(reason, "try the right passphrase, then restore the file from a copy") from None
        return found

    def write(self, secrets: dict[str, dict[str, dict[str, str]]]) -> None:
        """Replace the file; after a crash it is the old one or the new one. Errors: FileTrouble."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if len(self._passphrase) < PASSPHRASE_LETTERS_MIN:
            reason = f"the passphrase has fewer than {PASSPHRASE_LETTERS_MIN} characters"
            raise FileTrouble(reason, "four words that nobody would put together are better")
        kdf = {**KDF, "salt": _text(os.urandom(SALT_BYTES))}
        header = {"format": FORMAT, "kdf": kdf, "nonce": _text(os.urandom(NONCE_BYTES))}
        sealed = AESGCM(self._key(kdf)).encrypt(
            _bytes(str(header["nonce"])), json.dumps(secrets).encode(), _canonical(header)
        )
        text = json.dumps({"header": header, "sealed": _text(sealed)}, indent=1) + "\n"
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            with open(
                os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise FileTrouble(
                f"{self.path} cannot be written: {error.strerror}", "make room for it"
            ) from None

    def add(self, reference: SecretReference, value: str) -> int:
        """Write a new version of one value; return its number. Errors: FileTrouble."""
        with self._alone():
            secrets = self.read() if self.path.exists() else {}
            versions = secrets.setdefault(f"{reference.mount}/{reference.path}", {}).setdefault(
                reference.key, {}
            )
            version = max(map(int, versions), default=0) + 1
            versions[str(version)] = value
            self.write(secrets)
        return version

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two that write at once would lose one value."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(f"{self.path}.lock", os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise FileTrouble(
                f"{self.path} cannot be written: {error.strerror}", "make room for it"
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _key(self, kdf: dict[str, Any]) -> bytes:
        from argon2.low_level import Type, hash_secret_raw

        if kdf["name"] != KDF["name"] or any(
            not 1 <= int(kdf[name]) <= most for name, most in LIMITS.items()
        ):
            raise ValueError("unknown key derivation")
        return hash_secret_raw(
            self._passphrase.encode(),
            _bytes(kdf["salt"]),
            time_cost=int(kdf["passes"]),
            memory_cost=int(kdf["memory_kib"]),
            parallelism=int(kdf["lanes"]),
            hash_len=KEY_BYTES,
            type=Type.ID,
        )


class FileSource:
    """Reads the file again when it has changed; making the key takes a moment."""

    def __init__(self, path: Path, passphrase_file: str) -> None:
        self._path = path
        self._passphrase_file = passphrase_file
        self._stamp: tuple[int, int] | None = None
        self._held: dict[str, dict[str, dict[str, str]]] = {}
        self._lock = threading.Lock()

    def fetch(self, reference: SecretReference) -> Secret:
        """See SecretSource."""
        try:
            with self._lock:
                self._look()
        except FileTrouble as trouble:
            raise SecretError(reference, trouble.reason, trouble.help, Trouble.FAILING) from None
        versions = self._held.get(f"{reference.mount}/{reference.path}", {}).get(reference.key, {})
        version = reference.version or max(map(int, versions), default=0)
        if str(version) not in versions:
            help = f"polytrade secrets set DEPLOYMENT '{reference}'"
            raise SecretError(reference, f"{self._path} does not hold it", help)
        return Secret(versions[str(version)], version)

    def _look(self) -> None:
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
        except OSError:
            stamp = None
        if stamp is None or stamp != self._stamp:
            self._held = EncryptedFile(self._path, read_passphrase(self._passphrase_file)).read()
            self._stamp = stamp

    def __repr__(self) -> str:
        return f"FileSource({self._path})"


def _canonical(header: dict[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()


def _text(given: bytes) -> str:
    return base64.b64encode(given).decode("ascii")


def _bytes(given: str) -> bytes:
    return base64.b64decode(given, validate=True)
