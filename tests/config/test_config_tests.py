"""Tests of deployments: those that are shipped hold; one that says something wrong fails and says why."""

from __future__ import annotations

import gc
import json
import re
import shutil
import signal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from actors.cli import config_tests as command
from actors.cli.config_tests_shown import json_line, junit_report, text_block
from actors.deployment.config_tests.reading import TestReader, files_of_tests
from actors.deployment.faults import ConfigError, FaultLog
from actors.deployment.yaml_source import parse_text, read_source
from actors.deployment.yaml_tree import plain
from actors.simulation.config_tests.running import TestResult, _limited, _TookTooLong, run_test
from actors.simulation.config_tests.stage import Stage
from actors.simulation.faults import KINDS
from tests.config.corpus import FOLDER, cases

ROOT = FOLDER.parents[1]
SHIPPED = files_of_tests([ROOT / "config" / "tests"])
SMALL = f"""deployment: {FOLDER}/bases/small.yaml
given: {{suspended: [trend/*], market: {{BTC_USDT_PERP: "60000"}}}}
tests:
  - name: as it is said
    steps:
"""
BUY = "order: {symbol: BTC_USDT_PERP, side: buy, contracts: 5}"
MUTE = "send: {to: feed/BTC_USDT_PERP, message: MuteFeed, fields: {symbol: BTC_USDT_PERP, duration_ns: 30s}}"


def run(folder: Path, *steps: str) -> TestResult:
    """Run one test of the small deployment."""
    file = folder / "one.test.yaml"
    file.write_text(SMALL + "".join(f"      - {step}\n" for step in steps), encoding="utf-8")
    (test,) = TestReader(KINDS).read(file)
    return run_test(test)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_test_holds(path: Path) -> None:
    results = [run_test(test) for test in TestReader(KINDS).read(path)]
    assert len(results) >= 3
    assert [text_block(one) for one in results if one.failure is not None] == []
    assert all(one.checks_count for one in results), "a test that asks nothing cannot fail"


# -- a wrong expectation fails -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "said", "got"),
    [
        ([BUY, "expect: {order: denied}"], "expected: order denied", "no order denied at all"),
        ([BUY, "expect_not: {order: filled}"], "expected not: order filled", "+5.000s oms/main  filled"),
        (
            [BUY, "expect: {order: filled, where: {signed_contracts: 6}}"],
            "signed_contracts: 6",
            "(wanted signed_contracts: 6)",
        ),
        (
            [BUY, "expect: {position: BTC_USDT_PERP, where: {net_contracts: 6}}"],
            "position",
            "net_contracts=5",
        ),
        ([BUY, "expect_not: {position: BTC_USDT_PERP, where: {net_contracts: {ge: 5}}}"], "at least 5", "=5"),
        ([BUY, "expect: {halt: all}"], "expected: halt all", "no halt at all"),
        ([BUY, "expect: {order: placed, times: 2}"], "exactly 2 times", "it came 1 times"),
        ([BUY, "expect: {message: SubmitOrder, by: oms/main}"], "by oms/main", "no message SubmitOrder"),
        ([BUY, "expect: {event: HaltLatched}"], "expected: event HaltLatched", "no event HaltLatched at all"),
        (
            [BUY, "expect: {message: SubmitOrder, to: ledger/main}"],
            "to ledger/main",
            "no message SubmitOrder",
        ),
        ([MUTE, "expect: {alert: FeedStale, within: 9s}"], "within 9s", "no alert FeedStale at all"),
        ([MUTE, "expect: {alert: FeedStale, within: 15s, where: {severity: info}}"], "info", "severity=page"),
        ([MUTE, "expect_not: {alert: '*', within: 15s}"], "expected not", "FeedStale"),
        ([MUTE, "expect: {resolved: FeedStale, within: 20s}"], "resolved FeedStale", "no resolved FeedStale"),
        (["expect: {state: ledger/main, where: {equity_usdt: '99'}}"], '"99"', 'equity_usdt="10000"'),
        (["expect: {state: ledger/main, where: {eqity_usdt: '99'}}"], "eqity_usdt", "eqity_usdt=nothing"),
        (["expect: {request: 'https://*'}"], "request https://*", "no request"),
    ],
)
def test_a_wrong_expectation_fails_and_says_what_came(
    steps: list[str], said: str, got: str, tmp_path: Path
) -> None:
    result = run(tmp_path, *steps)
    assert result.failure is not None, "it passed"
    assert said in result.failure.text
    assert got in " ".join(result.failure.got)
    assert result.failure.span.line == SMALL.count("\n") + len(steps)


