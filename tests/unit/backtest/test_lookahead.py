"""Another future leaves the past as it was, unless somebody looks ahead."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from actors.cli.backtest import backtest
from actors.cli.problems import Problem
from actors.feed.replay_file import ReplayFile
from actors.strategy.library.trend_follow import TrendFollow
from actors.strategy.protocol import Target
from tests.unit.backtest.histories import BTC, MINIMAL, MINUTES, write_candles


def words(folder: Path) -> list[str]:
    overrides = [word for name, value in MINUTES.items() for word in ("--set", f"{name}={value}")]
    candles = write_candles(folder / "btc.csv", 400)
    return [str(MINIMAL), "--data", f"{BTC}={candles}", *overrides, "--allow", "funding", "--check-lookahead"]


def test_a_shipped_strategy_does_not_know_the_future(tmp_path: Path) -> None:
    result = CliRunner().invoke(backtest, words(tmp_path), catch_exceptions=False)
    assert result.exit_code == 0
    assert "no decision depends on what came later" in result.stderr


@pytest.fixture
def clairvoyant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A strategy that looks half an hour ahead in the file its feed plays."""
    made: list[ReplayFile] = []
    usual = ReplayFile.__init__

    def remember(self: ReplayFile, *args: object) -> None:
        usual(self, *args)  # type: ignore[arg-type]
        made.append(self)

    def peek(self: TrendFollow, bar: object, view: object) -> Target:
        later = [
            candle.close_ticks
            for chunk in made[-1].chunks()
            for candle in chunk
            if candle.at_ns >= bar.at_ns + 29 * 60_000_000_000  # type: ignore[attr-defined]
        ]
        if not later:
            return Target(0, "the end", ())
        return Target(10 if later[0] > bar.close_ticks else -10, "seen", ())  # type: ignore[attr-defined]

    monkeypatch.setattr(ReplayFile, "__init__", remember)
    monkeypatch.setattr(TrendFollow, "on_bar", peek)


@pytest.mark.usefixtures("clairvoyant")
def test_a_strategy_that_looks_ahead_is_caught(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="knows what comes after"):
        CliRunner().invoke(backtest, words(tmp_path), catch_exceptions=False)
