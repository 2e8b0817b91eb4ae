"""Somebody meddles with the account on the exchange's web page: real processes, and `polytrade reconcile`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from actors.cli.exit_codes import ExitCode
from tests.process.live_path import PROGRAM, LivePath, live_path
from tests.process.node import wait_for

BTC, ETH = "BTC_USDT_PERP", "ETH_USDT_PERP"


def reconcile(path: LivePath, *words: str) -> tuple[int, Any]:
    socket_folder = path.topology().socket_path.parent
    command = [*PROGRAM, "reconcile", str(socket_folder), "--json", *words]
    done = subprocess.run(command, env=path.environment, capture_output=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout or b"null")


def stopped(path: LivePath) -> set[str]:
    return {halt["scope"] for halt in path.view()["halts"]}


def set_leverage(path: LivePath, leverage: str) -> None:
    body = {"symbol": BTC, "lever": leverage, "mgnMode": "CROSS"}
    path.client.data("POST", "/v3/position/leverage", body=body)


@pytest.mark.long
def test_leverage_and_trades_by_hand_stop_their_symbols(tmp_path: Path) -> None:
    with live_path(tmp_path) as path:
        path.start_exchange()
        path.start_node()
        path.await_trading(3)
        code, found = reconcile(path)
        assert (code, found["agrees"]) == (ExitCode.OK, True)
        before = path.client.get("/v3/position/leverages", symbol=BTC, mgnMode="CROSS")[0]["lever"]
        set_leverage(path, "2")
        code, found = reconcile(path, "--dry-run")
        assert code == ExitCode.DIFFERENT
        assert [row["kind"] for row in found["accounts"][0]["rows"]] == ["wrong leverage"]
        code, found = reconcile(path)
        assert code == ExitCode.DIFFERENT
        wait_for(lambda: f"symbol/{BTC}" in stopped(path), 20.0)
        set_leverage(path, before)
        assert reconcile(path)[0] == ExitCode.OK
        body = {
            "symbol": ETH,
            "side": "BUY",
            "type": "MARKET",
            "sz": "1",
            "mgnMode": "CROSS",
            "posSide": "BOTH",
        }
        path.client.data("POST", "/v3/trade/order", body=body)
        wait_for(lambda: f"symbol/{ETH}" in stopped(path), 20.0)
        assert reconcile(path)[0] == ExitCode.OK  # the trade is in the books
