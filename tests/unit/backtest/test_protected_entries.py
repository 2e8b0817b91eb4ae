"""Brackets over history: a candle that meets stop and target counts as stopped, whatever its made-up path."""

from collections import Counter
from pathlib import Path

import pytest

from actors.backtest.wish import MarketFiles, Wish
from actors.deployment.history import load_history
from actors.domain.parent_states import ParentEvent
from actors.messages.market import CandleAhead
from actors.oms.actor import OmsActor
from actors.oms.parents.events import ParentMoved
from actors.runtime.codec import decoder_for, message_name
from actors.runtime.journal import read_turns
from actors.runtime.store_memory import MemoryStore
from tests.unit.backtest.histories import BTC, FUNDING, MINUTE_MS, MINUTES, REPOSITORY, START_MS, price, run

NEAR = f"""\
extends: {REPOSITORY / "config" / "examples" / "protected.yaml"}
deployment: near
actors:
  trend:
    settings: {{atr_filter: "0", protect: {{stop: "0.005", target: "0.005", trail: "0", trail_from: "0"}}}}
"""


def history(path: Path, up: float, down: float) -> Path:
    """Write candles that reach so far beyond the larger and the smaller of open and close."""
    lines = ["ts_ms,open,high,low,close,volume"]
    for minute in range(300):
        opened, close = price(minute), price(minute + 1)
        high, low = max(opened, close) * (1 + up), min(opened, close) * (1 - down)
        at_ms = START_MS + minute * MINUTE_MS
        lines.append(f"{at_ms},{opened:.2f},{high:.2f},{low:.2f},{close:.2f},50")
    path.write_text("\n".join(lines) + "\n")
    return path


def exits(tmp_path: Path, up: float, down: float) -> Counter[ParentEvent]:
    """Run protected entries over such a history; return what their exits met."""
    files = {BTC: MarketFiles(str(history(tmp_path / "btc.csv", up, down)))}
    store = MemoryStore()
    deployment = tmp_path / "near.yaml"
    deployment.write_text(NEAR)
    record = run(Wish(files=files, overrides=MINUTES, allowed=FUNDING), deployment, store=store)
    assert record.books_agree
    decode, tag = decoder_for((ParentMoved,)).decode, message_name(ParentMoved).encode()
    found: Counter[ParentEvent] = Counter()
    for turn in read_turns(store):
        for entry in turn.entries:
            if tag in bytes(entry.event)[:40]:
                found[decode(entry.event).event] += 1
    return found


def test_candles_that_meet_both_are_stopped(tmp_path: Path) -> None:
    # The high is farther from the open than the low: the made-up path goes there first.
    met = exits(tmp_path, up=0.02, down=0.015)
    assert met[ParentEvent.TRIGGERED] >= 3
    assert met[ParentEvent.TARGET_TOUCHED] * 10 <= met[ParentEvent.TRIGGERED]


def test_without_the_range_of_the_candle_the_path_would_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OmsActor.HANDLERS, CandleAhead, lambda *_: None)
    met = exits(tmp_path, up=0.02, down=0.015)
    assert met[ParentEvent.TARGET_TOUCHED] >= 3


def test_candles_that_meet_the_target_alone_take_the_profit(tmp_path: Path) -> None:
    assert exits(tmp_path, up=0.02, down=0.0001)[ParentEvent.TARGET_TOUCHED] >= 3


def test_one_setting_within_another_is_overridden_and_the_rest_of_it_stays(tmp_path: Path) -> None:
    files = {BTC: MarketFiles(str(history(tmp_path / "btc.csv", 0.001, 0.001)))}
    deployment = tmp_path / "near.yaml"
    deployment.write_text(NEAR)
    wish = Wish(files=files, overrides={**MINUTES, "trend.protect.stop": "0.02"}, allowed=FUNDING)
    topology = load_history([str(deployment)], [], {}, {}, wish)
    (protect,) = [plan.settings.protect for plan in topology.actors if plan.name == "trend"]
    assert (protect.stop, protect.target, protect.trail) == (2_000_000, 500_000, 0)
