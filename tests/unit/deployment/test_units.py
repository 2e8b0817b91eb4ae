"""A journal that counts in other ticks or contracts is refused, and keeps what it counts in for ever."""

from dataclasses import replace
from pathlib import Path

import pytest

from actors.deployment.assemble import assemble, open_store
from actors.deployment.loader import load
from actors.deployment.process import run_node
from actors.deployment.topology import Topology
from actors.deployment.units import UnitsChanged
from actors.runtime.simulation import Simulation

ROOT = Path(__file__).parents[3]
BTC, ETH = "BTC_USDT_PERP", "ETH_USDT_PERP"


def topology(folder: Path, symbols: str = BTC, **changes) -> Topology:
    variables = {"POLYTRADE_STATE": str(folder)}
    found = load(ROOT / "config/examples/bench.yaml", (), {"symbols": symbols}, variables)
    markets = dict(found.instruments)
    return replace(found, instruments=markets | {BTC: replace(markets[BTC], **changes)})


def run_once(found: Topology) -> None:
    store = open_store(found)
    simulation = Simulation(lambda _, clock: assemble(found, store, clock))
    simulation.run_for(1_000_000_000)
    store.close()


def test_a_journal_is_opened_again_while_its_units_are_the_same(tmp_path) -> None:
    run_once(topology(tmp_path))
    run_once(topology(tmp_path, contracts_max_market=7))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"tick_e8": 10_000_000}, "counts BTC_USDT_PERP in a tick of 0.01, now 0.1, and would be misread"),
        ({"contract_e8": 1_000_000}, "counts BTC_USDT_PERP in a contract of 0.001, now 0.01, and"),
        (
            {"tick_e8": 10_000_000, "contract_e8": 1_000_000},
            "a tick of 0.01, now 0.1 and a contract of 0.001",
        ),
    ],
)
def test_a_journal_in_other_units_is_refused_with_a_way_out(tmp_path, changes, text, capsys) -> None:
    run_once(topology(tmp_path))
    with pytest.raises(UnitsChanged, match=text) as caught:
        open_store(topology(tmp_path, **changes))
    assert "move the journal's folder away" in str(caught.value)
    assert run_node(topology(tmp_path, **changes), lambda: True) == 3  # its heart does not try again
    assert text in capsys.readouterr().err
    run_once(topology(tmp_path))  # and nothing was done to it


def test_a_symbol_that_was_traded_once_is_not_forgotten(tmp_path) -> None:
    run_once(topology(tmp_path))
    run_once(topology(tmp_path, ETH))
    for symbols in (ETH, f"{BTC},{ETH}"):  # it may still be held, whoever trades now
        with pytest.raises(UnitsChanged, match="BTC_USDT_PERP"):
            open_store(topology(tmp_path, symbols, tick_e8=10_000_000))


def test_symbols_that_never_were_in_a_journal_may_change(tmp_path) -> None:
    run_once(topology(tmp_path, ETH))
    run_once(topology(tmp_path, ETH, tick_e8=10_000_000))
