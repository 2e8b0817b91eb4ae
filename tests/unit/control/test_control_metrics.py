"""Metrics: names, units and values as Prometheus wants them."""

import re
import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from actors.control.metrics import exposition, gauge_name, make_registry
from tests.unit.control.house import HousePing, make_node

NAME = re.compile(r"(polytrade|process)_[a-z0-9_]+")
BASE_UNITS = ("seconds", "bytes", "ratio", "usdt", "messages", "info", "total")
SHORT_UNITS = frozenset({"ns", "us", "ms", "s", "sec", "kb", "mb", "gb", "b", "m", "h", "d", "bps", "pct"})


@pytest.fixture(scope="module")
def text() -> str:
    node = make_node()
    node.start()
    while node.turn():
        pass
    node.tell("clerk/main", HousePing("x"))
    node.tell("clerk/main", HousePing("y"))
    while node.turn():
        pass
    found = exposition(make_registry(node, {"version": "1", "deployment": 'a"b'})).decode()
    node.stop("done")
    return found


def test_syncs_beside_the_loop_are_told_apart_from_commits() -> None:
    node = make_node()
    node.start()
    for duration_ns in (5_000_000, 7_000_000):
        node.loop.counters.synced(duration_ns)
    commits = node.loop.counters.commits
    found = exposition(make_registry(node, {"version": "1"})).decode().splitlines()
    node.stop("done")
    assert "polytrade_journal_syncs_total 2.0" in found
    assert "polytrade_journal_sync_seconds_total 0.012" in found
    assert f"polytrade_journal_commits_total {float(commits)}" in found


def lint(text: str) -> list[str]:
    """Return what Prometheus' own linter would object to (and what we want beside it)."""
    faults = []
    for family in text_string_to_metric_families(text):
        words = family.name.split("_")
        if not NAME.fullmatch(family.name):
            faults.append(f"{family.name}: not snake case with our prefix")
        if not family.documentation.endswith("."):
            faults.append(f"{family.name}: help is not a sentence")
        if SHORT_UNITS & set(words):
            faults.append(f"{family.name}: abbreviated unit")
        if family.type == "gauge" and words[-1] in ("total", "count", "sum", "bucket"):
            faults.append(f"{family.name}: a gauge called like part of a counter or histogram")
        for sample in family.samples:
            if family.type == "counter" and not sample.name.endswith("_total"):
                faults.append(f"{sample.name}: a counter ends in _total")
            if set(sample.labels) - {"actor", "path", "supervisor", "version", "deployment", "drill"}:
                faults.append(f"{sample.name}: a label nobody has bounded")
    return faults


def test_the_metrics_keep_the_conventions(text) -> None:
    ours = "\n".join(line for line in text.splitlines() if "process_" not in line) + "\n"
    assert lint(ours) == []


@pytest.mark.parametrize(
    "bad",
    [
        "# HELP polytrade_x_ms Time.\n# TYPE polytrade_x_ms gauge\npolytrade_x_ms 1\n",
        "# HELP polytrade_x_count Many.\n# TYPE polytrade_x_count gauge\npolytrade_x_count 1\n",
        "# HELP polytrade_x Many\n# TYPE polytrade_x gauge\npolytrade_x 1\n",
        "# HELP Orders Many.\n# TYPE Orders gauge\nOrders 1\n",
        '# HELP polytrade_x Many.\n# TYPE polytrade_x gauge\npolytrade_x{order="7"} 1\n',
    ],
)
def test_the_lint_finds_a_broken_convention(bad) -> None:
    assert lint(bad)


def test_promtool_finds_nothing(text) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    found = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


def test_counters_and_gauges_carry_their_values(text) -> None:
    values = {
        (sample.name, sample.labels.get("actor", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert values["polytrade_actor_messages_handled_total", "clerk/main"] == 2
    assert values["polytrade_clerk_counted", "clerk/main"] == 2
    assert values["polytrade_clerk_wait_seconds", "clerk/main"] == 0.25
    assert values["polytrade_journal_events_total", ""] >= 3
    assert values["polytrade_actor_running", "guard/main"] == 1
    assert ("process_resident_memory_bytes", "") in values


@pytest.mark.parametrize(
    ("name", "metric", "factor"),
    [
        ("fills_count", "polytrade_ledger_fills", 1.0),
        ("quote_age_ms", "polytrade_ledger_quote_age_seconds", 1e-3),
        ("lag_ns", "polytrade_ledger_lag_seconds", 1e-9),
        ("equity_usdt", "polytrade_ledger_equity_usdt", 1.0),
        ("slippage_bps", "polytrade_ledger_slippage_ratio", 1e-4),
        ("Odd name!", "polytrade_ledger_odd_name", 1.0),
        ("count", "polytrade_ledger_count", 1.0),
        ("ledger_size", "polytrade_ledger_size", 1.0),
    ],
)
def test_a_gauge_gets_a_base_unit(name, metric, factor) -> None:
    assert gauge_name("ledger", name) == (metric, factor)


def test_an_actor_whose_gauges_fail_does_not_fail_the_scrape() -> None:
    node = make_node()
    node.start()
    node.cell("clerk/main").behaviour.gauges = lambda: 1 / 0
    text = exposition(make_registry(node, {"version": "1"})).decode()
    assert "polytrade_actor_running" in text
    assert 'polytrade_clerk_gauges_failed{actor="clerk/main"} 1.0' in text


def test_two_nodes_have_registries_of_their_own() -> None:
    for _ in range(2):
        node = make_node()
        node.start()
        assert exposition(make_registry(node, {"version": "1"}))


def test_a_gauge_may_carry_one_label_of_its_own(text) -> None:
    assert 'polytrade_clerk_lost{actor="clerk/main",path="GET /orders/{id}/trades"} 2.0' in text
