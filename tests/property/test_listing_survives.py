"""Whatever the venue says of its markets: a listing or the typed error; a sync makes a valid file or none."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.catalog.verdict import judge
from actors.domain.catalog import CatalogError
from actors.domain.markets_file import read_markets_file, render_markets
from actors.domain.sync import plan_sync
from actors.poloniex.answers import Answer, read_answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.market_listing import Reading, read_perpetuals, read_spot_markets
from actors.poloniex.request import Request
from tests.property.test_poloniex_codecs import JSON
from tests.unit.poloniex.test_market_listing import CONTRACT, FUNDING, MARKET, PRICES, TIERS

ROOT = Path(__file__).parents[2]
QUICK = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
ODD: Any = st.one_of(
    JSON,
    st.sampled_from(["-1", "0", "1e30", "99999999999999999999", "NaN", "0.000000001", "", "1e-400", "5"]),
    st.integers(-(10**40), 10**40),
)
FILES = {
    name: read_markets_file((ROOT / "config/markets" / f"poloniex-{name}.json").read_text("utf-8"), name)
    for name in ("futures", "spot")
}
# Smaller files: the answers below list one symbol, and most symbols must not be missing.
ONE = {
    name: read_markets_file({**file.content(), "markets": list(file.rows[:1])}, name)
    for name, file in FILES.items()
}
WHOLE = {
    "allInstruments": [CONTRACT],
    "tickers": PRICES,
    "riskLimit": TIERS,
    "fundingRate": FUNDING,
    "markets": [MARKET],
    "price": [{"symbol": "BTC_USDT", "price": "100000"}],
}


@st.composite
def answers(draw: Any) -> dict[str, Any]:
    """All answers, with some values anywhere in them replaced by anything."""
    table = copy.deepcopy(WHOLE)
    for _ in range(draw(st.integers(0, 3))):
        holder: Any = table
        key: Any = draw(st.sampled_from(sorted(table)))
        while isinstance(holder[key], dict | list) and holder[key] and draw(st.booleans() | st.just(True)):
            holder = holder[key]
            keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
            key = draw(st.sampled_from(list(keys)))
        holder[key] = draw(ODD)
    return table


def carried(reading: Reading, table: dict[str, Any]) -> Any:
    def answer(request: Request) -> Answer:
        data = table[request.path.rpartition("/")[2]]
        body = data if request.spot else {"code": 200, "msg": "", "data": data}
        return read_answer(200, json.dumps(body).encode(), spot=request.spot)

    request = next(reading)
    while True:
        try:
            request = reading.send(answer(request))
        except StopIteration as end:
            return end.value


@QUICK
@given(answers(), st.sampled_from(["https://api.poloniex.com", "http://127.0.0.1:9443"]))
def test_any_answers_make_a_listing_a_valid_file_or_a_typed_error(table: dict[str, Any], url: str) -> None:
    for name, reading in (("futures", read_perpetuals()), ("spot", read_spot_markets({}))):
        try:
            listed = carried(reading, table)
        except Malformed:
            continue
        known = {one.symbol: one for one in listed}
        for symbol, instrument in ONE[name].instruments.items():
            assert isinstance(judge(instrument, known.get(symbol)).text, str)
        try:
            plan = plan_sync(ONE[name], listed, "2026-11-28T06:54:09Z", url)
        except CatalogError:
            continue
        assert read_markets_file(render_markets(plan.after.content()), name) == plan.after
