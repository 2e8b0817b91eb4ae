"""How many orders the exchange accepts over loopback, with the client in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from actors.domain.money import E8
from actors.exchange.server.settings import AccountSettings
from tests.contract.clients.served import BTC, KEY, SECRET, RawClient, serving, settings_for

ROOT = Path(__file__).parents[3]
WANTED_PER_S = 2_000


def measured(tmp_path, each: int) -> float:
    accounts = (AccountSettings(key=KEY, secret=SECRET, usdt=10**8 * E8),)
    with serving(settings_for(accounts=accounts), tmp_path / "journal") as served:
        low = RawClient(served.url).get("/v3/market/limitPrice", symbol=BTC)[0]["sellLmt"]
        command = [sys.executable, "-m", "tests.contract.clients.load", served.url, "8", str(each)]
        ran = subprocess.run(
            [*command, f"{low * 1.01:.2f}"], cwd=ROOT, capture_output=True, text=True, timeout=100, check=True
        )
        return float(ran.stdout)


def test_orders_of_eight_connections_are_all_accepted(tmp_path) -> None:
    assert measured(tmp_path, 25) > 50


@pytest.mark.bench
def test_the_exchange_accepts_two_thousand_orders_a_second(tmp_path) -> None:
    assert measured(tmp_path, 1_000) >= WANTED_PER_S
