"""What we lean on of Vault, over real HTTP through hvac: the double and a real server answer alike."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from actors.secrets.port import SecretError, Trouble
from actors.secrets.reference import SecretReference
from tests.contract.vault.conftest import Bench

hvac = pytest.importorskip("hvac")


def reference(bench: Bench, path: str = "poloniex", key: str = "key", version: int = 0) -> SecretReference:
    return SecretReference(bench.name, path, key, version)


@pytest.fixture
def ready(bench: Bench) -> Bench:
    bench.put("poloniex", key="first", secret="s")
    bench.allow(f"{bench.name}/data/poloniex")
    return bench


def test_a_value_comes_with_its_version(ready: Bench) -> None:
    source = ready.source(*ready.approle())
    assert (source.fetch(reference(ready)).value, source.fetch(reference(ready)).version) == ("first", 1)
    ready.put("poloniex", key="second", secret="s")
    newest = source.fetch(reference(ready))
    assert (newest.value, newest.version) == ("second", 2)
    assert source.fetch(reference(ready, version=1)).value == "first"


@pytest.mark.parametrize(
    ("path", "key", "version", "trouble", "said"),
    [
        ("poloniex", "other", 0, Trouble.ABSENT, "it is not there"),
        ("poloniex", "key", 9, Trouble.ABSENT, "has nothing at"),
        ("elsewhere", "key", 0, Trouble.DENIED, "does not let us read"),
    ],
)
def test_what_is_not_there_or_not_ours_is_told_apart(
    ready: Bench, path: str, key: str, version: int, trouble: Trouble, said: str
) -> None:
    with pytest.raises(SecretError) as caught:
        ready.source(*ready.approle()).fetch(reference(ready, path, key, version))
    assert (caught.value.trouble, caught.value.may_pass) == (trouble, False)
    assert said in caught.value.reason


def test_a_deleted_and_a_destroyed_version_are_absent(ready: Bench) -> None:
    source, kv = ready.source(*ready.approle()), ready.admin.secrets.kv.v2
    ready.put("poloniex", key="second", secret="s")
    kv.delete_secret_versions(path="poloniex", versions=[2], mount_point=ready.name)
    with pytest.raises(SecretError) as caught:
        source.fetch(reference(ready))
    assert caught.value.trouble == Trouble.ABSENT
    kv.undelete_secret_versions(path="poloniex", versions=[2], mount_point=ready.name)
    assert source.fetch(reference(ready)).value == "second"
    kv.destroy_secret_versions(path="poloniex", versions=[2], mount_point=ready.name)
    with pytest.raises(SecretError):
        source.fetch(reference(ready))
    assert source.fetch(reference(ready, version=1)).value == "first"


def test_check_and_set_keeps_two_writers_apart(ready: Bench) -> None:
    kv = ready.admin.secrets.kv.v2
    kv.create_or_update_secret(path="poloniex", secret={"key": "x"}, cas=1, mount_point=ready.name)
    with pytest.raises(hvac.exceptions.InvalidRequest, match="did not match the current version"):
        kv.create_or_update_secret(path="poloniex", secret={"key": "y"}, cas=1, mount_point=ready.name)
    versions = kv.read_secret_metadata(path="poloniex", mount_point=ready.name)["data"]
    assert (versions["current_version"], sorted(versions["versions"])) == (2, ["1", "2"])


def test_paths_are_listed_like_folders(ready: Bench) -> None:
    ready.put("desk/a", key="1")
    listed = ready.admin.secrets.kv.v2.list_secrets(path="", mount_point=ready.name)["data"]["keys"]
    assert listed == ["desk/", "poloniex"]


def test_a_wrong_credential_is_a_refused_login_with_its_remedy(ready: Bench) -> None:
    role_id, _ = ready.approle()
    with pytest.raises(SecretError) as caught:
        ready.source(role_id, "planted-4711").fetch(reference(ready))
    assert caught.value.trouble == Trouble.DENIED
    assert "refuses our login at auth/approle" in caught.value.reason
    assert "planted-4711" not in str(caught.value) + caught.value.help


def test_a_wrapped_secret_id_opens_once_and_is_kept_for_later_logins(ready: Bench) -> None:
    role_id, _ = ready.approle(token_ttl="2s", token_max_ttl="2s")
    wrapping = ready.admin.auth.approle.generate_secret_id(role_name=ready.name, wrap_ttl="60s")["wrap_info"][
        "token"
    ]
    source = ready.source(role_id, wrapping, wrapped=True)
    assert source.fetch(reference(ready)).value == "first"
    time.sleep(2.1)
    assert source.fetch(reference(ready)).value == "first"
    with pytest.raises(SecretError) as caught:
        ready.source(role_id, wrapping, wrapped=True).fetch(reference(ready))
    assert caught.value.trouble == Trouble.DENIED
    assert "was opened before" in caught.value.reason


def test_a_wrapping_of_something_else_is_refused_unopened(ready: Bench) -> None:
    role_id, _ = ready.approle()
    answer = ready.admin.adapter.get(f"/v1/{ready.name}/data/poloniex", wrap_ttl="60s")
    token = answer["wrap_info"]["token"]
    with pytest.raises(SecretError) as caught:
        ready.source(role_id, token, wrapped=True).fetch(reference(ready))
    assert "treat it as forged" in caught.value.help
    assert ready.admin.sys.unwrap(token)["data"]["data"]["key"] == "first"


def test_a_token_is_renewed_and_an_expired_one_replaced(ready: Bench) -> None:
    source = ready.source(*ready.approle(token_ttl="3s", token_max_ttl="1h"))
    source.fetch(reference(ready))
    first = source._login.client().token
    time.sleep(2.2)
    source.fetch(reference(ready))
    assert source._login.client().token == first
    time.sleep(1.2)  # beyond the first three seconds: the renewal holds
    assert source.fetch(reference(ready)).value == "first"
    assert source._login.client().token == first
    time.sleep(3.2)
    source.fetch(reference(ready))
    assert source._login.client().token != first


def test_a_revoked_token_is_replaced_at_the_next_question(ready: Bench) -> None:
    source = ready.source(*ready.approle())
    source.fetch(reference(ready))
    ready.admin.auth.token.revoke_accessor(_accessor(ready, source._login.client()))
    assert source.fetch(reference(ready)).value == "first"


def _accessor(bench: Bench, client: Any) -> str:
    return str(client.auth.token.lookup_self()["data"]["accessor"])


def test_a_permission_that_is_taken_away_is_a_refusal(ready: Bench) -> None:
    source = ready.source(*ready.approle())
    source.fetch(reference(ready))
    ready.allow(f"{ready.name}/data/elsewhere")
    with pytest.raises(SecretError) as caught:
        source.fetch(reference(ready))
    assert caught.value.trouble == Trouble.DENIED


def test_a_ready_token_serves_as_well(ready: Bench) -> None:
    token = ready.admin.auth.token.create(policies=[ready.name], ttl="1h")["auth"]["client_token"]
    assert ready.source("", token, auth="token").fetch(reference(ready)).value == "first"


def test_transit_signs_what_it_verifies(bench: Bench) -> None:
    admin = bench.admin
    if bench.served is None and "transit/" not in admin.sys.list_mounted_secrets_engines()["data"]:
        pytest.skip("the server has no transit engine at transit/")
    admin.secrets.transit.create_key(name=bench.name, key_type="ed25519")
    text = base64.b64encode(b"head of the chain").decode()
    signature = admin.secrets.transit.sign_data(name=bench.name, hash_input=text)["data"]["signature"]
    assert signature.startswith("vault:v1:")
    good = admin.secrets.transit.verify_signed_data(name=bench.name, hash_input=text, signature=signature)
    other = base64.b64encode(b"another head").decode()
    bad = admin.secrets.transit.verify_signed_data(name=bench.name, hash_input=other, signature=signature)
    assert (good["data"]["valid"], bad["data"]["valid"]) == (True, False)


def test_health_answers_without_a_token(bench: Bench) -> None:
    found = hvac.Client(url=bench.address).sys.read_health_status(method="GET")
    body = found if isinstance(found, dict) else found.json()
    assert (body["initialized"], body["sealed"]) == (True, False)
