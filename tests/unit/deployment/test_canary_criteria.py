"""What ends a canary: each criterion just below and just above its limit, and what it is measured by."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from actors.deployment.canary.criteria import Measures, OrderCounts, broken, percentile
from actors.deployment.canary.measuring import OrderTail
from actors.deployment.canary.settings import CanarySection

E8 = 100_000_000
MS = 1_000_000
SETTINGS = CanarySection(
    refusals_max=E8 // 5,
    orders_min=10,
    latency_factor=3 * E8,
    latency_floor=50 * MS,
    drawdown_usdt=50 * E8,
    restarts_max=1,
)


def measures(ours: Any = (), others: Any = (), **more: Any) -> Measures:
    return Measures(OrderCounts(*ours), OrderCounts(*others), **more)


@pytest.mark.parametrize(
    ("well", "badly", "said"),
    [
        (measures((10, 2)), measures((10, 3)), "3 of 10 orders were refused"),
        (measures((9, 9)), measures((10, 10)), "10 of 10 orders were refused"),  # too few are not judged
        (measures(drawdown_usdt=50 * E8), measures(drawdown_usdt=50 * E8 + 1), "profit fell 50.00 USDT"),
        (measures(restarts=1), measures(restarts=2), "restarted 2 times, 1 are allowed"),
        (measures(), measures(down=("trend/X",)), "trend/X does not run"),
        (measures(), measures(pages=("FeedStale: X",)), "FeedStale: X pages"),
        (measures(), measures(halts=("all by ann: test",)), "trading was halted: all by ann"),
        (
            measures((0, 0, [300 * MS] * 10), (0, 0, [100 * MS] * 10)),
            measures((0, 0, [301 * MS] * 10), (0, 0, [100 * MS] * 10)),
            "301.0 ms (p99), those of others within 100.0 ms",
        ),
        (
            measures((0, 0, [50 * MS] * 10), (0, 0, [1 * MS] * 10)),  # the floor
            measures((0, 0, [51 * MS] * 10), (0, 0, [1 * MS] * 10)),
            "51.0 ms",
        ),
        (
            measures((0, 0, [900 * MS] * 10), (0, 0, [1 * MS] * 9)),  # nobody to compare with
            measures((0, 0, [900 * MS] * 10), (0, 0, [1 * MS] * 10)),
            "900.0 ms",
        ),
    ],
)
def test_a_criterion_holds_at_its_limit_and_breaks_above(well: Measures, badly: Measures, said: str) -> None:
    assert broken(SETTINGS, well) == ""
    assert said in broken(SETTINGS, badly)


@pytest.mark.parametrize(
    ("off", "found"),
    [
        ({"refusals_max": E8}, measures((10, 10))),
        ({"latency_factor": 0}, measures((0, 0, [900 * MS] * 10), (0, 0, [1] * 10))),
        ({"drawdown_usdt": 0}, measures(drawdown_usdt=10**15)),
        ({"pages": False}, measures(pages=("X",))),
        ({"halts": False}, measures(halts=("X",))),
    ],
)
def test_a_criterion_can_be_turned_off(off: dict[str, Any], found: Measures) -> None:
    assert broken(SETTINGS, found) != ""
    assert broken(msgspec.structs.replace(SETTINGS, **off), found) == ""


def test_a_percentile_is_by_nearest_rank() -> None:
    assert [percentile(values) for values in ([], [7], list(range(1, 101)), list(range(1, 201)))] == [
        0,
        7,
        99,
        198,
    ]


def test_orders_are_counted_by_what_the_journal_says_of_them() -> None:
    tail = OrderTail(lambda cell, symbol: symbol == "BTC")

    def submit(name: str, symbol: str, replaces: str = "") -> None:
        fields = {"client_order_id": name, "symbol": symbol, "at_ns": 100, "replaces": replaces}
        tail.take("oms/main", "OrderSubmitted", fields)

    def moved(name: str, event: str, at_ns: int) -> None:
        fields = {"client_order_id": name, "event": event, "at_ns": at_ns}
        tail.take("oms/main", "OrderStateChanged", fields)

    submit("a", "BTC")
    submit("b", "BTC")
    submit("c", "BTC")
    submit("d", "BTC", replaces="a")  # the same wish
    submit("e", "ETH")
    moved("a", "accepted", 150)
    moved("a", "canceled", 190)
    moved("b", "rejected", 170)
    tail.take("oms/main", "OrderFillApplied", {"client_order_id": "c", "at_ns": 130})
    moved("c", "accepted", 140)  # the fill was the venue's first word
    moved("e", "accepted", 109)
    moved("unknown", "accepted", 500)  # submitted before the canary
    tail.take("risk/main", "IntentDenied", {"symbol": "BTC"})
    tail.take("ledger/main", "FillBooked", {})
    assert tail.ours == OrderCounts(orders=4, refused=2, answers_ns=[50, 70, 30])
    assert tail.others == OrderCounts(orders=1, refused=0, answers_ns=[9])
