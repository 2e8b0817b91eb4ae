"""Faults of the double, and what our provider makes of them."""

from __future__ import annotations

import base64
import json
import logging
import os
import ssl
from pathlib import Path

import pytest

from actors.drills.vault.faults import Fault
from actors.secrets.port import SecretError, Trouble
from actors.secrets.reference import SecretReference
from actors.secrets.settings import VaultSettings
from actors.secrets.vault import VaultSource
from tests.contract.vault.conftest import Bench
from tests.contract.vault.server import ROOT, ServedVault

hvac = pytest.importorskip("hvac")

SECRET = "planted-value-4711"


@pytest.fixture
def ready(double: Bench) -> Bench:
    double.put("poloniex", key=SECRET)
    double.allow("mine/data/poloniex")
    return double


def trouble_of(source: VaultSource) -> SecretError:
    with pytest.raises(SecretError) as caught:
        source.fetch(SecretReference("mine", "poloniex", "key"))
    assert SECRET not in str(caught.value) + caught.value.help
    return caught.value


@pytest.mark.parametrize(
    ("fault", "trouble", "said"),
    [
        (Fault(kind="refuse", path="mine/", status=500), Trouble.FAILING, "InternalServerError"),
        (Fault(kind="refuse", path="mine/", status=429), Trouble.FAILING, "RateLimitExceeded"),
        (Fault(kind="refuse", path="mine/", status=503), Trouble.SEALED, "sealed"),
        (Fault(kind="hang_up", path="mine/"), Trouble.UNREACHABLE, "cannot be reached"),
        (Fault(kind="slow", path="mine/", delay_ms=900), Trouble.UNREACHABLE, "in time"),
        (Fault(kind="refuse", path="auth/", status=500), Trouble.FAILING, "InternalServerError"),
    ],
)
def test_every_fault_is_told_by_its_name_and_may_pass(
    ready: Bench, fault: Fault, trouble: Trouble, said: str
) -> None:
    source = ready.source(*ready.approle(), timeout=300_000_000)
    assert ready.served is not None
    ready.served.vault.faults.rules.append(fault)
    error = trouble_of(source)
    assert (error.trouble, error.may_pass) == (trouble, True)
    assert said in error.reason
    ready.served.vault.faults.rules.clear()
    assert source.fetch(SecretReference("mine", "poloniex", "key")).value == SECRET


def test_sealed_until_it_is_unsealed(ready: Bench) -> None:
    source = ready.source(*ready.approle())
    source.fetch(SecretReference("mine", "poloniex", "key"))
    ready.admin.sys.seal()
    assert trouble_of(source).trouble == Trouble.SEALED
    assert ready.admin.sys.read_health_status(method="GET").status_code == 503
    ready.admin.sys.submit_unseal_key(ROOT)
    assert source.fetch(SecretReference("mine", "poloniex", "key")).value == SECRET


def test_nobody_at_the_address(tmp_path: Path) -> None:
    (tmp_path / "credential").write_text("x")
    settings = VaultSettings(
        address="http://127.0.0.1:9", role="r", credential_file=str(tmp_path / "credential")
    )
    assert trouble_of(VaultSource(settings)).trouble == Trouble.UNREACHABLE


def test_a_pods_token_logs_in_by_its_account(ready: Bench) -> None:
    ready.admin.auth.kubernetes.create_role(
        name="desk",
        bound_service_account_names=["polytrade"],
        bound_service_account_namespaces=["trading"],
        policies=["mine"],
        ttl="1h",
    )

    def pod(account: str) -> str:
        claims = {"kubernetes.io": {"namespace": "trading", "serviceaccount": {"name": account}}}
        return "e30." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".sig"

    source = ready.source("desk", pod("polytrade"), auth="kubernetes")
    assert source.fetch(SecretReference("mine", "poloniex", "key")).value == SECRET
    assert trouble_of(ready.source("desk", pod("stranger"), auth="kubernetes")).trouble == Trouble.DENIED


def test_namespaces_do_not_see_each_other(ready: Bench) -> None:
    ready.admin.sys.create_namespace("desk")
    inside = hvac.Client(url=ready.address, token=ROOT, namespace="desk")
    inside.secrets.kv.v2.create_or_update_secret(
        path="poloniex", secret={"key": "other"}, mount_point="secret"
    )
    inside.sys.create_or_update_acl_policy("mine", 'path "secret/data/poloniex" { capabilities = ["read"] }')
    token = inside.auth.token.create(policies=["mine"], ttl="1h")["auth"]["client_token"]
    source = ready.source("", token, auth="token", namespace="desk")
    assert source.fetch(SecretReference("secret", "poloniex", "key")).value == "other"
    assert trouble_of(ready.source("", token, auth="token")).trouble == Trouble.DENIED


def test_the_certificate_must_be_of_the_named_authority(tmp_path: Path) -> None:
    authority, context = certified(tmp_path)
    (tmp_path / "credential").write_text("x")
    with ServedVault(context) as served:
        given = {"address": served.address, "role": "r", "credential_file": str(tmp_path / "credential")}
        untrusted = trouble_of(VaultSource(VaultSettings(**given)))  # type: ignore[arg-type]
        assert "certificate of Vault is not trusted" in untrusted.reason
        trusted = trouble_of(VaultSource(VaultSettings(**given, ca_file=str(authority))))  # type: ignore[arg-type]
        assert "refuses our login" in trusted.reason


def certified(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Return the certificate of an authority of our own, and a server's context that it signed."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    authority, private = folder / "ca.pem", folder / "key.pem"
    authority.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, private)
    return authority, context


def test_a_forked_process_goes_on_with_a_connection_of_its_own(ready: Bench) -> None:
    """A wrapped secret id opens once: the heart logs in, the node that it forks goes on."""
    role_id, _ = ready.approle()
    wrapping = ready.admin.auth.approle.generate_secret_id(role_name="mine", wrap_ttl="60s")["wrap_info"][
        "token"
    ]
    source = ready.source(role_id, wrapping, wrapped=True)
    source.fetch(SecretReference("mine", "poloniex", "key"))
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write_end, source.fetch(SecretReference("mine", "poloniex", "key")).value.encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read_end, 100).decode() == SECRET
    os.close(read_end)
    os.close(write_end)


def test_no_value_and_no_token_is_logged_or_audited(ready: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    role_id, secret_id = ready.approle()
    source = ready.source(role_id, secret_id)
    source.fetch(SecretReference("mine", "poloniex", "key"))
    assert ready.served is not None
    seen = (
        caplog.text
        + json.dumps(ready.served.vault.audit)
        + repr(source)
        + repr(ready.served.vault.namespaces)
    )
    for secret in (SECRET, secret_id, source._login.client().token, ROOT):
        assert secret not in seen
    assert "mine/data/poloniex" in seen
