"""What changed markets mean for a deployment, in sentences; from its node, or from its journal alone."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import structs

from actors.cli.markets_effects import Held, Standing, effects, standing_of
from actors.cli.targets import Target, load_topology
from actors.control.journal_reader import JournalReader
from actors.deployment.assemble import assemble, open_store
from actors.domain.instrument import Instrument, RiskTier
from actors.domain.listing import Difference, differences, facts
from actors.domain.markets_file import read_markets_file
from actors.domain.money import E8
from actors.runtime.simulation import Simulation

ROOT = Path(__file__).parents[3]
BTC = "BTC_USDT_PERP"
BEFORE = read_markets_file((ROOT / "config/markets/poloniex-futures.json").read_text("utf-8")).instruments
LIMITS = {"risk/main": {"max_order_contracts": 50, "max_position_contracts": 150, "max_leverage": 30 * E8}}
STANDING = Standing(
    "live",
    "its node",
    (Held("main", BTC, -200, 8_000_000),),
    (Held("oms/main", BTC, 20, 7_900_005),),
    LIMITS,
)


def told(standing: Standing = STANDING, **changes) -> list[str]:
    after: dict[str, Instrument] = BEFORE | {BTC: replace(BEFORE[BTC], **changes)}
    return effects(differences(BTC, facts(BEFORE[BTC]), facts(after[BTC])), BEFORE, after, standing)


def test_a_market_that_closes_touches_what_is_held_and_what_rests() -> None:
    assert told(status="CANCEL_ONLY") == [
        "main holds -200 BTC_USDT_PERP, which is CANCEL_ONLY: it can be reduced at most",
        "oms/main has an order for +20 BTC_USDT_PERP, which is CANCEL_ONLY",
    ]


def test_a_market_that_is_on_file_no_more_touches_what_is_held() -> None:
    gone = [Difference(BTC, "listed", True, False)]
    after = {symbol: one for symbol, one in BEFORE.items() if symbol != BTC}
    assert "which is not listed" in effects(gone, BEFORE, after, STANDING)[0]


def test_new_tiers_move_margin_leverage_and_limits() -> None:
    tiers = (RiskTier(100, 75, 600_000), RiskTier(10_000, 20, 5_000_000))
    assert told(tiers=tiers) == [
        "main holds -200 BTC_USDT_PERP: maintenance margin 160 -> 800 USDT",
        "main holds -200 BTC_USDT_PERP: at most 20x, it was 50x",
        "risk/main allows 30x, the venue 20x for 150 BTC_USDT_PERP",
    ]


def test_a_new_tick_misreads_the_journal_and_leaves_prices_between_two_ticks() -> None:
    found = told(tick_e8=E8 // 10)
    assert found[0].startswith("BTC_USDT_PERP: the journal counts in a tick of 0.01, and with 0.1 it would")
    assert found[1] == "oms/main has an order at 79000.05 BTC_USDT_PERP, which is no price any more"


def test_a_new_contract_size_changes_what_is_held() -> None:
    found = told(contract_e8=E8 // 100)
    assert "the journal counts in a contract of 0.001" in found[0]
    assert found[1] == "main holds -200 BTC_USDT_PERP: 0.2 -> 2 BTC"


def test_limits_beyond_what_the_venue_takes_are_told() -> None:
    assert told(contracts_max_market=40) == [
        "risk/main allows orders of 50 BTC_USDT_PERP, the venue takes 40 (contracts_max_market)"
    ]
    assert told(contracts_min=60) == [
        "oms/main has an order for +20 BTC_USDT_PERP, below the new minimum",
        "risk/main allows orders of 50 BTC_USDT_PERP, the venue wants 60",
    ]


def test_what_is_neither_held_nor_limited_is_not_told() -> None:
    nothing = Standing("live", "its node")
    assert told(nothing, status="PAUSED", tick_e8=E8 // 10, tiers=(RiskTier(10, 75, 600_000),)) == []
    assert told(price_band_e8=E8 // 10) == []


def test_a_deployment_that_never_ran_holds_nothing_and_has_limits(tmp_path) -> None:
    topology = load_topology([str(ROOT / "config/paper.yaml")])
    standing = standing_of(Target("paper", tmp_path, tmp_path / "control.sock"), topology)
    assert (standing.positions, standing.source) == ((), f"its journal {tmp_path}")
    assert standing.limits["risk/main"]["max_leverage"] > 0


def test_a_dead_nodes_positions_come_from_its_journal(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("POLYTRADE_STATE", str(tmp_path))
    topology = load_topology([str(ROOT / "config/examples/bench.yaml")], (), ("symbols=BTC_USDT_PERP",))
    topology = replace(topology, journal=structs.replace(topology.journal, snapshot_events=200))
    store = open_store(topology)
    simulation = Simulation(lambda _, clock: assemble(topology, store, clock))

    def books() -> Any:
        return simulation.node.cell("ledger/main").behaviour.state

    def held() -> dict[str, int]:
        return {symbol: one.net_contracts for symbol, one in books().holdings.items() if one.net_contracts}

    def from_journal(name: str) -> dict[str, int]:
        copy = tmp_path / name
        shutil.copytree(topology.journal_path, copy)
        found = standing_of(Target("bench", copy, copy / "control.sock"), topology).positions
        assert all(one.owner == "ledger/main" and one.price_ticks > 0 for one in found)
        return {one.symbol: one.contracts for one in found}

    simulation.run_until(lambda: bool(held()))
    assert from_journal("before-a-snapshot") == held()
    simulation.run_until(lambda: bool(held()) and books().fills_count > 100)
    assert from_journal("after-snapshots") == held()
    with JournalReader(tmp_path / "after-snapshots") as reader:
        assert b"ledger/main" in [key for key, _ in reader.items("snapshots")]
    store.close()
