"""`polytrade exchange`: what it makes of its options, and what it refuses."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from actors.cli.exchange import exchange, settings_of
from actors.cli.problems import Problem
from actors.deployment.faults import ConfigError
from actors.domain.catalog import load_catalog
from actors.domain.money import E8
from actors.exchange.server.replay import ReplayPath, read_rows

ROOT = Path(__file__).parents[4]
NOTHING = {
    "config": None,
    "seed": None,
    "speed": None,
    "rate_limits": None,
    "faults": False,
    "symbols": "",
    "accounts": (),
}
MARKETS = load_catalog((ROOT / "config/markets/poloniex-futures.json").read_text())


def test_without_options_it_serves_what_the_local_deployment_expects() -> None:
    settings = settings_of(NOTHING)
    (account,) = settings.accounts
    assert (account.key, account.secret, account.usdt) == ("local-key", "local-secret", 10_000 * E8)
    defaults = {option.name: option.default for option in exchange.params}
    assert (defaults["host"], defaults["port"]) == ("127.0.0.1", 9443)


def test_the_shipped_rules_are_in_order_and_the_command_line_wins() -> None:
    shipped = {**NOTHING, "config": ROOT / "config/exchange/local.yaml"}
    assert settings_of(shipped).accounts[1].vip == 3
    both = settings_of({**shipped, "accounts": ("a:b:5.5",), "speed": 10, "symbols": "X, Y"})
    assert [(one.key, one.secret, one.usdt) for one in both.accounts] == [("a", "b", 550_000_000)]
    assert (both.speed, both.symbols, both.seed) == (10, ("X", "Y"), 7)


def test_a_fault_in_the_file_is_told_with_its_place(tmp_path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("sed: 7\n")
    with pytest.raises(ConfigError, match="sed"):
        settings_of({**NOTHING, "config": file})


def test_two_accounts_cannot_have_one_key() -> None:
    with pytest.raises(Problem, match="there twice"):
        settings_of({**NOTHING, "accounts": ("a:b", "a:c")})


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--account", "nosecret"], "KEY:SECRET"),
        (["--account", "a:b:much"], "not a decimal number"),
        (["--market", "replay"], "needs a FILE"),
    ],
)
def test_what_makes_no_sense_is_refused(options, text) -> None:
    result = CliRunner().invoke(exchange, ["--forgetful", *options])
    assert result.exit_code == 2
    assert text in result.output


def test_it_does_not_listen_to_the_world_by_accident() -> None:
    result = CliRunner().invoke(exchange, ["--host", "0.0.0.0"])
    assert isinstance(result.exception, Problem)
    assert "allow-remote" in result.exception.remedy


def test_a_recorded_price_is_played_round_and_round(tmp_path) -> None:
    file = tmp_path / "candles.csv"
    file.write_text("ts_ms,close\n1000,80000\n2000,80100.004\n3000,79000\n")
    rows = read_rows(file, MARKETS["BTC_USDT_PERP"])
    assert [price for _, price in rows] == [8_000_000, 8_010_000, 7_900_000]
    path = ReplayPath(rows)
    second = 1_000_000_000
    assert [path.ticks_at(at * second) for at in range(6)] == [8_000_000, 8_010_000, 7_900_000] * 2
    assert ReplayPath(rows, 2).ticks_at(second // 2) == 8_010_000


def test_a_file_without_prices_is_refused(tmp_path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(ValueError, match="needs one column"):
        read_rows(file, MARKETS["BTC_USDT_PERP"])
