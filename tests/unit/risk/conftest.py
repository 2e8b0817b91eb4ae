"""Benches for the risk actor."""

from collections.abc import Callable

import pytest

from tests.unit.risk.risk_bench import RiskBench, settings

Benches = Callable[..., RiskBench]


@pytest.fixture
def risk() -> Benches:
    """Return a maker of benches: `risk(max_open_orders=3)` has that limit alone."""
    return lambda **limits: RiskBench(settings(**limits))
