"""So many requests a second, by account or by address, as the venue's classes say."""

import pytest

from actors.exchange.server.answering import ROUTES
from tests.unit.exchange.server.served_world import BTC, ServedWorld

# -- paths and their limits ------------------------------------------------------------------------------

Q = f"symbol={BTC}"
TEN = (
    *("GET account/bills", "GET trade/order/opens", "GET trade/order/trades", "GET trade/order/history"),
    *("GET trade/order/details", "GET trade/position/opens", "GET trade/position/history"),
    *("GET position/leverages", "GET position/mode", "GET position/riskLimit", "POST position/mode"),
    *("POST position/leverage", "POST trade/position/margin", "POST trade/position"),
    *("DELETE trade/batchOrders", "DELETE trade/allOrders"),
)
PER_SECOND = {
    **dict.fromkeys(TEN, 10),
    "GET account/balance": 50,
    "POST trade/order": 50,
    "POST trade/orders": 5,
    "DELETE trade/order": 100,
    "POST trade/positionAll": 2,
}


@pytest.mark.parametrize(("name", "per_second"), PER_SECOND.items())
def test_private_futures_paths_have_the_documented_limits(name, per_second) -> None:
    method, _, path = name.partition(" ")
    route, _ = ROUTES.find(method, f"/v3/{path}")
    assert (route.limit.per_second, route.signed) == (per_second, True)


def test_one_request_too_many_is_refused_with_429_until_the_second_is_over() -> None:
    world = ServedWorld(rate_limits=1)
    for name, per_second in PER_SECOND.items():
        method, _, path = name.partition(" ")
        body = {} if method != "GET" else None
        world.now_ns += 1_000_000_000
        statuses = [world.send(method, f"/v3/{path}", body=body)[0] for _ in range(per_second + 1)]
        assert statuses == [200] * per_second + [429], name
        world.now_ns += 1_000_000_000
        assert world.send(method, f"/v3/{path}", body=body)[0] == 200, name


@pytest.mark.parametrize(
    ("path", "query", "per_second"),
    [
        ("/v3/market/candles", f"{Q}&interval=HOUR_1", 20),
        ("/v3/market/tickers", Q, 300),
        ("/markets/price", "", 200),
    ],
)
def test_market_data_is_limited_by_address(path, query, per_second) -> None:
    world = ServedWorld(rate_limits=1)
    statuses = [world.raw("GET", path, query)[0] for _ in range(per_second + 1)]
    assert statuses == [200] * per_second + [429]
