"""How many orders the exchange accepts over loopback, with the client in a process of its own."""

import pytest

from actors.cli.benchmarks.exchange_orders import CONNECTIONS, EACH, load

WANTED_PER_S = 2_000
CPU_US_MAX = 500


def test_orders_of_eight_connections_are_all_accepted() -> None:
    assert load(25).accepted == CONNECTIONS * 25


@pytest.mark.bench
def test_the_exchange_accepts_two_thousand_orders_a_second() -> None:
    found = load(EACH)
    assert found.accepted / found.seconds >= WANTED_PER_S
    assert found.cpu_s / found.accepted * 1e6 <= CPU_US_MAX
