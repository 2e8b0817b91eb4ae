"""The table of metrics against deployments that run: what is scraped is in it, what it has is scraped."""

import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from actors.control.drill_ages import DrillAges
from actors.control.metric_table import LABELS, TABLE
from actors.control.metrics import exposition, make_registry
from actors.deployment.loader import load
from actors.deployment.registry import KINDS
from actors.runtime.messages import AlertRaised, Severity
from actors.simulation.run import SeedRun

ROOT = Path(__file__).resolve().parents[3]
SECOND_NS = 1_000_000_000
# Together they have every kind but those named below.
DEPLOYMENTS = {
    "paper": ("config/paper.yaml",),
    "two accounts": ("config/examples/two-accounts.yaml",),
    "spot and futures": ("config/examples/spot-and-futures.yaml",),
    "over bytes": ("config/local.yaml", "tests/process/rotating.yaml"),
    "over bytes, with spot": ("config/examples/local-with-spot.yaml",),
    "its own model": ("config/examples/parity.yaml",),
    "replay": ("config/examples/replay.yaml",),
}
Scraped = dict[str, dict[tuple[tuple[str, str], ...], float]]  # metric -> labels -> value


class Configured:
    """A configuration that is on no trial."""

    def generation(self) -> int:
        return 1

    def canary_left_s(self) -> float:
        return 0.0


@cache
def scrape(name: str) -> tuple[str, frozenset[str]]:
    """Return what a deployment shows after some seconds of virtual time, and the kinds in it."""
    topology = load([ROOT / path for path in DEPLOYMENTS[name]], environment={"POLYTRADE_STATE": "unused"})
    run = SeedRun(topology, 3, (), 0)
    run.world.run_for(45 * SECOND_NS)
    node = run.world.node
    node.note(AlertRaised("FeedStale", "BTC_USDT_PERP", Severity.PAGE, "for the test", "test", node.now_ns))
    run.world.run_for(SECOND_NS)
    facts = {"version": "1", "deployment": name, "mode": "paper", "configuration_hash": "0"}
    text = exposition(make_registry(node, facts, Configured())).decode()
    return text, frozenset(plan.kind for plan in topology.actors)


def families(text: str) -> Iterator[tuple[str, str, set[str], str]]:
    """Yield name in the table, type, labels and help of each of our families."""
    for family in text_string_to_metric_families(text):
        if family.name.startswith("polytrade_"):
            name, type_ = family.name.removeprefix("polytrade_"), family.type
            if name == "build_info":
                name, type_ = "build", "info"
            labels = {label for sample in family.samples for label in sample.labels}
            yield name, type_, labels - {"le"}, family.documentation


def catalogue_faults(text: str, kinds: frozenset[str]) -> list[str]:
    """Return where what is scraped and the table differ, either way."""
    faults, seen = [], set()
    for name, type_, labels, help_ in families(text):
        seen.add(name)
        known = TABLE.get(name)
        if known is None:
            faults.append(f"{name} is scraped and not in actors/control/metric_table")
            continue
        if (known.type, set(known.labels), known.meaning) != (type_, labels or set(known.labels), help_):
            faults.append(
                f"{name} is scraped as {type_} by {sorted(labels)}: {help_}; the table says {known}"
            )
    for name, metric in TABLE.items():
        present = not metric.kinds or any(fnmatch(k, pattern) for k in kinds for pattern in metric.kinds)
        if present and not metric.appears and name not in seen:
            faults.append(f"{name} is in the table and not scraped")
    return faults


def bound_faults(text: str) -> list[str]:
    values: dict[tuple[str, str, str], set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            for label, value in sample.labels.items():
                values.setdefault((sample.name, sample.labels.get("actor", ""), label), set()).add(value)
    return [
        f"{name}: {len(found)} values of {label}"
        for (name, _, label), found in values.items()
        if len(found) > LABELS[label].most
    ]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_what_is_scraped_is_what_the_table_says(name) -> None:
    text, kinds = scrape(name)
    assert catalogue_faults(text, kinds) == []
    assert bound_faults(text) == []


def test_every_metric_is_scraped_from_one_of_them() -> None:
    seen = {name for one in DEPLOYMENTS for name, *_ in families(scrape(one)[0])}
    # A drill and a measured day take longer than a test; who has drilled here has the first.
    unseen = {"parity_gap_usdt", "parity_part_usdt"}
    assert (TABLE.keys() - seen) - {"drill_passed_timestamp_seconds"} == unseen


def test_the_deployments_have_every_kind() -> None:
    there = {kind for name in DEPLOYMENTS for kind in scrape(name)[1]}
    assert {kind for kind in KINDS.keys() - there if not kind.startswith("strategy.")} == set()
    patterns = [pattern for metric in TABLE.values() for pattern in metric.kinds]
    assert [p for p in patterns if not any(fnmatch(kind, p) for kind in KINDS)] == []


def test_a_metric_that_the_table_lacks_is_found() -> None:
    text = "# HELP polytrade_odd Odd.\n# TYPE polytrade_odd gauge\npolytrade_odd 1.0\n"
    assert catalogue_faults(text, frozenset())[0].startswith("odd is scraped and not in")


def test_a_metric_that_is_gone_or_another_is_found() -> None:
    text, kinds = scrape("paper")
    gone = "\n".join(line for line in text.splitlines() if "polytrade_node_ready" not in line) + "\n"
    assert catalogue_faults(gone, kinds) == ["node_ready is in the table and not scraped"]
    other = text.replace("polytrade_actor_running{actor=", "polytrade_actor_running{cell=")
    assert len(catalogue_faults(other, kinds)) == 1
    assert bound_faults("".join(f'polytrade_risk_halts{{level="{n}"}} 0\n' for n in range(4)))


def test_the_table_and_the_file_say_the_same() -> None:
    listed = yaml.safe_load((ROOT / "schemas" / "metrics.yaml").read_text(encoding="utf-8"))
    assert listed["metrics"].keys() == {metric.full_name for metric in TABLE.values()}
    for metric in TABLE.values():
        entry = listed["metrics"][metric.full_name]
        assert (entry["type"], entry["meaning"]) == (metric.type, metric.meaning)
        assert set(entry.get("labels", ())) <= listed["labels"].keys()


def test_promtool_finds_nothing() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; `make ops-tools` installs it")
    for name in DEPLOYMENTS:
        found = subprocess.run(
            [promtool, "check", "metrics"], input=scrape(name)[0], capture_output=True, text=True
        )
        assert (found.returncode, found.stdout + found.stderr) == (0, "")


def test_the_ages_of_drills_come_from_their_history(tmp_path) -> None:
    path = tmp_path / "history.jsonl"
    ages = DrillAges(path)
    assert ages.passed_at_s() == {}
    path.write_text('{"drill":"mute","began_ns":5000000000,"passed":true}\nhalf a li')
    assert ages.passed_at_s() == {"mute": 5.0}
    with path.open("a") as file:
        file.write('\n{"drill":"mute","began_ns":9000000000,"passed":false,"reason":"no alert"}\n')
        file.write('{"drill":"kill","began_ns":7000000000,"passed":true}\n')
    assert ages.passed_at_s() == {"mute": 5.0, "kill": 7.0}
