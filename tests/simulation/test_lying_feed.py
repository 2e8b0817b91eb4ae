"""A stream that goes on talking and tells a wrong price: REST gives it away, and nobody trades on it."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from actors.exchange.events import OrderBooked
from actors.runtime.messages import Message
from actors.simulation.bundle import Recipe
from actors.simulation.run import SeedRun

LOCAL = Path(__file__).resolve().parents[2] / "config" / "local.yaml"
CLOSE = Path(__file__).parent / "close_check.yaml"
SECOND_NS = 1_000_000_000
BTC, ETH = "BTC_USDT_PERP", "ETH_USDT_PERP"


class WrongMark:
    """Has the exchange's stream tell the mark price of a symbol a hundredth too low, as often as ever."""

    def __init__(self, faults: Any, symbol: str) -> None:
        self._faults = faults
        self._symbol = symbol
        self._bend = faults.bend_frame
        faults.bend_frame, faults.on_streams = self, True

    def __call__(self, sockets: Any, channel: str, symbol: str, account: str, text: str) -> list[Any]:
        if channel == "mark_price" and symbol == self._symbol:
            frame = json.loads(text)
            for row in frame["data"]:
                row["mPx"] = str(Decimal(row["mPx"]) * 99 / 100)
            text = json.dumps(frame)
        found: list[Any] = self._bend(sockets, channel, symbol, account, text)
        return found

    def end(self) -> None:
        self._faults.bend_frame, self._faults.on_streams = self._bend, False


def test_a_feed_that_contradicts_rest_stops_the_strategies_of_its_symbol_until_it_agrees_again() -> None:
    run = SeedRun(Recipe((str(LOCAL), str(CLOSE))).topology(), 11, (), 0)
    assert run.far is not None
    world, booked = run.world, Counter[str]()

    def note(event: Message) -> None:
        if isinstance(event, OrderBooked) and event.request.account == "main":
            booked[event.request.symbol] += 1

    def feed(symbol: str) -> Any:
        return world.node.cell(f"feed/{symbol}").behaviour

    def alerts() -> list[tuple[str, str]]:
        found = world.node.cell("alerter").behaviour.state.alerts.values()
        return [(alert.name, alert.key) for alert in found if not alert.over]

    run.far.on_event.append(note)
    world.run_for(30 * SECOND_NS)
    assert min(booked[BTC], booked[ETH]) > 3
    lie = WrongMark(run.far.core.faults, BTC)
    world.run_until(lambda: feed(BTC).describe()["contradiction"], 60 * SECOND_NS)
    assert "mark price: REST says" in feed(BTC).describe()["contradiction"]
    assert feed(BTC).session.is_up, "by itself the stream looks well"
    world.run_for(5 * SECOND_NS)  # what was on its way arrives
    assert ("FeedLying", BTC) in alerts()
    before = booked.copy()
    world.run_for(60 * SECOND_NS)
    assert booked[BTC] == before[BTC], "somebody trades on a feed that lies"
    assert booked[ETH] > before[ETH] + 10
    assert ("FeedLying", ETH) not in alerts()
    lie.end()
    world.run_until(lambda: not feed(BTC).describe()["contradiction"], 120 * SECOND_NS)
    world.run_for(30 * SECOND_NS)
    assert booked[BTC] > before[BTC] + 3, "it is believed again"
    assert ("FeedLying", BTC) not in alerts()
