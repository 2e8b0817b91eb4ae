"""`polytrade markets` against an exchange on a real port: written whole or not at all, and shown first."""

import json
import os
import time
from pathlib import Path

import pytest

from actors.domain.evidence import instant_text
from actors.domain.markets_file import MarketsFile, read_markets_file, render_markets
from tests.contract.clients.served import Served, settings_for

ROOT = Path(__file__).parents[3]
BTC, SOL = "BTC_USDT_PERP", "SOL_USDT_PERP"


@pytest.fixture(scope="module")
def exchange():
    served = Served(settings_for(symbols=(BTC, "ETH_USDT_PERP", SOL), participants=False))
    yield served
    served.close()


@pytest.fixture
def files(tmp_path, monkeypatch) -> Path:
    """A folder of its own with both markets files below it, as the working directory."""
    folder = tmp_path / "config" / "markets"
    folder.mkdir(parents=True)
    for name in ("poloniex-futures.json", "poloniex-spot.json"):
        (folder / name).write_text((ROOT / "config" / "markets" / name).read_text("utf-8"), "utf-8")
    monkeypatch.chdir(tmp_path)
    return folder


def futures(files: Path) -> MarketsFile:
    return read_markets_file((files / "poloniex-futures.json").read_text("utf-8"))


def change(files: Path, symbol: str = BTC, **changes) -> None:
    file = futures(files)
    rows = [row | (changes if row["symbol"] == symbol else {}) for row in file.rows]
    (files / "poloniex-futures.json").write_text(render_markets(file.content() | {"markets": rows}), "utf-8")


def test_show_lists_both_files_and_of_one_symbol_everything(cli, files) -> None:
    shown = cli("markets", "show")
    assert shown.exit_code == 0
    assert "1000PEPE_USDT_PERP" in shown.stdout
    assert "DOGE_USDT " in shown.stdout
    one = cli("markets", "show", BTC)
    assert "up to 100 contracts: at most 75x, maintenance 0.006" in one.stdout
    assert "ASSUMED" in one.stdout
    assert json.loads(cli("markets", "show", BTC, "--json").stdout)[0]["tick"] == "0.01"
    assert [file["venue"] for file in json.loads(cli("markets", "show", "--json").stdout)] == [
        "poloniex-futures",
        "poloniex-spot",
    ]
    assert cli("markets", "show", "NOPE").exit_code == 9


def test_validate_tells_every_fault_of_every_file(cli, files) -> None:
    assert cli("markets", "validate").exit_code == 0
    change(files, tick="0.03", contracts_min=0)
    found = cli("markets", "validate", "--json")
    told = json.loads(found.stdout)
    assert (found.exit_code, told["valid"]) == (3, False)
    assert len(told["files"]["config/markets/poloniex-futures.json"]) >= 1
    assert told["files"]["config/markets/poloniex-spot.json"] == []
    assert "BTC_USDT_PERP.contracts_min" in cli("markets", "validate").stderr


def test_validate_for_live_demands_the_venue_and_confirmation(cli, files) -> None:
    found = cli(
        "markets", "validate", "--live", "--symbol", BTC, "-f", "config/markets/poloniex-futures.json"
    )
    assert found.exit_code == 3
    assert "never held against the venue" in found.stderr
    file = futures(files)
    now = instant_text(time.time_ns())
    content = file.content() | {"as_of": now, "synced_from": "https://api.poloniex.com"}
    (files / "poloniex-futures.json").write_text(render_markets(content), "utf-8")
    assert cli("markets", "validate", "--live", "--symbol", BTC).exit_code == 0
    all_of_them = cli("markets", "validate", "--live")
    assert "SOL_USDT_PERP: nobody has confirmed contracts_min" in all_of_them.stderr
    old = render_markets(content | {"as_of": "2026-01-01T00:00:00Z"})
    (files / "poloniex-futures.json").write_text(old, "utf-8")
    assert "older than 24 h" in cli("markets", "validate", "--live", "--symbol", BTC).stderr


def test_diff_says_what_is_different_and_writes_nothing(cli, files, exchange) -> None:
    assert cli("markets", "diff", "--url", exchange.url).exit_code == 0
    change(files, tick="0.1", leverage_default=10)
    before = (files / "poloniex-futures.json").read_text("utf-8")
    found = cli("markets", "diff", "--url", exchange.url)
    assert found.exit_code == 11
    assert f"{BTC}  tick  0.1 -> 0.01" in found.stdout
    assert f"{BTC}  leverage_default  10 -> 20" in found.stdout
    assert (files / "poloniex-futures.json").read_text("utf-8") == before


