"""What runs a deployment as a service fits the program: exit codes, paths, ports, probes, references."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from actors import __version__
from actors.cli.main import COMMANDS
from actors.deployment.loader import load
from actors.runtime.heart import DO_NOT_RESTART

ROOT = Path(__file__).parents[2]
SYSTEMD, KUBERNETES = ROOT / "config/deploy/systemd", ROOT / "config/deploy/kubernetes"
KINDS = {"StatefulSet", "NetworkPolicy", "Service", "PodDisruptionBudget", "ServiceAccount", "ConfigMap"}
EXPOSURE_MAX = 20  # of systemd-analyze security, times ten


def unit(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (SYSTEMD / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@cache
def objects(overlay: str) -> dict[str, Any]:
    """Return an overlay's objects by kind, as kustomize makes them."""
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    words = ["kubectl", "kustomize", str(KUBERNETES / overlay)]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return {one["kind"]: one for one in yaml.safe_load_all(text)}


@pytest.mark.parametrize(
    "name",
    [
        "polytrade@.service",
        "polytrade-backup@.service",
        "polytrade-watch@.service",
        "polytrade-backup@.timer",
    ],
)
def test_systemd_knows_every_word_of_the_units(name: str, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    text = (SYSTEMD / name).read_text().replace("/opt/polytrade/venv/bin/polytrade", "/bin/true")
    path = tmp_path / name
    path.write_text(text)
    for other in SYSTEMD.iterdir():
        if other.name != name:
            (tmp_path / other.name).write_text(
                other.read_text().replace("/opt/polytrade/venv/bin/polytrade", "/bin/true")
            )
    found = subprocess.run(
        ["systemd-analyze", "verify", str(path)], capture_output=True, text=True, check=False
    )
    said = [line for line in found.stderr.splitlines() if tmp_path.name in line or "polytrade" in line]
    assert not [line for line in said if "Unknown" in line or "Failed" in line or "not executable" in line], (
        said
    )


def test_the_service_is_hardened(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    words = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}"]
    found = subprocess.run(
        [*words, str(SYSTEMD / "polytrade@.service")], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout.splitlines()[-1:]


def test_a_restart_is_left_out_where_the_heart_leaves_it_out() -> None:
    (codes,) = unit("polytrade@.service")["RestartPreventExitStatus"]
    assert {int(code) for code in codes.split()} == set(DO_NOT_RESTART) - {0}


@pytest.mark.parametrize(
    "name", ["polytrade@.service", "polytrade-backup@.service", "polytrade-watch@.service"]
)
def test_the_units_call_commands_that_there_are(name: str) -> None:
    words = unit(name)["ExecStart"][0].split()
    assert words[1] in COMMANDS


@pytest.mark.parametrize("overlay", ["paper", "live"])
def test_the_pod_fits_the_deployment_it_runs(overlay: str, tmp_path: Path) -> None:
    text = (KUBERNETES / overlay / "deployment.yaml").read_text()
    assert f"extends: /opt/polytrade/config/{overlay}.yaml" in text
    file = tmp_path / "deployment.yaml"
    file.write_text(text.replace("/opt/polytrade", str(ROOT)))
    topology = load(str(file))
    (container,) = objects(overlay)["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    (port,) = container["ports"]
    assert port["containerPort"] == topology.control.http.port
    assert topology.control.http.allow_remote
    paths = {
        container[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert paths == {"/healthz", "/readyz"}
    assert container["args"][0] in COMMANDS
    mounts = {one["mountPath"] for one in container["volumeMounts"]}
    assert {value["value"] for value in container["env"]} & mounts == {"/var/lib/polytrade", "/run/polytrade"}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_the_pod_has_the_images_user_and_time_to_stop() -> None:
    pod = objects("paper")["StatefulSet"]["spec"]["template"]["spec"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" in dockerfile
    from actors.cli.up import patience_s

    assert pod["terminationGracePeriodSeconds"] > patience_s(load("config/live.yaml"))
    (seconds,) = unit("polytrade@.service")["TimeoutStopSec"]
    assert int(seconds.removesuffix("s")) > patience_s(load("config/live.yaml"))


def test_the_pods_image_is_of_a_release_and_its_backups_have_a_place() -> None:
    pod = objects("paper")["StatefulSet"]["spec"]
    (container,) = pod["template"]["spec"]["containers"]
    assert container["image"] == f"polytrade:{__version__}"
    claims = {one["metadata"]["name"] for one in pod["volumeClaimTemplates"]}
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"] if one["name"] in claims}
    assert mounts == {"state": "/var/lib/polytrade", "backups": "/var/backups/polytrade"}


def test_the_network_policy_lets_the_live_pod_reach_what_its_deployment_names(tmp_path: Path) -> None:
    file = tmp_path / "deployment.yaml"
    file.write_text((KUBERNETES / "live/deployment.yaml").read_text().replace("/opt/polytrade", str(ROOT)))
    vault = urlsplit(load(str(file)).secrets.vault.address)
    namespace = str(vault.hostname).split(".")[1]
    egress = objects("live")["NetworkPolicy"]["spec"]["egress"]
    allowed = [
        rule
        for rule in egress
        if vault.port in {port["port"] for port in rule["ports"]}
        and {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
        in rule.get("to", [])
    ]
    assert len(allowed) == 1, egress


def test_the_overlays_differ_in_what_they_say_they_differ_in() -> None:
    paper, live = objects("paper"), objects("live")
    assert set(paper) == set(live) == KINDS
    assert {one["metadata"]["namespace"] for one in paper.values()} == {"polytrade-paper"}
    assert {one["metadata"]["namespace"] for one in live.values()} == {"polytrade-live"}
    tokens = [
        one["StatefulSet"]["spec"]["template"]["spec"]["automountServiceAccountToken"]
        for one in (paper, live)
    ]
    assert tokens == [False, True]
    assert paper["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 0


def test_the_units_are_such_files() -> None:
    for path in SYSTEMD.iterdir():
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(path.read_text())
        assert parser.sections()
