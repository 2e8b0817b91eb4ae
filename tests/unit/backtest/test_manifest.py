"""A manifest is all that decides a result: equal ones give equal bytes, and whatever matters changes them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from actors.backtest.code_hash import code_hash
from actors.cli.backtest import backtest
from tests.unit.backtest.histories import BTC, MINIMAL, MINUTES, write_candles, write_funding


def words(folder: Path, *more: str) -> list[str]:
    overrides = [word for name, value in MINUTES.items() for word in ("--set", f"{name}={value}")]
    write_candles(folder / f"{BTC}.csv", 300)
    write_funding(folder / f"{BTC}.funding.csv")
    return [str(MINIMAL), "--data", str(folder), *overrides, *more]


def invoke(said: list[str]) -> Result:
    return CliRunner().invoke(backtest, said, catch_exceptions=False)


def told(said: list[str]) -> dict:
    return json.loads(invoke([*said, "--json"]).stdout)


def test_equal_manifests_give_equal_bytes_in_every_file(tmp_path: Path) -> None:
    delays = tmp_path / "delays.txt"
    delays.write_text("latency_ms\n12.5\n31\n80\n")
    said = words(tmp_path, "--set", f"venue.latency_path={delays}", "--seed", "3")
    for name in ("one", "two"):
        (tmp_path / "kept").mkdir(exist_ok=True)
        invoke([*said, "--out", str(tmp_path / "kept" / name)])
    one, two = tmp_path / "kept" / "one", tmp_path / "kept" / "two"
    files = sorted(path.name for path in one.iterdir() if path.is_file())
    assert {"manifest.json", "report.html", "report.json", "record.msgpack"} <= set(files)
    for name in files:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def changed(folder: Path, *more: str) -> bool:
    return told(words(folder, *more))["manifest"] != told(words(folder))["manifest"]


@pytest.mark.parametrize(
    "more",
    [
        ("--set", "exchange.queue=touch"),
        ("--set", "exchange.slippage=0.001"),
        ("--set", "exchange.impact=0.01"),
        ("--set", "exchange.fee_schedule=published", "--set", "exchange.vip=3"),
        ("--set", "venue.latency=7ms"),
        ("--set", "trend.fast=7"),
        ("--seed", "9"),
        ("--from", "2025-10-10T01:00Z"),
        ("--allow", "gaps"),
    ],
)
def test_whatever_decides_the_result_is_in_the_manifest(tmp_path: Path, more: tuple[str, ...]) -> None:
    assert changed(tmp_path, *more)


def test_recorded_delays_are_named_with_their_hash(tmp_path: Path) -> None:
    delays, found = tmp_path / "delays.txt", []
    for text in ("12\n", "13\n"):
        delays.write_text(text)
        files = told(words(tmp_path, "--set", f"venue.latency_path={delays}"))["manifest"]["files"]
        found.append(next(file for file in files if file["role"] == "latency"))
    assert [one["rows_count"] for one in found] == [1, 1]
    assert found[0]["sha256"] != found[1]["sha256"]


def test_another_line_of_code_is_another_manifest(tmp_path: Path) -> None:
    package = tmp_path / "actors"
    package.mkdir()
    (package / "one.py").write_text("A = 1\n")
    before = code_hash(package)
    (package / "one.py").write_text("A = 2\n")
    code_hash.cache_clear()
    assert code_hash(package) != before
    code_hash.cache_clear()


def test_json_tells_the_figures_of_the_report(tmp_path: Path) -> None:
    out = tmp_path / "kept"
    found = json.loads(invoke([*words(tmp_path), "--out", str(out), "--json"]).stdout)
    report = json.loads((out / "report.json").read_text())
    assert found["metrics"] == report["figures"]
    for name in ("manifest", "digest", "notes", "halted"):
        assert found[name] == report[name]
    for name in ("net_usdt", "fees_usdt", "funding_usdt", "slippage_usdt"):
        assert float(found["figures"][name]) * 1e8 == pytest.approx(found["metrics"][name])
    assert found["figures"]["fills"] == found["metrics"]["fills_count"] > 0
    assert found["figures"]["trades"] == found["metrics"]["trades_count"]


# -- a run that stood still ------------------------------------------------------------------------------


def test_a_run_that_was_halted_says_so_everywhere(tmp_path: Path) -> None:
    out = tmp_path / "kept"
    said = words(tmp_path, "--set", "risk.begins_halted=true", "--out", str(out), "--json")
    result = invoke(said)
    found = json.loads(result.stdout)["halted"]
    assert found["fraction"] == 1.0
    assert found["denials_count"] > 10
    assert found["rule"] == "halted"
    assert "warning: trading was halted for 100% of the run, first at 2025-10-10 00:00 UTC" in result.stderr
    assert "--set risk.begins_halted=false" in result.stderr
    assert "trading was halted for 100% of the run" in (out / "report.html").read_text()
    assert json.loads((out / "report.json").read_text())["halted"] == found


def test_a_halt_in_the_middle_counts_from_then_on(tmp_path: Path) -> None:
    result = invoke([*words(tmp_path, "--set", "risk.daily_loss_usdt=1"), "--json"])
    found = json.loads(result.stdout)
    assert 0.1 < found["halted"]["fraction"] < 1
    assert found["halted"]["first_at_ns"] > found["manifest"]["from_ns"]
    assert "daily" in found["halted"]["reason"]
    assert "warning: trading was halted for" in result.stderr


def test_a_run_without_a_halt_warns_of_nothing(tmp_path: Path) -> None:
    result = invoke([*words(tmp_path, "--set", "risk.daily_loss_usdt=0"), "--json"])
    assert json.loads(result.stdout)["halted"] is None
    assert "halted" not in result.stderr