def test_two_files_are_compared(cli, files, tmp_path) -> None:
    old = tmp_path / "old.json"
    old.write_text((files / "poloniex-futures.json").read_text("utf-8"), "utf-8")
    change(files, status="PAUSED")
    found = cli("markets", "diff", str(old), "config/markets/poloniex-futures.json", "--json")
    assert found.exit_code == 11
    assert json.loads(found.stdout)["files"][0]["changes"] == [
        {"symbol": BTC, "field": "status", "before": "OPEN", "after": "PAUSED"}
    ]
    assert cli("markets", "diff", str(old)).exit_code == 2


def test_sync_shows_the_difference_and_writes_the_file_whole(cli, files, exchange) -> None:
    change(files, tick="0.1")
    dry = cli("markets", "sync", "--url", exchange.url, "--dry-run")
    assert f"{BTC}  tick  0.1 -> 0.01" in dry.stdout
    assert futures(files).row(BTC)["tick"] == "0.1"
    done = cli("markets", "sync", "--url", exchange.url)
    assert done.exit_code == 0, done.stderr
    assert f"{BTC}  tick  0.1 -> 0.01" in done.stdout
    assert "confirms nothing" in done.stderr
    after = futures(files)
    assert after.row(BTC)["tick"] == "0.01"
    assert after.synced_from == exchange.url
    assert list(after.instruments) == list(futures(ROOT / "config" / "markets").instruments)
    assert sorted(path.name for path in files.iterdir()) == ["poloniex-futures.json", "poloniex-spot.json"]


def test_a_venue_that_does_not_answer_changes_no_file(cli, files, monkeypatch) -> None:
    monkeypatch.setattr("actors.cli.venue_asker.PAUSE_S", 0.001)
    before = (files / "poloniex-futures.json").read_text("utf-8")
    found = cli("markets", "sync", "--url", "http://127.0.0.1:9")
    assert found.exit_code == 1
    assert "does not answer /v3/market/allInstruments" in found.stderr
    assert "Traceback" not in found.stderr
    assert (files / "poloniex-futures.json").read_text("utf-8") == before


def test_one_file_that_cannot_be_synced_keeps_the_other_as_it_was(cli, files, exchange) -> None:
    change(files, tick="0.1")
    (files / "poloniex-spot.json").write_text("{", "utf-8")
    assert cli("markets", "sync", "--url", exchange.url).exit_code == 3
    assert futures(files).row(BTC)["tick"] == "0.1"


def test_a_write_that_fails_leaves_the_old_file(cli, files, exchange, monkeypatch) -> None:
    change(files, tick="0.1")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    found = cli("markets", "sync", "--url", exchange.url)
    assert found.exit_code == 1
    assert "No space left on device; it is as it was" in found.stderr
    assert futures(files).row(BTC)["tick"] == "0.1"
    assert sorted(path.name for path in files.iterdir()) == ["poloniex-futures.json", "poloniex-spot.json"]


def test_a_file_changed_meanwhile_is_not_overwritten(files) -> None:
    from actors.cli.markets_venue import replace_file
    from actors.cli.problems import Problem

    path = files / "poloniex-futures.json"
    before, content = path.read_text("utf-8"), futures(files).content()
    change(files, status="PAUSED")
    with pytest.raises(Problem, match="was changed meanwhile"):
        replace_file(path, before, content)
    assert futures(files).row(BTC)["status"] == "PAUSED"


def test_confirm_puts_a_name_and_a_reason_to_a_value(cli, files) -> None:
    assert cli("markets", "confirm", BTC, "taker_fee", "--value", "0.0005").exit_code == 2
    done = cli("markets", "confirm", BTC, "taker_fee", "--value", "0.0005", "--reason", "my fills", "--json")
    assert (done.exit_code, json.loads(done.stdout)["after"]) == (0, "0.0005")
    row = futures(files).row(BTC)
    assert (row["taker_fee"], row["assumed"]) == ("0.0005", ["maker_fee"])
    assert row["evidence"][0]["source"] == "person"
    assert row["evidence"][0]["from"].endswith(": my fills")
    wrong = cli("markets", "confirm", BTC, "taker_fee", "--value", "7", "--reason", "a slip")
    assert wrong.exit_code == 3
    assert "must be below 1 % of notional" in wrong.stderr
    assert cli("markets", "confirm", "NOPE", "tick", "--reason", "x").exit_code == 9
    assert cli("markets", "confirm", BTC, "colour", "--value", "x", "--reason", "x").exit_code == 3
    assert futures(files).row(BTC) == row


def test_a_file_that_is_not_there_is_named(cli, files, tmp_path, monkeypatch) -> None:
    assert "nothere.json cannot be read" in cli("markets", "show", "-f", "nothere.json").stderr
    monkeypatch.chdir(tmp_path / "config")
    found = cli("markets", "show")
    assert found.exit_code == 9
    assert "--file" in found.stderr
