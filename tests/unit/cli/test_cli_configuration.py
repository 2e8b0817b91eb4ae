"""Verbs about deployment files, `init` and `doctor`."""

import json
from pathlib import Path

import pytest

from actors.cli.exit_codes import ExitCode
from actors.cli.targets import load_topology
from tests.architecture.sources import ROOT

PAPER = str(ROOT / "config" / "paper.yaml")


def test_validate_sums_up(cli) -> None:
    shown = cli("validate", PAPER)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("paper (paper): ")


def test_validate_as_json_and_sarif(cli, tmp_path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("deployment: x\nmode: paper\nnonsense: 1\n")
    shown = cli("validate", str(bad), "--format", "json")
    assert shown.exit_code == ExitCode.CONFIGURATION
    assert json.loads(shown.stdout)[0]["code"].startswith("E")
    assert json.loads(cli("validate", str(bad), "--format", "sarif").stdout)["version"] == "2.1.0"
    assert json.loads(cli("validate", PAPER, "--format", "json").stdout) == []


def test_render_and_graph_draw_the_deployment(cli) -> None:
    assert "oms/main" in cli("render", PAPER).stdout
    assert cli("graph", PAPER, "--format", "mermaid").stdout.startswith("flowchart")
    assert "digraph" in cli("graph", PAPER, "--format", "dot").stdout
    assert "oms/main" in cli("graph", PAPER).stdout


def test_explain_lists_explains_and_misses(cli) -> None:
    assert "feed.synthetic" in cli("explain").stdout
    assert cli("explain", "risk").exit_code == 0
    shown = cli("explain", "riks")
    assert shown.exit_code == ExitCode.NOT_FOUND


def test_schemas_are_written_and_their_drift_is_found(cli, tmp_path) -> None:
    folder = str(tmp_path / "schemas")
    assert cli("schema", "--check", "--directory", folder).exit_code == ExitCode.DRIFT
    assert cli("schema", "--directory", folder).stdout
    assert cli("schema", "--check", "--directory", folder).exit_code == 0
    (tmp_path / "schemas" / "deployment.schema.json").write_text("{}")
    assert cli("schema", "--check", "--directory", folder).exit_code == ExitCode.DRIFT


@pytest.mark.parametrize(
    ("words", "strategies"),
    [
        ([], {"trend/BTC_USDT_PERP", "reversion/ETH_USDT_PERP"}),
        (["--trending", "none", "--ranging", "SOL_USDT_PERP"], {"reversion/SOL_USDT_PERP"}),
        (
            ["--trending", "SOL_USDT_PERP,XRP_USDT_PERP", "--ranging", "none"],
            {"trend/SOL_USDT_PERP", "trend/XRP_USDT_PERP"},
        ),
    ],
)
def test_init_writes_a_file_that_is_valid_without_a_warning(cli, tmp_path, words, strategies) -> None:
    file = tmp_path / "mine" / "first.yaml"
    shown = cli("init", str(file), "--yes", *words)
    assert shown.exit_code == 0, shown.stderr
    topology = load_topology([str(file)])
    assert topology.warnings == ()
    assert topology.deployment == "first"
    assert {plan.address for plan in topology.actors if plan.kind.startswith("strategy.")} == strategies


def test_init_overwrites_nothing(cli, tmp_path) -> None:
    file = tmp_path / "first.yaml"
    file.write_text("mine")
    shown = cli("init", str(file), "--yes")
    assert shown.exit_code == ExitCode.REFUSED
    assert file.read_text() == "mine"
    assert cli("init", str(file), "--yes", "--force").exit_code == 0


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--trending", "DOGE_MOON"),
        ("--ranging", "BTC_USDT_PERP"),
        ("--usdt", "-5"),
        ("--usdt", "much"),
        ("--daily-loss", "0"),
        ("--name", "Has Spaces"),
    ],
)
def test_init_refuses_answers_that_cannot_work(cli, tmp_path, option, value) -> None:
    file = tmp_path / "first.yaml"
    assert cli("init", str(file), "--yes", option, value).exit_code == ExitCode.USAGE
    assert not file.exists()


def test_doctor_has_a_verdict_on_everything(cli) -> None:
    shown = cli("doctor", PAPER, "--json")
    found = json.loads(shown.stdout)
    assert {check["verdict"] for check in found["checks"]} <= {"ok", "warn", "fail"}
    assert {"python", "fsync", "disk", "clock", "open files"} <= {check["name"] for check in found["checks"]}
    assert shown.exit_code == (1 if found["failed"] else 0)
    assert all(check["remedy"] for check in found["checks"] if check["verdict"] != "ok")


def test_doctor_warns_of_a_folder_others_may_read(tmp_path: Path) -> None:
    from actors.cli.doctor import journal_folder

    tmp_path.chmod(0o755)
    assert journal_folder(tmp_path).verdict == "warn"
    tmp_path.chmod(0o700)
    assert journal_folder(tmp_path).verdict == "ok"


def test_bench_lists_its_figures(cli) -> None:
    assert "loop_messages" in cli("bench", "--list").stdout
    assert cli("bench", "nothing_like_it").exit_code == ExitCode.USAGE


def test_every_figure_of_bench_can_be_imported() -> None:
    from actors.cli.bench import FIGURES, _function

    assert all(callable(_function(name)) for figure in FIGURES for name in (figure.run, figure.bare))


def test_bench_measures_beside_the_bare_machine(monkeypatch, cli) -> None:
    import actors.cli.bench as module

    figure = module.Figure("x", "title", "u/s", "1", "2", "json:loads", "json:loads", "bare")
    values = iter([1.0, 10.0, 3.0, 30.0, 2.0, 20.0])
    monkeypatch.setattr(module, "FIGURES", (figure,))
    monkeypatch.setattr(module, "_function", lambda name: lambda: next(values))
    found = json.loads(cli("bench", "--json").stdout)
    assert found == {"x": {"value": 20.0, "unit": "u/s", "bare": 2.0, "runs": [10.0, 30.0, 20.0]}}
