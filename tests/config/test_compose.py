"""The compose file: valid by its specification, guarded, without a secret in it, and fitting the program."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from actors import __version__
from actors.cli.main import main
from actors.cli.up import patience_s
from actors.deployment.loader import load

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "config/deploy/compose"
# Source: github.com/compose-spec/compose-spec, schema/compose-spec.json, Apache-2.0.
SPECIFICATION = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+")
SECRET = re.compile(r"PASSWORD|PASSWD|TOKEN|SECRET|CREDENTIAL|PRIVATE|API_KEY", re.IGNORECASE)
HARMLESS = re.compile(r"__FILE$|^POLYTRADE_VAULT_ROLE$")


def document(name: str = "compose.yaml") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((COMPOSE / name).read_text(encoding="utf-8"))
    return found


def merged() -> dict[str, Any]:
    """Return both files as compose lays them over each other: maps merge, mounts replace by their target."""
    base, over = document(), document("live.yaml")
    service = base["services"]["polytrade"]
    for name, value in over["services"]["polytrade"].items():
        if name == "volumes":
            targets = {one.split(":")[1]: one for one in [*service["volumes"], *value]}
            service["volumes"] = list(targets.values())
        elif isinstance(value, dict):
            service[name] = service.get(name, {}) | value
        else:
            service[name] = value
    base["secrets"] |= over["secrets"]
    return base


DOCUMENTS = {"compose.yaml": document(), "live.yaml": merged()}


def faults_of(found: dict[str, Any]) -> list[str]:
    """Return what a compose file lacks of what it promises."""
    faults: list[str] = []
    for name, one in found["services"].items():
        checks = {
            "a pinned image": PINNED.fullmatch(one["image"]) is not None,
            "a read-only file system": one.get("read_only") is True,
            "no capabilities": one.get("cap_drop") == ["ALL"] and not one.get("cap_add"),
            "no new privileges": "no-new-privileges:true" in one.get("security_opt", []),
            "a health check": bool(one.get("healthcheck", {}).get("test")),
            "a bound on memory": "mem_limit" in one,
            "rotated logs": set(one["logging"]["options"]) == {"max-size", "max-file"},
            "ports of this machine alone": all(p.startswith("127.0.0.1:") for p in one.get("ports", [])),
            "not privileged": not one.get("privileged") and one.get("network_mode") != "host",
            "no socket of the daemon": not any("docker.sock" in text for text in one.get("volumes", [])),
        }
        faults += [f"{name}: {what}" for what, kept in checks.items() if not kept]
        faults += [f"{name}: {key} in the environment" for key in secrets_in_environment(one)]
    return faults


def secrets_in_environment(service: dict[str, Any]) -> list[str]:
    names = service.get("environment", {})
    return [name for name in names if SECRET.search(name) and not HARMLESS.search(name)]


@pytest.mark.parametrize("name", ["compose.yaml", "live.yaml"])
def test_the_file_is_one_by_the_specification(name: str) -> None:
    validator = jsonschema.Draft7Validator(SPECIFICATION)
    assert [error.message for error in validator.iter_errors(document(name))] == []
    assert [error.message for error in validator.iter_errors(DOCUMENTS[name])] == []
    broken = copy.deepcopy(DOCUMENTS[name])
    broken["services"]["polytrade"]["healthchek"] = {}
    assert list(validator.iter_errors(broken))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_service_is_guarded_and_holds_no_secret(name: str) -> None:
    assert faults_of(DOCUMENTS[name]) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"image": "polytrade:latest"}, "a pinned image"),
        ({"read_only": False}, "a read-only file system"),
        ({"cap_add": ["NET_ADMIN"]}, "no capabilities"),
        ({"security_opt": []}, "no new privileges"),
        ({"healthcheck": {}}, "a health check"),
        ({"ports": ["9464:9464"]}, "ports of this machine alone"),
        ({"volumes": ["/var/run/docker.sock:/s"]}, "no socket of the daemon"),
        (
            {"environment": {"POLYTRADE_SECRETS_PASSPHRASE": "x"}},
            "POLYTRADE_SECRETS_PASSPHRASE in the environment",
        ),
    ],
)
def test_a_service_that_is_not_guarded_is_found(change: dict[str, Any], fault: str) -> None:
    found = document()
    found["services"]["polytrade"] |= change
    assert faults_of(found) == [f"polytrade: {fault}"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_everything_that_is_used_is_there_and_everything_there_is_used(name: str) -> None:
    found = DOCUMENTS[name]
    used: dict[str, set[str]] = {"volumes": set(), "networks": set(), "secrets": set()}
    for service in found["services"].values():
        for mount in service.get("volumes", []):
            source, _, rest = mount.partition(":")
            if source.startswith("."):
                assert (COMPOSE / source).exists(), mount
                assert rest.endswith(":ro"), mount
            else:
                used["volumes"].add(source)
        used["networks"] |= set(service.get("networks", []))
        used["secrets"] |= set(service.get("secrets", []))
        assert set(service.get("depends_on", {})) <= set(found["services"])
    assert used == {part: set(found[part]) for part in used}
    assert found["services"]["polytrade"]["image"] == f"polytrade:{__version__}"
    context = (COMPOSE / found["services"]["polytrade"]["build"]["context"]).resolve()
    assert (context / found["services"]["polytrade"]["build"]["dockerfile"]).is_file()


def test_no_secret_of_the_folder_reaches_the_repository_or_the_image() -> None:
    places = {str((COMPOSE / one["file"]).relative_to(ROOT).parent) for one in merged()["secrets"].values()}
    assert places == {"config/deploy/compose/secrets"}
    assert f"{places.pop()}/" in (ROOT / ".gitignore").read_text().splitlines()
    assert "config/deploy" in (ROOT / ".dockerignore").read_text().splitlines()


@pytest.mark.parametrize(
    ("name", "file"), [("compose.yaml", "deployment.yaml"), ("live.yaml", "deployment-live.yaml")]
)
def test_the_node_is_the_deployment_that_is_mounted(name: str, file: str, tmp_path: Path) -> None:
    service = DOCUMENTS[name]["services"]["polytrade"]
    assert f"./{file}:/etc/polytrade/deployment.yaml:ro" in service["volumes"]
    assert service["command"][1] == "/etc/polytrade/deployment.yaml"
    text = (COMPOSE / file).read_text().replace("/opt/polytrade", str(ROOT))
    (tmp_path / file).write_text(text)
    topology = load(str(tmp_path / file), environment={"POLYTRADE_STATE": "/var/lib/polytrade"})
    assert service["expose"] == [str(topology.control.http.port)]
    assert topology.control.http.allow_remote
    assert topology.journal_path.is_relative_to(service["environment"]["POLYTRADE_STATE"])
    assert int(service["stop_grace_period"].removesuffix("s")) > patience_s(topology)
    if name == "live.yaml":
        assert topology.secrets.provider == "vault"
        (secret,) = service["secrets"]
        assert topology.secrets.vault.credential_file == f"/run/secrets/{secret}"


def test_the_commands_are_those_of_the_program() -> None:
    service = document()["services"]["polytrade"]
    for words in (service["command"], service["healthcheck"]["test"][2:]):
        group = click.Context(main, info_name="polytrade")
        name, command, rest = main.resolve_command(group, list(words))
        assert command is not None
        command.make_context(name, list(rest), parent=group)  # a usage error would raise
    with pytest.raises(click.UsageError):
        command.make_context("status", ["--nonsense"])


def test_the_places_the_node_writes_to_are_the_images_users() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    service = document()["services"]["polytrade"]
    (user,) = re.findall(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)
    assert f"/run/polytrade:uid={user[0]},gid={user[1]},mode=0700" in service["tmpfs"]
    assert service["environment"]["XDG_RUNTIME_DIR"] == "/run/polytrade"
    named = [mount.split(":")[1] for mount in service["volumes"] if not mount.startswith(".")]
    # A new volume takes its owner from the folder in the image.
    assert all(place in dockerfile for place in named), named


def test_prometheus_scrapes_the_node_by_its_address_and_knows_alertmanager() -> None:
    found = document("prometheus.yaml")
    services = document()["services"]
    jobs = {job["job_name"]: job for job in found["scrape_configs"]}
    (service,) = jobs["polytrade"]["dns_sd_configs"]
    assert service["names"] == ["polytrade"]
    assert [str(service["port"])] == services["polytrade"]["expose"]
    (alerting,) = found["alerting"]["alertmanagers"]
    assert alerting["static_configs"] == [{"targets": ["alertmanager:9093"]}]
    for pair in (("prometheus", "polytrade"), ("prometheus", "alertmanager"), ("grafana", "prometheus")):
        one, other = (set(services[name]["networks"]) for name in pair)
        assert one & other, pair
    (source,) = document("grafana/datasources/prometheus.yaml")["datasources"]
    assert source["url"] == "http://prometheus:9090"


def test_promtool_takes_the_configuration_with_the_shipped_rules(tmp_path: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed")
    mounts = dict(mount.split(":")[1::-1] for mount in document()["services"]["prometheus"]["volumes"])
    text = (COMPOSE / "prometheus.yaml").read_text()
    assert "/etc/prometheus/alerts/" in text
    rules = (COMPOSE / mounts["/etc/prometheus/alerts"]).resolve()
    (tmp_path / "prometheus.yaml").write_text(text.replace("/etc/prometheus/alerts", str(rules)))
    words = ["promtool", "check", "config", str(tmp_path / "prometheus.yaml")]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.count("SUCCESS") > len(list(rules.glob("*.rules.yaml"))) > 0, found.stdout


def test_alertmanager_routes_as_shipped_with_its_addresses_out_of_secrets() -> None:
    ours = document("alertmanager.yaml")
    shipped = yaml.safe_load((ROOT / "config/monitoring/alertmanager.yaml").read_text())
    secrets = []
    for mine, theirs in zip(ours["receivers"], shipped["receivers"], strict=True):
        for hook, other in zip(mine["webhook_configs"], theirs["webhook_configs"], strict=True):
            path = hook.pop("url_file")
            secrets.append(path.removeprefix("/run/secrets/"))
            assert path.endswith(f"_{mine['name']}")
            hook["url"] = other["url"]
    assert ours == shipped
    assert secrets == document()["services"]["alertmanager"]["secrets"]


def test_grafana_finds_the_shipped_dashboards_and_they_find_prometheus() -> None:
    mounts = dict(mount.split(":")[1::-1] for mount in document()["services"]["grafana"]["volumes"])
    (provider,) = yaml.safe_load((ROOT / "config/monitoring/grafana/dashboards/polytrade.yaml").read_text())[
        "providers"
    ]
    folder = (COMPOSE / mounts[provider["options"]["path"]]).resolve()
    boards = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    assert boards
    (source,) = document("grafana/datasources/prometheus.yaml")["datasources"]
    named = set(re.findall(r'"uid": "(prometheus\w*)"', json.dumps(boards)))
    assert named == {source["uid"]}
