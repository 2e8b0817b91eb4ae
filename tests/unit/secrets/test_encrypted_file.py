"""The encrypted file: values come back by version; nothing of it is read or changed unnoticed."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from actors.secrets import encrypted_file
from actors.secrets.encrypted_file import EncryptedFile, FileSource, FileTrouble, read_passphrase
from actors.secrets.port import SecretError, Trouble
from actors.secrets.reference import SecretReference

pytest.importorskip("argon2")
pytest.importorskip("cryptography")

PASSPHRASE = "correct horse battery staple"
REFERENCE = SecretReference("desk", "poloniex", "key")
PLANTED = "planted-value-4711"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(encrypted_file.KDF, "memory_kib", 64)
    monkeypatch.setenv(encrypted_file.PASSPHRASE_VARIABLE, PASSPHRASE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "secrets.enc"
    EncryptedFile(file, PASSPHRASE).add(REFERENCE, PLANTED)
    return file


def test_versions_are_kept_and_the_newest_is_the_default(path: Path) -> None:
    assert EncryptedFile(path, PASSPHRASE).add(REFERENCE, "second") == 2
    source = FileSource(path, "")
    assert (source.fetch(REFERENCE).value, source.fetch(REFERENCE).version) == ("second", 2)
    assert source.fetch(SecretReference("desk", "poloniex", "key", 1)).value == PLANTED
    EncryptedFile(path, PASSPHRASE).add(REFERENCE, "third")
    assert source.fetch(REFERENCE).value == "third"


def test_the_file_shows_nothing_and_is_its_owners_alone(path: Path) -> None:
    raw = path.read_bytes()
    assert not any(word in raw for word in (PLANTED.encode(), b"poloniex", b"desk", PASSPHRASE.encode()))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir() if not one.name.endswith(".lock")] == [path.name]


def _changed(whole: dict[str, Any], part: str) -> dict[str, Any]:
    if part == "passes":
        whole["header"]["kdf"]["passes"] += 1
    elif part == "format":
        whole["header"]["format"] = 2
    else:
        target = whole if part == "sealed" else whole["header"] if part == "nonce" else whole["header"]["kdf"]
        raw = bytearray(base64.b64decode(target[part]))
        raw[0] ^= 1
        target[part] = base64.b64encode(raw).decode()
    return whole


@pytest.mark.parametrize("part", ["sealed", "nonce", "salt", "passes", "format"])
def test_a_changed_file_does_not_open(path: Path, part: str) -> None:
    path.write_text(json.dumps(_changed(json.loads(path.read_text()), part)))
    with pytest.raises(FileTrouble, match="does not open"):
        EncryptedFile(path, PASSPHRASE).read()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"header": {"kdf": {}}}', "\x00"])
def test_what_is_no_secrets_file_says_so(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(FileTrouble, match="is no secrets file"):
        EncryptedFile(path, PASSPHRASE).read()


def test_a_header_cannot_make_us_use_up_the_machine(path: Path) -> None:
    whole = json.loads(path.read_text())
    whole["header"]["kdf"]["memory_kib"] = 1 << 30
    path.write_text(json.dumps(whole))
    with pytest.raises(FileTrouble, match="is no secrets file"):
        EncryptedFile(path, PASSPHRASE).read()


def test_a_wrong_passphrase_neither_reads_nor_writes(path: Path) -> None:
    before = path.read_bytes()
    wrong = EncryptedFile(path, "another passphrase of ours")
    with pytest.raises(FileTrouble, match="the passphrase is wrong"):
        wrong.add(REFERENCE, "x")
    assert path.read_bytes() == before
    with pytest.raises(FileTrouble, match="fewer than 12"):
        EncryptedFile(path.with_name("new"), "short").add(REFERENCE, "x")


def test_a_file_others_can_read_is_refused(path: Path, tmp_path: Path) -> None:
    path.chmod(0o640)
    with pytest.raises(FileTrouble, match="others can read"):
        EncryptedFile(path, PASSPHRASE).read()
    lying_about = tmp_path / "passphrase"
    lying_about.write_text(PASSPHRASE + "\n")
    lying_about.chmod(0o644)
    with pytest.raises(FileTrouble, match="others can read"):
        read_passphrase(str(lying_about))
    lying_about.chmod(0o600)
    assert read_passphrase(str(lying_about)) == PASSPHRASE


def test_a_failed_write_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(encrypted_file.os, "fsync", full)
    with pytest.raises(FileTrouble, match="No space left"):
        EncryptedFile(path, PASSPHRASE).add(REFERENCE, "x")
    assert path.read_bytes() == before
    assert not list(path.parent.glob(".secrets.enc.[0-9]*"))


def test_the_source_tells_what_is_missing(path: Path, tmp_path: Path) -> None:
    with pytest.raises(SecretError) as caught:
        FileSource(path, "").fetch(SecretReference("desk", "poloniex", "other"))
    assert (caught.value.trouble, "polytrade secrets set" in caught.value.help) == (Trouble.ABSENT, True)
    with pytest.raises(SecretError) as caught:
        FileSource(tmp_path / "none", "").fetch(REFERENCE)
    assert caught.value.trouble == Trouble.FAILING
