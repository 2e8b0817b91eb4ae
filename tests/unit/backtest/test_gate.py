"""Rolling windows by hand."""

import math
from itertools import pairwise

import msgspec
import pytest

from actors.backtest.gate import rolling
from actors.backtest.record import ClosedTrade, EquityPoint, RunRecord
from tests.unit.backtest.test_backtest_run import record as record

DAY = 86_400_000_000_000


def test_a_window_has_the_profit_factor_and_the_sharpe_ratio_of_its_days(record: RunRecord) -> None:
    equities = [1_000_000 + (day % 2) * 10_000 + day * 1_000 for day in range(121)]
    points = tuple(EquityPoint(day * DAY, e, e, 0, 0, 0, (0,), (0,)) for day, e in enumerate(equities))
    trade = record.trades[0]

    def ended(day: int, net: int) -> ClosedTrade:
        return msgspec.structs.replace(trade, exit_at_ns=day * DAY + 1, net_usdt=net)

    trades = (ended(5, 300), ended(20, -100), ended(95, -200))
    made = msgspec.structs.replace(record, equity=points, trades=trades)
    first, second = rolling(made)
    assert (first.trades_count, first.profit_factor) == (2, pytest.approx(3.0))
    assert (second.trades_count, second.profit_factor) == (1, 0.0)
    returns = [after / before - 1 for before, after in pairwise(equities[:91])]
    mean = sum(returns) / 90
    spread = math.sqrt(sum((r - mean) ** 2 for r in returns) / 89)
    assert first.sharpe == pytest.approx(mean / spread * math.sqrt(365))
    assert first.net_usdt == equities[90] - equities[0]