@pytest.mark.parametrize(
    "steps",
    [
        [BUY, "expect: {order: filled, where: {signed_contracts: 5}}"],
        [BUY, "expect: {order: submitted, where: {strategy: trend/*, side: buy, reduce_only: false}}"],
        [BUY, "expect: {order: accepted, where: {symbol: BTC_USDT_PERP}}"],
        [BUY, "expect: {message: SubmitOrder, by: risk/*, to: oms/main}"],
        [BUY, "expect: {event: IntentAllowed, where: {side: {in: [buy, sell]}, contracts: {gt: 4, le: 5}}}"],
        [BUY, "expect: {state: ledger/main, where: {positions.0.net_contracts: 5}}"],
        [BUY, "expect: {position: BTC_USDT_PERP, where: {net_contracts: {ne: 0}}}"],
        [BUY, "advance: 5s", "expect: {order: filled}", "expect: {order: placed, times: 1}"],
        [BUY, BUY, "expect: {order: placed, times: 1}", "expect: {order: placed, times: 2, since: start}"],
        ['market: {BTC_USDT_PERP: "61000"}', BUY, "expect: {order: filled}"],
        ['send: {to: feed/BTC_USDT_PERP, by: "", message: HistoryRequest, fields: '
         "{symbol: BTC_USDT_PERP, interval_ns: 1m, bars_count: 3}}", "expect_not: {event: ActorFailed}"],
        ["restart: risk/main", "expect: {event: ActorRestarted, where: {actor: risk/main}}"],
        ["fault: {kind: crash_cell, target: oms/main}", "expect: {event: ActorFailed}"],
        ["fault: {kind: kill, lasts: 2s}", "advance: 4s",
         "expect: {state: risk/main, where: {reconciled: true}}"],
    ],
)  # fmt: skip
def test_what_happens_is_found_whichever_way_it_is_asked_for(steps: list[str], tmp_path: Path) -> None:
    result = run(tmp_path, *steps)
    assert result.failure is None, text_block(result)


def test_prices_are_what_the_test_says(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        'market: {BTC_USDT_PERP: "48000"}',
        "advance: 3s",
        BUY,
        'expect: {event: FillBooked, where: {price_ticks: {gt: 4790000, lt: 4810000}}}',
        'send: {by: feed/BTC_USDT_PERP, message: MarkPrice, fields: {symbol: BTC_USDT_PERP, '
        'mark_ticks: "47000", index_ticks: "47000"}}',
        "expect: {position: BTC_USDT_PERP, where: {mark_ticks: 4700000}}",
    )  # fmt: skip
    assert result.failure is None, text_block(result)


@pytest.mark.parametrize(("at", "rule"), [("now-50s", "stale_data"), ("now", ""), ("now+50s", "")])
def test_instants_count_from_the_step_that_says_them(at: str, rule: str, tmp_path: Path) -> None:
    quote = (
        "send: {to: risk/main, by: feed/BTC_USDT_PERP, message: Quote, fields: {symbol: BTC_USDT_PERP, "
        f'at_ns: {at}, bid_ticks: "59999", bid_contracts: 900, ask_ticks: "60001", ask_contracts: 900}}}}'
    )
    asked = f"{{order: denied, where: {{rule: {rule}}}}}" if rule else "{order: filled}"
    result = run(tmp_path, "advance: 1m", quote, BUY, f"expect: {asked}")
    assert result.failure is None, text_block(result)


def test_a_step_that_cannot_be_done_is_a_failure_with_its_place(tmp_path: Path) -> None:
    result = run(tmp_path, "fault: {kind: venue_mute, lasts: 5s}")
    assert result.failure is not None
    assert "needs an exchange beyond the line" in result.failure.text
    assert result.failure.span.line == SMALL.count("\n") + 1


