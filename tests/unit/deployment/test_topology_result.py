"""What a checked deployment comes out as: addresses, edges, supervisors, places, and a hash of its deeds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from actors.deployment.faults import FaultLog
from actors.deployment.loader import load
from actors.deployment.render import render
from actors.deployment.topology import Topology, instant_ns
from actors.deployment.yaml_source import parse_text
from actors.deployment.yaml_tree import plain

ROOT = Path(__file__).resolve().parents[3]
SMALL = ROOT / "tests" / "config" / "bases" / "small.yaml"


def overlaid(folder: Path, text: str, name: str = "top.yaml") -> Topology:
    path = folder / name
    path.write_text(f"extends: {SMALL}\n{text}", encoding="utf-8")
    return load(path)


def test_the_paper_deployment_has_the_actors_it_promises() -> None:
    topology = load(ROOT / "config" / "paper.yaml")
    kinds = {plan.kind for plan in topology.actors}
    assert kinds >= {
        "strategy.trend_follow",
        "strategy.mean_reversion",
        "risk",
        "oms",
        "ledger",
        "reconciler",
    }
    addresses = {plan.address for plan in topology.actors}
    assert addresses >= {"risk/main", "feed/BTC_USDT_PERP", "exchange", "alerter"}
    assert (topology.mode, topology.journal.durability, topology.root.name) == ("paper", "process", "root")
    assert topology.journal_path == ROOT / "var" / "paper"
    assert topology.socket_path == ROOT / "var" / "paper" / "control.sock"
    assert topology.directory == ROOT / "config"


def test_inputs_choose_the_symbols() -> None:
    given = {"trending": "BTC_USDT_PERP", "ranging": "SOL_USDT_PERP,LTC_USDT_PERP"}
    topology = load(ROOT / "config" / "paper.yaml", inputs=given)
    feeds = [plan.address for plan in topology.actors if plan.name == "feed"]
    assert feeds == ["feed/BTC_USDT_PERP", "feed/SOL_USDT_PERP", "feed/LTC_USDT_PERP"]


def test_the_state_folder_comes_from_the_environment() -> None:
    topology = load(ROOT / "config" / "paper.yaml", environment={"POLYTRADE_STATE": "/var/lib/polytrade"})
    assert topology.journal_path == Path("/var/lib/polytrade/paper")


def test_reads_name_addresses_and_edges_name_messages() -> None:
    topology = load(SMALL)
    assert topology.actor("risk/main").reads == (
        "trend/BTC_USDT_PERP",
        "oms/main",
        "ledger/main",
        "reconciler/main",
        "feed/BTC_USDT_PERP",
    )
    edges = {(edge.source, edge.reader): edge.messages for edge in topology.edges}
    assert "OrderIntent" in edges["trend/BTC_USDT_PERP", "risk/main"]
    assert edges["risk/main", "oms/main"][:1] == ("SubmitOrder",)
    assert all(edge.messages for edge in topology.edges)


def test_a_pattern_never_means_the_actor_itself(tmp_path: Path) -> None:
    topology = overlaid(tmp_path, 'actors:\n  venue:\n    reads: ["*/$account", exchange]\n')
    assert topology.actor("venue/main").reads == ("oms/main", "reconciler/main", "exchange")


def test_places_variables_and_settings_reach_the_actor() -> None:
    plan = load(SMALL).actor("trend/BTC_USDT_PERP")
    assert plan.place.symbol == "BTC_USDT_PERP"
    assert plan.place.instrument.symbol == "BTC_USDT_PERP"
    assert (plan.place.address, plan.place.deployment, plan.place.mode) == (plan.address, "small", "paper")
    assert (plan.supervisor, plan.restart, plan.mailbox_capacity) == ("root", "permanent", 10_000)


def test_a_mailbox_without_a_capacity_takes_the_loops(tmp_path: Path) -> None:
    text = "loop: {mailbox_capacity: 500}\nactors:\n  oms: {mailbox_capacity: 70}\n"
    topology = overlaid(tmp_path, text)
    assert topology.actor("oms/main").mailbox_capacity == 70
    assert topology.actor("risk/main").mailbox_capacity == 500


def test_origins_tell_what_was_written_and_where(tmp_path: Path) -> None:
    topology = overlaid(tmp_path, "actors:\n  trend:\n    settings: {fast: 5}\n")
    plan = topology.actor("trend/BTC_USDT_PERP")
    assert str(plan.origins["settings.fast"]) == f"{tmp_path / 'top.yaml'}:4:22"
    assert "settings.slow" not in plan.origins
    assert plan.origin.file.endswith("small.yaml")


def test_the_hash_does_not_depend_on_how_it_is_written(tmp_path: Path) -> None:
    whole = load(SMALL).content_hash
    assert overlaid(tmp_path, "").content_hash == whole
    assert overlaid(tmp_path, "actors:\n  trend:\n    settings: {fast: 20, bar: 1m}\n").content_hash == whole
    assert overlaid(tmp_path, "control: {http: {port: 8080}}\n").content_hash == whole
    assert re.fullmatch(r"[0-9a-f]{64}", whole)


@pytest.mark.parametrize(
    "text",
    [
        "seed: 8\n",
        "deployment: other\n",
        "mode: shadow\n",
        "loop: {inputs_max: 7}\n",
        "journal: {durability: disk}\n",
        "actors:\n  trend:\n    settings: {fast: 21}\n",
        "actors:\n  trend: {restart: transient}\n",
        "actors:\n  alerter:\n",
        "supervisors:\n  root: {intensity: 6}\n",
        "supervisors:\n  root: {exhausted: flatten}\n",
    ],
)
def test_the_hash_depends_on_everything_that_decides_what_it_does(tmp_path: Path, text: str) -> None:
    assert overlaid(tmp_path, text).content_hash != load(SMALL).content_hash


def test_without_supervisors_there_is_a_root_of_our_own() -> None:
    topology = load(SMALL)
    assert [(plan.name, plan.parent, plan.origin) for plan in topology.supervisors] == [("root", None, None)]


def test_an_instant_is_utc_nanoseconds() -> None:
    assert instant_ns("2025-10-10") == 1_760_054_400 * 10**9
    assert instant_ns("2025-10-10T00:00:00.25Z") == 1_760_054_400 * 10**9 + 250_000_000
    assert instant_ns("2025-10-10T00:01Z") == 1_760_054_460 * 10**9


def test_what_is_rendered_is_yaml_and_names_origins(tmp_path: Path) -> None:
    topology = overlaid(tmp_path, "actors:\n  trend:\n    settings: {fast: 5}\n")
    text = render(topology)
    tree = parse_text(text, "rendered.yaml", FaultLog())
    assert tree is not None
    shown = plain(tree)["actors"]["trend/BTC_USDT_PERP"]
    assert shown["settings"]["fast"] == 5
    assert shown["settings"]["bar"] == "1m"
    assert shown["settings"]["risk_fraction"] == "0.01"
    assert shown["reads"] == ["feed/BTC_USDT_PERP", "risk/main", "oms/main"]
    assert re.search(r"fast: 5 +# .*top\.yaml:4:22$", text, re.MULTILINE)
    assert re.search(r"reads: \[feed/BTC_USDT_PERP, .*\] +# .*small\.yaml:38:12$", text, re.MULTILINE)
    assert re.search(r"^  durability: process +# .*small\.yaml:5:55$", text, re.MULTILINE)
    assert re.search(r"^mode: paper +# .*small\.yaml:3:7$", text, re.MULTILINE)
    assert re.search(r"^  tape: false$", text, re.MULTILINE), "a default has no place"
    assert "#" not in render(topology, origins=False).partition("\ndeployment")[2]


def test_what_is_rendered_names_places_of_supervisors_and_lists_and_no_secret(tmp_path: Path) -> None:
    text = """secrets: {defaults: {"secret://a/b#c": hunter2}}
supervisors:
  root: {intensity: 9}
actors:
  alerter: {settings: {routes: [{name: one}, {name: two}]}}
"""
    shown = render(overlaid(tmp_path, text))
    assert re.search(r"intensity: 9 +# .*top\.yaml:4:21$", shown, re.MULTILINE)
    assert re.search(r"- \{name: two, .*\} +# .*top\.yaml:6:46$", shown, re.MULTILINE)
    assert "hunter2" not in shown
    assert '"secret://a/b#c": "***"' in shown
