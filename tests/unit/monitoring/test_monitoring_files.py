"""The files of the monitoring: up to date, accepted by the real tools, and every name in them exists."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from actors.control.metric_table import TABLE
from actors.control.metric_table.metric import HISTOGRAM
from actors.deployment.loader import load
from actors.deployment.objectives import BUCKETS_NS
from actors.drills.runbooks.catalogue import listed_alerts
from actors.monitoring.alert_rules import WATCHDOG
from actors.monitoring.dashboards import DASHBOARDS, queries
from actors.monitoring.files import MARK, drifted, monitoring_files, write
from actors.monitoring.known import AlertWithoutRunbook, known_alerts
from actors.monitoring.links import dashboard_uid
from actors.monitoring.routing import INHIBITIONS
from actors.oms import execution

ROOT = Path(__file__).resolve().parents[3]
CONFIG = ROOT / "config"
NAME = re.compile(r"\b(?:polytrade|slo|process)[_:][a-z0-9_:]*[a-z0-9]\b")


def made(*files: str) -> dict[str, str]:
    topology = load([ROOT / one for one in files], environment={"POLYTRADE_STATE": "unused"})
    return monitoring_files(topology, known_alerts(ROOT, ROOT / "runbooks"))


FILES = made("config/live.yaml")
RULES = [
    rule
    for path, text in FILES.items()
    if path.endswith(".rules.yaml")
    for group in yaml.safe_load(text)["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDS = {rule["record"] for rule in RULES if "record" in rule}


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed; `make ops-tools` installs it")
    return found


def run(*words: str, cwd: Path = ROOT) -> tuple[int, str]:
    found = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=120)
    return found.returncode, found.stdout + found.stderr


def unknown_names(expr: str) -> set[str]:
    """Return the metrics of a query that no node shows and no rule records."""
    bare = re.sub(r'"[^"]*"', "", expr)
    known = {metric.full_name for metric in TABLE.values()} | RECORDS
    for metric in TABLE.values():
        if metric.type == HISTOGRAM:
            known |= {f"{metric.full_name}_{end}" for end in ("bucket", "sum", "count")}
    process = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
    return set(NAME.findall(bare)) - known - process


def test_the_files_in_config_are_those_of_the_live_deployment() -> None:
    assert drifted(CONFIG, FILES) == [], "run `polytrade monitoring config/live.yaml --out config`"


def test_drift_is_found_and_repaired_and_files_of_others_stay(tmp_path) -> None:
    write(tmp_path, FILES)
    (tmp_path / "alerts" / "own.rules.yaml").write_text("groups: []\n")
    (tmp_path / "alerts" / "old.rules.yaml").write_text(f"# {MARK} long ago\ngroups: []\n")
    (tmp_path / "alerts" / "slo.rules.yaml").write_text("groups: []\n")
    assert drifted(tmp_path, FILES) == ["alerts/slo.rules.yaml", "alerts/old.rules.yaml"]
    write(tmp_path, FILES)
    assert drifted(tmp_path, FILES) == []
    assert (tmp_path / "alerts" / "own.rules.yaml").is_file()
    assert not (tmp_path / "alerts" / "old.rules.yaml").exists()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda one: f"{one['alert']}-{one['labels']['severity']}")
def test_an_alert_says_what_it_costs_and_where_to_go(rule) -> None:
    says = rule["annotations"]
    assert all(says[name] for name in ("summary", "impact", "runbook_url", "dashboard_url"))
    assert rule["labels"]["severity"] in ("page", "ticket") or rule["alert"] == WATCHDOG
    assert (ROOT / "runbooks" / says["runbook_url"].rpartition("/")[2]).stem == rule["alert"]
    assert (ROOT / "runbooks" / f"{rule['alert']}.md").is_file()
    assert says["dashboard_url"].rpartition("/")[2] in {dashboard_uid(page.name) for page in DASHBOARDS}


def test_every_alert_there_is_has_a_rule_of_each_severity() -> None:
    ruled = {(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS}
    listed = {
        (name, severity)
        for name, alert in listed_alerts(ROOT).items()
        for severity in ("page", "ticket")
        if severity in alert.severity and name != WATCHDOG
    }
    assert ruled == listed | {(WATCHDOG, "none")}


def test_what_hides_and_what_is_hidden_exists() -> None:
    named = {
        name
        for source, target, _ in INHIBITIONS
        for names in re.findall(r'alertname[=!~]+"([^"]+)"', f"{source},{target}")
        for name in names.split("|")
    }
    assert {"NodeDead", "TradingHalted", "LimitNear"} <= named
    assert named - {rule["alert"] for rule in ALERTS} == set()


def test_every_metric_of_a_rule_exists() -> None:
    assert {rule["expr"]: found for rule in RULES if (found := unknown_names(rule["expr"]))} == {}


def test_every_metric_of_a_dashboard_exists() -> None:
    assert {title: found for title, expr in queries() if (found := unknown_names(expr))} == {}
    assert unknown_names("sum(polytrade_odd_total) / slo:errors:ratio_rate9m") != set()


def test_every_query_of_a_dashboard_is_one(tmp_path) -> None:
    promtool = tool("promtool")
    rules = [{"record": f"panel:{n}", "expr": expr} for n, (_, expr) in enumerate(queries())]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    code, said = run(promtool, "check", "rules", str(path))
    assert code == 0, said
    assert f"{len(rules)} rules found" in said


def test_dashboards_are_whole() -> None:
    for page in DASHBOARDS:
        text = FILES[f"dashboards/{dashboard_uid(page.name)}.json"]
        found = json.loads(text)
        assert MARK in text
        assert len({panel["id"] for panel in found["panels"]}) == len(found["panels"])
        assert all("SEL" not in target["expr"] for panel in found["panels"] for target in panel["targets"])
        places = [panel["gridPos"] for panel in found["panels"]]
        cells = [
            (x, y)
            for at in places
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        ]
        assert len(cells) == len(set(cells)), "panels lie over each other"
        assert max(x for x, _ in cells) < 24


def test_the_real_tools_accept_rules_and_configurations() -> None:
    promtool, amtool = tool("promtool"), tool("amtool")
    for path in sorted((CONFIG / "alerts").glob("*.rules.yaml")):
        code, said = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", str(path))
        assert code == 0, said
    code, said = run(promtool, "check", "config", str(CONFIG / "monitoring" / "prometheus.yaml"))
    assert code == 0, said
    assert "3 rule files found" in said
    code, said = run(amtool, "check-config", str(CONFIG / "monitoring" / "alertmanager.yaml"))
    assert code == 0, said


@pytest.mark.parametrize("name", ["slo", "alerts"])
def test_the_rules_pass_their_unit_tests(name) -> None:
    code, said = run(tool("promtool"), "test", "rules", f"{name}.test.yaml", cwd=CONFIG / "alerts" / "tests")
    assert code == 0, said


@pytest.mark.parametrize(
    ("path", "right", "wrong"),
    [
        ("slo.rules.yaml", "> 14.4 * ", "> 14400 * "),
        ("slo.rules.yaml", "ratio_rate5m{slo", "ratio_rate1h{slo"),
        ("outside.rules.yaml", ">= 3", ">= 4"),
        ("inside.rules.yaml", 'severity="page"}) > 0', 'severity="page"}) > 9'),
    ],
)
def test_their_unit_tests_find_a_broken_rule(tmp_path, path, right, wrong) -> None:
    promtool = tool("promtool")
    write(tmp_path, FILES)
    text = FILES[f"alerts/{path}"]
    assert right in text
    (tmp_path / "alerts" / path).write_text(text.replace(right, wrong))
    name = "slo" if path.startswith("slo") else "alerts"
    tests = tmp_path / "alerts" / "tests" / f"{name}.test.yaml"
    listed = yaml.safe_load(tests.read_text())  # two of each will do
    listed["tests"] = listed["tests"][:7]
    tests.write_text(yaml.safe_dump(listed))
    code, said = run(promtool, "test", "rules", tests.name, cwd=tests.parent)
    assert code == 1, said


def test_no_value_of_a_secret_is_in_them() -> None:
    found = "".join(made("config/local.yaml").values()) + "".join(made("config/live.yaml").values())
    assert "local-secret" not in found
    assert "secret://" not in found


def test_an_address_that_is_a_secret_stays_in_its_file(tmp_path) -> None:
    over = tmp_path / "over.yaml"
    over.write_text("monitoring: {page_url: 'file:///run/secrets/page_url'}\n")
    found = yaml.safe_load(made("config/live.yaml", str(over))["monitoring/alertmanager.yaml"])
    page = found["receivers"][0]["webhook_configs"][0]
    assert (page["url_file"], "url" in page) == ("/run/secrets/page_url", False)


def test_a_promise_that_is_not_made_has_no_rules(tmp_path) -> None:
    over = tmp_path / "over.yaml"
    over.write_text('slo: {latency: {objective: "0", within: 1s}, answers: {objective: "0.9"}}\n')
    text = made("config/live.yaml", str(over))["alerts/slo.rules.yaml"]
    assert "slo: latency" not in text
    assert "> 14.4 * 0.1" in text


def test_an_alert_without_runbook_is_a_fault(tmp_path) -> None:
    shutil.copytree(ROOT / "runbooks", tmp_path / "runbooks")
    (tmp_path / "runbooks" / "FeedStale.md").unlink()
    with pytest.raises(AlertWithoutRunbook, match=r"FeedStale: there is no .*FeedStale.md"):
        known_alerts(ROOT, tmp_path / "runbooks")


def test_what_counts_as_fast_is_the_end_of_a_bucket() -> None:
    assert BUCKETS_NS == execution.BUCKETS_NS
