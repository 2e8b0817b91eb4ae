"""One actor hears a 429; everybody who shares the limit goes slower, and nobody else."""

from __future__ import annotations

from pathlib import Path

from actors.exchange.server.faults import Fault
from actors.simulation.bundle import Recipe
from actors.simulation.run import SeedRun

LOCAL = Path(__file__).resolve().parents[2] / "config" / "local.yaml"
SECOND_NS = 1_000_000_000
FEEDS = ("feed/BTC_USDT_PERP", "feed/ETH_USDT_PERP")


def refused_once(path: str) -> SeedRun:
    """Run until one request of a path has been refused and everybody has heard of it."""
    run = SeedRun(Recipe((str(LOCAL),)).topology(), 11, (), 0)
    assert run.far is not None
    run.world.run_for(20 * SECOND_NS)
    rule = run.far.core.faults.add(Fault(kind="rate_limit", path=path, count=1))
    run.world.run_until(lambda: rule.struck == 1, 60 * SECOND_NS)
    run.world.run_for(SECOND_NS // 10)
    return run


def paces(run: SeedRun, address: str) -> dict[str, tuple[int, int]]:
    """Return, by class of requests, how much slower an actor is and how many 429 it got itself."""
    found = run.world.node.cell(address).behaviour.state.paces
    return {name: (pace.slowed, pace.refused_count) for name, pace in found.items() if pace.slowed > 1}


def test_a_429_of_the_address_slows_everybody_who_comes_from_it() -> None:
    run = refused_once("/v3/market/orderBook")
    assert sorted(paces(run, feed)["public"] for feed in FEEDS) == [(2, 0), (2, 1)]
    assert paces(run, "venue/main")["public"] == (2, 0)
    for feed in FEEDS:
        blocked_ns = run.world.node.cell(feed).behaviour.state.paces["public"].blocked_until_ns
        assert blocked_ns > run.world.now_ns
    run.world.crash()
    run.world.run_for(2 * SECOND_NS)
    assert sorted(paces(run, feed)["public"] for feed in FEEDS) == [(2, 0), (2, 1)]
    run.world.run_for(80 * SECOND_NS)
    assert [paces(run, feed) for feed in FEEDS] == [{}, {}]


def test_a_429_of_an_account_slows_nobody_who_only_shares_its_address() -> None:
    run = refused_once("/v3/account/balance")
    assert paces(run, "venue/main") == {"balance": (2, 1)}
    assert [paces(run, feed) for feed in FEEDS] == [{}, {}]
