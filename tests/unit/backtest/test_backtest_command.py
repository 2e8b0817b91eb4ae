"""`polytrade backtest` as a user meets it: results, folders, refusals."""

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from actors.backtest.record import RunRecord, digest_of_fills
from actors.cli.backtest import backtest
from actors.cli.problems import Problem
from actors.deployment.backtest import BacktestRun
from actors.runtime.journal import verify_chain
from actors.runtime.store_lmdb import Durability, LmdbStore
from tests.unit.backtest.histories import BTC, MINIMAL, MINUTES, REPOSITORY, write_candles, write_funding


def words(folder: Path) -> list[str]:
    overrides = [word for name, value in MINUTES.items() for word in ("--set", f"{name}={value}")]
    write_candles(folder / f"{BTC}.csv", 400)
    write_funding(folder / f"{BTC}.funding.csv")
    return [str(MINIMAL), "--data", str(folder), *overrides]


def invoke(*said: object) -> Result:
    return CliRunner().invoke(backtest, [str(word) for word in said], catch_exceptions=False)


def test_json_has_figures_manifest_and_digest_and_the_folder_keeps_the_same(tmp_path: Path) -> None:
    said = words(tmp_path)
    out = tmp_path / "kept"
    result = invoke(*said, "--out", out, "--json")
    found = json.loads(result.stdout)
    record = msgspec.msgpack.decode((out / "record.msgpack").read_bytes(), type=RunRecord)
    assert found["figures"]["fills"] == len(record.fills) > 0
    assert found["digest"] == digest_of_fills(record.fills)
    assert found["manifest"]["config_hash"] == record.manifest.config_hash
    store = LmdbStore(out / "journal", Durability.PROCESS)
    assert verify_chain(store)[1] is None
    store.close()
    assert json.loads(invoke(*said, "--json").stdout)["digest"] == found["digest"]


def test_a_run_that_is_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = words(tmp_path)

    def interrupt(run: BacktestRun, *_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(BacktestRun, "_record", interrupt)
    before = sorted(tmp_path.iterdir())
    result = CliRunner().invoke(backtest, [*said, "--out", str(tmp_path / "kept")])
    assert result.exit_code != 0
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--from", "2025-10-11", "--to", "2025-10-10"), "is not before"),
        (("--from", "yesterday"), "is no instant"),
        (("--from", "2030-01-01", "--to", "2030-02-01"), "nothing in the period"),
        (("--set", "fast"), "does not fit --set"),
        (("--data", "ETH_USDT_PERP=nowhere.csv"), "there is no file"),
        (("--data", f"{BTC}.index=x.csv"), "is no kind of file"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, more: tuple[str, ...], told: str) -> None:
    with pytest.raises(Problem, match=told):
        invoke(*words(tmp_path), *more)


def test_a_symbol_nobody_trades_and_one_without_history_are_refused(tmp_path: Path) -> None:
    said = words(tmp_path)
    with pytest.raises(Problem, match="nobody reads the history of ETH_USDT_PERP"):
        invoke(*said, "--data", f"ETH_USDT_PERP={tmp_path}/{BTC}.csv")
    two = str(REPOSITORY / "config" / "paper-poloniex.yaml"), "--input", f"symbols={BTC},ETH_USDT_PERP"
    with pytest.raises(Problem, match="no history for ETH_USDT_PERP"):
        invoke(*two, "--data", f"{BTC}={tmp_path}/{BTC}.csv")


def test_a_folder_that_is_not_empty_is_not_touched(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="not empty"):
        invoke(*words(tmp_path), "--out", tmp_path)


def test_an_index_names_the_files_of_a_folder(tmp_path: Path) -> None:
    said = words(tmp_path)
    index = {BTC: {"market": f"{BTC}.csv", "funding": f"{BTC}.funding.csv"}}
    (tmp_path / "data.json").write_text(json.dumps(index))
    assert invoke(*said).exit_code == 0


def test_the_gate_says_when_a_run_is_too_short_for_it(tmp_path: Path) -> None:
    assert "shorter than one window of 90 days" in invoke(*words(tmp_path), "--gate").stdout
