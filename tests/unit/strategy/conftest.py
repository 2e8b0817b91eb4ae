"""A scripted strategy beside the real ones."""

from collections.abc import Callable, Iterator

import pytest

from actors.strategy.library import STRATEGIES
from actors.strategy.protocol import Decision
from tests.unit.strategy.strategy_bench import Scripted, ScriptSettings, StrategyBench

Scripter = Callable[..., StrategyBench]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripter]:
    """Return a maker of benches: `scripted({bars_seen: decision}, warmup=3)`; live unless told otherwise."""
    monkeypatch.setitem(STRATEGIES, ScriptSettings, Scripted)

    def make(
        script: dict[int, Decision] | None = None, *, live: bool = True, **settings: object
    ) -> StrategyBench:
        Scripted.script, Scripted.views = script or {}, []
        bench = StrategyBench(ScriptSettings(**settings))  # type: ignore[arg-type]
        if live:
            bench.live()
        return bench

    return make
