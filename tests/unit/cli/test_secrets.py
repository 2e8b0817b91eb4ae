"""`polytrade secrets`: no command shows a value; the policy grants what is referred to and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from actors.cli.running import Running, announced
from actors.cli.secrets import secrets
from actors.cli.targets import load_topology
from actors.drills.vault.policy import capabilities, parse_policy
from actors.secrets import encrypted_file

LIVE = "config/live.yaml"
PLANTED = "planted-value-4711"


def run(*words: str, given: str | None = None) -> tuple[int, str, str]:
    found = CliRunner().invoke(secrets, list(words), input=given)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        return 99, found.stdout, f"{found.exception} {getattr(found.exception, 'remedy', '')}"
    return found.exit_code, found.stdout, found.stderr


def test_the_list_names_reference_actor_and_setting() -> None:
    code, shown, _ = run("list", LIVE, "--json")
    assert code == 0
    assert {
        "reference": "secret://polytrade/poloniex#key",
        "actor": "venue/main",
        "setting": "key",
    } in json.loads(shown)["secrets"]


def test_check_tells_what_is_missing_and_never_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYTRADE_SECRET_POLYTRADE_POLONIEX_KEY", PLANTED)
    monkeypatch.delenv("POLYTRADE_SECRET_POLYTRADE_POLONIEX_SECRET", raising=False)
    code, shown, said = run("check", LIVE)
    assert code == 3
    assert PLANTED not in shown + said
    assert "POLYTRADE_SECRET_POLYTRADE_POLONIEX_SECRET is not set" in said
    monkeypatch.setenv("POLYTRADE_SECRET_POLYTRADE_POLONIEX_SECRET", PLANTED)
    code, shown, said = run("check", LIVE, "--json")
    assert (code, json.loads(shown)["missing"]) == (0, 0)
    assert PLANTED not in shown + said


def test_the_policy_grants_each_reference_and_nothing_else() -> None:
    _, shown, _ = run("policy", LIVE)
    rules = parse_policy(shown)
    listed = json.loads(run("list", LIVE, "--json")[1])["secrets"]
    needed = {one["reference"].removeprefix("secret://").partition("#")[0] for one in listed}
    paths = {f"{path.partition('/')[0]}/data/{path.partition('/')[2]}" for path in needed}
    assert {path: capabilities([rules], path) for path in paths} == dict.fromkeys(paths, frozenset({"read"}))
    assert set(rules) == paths
    for other in (
        "polytrade/data/other",
        "polytrade/metadata/poloniex",
        "secret/data/poloniex",
        "sys/mounts",
    ):
        assert not capabilities([rules], other)


def test_a_value_is_written_from_stdin_and_read_back_by_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("argon2")
    monkeypatch.setitem(encrypted_file.KDF, "memory_kib", 64)
    monkeypatch.setenv(encrypted_file.PASSPHRASE_VARIABLE, "correct horse battery staple")
    file = tmp_path / "filed.yaml"
    file.write_text(
        Path("config/live.yaml").read_text().replace("provider: env", "provider: file, file: {path: s.enc}")
    )
    file.write_text(
        file.read_text().replace("markets/poloniex", f"{Path('config').absolute()}/markets/poloniex")
    )
    for name in ("key", "secret"):
        code, shown, said = run("set", str(file), f"secret://polytrade/poloniex#{name}", given=PLANTED + "\n")
        assert (code, PLANTED in shown + said) == (0, False)
    code, shown, said = run("check", str(file), "--json")
    assert (code, PLANTED in shown + said) == (0, False)
    assert PLANTED.encode() not in (tmp_path / "s.enc").read_bytes()


@pytest.mark.parametrize(
    ("reference", "given", "said"),
    [
        ("secret://a/b", PLANTED, "names no value to write"),
        ("secret://a/b#c@2", PLANTED, "without a version"),
        ("secret://a/b#c", "", "the value is empty"),
        ("secret://a/b#c", " x", "spaces"),
    ],
)
def test_what_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, given: str, said: str
) -> None:
    monkeypatch.setenv(encrypted_file.PASSPHRASE_VARIABLE, "correct horse battery staple")
    file = tmp_path / "filed.yaml"
    file.write_text(
        Path("config/live.yaml").read_text().replace("provider: env", "provider: file, file: {path: s.enc}")
    )
    file.write_text(
        file.read_text().replace("markets/poloniex", f"{Path('config').absolute()}/markets/poloniex")
    )
    code, _, told = run("set", str(file), reference, given=given)
    assert code == 99
    assert said in told


def test_a_deployment_with_another_provider_is_not_written() -> None:
    code, _, told = run("set", LIVE, "secret://polytrade/poloniex#key", given=PLANTED)
    assert (code, "written elsewhere" in told, PLANTED in told) == (99, True, False)


def test_the_overlay_looks_where_the_documented_double_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POLYTRADE_VAULT_CREDENTIAL_FILE", raising=False)
    topology = load_topology([LIVE], ["rehearsal", "vault"])
    wanted = topology.directory / topology.secrets.vault.credential_file
    guide = Path("docs/secrets.md").read_text(encoding="utf-8")
    written = re.search(r"polytrade vault -d config/live.yaml --credential (\S+)", guide)
    assert written is not None
    assert wanted.resolve() == Path(written[1]).resolve()


def test_a_store_is_asked_as_the_deployment_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    file = str(Path(LIVE).absolute())
    one = Running("rehearsal", "live", file, "rehearsal vault", str(tmp_path / "j"), "s", 1)
    with announced(one):
        code, shown, said = run("list", LIVE, "--json")
    assert (code, json.loads(shown)["provider"], "-e rehearsal -e vault" in said) == (0, "vault", True)