@pytest.mark.parametrize("where", ["advance", "actor"])
def test_a_test_that_does_not_end_fails_and_names_the_step(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More time than anybody has, or an actor that goes round for ever: no handler of errors keeps it up."""

    def for_ever(*_: object) -> None:
        while True:
            pass

    before = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0] > 1
    monkeypatch.setattr("actors.simulation.config_tests.running.LIMIT_S", 1.0)
    steps = ["advance: 1s", "advance: 9999999h"]
    if where == "actor":
        monkeypatch.setattr("actors.oms.actor.OmsActor._submit", for_ever)
        steps = ["advance: 1s", BUY]
    found = run(tmp_path, *steps)
    assert found.failure is not None
    assert "this step did not end within 1 s" in found.failure.text
    assert "--timeout" in found.failure.got[0]
    assert found.failure.span.line == SMALL.count("\n") + 2
    assert 0.9 < found.wall_ns / 1e9 < 20
    assert (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0] > 1) == before
    assert run(tmp_path, "advance: 1s").failure is None  # what follows has its own time


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_limit_that_is_lost_in_a_callback_is_told_again() -> None:
    """The garbage collector swallows what its callbacks raise."""
    lost = []

    def swallow(phase: str, info: object) -> None:
        if not lost and phase == "start":
            lost.append(info)
            while True:  # until the alarm comes in here
                pass

    def collect_for_ever() -> None:
        with _limited(0.3):
            gc.collect()
            while True:
                pass

    gc.callbacks.append(swallow)
    try:
        with pytest.raises(_TookTooLong):
            collect_for_ever()
    finally:
        gc.callbacks.remove(swallow)
    assert lost


def test_the_command_takes_a_limit_and_says_which_step_hung(tmp_path: Path) -> None:
    file = tmp_path / "hangs.test.yaml"
    file.write_text(f"{SMALL}      - advance: 9999999h\n", encoding="utf-8")
    found = CliRunner().invoke(command.test, [str(file), "--timeout", "1s"])
    assert (found.exit_code, "did not end within 1 s" in found.stdout) == (1, True), found.stdout


def test_what_is_given_in_a_test_stands_in_place_of_what_its_file_gives(tmp_path: Path) -> None:
    file = tmp_path / "given.test.yaml"
    file.write_text(
        f"""deployment: {ROOT}/config/live.yaml
given: {{seed: 3, cash: {{main: "500"}}, inputs: {{alert_url: "https://pager.example/x"}}}}
tests:
  - name: as the file says
    steps: [advance: 1s]
  - name: as it says itself
    given: {{environments: [rehearsal], start: 2025-10-10T00:00:00Z, seed: 4}}
    steps: [advance: 1s]
""",
        encoding="utf-8",
    )
    first, second = TestReader(KINDS).read(file)
    assert (first.topology.deployment, second.topology.deployment) == ("live", "rehearsal")
    assert (first.given.seed, second.given.seed) == (3, 4)
    assert [one.given.cash for one in (first, second)] == [{"main": 500 * 10**8}] * 2
    assert second.topology.actor("alerter").settings.routes[1].url == "https://pager.example/x"  # type: ignore[attr-defined]
    assert Stage(second).world.now_ns == 1_760_054_400 * 10**9


def test_a_promise_of_the_platform_that_breaks_fails_the_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(stage: Stage) -> None:
        stage.watchers.tell("a fill counts once", "BTC/7 was applied 2 times")

    monkeypatch.setattr(Stage, "look", look)
    result = run(tmp_path, BUY)
    assert result.failure is not None
    assert "a promise of the platform was broken: a fill counts once" in result.failure.text
    assert result.failure.got == ("BTC/7 was applied 2 times",)


def test_a_test_does_the_same_each_time() -> None:
    test = TestReader(KINDS).read(ROOT / "config/tests/paper-alerts.test.yaml")[-1]
    chains = []
    for _ in range(2):
        stage = Stage(test)
        stage.world.run_for(30_000_000_000)
        chains.append(stage.world.node.journal.chain)
    assert chains[0] == chains[1]


# -- a changed limit fails its test --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "before", "after", "fails"),
    [
        ("live", 'max_order_notional_usdt: "100"', 'max_order_notional_usdt: "150"', "more than 100 USDT"),
        ("live", "begins_halted: true", "begins_halted: false", "trading begins halted"),
        ("live", 'price_band: "0.02"', 'price_band: "0.09"', "limit price"),
        ("live", 'daily_loss_usdt: "20"', 'daily_loss_usdt: "0"', "daily loss"),
        ("live", 'max_position_notional_usdt: "200"', 'max_position_notional_usdt: "0"', "position of more"),
        # These two may not run at all.
        ("live", "channel: webhook", "channel: log", ""),
        ("live", "severity_min: ticket", "severity_min: page", ""),
        ("paper", 'max_order_notional_usdt: "2500"', 'max_order_notional_usdt: "9500"', "2500 USDT"),
        ("paper", 'daily_loss_usdt: "500"', 'daily_loss_usdt: "5000"', "daily loss"),
    ],
)
def test_a_loosened_deployment_fails_the_test_that_guards_it(
    file: str, before: str, after: str, fails: str, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    edited = tmp_path / "config" / f"{file}.yaml"
    text = edited.read_text(encoding="utf-8")
    assert before in text
    edited.write_text(text.replace(before, after), encoding="utf-8")
    tests = tmp_path / "config" / "tests"
    words = [file, *fails.split()]
    found = CliRunner().invoke(command.test, [str(tests), "-k", " ".join(words)])
    if not fails:
        assert isinstance(found.exception, ConfigError), found.output
        return
    assert found.exit_code == 1, found.output
    assert fails in "".join(line for line in found.output.splitlines() if "FAILED" in line)


# -- output, schema, manual ----------------------------------------------------------------------------------


def test_results_are_shown_to_people_scripts_and_ci(tmp_path: Path) -> None:
    failed = run(tmp_path, BUY, "expect_not: {order: filled}")
    passed = run(tmp_path, BUY, "expect: {order: filled}")
    text = text_block(failed)
    assert f"{tmp_path}/one.test.yaml:7:9: expected not: order filled" in text
    assert "    7 |       - expect_not: {order: filled}" in text
    assert "journal since the last action:" in text
    assert "OrderSubmitted" in text
    row = json.loads(json_line(failed))
    assert row["passed"] is False
    assert row["failure"]["at"].endswith("one.test.yaml:7:9")
    assert json.loads(json_line(passed))["failure"] is None
    tree = ElementTree.fromstring(junit_report([failed, passed]))
    suite = tree.find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert len(tree.findall(".//failure")) == 1


def test_the_command_says_by_its_exit_code_what_became_of_the_tests(tmp_path: Path) -> None:
    runner = CliRunner()
    good = str(ROOT / "config/tests/halts.test.yaml")
    assert runner.invoke(command.test, [good, "-k", "flatten"]).exit_code == 0
    run(tmp_path, BUY, "expect: {order: denied}")
    found = runner.invoke(command.test, [str(tmp_path), "--junit", str(tmp_path / "report.xml")])
    assert found.exit_code == 1
    assert (
        "FAILED" in (tmp_path / "report.xml").read_text()
        or "failure" in (tmp_path / "report.xml").read_text()
    )
    rows = runner.invoke(command.test, [good, "--json", "-k", "resumes"]).output.splitlines()
    assert json.loads(rows[0])["passed"] is True
    listed = runner.invoke(command.test, [good, "--list"]).output
    assert "a flatten closes every position" in listed


@pytest.mark.parametrize(("arguments", "said"), [(["nowhere"], "nowhere"), ([], "xyzzy")])
def test_no_tests_at_all_are_no_success(arguments: list[str], said: str) -> None:
    found = CliRunner().invoke(command.test, [*arguments, *([] if arguments else ["-k", "xyzzy"])])
    assert found.exit_code != 0
    assert said in str(found.exception)


def schema_errors(path: Path) -> list[str]:
    schema = json.loads((ROOT / "schemas" / "test.schema.json").read_text(encoding="utf-8"))
    tree = read_source(path, path.name, FaultLog())
    assert tree is not None
    return [error.message for error in Draft202012Validator(schema).iter_errors(plain(tree))]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_tests_fit_the_schema_they_name(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert (path.parent / first.rpartition("$schema=")[2]).resolve() == ROOT / "schemas" / "test.schema.json"
    assert schema_errors(path) == []


def test_the_schema_knows_every_fault_and_no_other() -> None:
    schema = json.loads((ROOT / "schemas" / "test.schema.json").read_text(encoding="utf-8"))
    kind = schema["$defs"]["step"]["properties"]["fault"]["properties"]["kind"]
    assert kind["enum"] == list(KINDS)
    assert len(kind["enumDescriptions"]) == len(kind["enum"])


# What only the deployment under test can tell.
NOT_BY_THE_SCHEMA = {"deployment-is-faulty", "deployment-not-there", "names-twice", "prices-off-the-grid"}
NOT_BY_THE_SCHEMA |= {"send-to-nobody", "order-of-nothing", "expect-nothing-or-two"}


@pytest.mark.parametrize("name", sorted(set(cases("invalid_tests")) - NOT_BY_THE_SCHEMA))
def test_what_has_a_wrong_shape_the_schema_refuses_too(name: str) -> None:
    assert schema_errors(FOLDER / "invalid_tests" / f"{name}.yaml") != []


def test_the_examples_of_the_manual_can_be_run(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "config-tests.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    whole = [block for block in blocks if "\ntests:" in block]
    assert whole
    shutil.copytree(ROOT / "config", tmp_path / "config")
    for number, block in enumerate(whole):
        file = tmp_path / "config" / "tests" / f"manual{number}.test.yaml"
        file.write_text(block, encoding="utf-8")
        for test in TestReader(KINDS).read(file):
            result = run_test(test)
            assert result.failure is None, text_block(result)
    for block in blocks:
        log = FaultLog()
        assert parse_text(block, "config-tests.md", log) is not None, log.sorted()
