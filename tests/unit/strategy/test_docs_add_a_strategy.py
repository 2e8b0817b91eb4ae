"""The strategy that docs/add-a-strategy.md shows is code that runs, alone and in its actor."""

import re
import sys
from types import ModuleType
from typing import Any

import msgspec
import pytest

from actors.messages.parents import ParentIntent
from actors.messages.trading import OrderIntent
from actors.risk.parents import parent_fault
from actors.strategy.library import STRATEGIES
from actors.strategy.protocol import Launch
from actors.strategy.settings import Protection
from tests.unit.strategy.strategy_bench import ROOT, StrategyBench

MODULE = "actors.strategy.library.breakout"


def blocks(language: str) -> list[str]:
    text = (ROOT / "docs/add-a-strategy.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def breakout(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the page's strategy as the module it would be."""
    module = ModuleType(MODULE)
    monkeypatch.setitem(sys.modules, MODULE, module)
    exec(compile(blocks("python")[0], MODULE, "exec"), module.__dict__)
    monkeypatch.setitem(STRATEGIES, module.BreakoutSettings, module.Breakout)
    return module


def test_the_page_s_own_test_passes(breakout: Any) -> None:
    names: dict[str, Any] = {}
    exec(compile(blocks("python")[1], "the page", "exec"), names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 1
    tests[0]()


def test_the_page_s_strategy_trades_in_its_actor(breakout: Any) -> None:
    bench = StrategyBench(breakout.BreakoutSettings(window=4))
    bench.live()
    for close in (8_000_000, 8_001_000, 8_000_000, 8_001_000, 8_001_500):
        bench.bar(close)
    bench.fill(bench.intent())
    bench.restart()
    bench.bar(7_999_000)
    (closing,) = bench.take(OrderIntent)
    assert closing.reduce_only
    assert bench.decided == [("hold", "warming up"), ("target", "left its range"), ("target", "fell back")]


def test_the_page_s_settings_fit_the_class(breakout: Any) -> None:
    import yaml as yaml_reader

    assert len(blocks("yaml")) == 2
    known = {field.name for field in msgspec.structs.fields(breakout.BreakoutSettings)}
    protection = {field.name for field in msgspec.structs.fields(Protection)}
    for block in blocks("yaml"):
        shown = yaml_reader.safe_load(block)["breakout"]
        assert shown["kind"] == "strategy.breakout"
        assert set(shown["settings"]) <= known
        assert set(shown["settings"].get("protect", {})) <= protection


def test_the_page_s_parent_orders_pass_risk_s_form() -> None:
    names: dict[str, Any] = {}
    exec(compile(blocks("python")[2], "the page", "exec"), names)
    for launch in (names["guard"](5, 8_000_000), names["build"](60)):
        assert isinstance(launch, Launch)
        intent = ParentIntent(
            *("trend/X#1.1", "trend/X", "main", "X", launch.side, launch.contracts, launch.reduce_only),
            *(launch.plan, 0, 0),
        )
        assert parent_fault(intent) == ""
