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
from tests.unit.exchange.server.served_world import BTC, ServedWorld

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


def test_the_price_goes_through_open_extremes_and_close_of_each_bar(tmp_path) -> None:
    file = tmp_path / "bars.csv"
    rising, falling = "0,100,103,99,102,7", "4000,102,104,97,98,7"
    file.write_text(f"ts_ms,open,high,low,close,volume\n{falling}\n{rising}\n")
    rows = read_rows(file, MARKETS["BTC_USDT_PERP"])
    assert [price // 100 for _, price in rows] == [100, 99, 103, 102, 102, 104, 97, 98]
    assert [at // 1_000_000 for at, _ in rows][:5] == [0, 1_000, 2_000, 3_000, 4_000]


@pytest.mark.parametrize("text", ["ts_ms,close\n", "ts_ms,close\n1,2\n", "ts_ms,close\n1,2\n1,3\n"])
def test_a_file_with_one_price_or_none_is_refused(tmp_path, text) -> None:
    file = tmp_path / "short.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match="fewer than two"):
        read_rows(file, MARKETS["BTC_USDT_PERP"])


def test_what_is_no_parquet_is_refused(tmp_path) -> None:
    pytest.importorskip("duckdb")
    file = tmp_path / "noise.parquet"
    file.write_bytes(bytes(range(256)))
    with pytest.raises(ValueError, match="cannot be read as Parquet"):
        read_rows(file, MARKETS["BTC_USDT_PERP"])


SHARED = Path(__file__).parents[5] / "shared" / "data"
RECORDED = {
    "trades": "trades/HYPERLIQUID_BTC_PERP_2025-09-04.parquet",
    "candles": "candles_1m/BINANCE_BTCUSDT_PERP_2025-07.parquet",
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="no recorded markets here")
@pytest.mark.parametrize("kind", RECORDED)
def test_a_recorded_market_is_what_clients_see(kind) -> None:
    file = SHARED / RECORDED[kind]
    btc = MARKETS["BTC_USDT_PERP"]
    rows = read_rows(file, btc)
    lowest, highest = min(price for _, price in rows), max(price for _, price in rows)
    world = ServedWorld(participants=True, symbols=(BTC,), speed=60)
    world.paths[BTC] = ReplayPath(rows, 60)
    world._open()
    seen = []
    for _ in range(30):
        world.advance(2)
        seen.append(float(world.get("/v3/market/indexPrice", f"symbol={BTC}")["iPx"]))
    assert lowest <= min(seen) * 100 < max(seen) * 100 <= highest
    book = world.get("/v3/market/orderBook", f"symbol={BTC}&limit=20")
    assert (len(book["bids"]), len(book["asks"])) == (20, 20)
    assert abs(float(book["bids"][0][0]) / seen[-1] - 1) < 0.01
    candles = world.get("/v3/market/candles", f"symbol={BTC}&interval=HOUR_1&limit=100")
    assert len(candles) == 100
    assert all(float(low) < float(high) for low, high, *_ in candles[:-1])
    assert all(lowest * 0.99 <= float(low) * 100 for low, *_ in candles)
    assert all(float(high) * 100 <= highest * 1.01 for _, high, *_ in candles)
    assert world.get("/v3/market/trades", f"symbol={BTC}")


def test_a_file_without_prices_is_refused(tmp_path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(ValueError, match="needs one column"):
        read_rows(file, MARKETS["BTC_USDT_PERP"])
