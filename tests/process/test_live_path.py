"""The live path end to end: real processes, sockets and signatures, `kill -9` on both sides."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.process.live_path import check, live_path, pause


def test_nothing_is_lost_or_doubled_when_node_and_exchange_are_killed(tmp_path: Path) -> None:
    with live_path(tmp_path) as path:
        path.start_exchange()
        path.start_node()
        path.await_trading()
        path.lose_answers(2)
        path.await_trading()
        path.kill_node()
        path.await_trading()
        path.kill_exchange()
        path.start_exchange()
        path.await_trading()
        path.fall_quiet()
        report = path.stop_node()
        check(path, report)
        assert report["node_restarts"] == 1
        canceled = [
            row for row in path.rows("/v3/trade/order/history", "ordId") if row["state"] == "CANCELED"
        ]
        assert any(float(row["execQty"]) == 0 for row in canceled), "none was taken back"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_doubled_however_often_either_is_killed(tmp_path: Path, seed: int) -> None:
    chance, kills = random.Random(seed), 0
    with live_path(tmp_path) as path:
        path.start_exchange()
        path.start_node()
        for _ in range(8):
            path.await_trading(3)
            pause(chance.random())
            if chance.random() < 0.5 and kills < 4:
                kills += 1
                path.kill_node()
            else:
                path.kill_exchange()
                pause(chance.random())
                path.start_exchange()
        path.await_trading()
        path.fall_quiet()
        check(path, path.stop_node())
