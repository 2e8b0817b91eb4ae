"""A journal that is lost for good, and a venue that has moved on: the rehearsal of a restore."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from actors.deployment.backups import back_up, restore
from tests.process.live_path import LivePath, cash_of, live_path
from tests.process.node import Books, wait_for


def held_by_the_venue(path: LivePath) -> tuple[int, dict[str, int]]:
    """Return cash and positions as the venue states them."""
    _, balance = path.client.send("GET", "/v3/account/balance")
    (usdt,) = [row for row in balance["data"]["details"] if row["ccy"] == "USDT"]
    _, answer = path.client.send("GET", "/v3/trade/position/opens")
    held = {row["symbol"]: int(row["qty"]) * (1 if row["side"] == "BUY" else -1) for row in answer["data"]}
    return cash_of(usdt), held


def names_at_the_venue(path: LivePath) -> list[str]:
    orders = path.rows("/v3/trade/order/history", "ordId") + path.rows("/v3/trade/order/opens", "ordId")
    return [row["clOrdId"] for row in orders]


@pytest.mark.long
def test_a_lost_journal_is_restored_and_its_books_become_the_venues_again(tmp_path: Path) -> None:
    with live_path(tmp_path) as path:
        path.start_exchange()
        path.start_node()
        path.await_trading()
        journal = path.topology().journal_path
        backup, manifest = back_up(journal, tmp_path / "backups", time.time_ns(), "s")
        path.await_trading(6)  # what the backup does not know
        assert path.node is not None
        path.kill_everything()
        shutil.rmtree(journal)

        restore(backup, journal, time.time_ns(), "ann", "the disk died")
        path.start_node()
        view: dict[str, Any] = wait_for(
            lambda: found if (found := path.view_or_none()) and found["ready"] else None
        )
        assert [halt["scope"] for halt in view["halts"]] == ["all"]
        wait_for(lambda: path.view()["totals"]["ledger_agrees"], 30.0)
        assert path.resume("all") == ["risk/main"]
        path.await_trading()
        path.fall_quiet()
        path.stop_node()

        books = Books(path.topology())
        assert books.chain_break is None
        cash, held = held_by_the_venue(path)
        assert books.ledger.cash_usdt == cash
        assert {s: p.net_contracts for s, p in books.ledger.holdings.items() if p.net_contracts} == held
        names = names_at_the_venue(path)
        assert len(set(names)) == len(names), "a name was used again after the restore"
        assert any(manifest.journal in name for name in names)
        assert len({name.split("-")[1] for name in names}) == 2, "before and after have names of their own"
