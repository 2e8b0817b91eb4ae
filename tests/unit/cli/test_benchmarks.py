"""The backtest benchmarks do what they say they measure: checked on a small scale, without a clock."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from actors.cli.bench import measure
from actors.cli.benchmarks import history, orders
from actors.cli.benchmarks.history import Backtest, CrossSettings, IdleSettings, QuoterSettings
from actors.cli.benchmarks.peers import Peers, pin
from actors.cli.benchmarks.table import Figure
from actors.cli.problems import Problem
from actors.domain.lifecycle import OrderState


def state(backtest: Backtest, address: str) -> object:
    return backtest.world.node.cell(address).behaviour.state


def test_every_quote_reaches_the_strategy_that_does_nothing() -> None:
    backtest = Backtest(IdleSettings())
    backtest.play(history.quotes(backtest.symbol, backtest.reference_ticks, 500))
    assert backtest.world.node.cell(f"s0/{backtest.symbol}").behaviour.strategy.memory.seen_count == 500
    assert backtest.orders_count == 0


def test_the_cross_trades_at_each_cross_and_every_order_is_filled() -> None:
    backtest = Backtest(CrossSettings())
    bars = 2_000
    backtest.play(history.minutes(backtest.symbol, history.closes(backtest.reference_ticks, bars)))
    strategy = state(backtest, f"s0/{backtest.symbol}")
    assert strategy.bars_count == bars
    assert bars // 30 < backtest.orders_count < bars // 5
    assert state(backtest, "ledger/main").fills_count == backtest.orders_count
    assert abs(strategy.net_contracts) == 1


def test_the_quoter_submits_and_cancels_in_turn() -> None:
    backtest = Backtest(QuoterSettings())
    for _ in range(2):  # a minute each: prices that began anew would be too old for risk
        history.submit_cancel(backtest, 300)
    oms = state(backtest, "oms/main")
    assert backtest.orders_count == 600
    assert [order.state for order in oms.closed.values()] == [OrderState.CANCELED] * 600


@pytest.mark.parametrize("flat", [history.submit_cancel_flat, orders.orders_flat])
def test_old_and_new_nodes_are_compared(monkeypatch: pytest.MonkeyPatch, flat) -> None:
    for module in (history, orders):
        monkeypatch.setattr(module, "HISTORY_ORDERS", 100)
        monkeypatch.setattr(module, "ORDERS", 100)
        monkeypatch.setattr(module, "FLAT_ROUNDS", 1)
    assert flat() > 0


def test_the_frames_of_the_wire_benchmarks_are_what_the_adapter_takes() -> None:
    from actors.cli.benchmarks.wire import book_frames, order_frames
    from actors.poloniex.book import Book, BookChange
    from actors.poloniex.frames import BookFrame, OrdersFrame, StreamFillsFrame, read_private, read_public
    from actors.poloniex.numbers import PriceReader

    reader, book = PriceReader(1_000_000), Book()
    for raw in book_frames(50):
        frame = read_public(raw)
        assert isinstance(frame, BookFrame)
        (row,) = frame.data
        bids, asks = (
            [(reader.on_grid(price), size) for price, size in side] for side in (row.bids, row.asks)
        )
        if frame.action == "snapshot":
            assert book.replace(row.id, bids, asks) is BookChange.APPLIED
        else:
            assert book.update(row.lid, row.id, bids, asks) is BookChange.APPLIED
    kinds = {type(read_private(raw)) for raw in order_frames(6)}
    assert kinds == {OrdersFrame, StreamFillsFrame}


def test_a_peer_is_asked_in_its_own_python_and_the_ratio_is_told(tmp_path: Path) -> None:
    (tmp_path / "peer.py").write_text(
        "import json, sys\nprint('warming up')\nprint(json.dumps({'things_per_s': len(sys.argv[1]) * 10}))\n"
    )
    peers = Peers(tmp_path, sys.executable)
    assert peers.value("peer.py abc: things_per_s") == 30
    sixty = f"{__name__}:sixty"
    figure = Figure("name", "title", "things/s", "1", "2", sixty, sixty, "the same")
    found = measure(replace(figure, peer="peer.py abc: things_per_s"), 3, peers)
    assert (found["value"], found["peer"], found["ratio"]) == (60, 30, 2)
    assert "ratio" not in measure(figure, 1, peers)


def sixty() -> float:
    return 60.0


def test_a_peer_that_is_not_there_or_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"has no peer\.py"):
        Peers(tmp_path, sys.executable).value("peer.py: x")
    (tmp_path / "peer.py").write_text("raise SystemExit('no such module')\n")
    with pytest.raises(Problem, match="no such module"):
        Peers(tmp_path, sys.executable).value("peer.py: x")
    with pytest.raises(Problem, match="there is no such core"):
        pin(4_000)
