"""A ledger on the bench, with the real markets file."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from actors.domain.catalog import load_catalog
from actors.domain.instrument import Instrument
from actors.domain.place import Place
from actors.ledger.actor import LedgerActor
from actors.ledger.settings import LedgerSettings
from actors.runtime.testing import Bench

MARKETS = Path(__file__).parents[3] / "config" / "markets" / "poloniex-futures.json"
CATALOG = load_catalog(MARKETS.read_text("utf-8"))


def bench_of(
    settings: LedgerSettings | None = None, instruments: Mapping[str, Instrument] = CATALOG
) -> Bench:
    place = Place("paper", "ledger/main", "paper", 7, {"account": "main"}, instruments)
    return Bench(lambda: LedgerActor(settings or LedgerSettings(), place), name="ledger/main")


@pytest.fixture
def bench() -> Bench:
    return bench_of()
