"""Made-up history in files, and runs over it."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from actors.backtest.record import RunRecord
from actors.backtest.scan import scan
from actors.backtest.wish import MarketFiles, Wish
from actors.deployment.backtest import BacktestRun
from actors.deployment.history import load_history
from actors.feed.settings import ReplaySettings
from actors.runtime.store import Store

REPOSITORY = Path(__file__).resolve().parents[3]
MINIMAL = REPOSITORY / "config" / "examples" / "minimal.yaml"
BTC = "BTC_USDT_PERP"
MINUTE_MS = 60_000
START_MS = 1_760_054_400_000  # 2025-10-10T00:00Z
FUNDING = frozenset({"funding"})  # ours is settled at other hours
MINUTES = {"trend.bar": "1m", "trend.risk_fraction": "0.01"}


def price(minute: int) -> float:
    """Waves on waves, so that averages cross both ways and nothing repeats."""
    return (
        100_000 + 1_500 * math.sin(minute / 37) + 600 * math.sin(minute / 11.3) + 40 * math.sin(minute * 1.7)
    )


def write_candles(path: Path, count: int = 600, bend_from: int = 10**9) -> Path:
    """Write candles of a minute; from `bend_from` on the market goes another way."""
    lines = ["ts_ms,open,high,low,close,volume"]
    for minute in range(count):
        lift = 0.0 if minute < bend_from else 3.0 * (minute - bend_from) + 250
        opened, close = price(minute) + lift, price(minute + 1) + lift
        high, low = max(opened, close) + 15, min(opened, close) - 15
        at_ms = START_MS + minute * MINUTE_MS
        lines.append(f"{at_ms},{opened:.2f},{high:.2f},{low:.2f},{close:.2f},{5 + minute % 7}")
    path.write_text("\n".join(lines) + "\n")
    return path


def write_funding(path: Path) -> Path:
    """Write one settlement in the fifth hour, and one at the start, which nobody can have paid."""
    rows = [(START_MS, "0.0001"), (START_MS + 5 * 60 * MINUTE_MS, "0.00012")]
    path.write_text("ts_ms,rate\n" + "".join(f"{at_ms},{rate}\n" for at_ms, rate in rows))
    return path


def run(
    wish: Wish,
    deployment: Path = MINIMAL,
    inputs: Mapping[str, str] | None = None,
    store: Store | None = None,
) -> RunRecord:
    """Run a deployment over history in this process."""
    topology = load_history([deployment], (), inputs or {}, {"POLYTRADE_STATE": "never-written"}, wish)
    feeds = {p.place.symbol: p.settings for p in topology.actors if isinstance(p.settings, ReplaySettings)}
    data = scan(feeds, wish, topology.instruments)
    return BacktestRun(topology, replace(wish, from_ns=data.from_ns, to_ns=data.to_ns), data, store).run()


def usual(folder: Path, **changes: object) -> Wish:
    """Return a run over ten hours with a strategy of minutes."""
    candles, funding = write_candles(folder / "btc.csv"), write_funding(folder / "funding.csv")
    wish = Wish(files={BTC: MarketFiles(str(candles), str(funding))}, overrides=MINUTES, allowed=FUNDING)
    return replace(wish, **changes)  # type: ignore[arg-type]
