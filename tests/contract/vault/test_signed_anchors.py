"""Anchors signed by a key that never leaves Vault: whoever rewrites journal and anchors cannot sign them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from actors.audit.verify import check_signatures
from actors.deployment.loader import load
from actors.deployment.secret_values import anchor_signer, anchor_verifier
from actors.runtime.anchors import Anchor, Anchoring, SigningFailed, read_anchors
from actors.runtime.journal import Journal
from actors.runtime.messages import AlertRaised, AlertResolved, Message
from actors.runtime.store_memory import MemoryStore
from actors.secrets.vault import VaultSource
from actors.secrets.vault_policy import policy_text
from tests.contract.vault.conftest import Bench

KEY = "transit/anchors"


@pytest.fixture
def source(double: Bench) -> VaultSource:
    double.admin.secrets.transit.create_key(name="anchors", key_type="ed25519")
    double.admin.sys.create_or_update_acl_policy(name=double.name, policy=policy_text("t", (), KEY))
    return double.source(*double.approle(), sign_anchors_with=KEY)


def anchored(path: Path, source: VaultSource, sequences: range, said: list[Message]) -> list[Anchor]:
    def sign(text: str) -> str:
        from actors.secrets.vault_trouble import VaultTrouble

        try:
            return source.sign(text)
        except VaultTrouble as trouble:
            raise SigningFailed(trouble.reason) from None

    journal = Journal(MemoryStore())
    journal.identity = "aaaaaaaaa"
    anchoring = Anchoring(journal.store, path, said.append, sign)
    for sequence in sequences:
        journal.sequence = sequence
        anchoring.take(journal, sequence * 10**9)
    anchoring.close()
    return read_anchors(path)


def test_every_anchor_bears_a_signature_that_vault_confirms(source: VaultSource, tmp_path: Path) -> None:
    anchors = anchored(tmp_path / "anchors.jsonl", source, range(1, 4), [])
    assert [source.is_signed(one.signed_text, one.signature) for one in anchors] == [True] * 3
    found = check_signatures("aaaaaaaaa", anchors, source.is_signed)
    assert (found.sequence, found.unsigned, found.fault) == (3, 0, None)


@pytest.mark.parametrize("field", ["at_ns", "epoch", "sequence", "chain", "journal"])
def test_an_anchor_that_was_changed_shows(source: VaultSource, tmp_path: Path, field: str) -> None:
    anchors = anchored(tmp_path / "anchors.jsonl", source, range(1, 3), [])
    value = {"chain": "ab" * 32, "journal": "bbbbbbbbb"}.get(field, 7)
    forged = [anchors[0], msgspec.structs.replace(anchors[1], **{field: value})]
    identity = "bbbbbbbbb" if field == "journal" else "aaaaaaaaa"
    fault = check_signatures(identity, forged, source.is_signed).fault
    assert fault is not None
    assert (fault.kind, "not of its key" in fault.reason) == ("anchor", True)


def test_anchors_whose_signatures_were_taken_off_prove_nothing(source: VaultSource, tmp_path: Path) -> None:
    anchors = anchored(tmp_path / "anchors.jsonl", source, range(1, 4), [])
    bare = [msgspec.structs.replace(one, signature="") for one in anchors]
    fault = check_signatures("aaaaaaaaa", bare, source.is_signed).fault
    assert fault is not None
    assert "none of its 3 anchors" in fault.reason
    found = check_signatures("aaaaaaaaa", [*anchors[:1], *bare[1:]], source.is_signed)
    assert (found.sequence, found.unsigned, found.fault) == (1, 2, None)


def test_while_vault_is_sealed_anchors_are_written_unsigned_and_it_is_told(
    source: VaultSource, double: Bench, tmp_path: Path
) -> None:
    said: list[Message] = []
    path = tmp_path / "anchors.jsonl"
    anchored(path, source, range(1, 2), said)
    double.admin.sys.seal()
    newest = anchored(path, source, range(2, 4), said)[-1]
    assert (newest.sequence, newest.signature) == (3, "")
    (raised,) = said
    assert isinstance(raised, AlertRaised)
    assert (raised.name, "Vault is sealed" in raised.summary) == ("AnchorsFailing", True)
    assert not any(isinstance(one, AlertResolved) for one in said)
    with pytest.raises(SigningFailed, match="sealed"):
        check_signatures("aaaaaaaaa", read_anchors(path), _verifier(source))


def _verifier(source: VaultSource):  # type: ignore[no-untyped-def]
    from actors.secrets.vault_trouble import VaultTrouble

    def is_signed(text: str, signature: str) -> bool:
        try:
            return source.is_signed(text, signature)
        except VaultTrouble as trouble:
            raise SigningFailed(trouble.reason) from None

    return is_signed


def test_the_policy_lets_sign_and_verify_and_not_read_the_key(source: VaultSource, double: Bench) -> None:
    from actors.drills.vault.policy import capabilities, parse_policy

    rules = parse_policy(policy_text("t", (), KEY))
    assert {path: capabilities([rules], path) for path in rules} == {
        "transit/sign/anchors": frozenset({"update"}),
        "transit/verify/anchors": frozenset({"update"}),
    }
    client = source._login.client()
    source.sign("anything")
    with pytest.raises(Exception, match="permission denied"):
        client.secrets.transit.read_key(name="anchors")


def test_a_deployment_says_which_key_and_gets_signer_and_verifier(
    source: VaultSource, tmp_path: Path
) -> None:
    file = tmp_path / "signed.yaml"
    vault = f"{{address: '{source._settings.address}', role: r, sign_anchors_with: {KEY}}}"
    text = f"extends: {Path('config/paper.yaml').absolute()}\nsecrets: {{provider: vault, vault: {vault}}}\n"
    file.write_text(text + f"journal: {{path: {tmp_path}/var, anchors: {tmp_path}/anchors.jsonl}}\n")
    topology = load(str(file))
    sign, is_signed = anchor_signer(topology, source), anchor_verifier(topology)
    assert sign is not None
    assert is_signed is not None
    assert source.is_signed("text", sign("text"))
    plain = load("config/paper.yaml")
    assert (anchor_signer(plain, source), anchor_verifier(plain)) == (None, None)
