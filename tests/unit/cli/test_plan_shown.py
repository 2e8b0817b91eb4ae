"""A plan says what each change does to limits, and to what its actor has at stake now."""

from __future__ import annotations

from typing import Any

from actors.cli.plan_holds import holds
from actors.cli.plan_shown import plan_lines

ORDERS = [
    {"strategy": "trend/BTC", "account": "main", "symbol": "BTC", "is_live": True},
    {"strategy": "trend/BTC", "account": "main", "symbol": "BTC", "is_live": False},
    {"strategy": "trend/ETH", "account": "main", "symbol": "ETH", "is_live": True},
    {"strategy": "trend/BTC", "account": "other", "symbol": "BTC", "is_live": True},
]
POSITIONS = [
    {"account": "main", "symbol": "BTC", "net_contracts": -35},
    {"account": "main", "symbol": "ETH", "net_contracts": 0},
    {"account": "other", "symbol": "BTC", "net_contracts": 4},
]


def actor(
    address: str, kind: str, settings: dict[str, Any] | None = None, **variables: str
) -> dict[str, Any]:
    return {"address": address, "kind": kind, "settings": settings or {}, "variables": variables}


def test_each_actor_is_told_what_is_its_own_and_no_more() -> None:
    actors = [
        actor("trend/BTC", "strategy.trend_follow", {"account": "main"}, symbol="BTC"),
        actor("trend/ETH", "strategy.trend_follow", {"account": "main"}, symbol="ETH"),
        actor("idle/XRP", "strategy.trend_follow", {"account": "main"}, symbol="XRP"),
        actor("risk/main", "risk", account="main"),
        actor("venue/other", "venue.simulated", account="other"),
        actor("feed/BTC", "feed.synthetic", symbol="BTC"),
        actor("exchange", "exchange"),
    ]
    assert holds(actors, ORDERS, POSITIONS) == {
        "trend/BTC": "2 live orders, BTC -35 contracts",
        "trend/ETH": "1 live order",
        "risk/main": "2 live orders, BTC -35 contracts",
        "venue/other": "1 live order, BTC +4 contracts",
        "exchange": "3 live orders, BTC -35 contracts, BTC +4 contracts",
    }


def lines(action: str, **field: bool) -> str:
    shown = {
        "path": "fast",
        "before": 8,
        "after": 9,
        "place": "a.yaml:1:1",
        "loosens": False,
        "tightens": False,
    }
    change = {"action": action, "address": "a", "kind": "k", "place": "a.yaml:1:1", "reason": ""}
    found = {
        "deployment": "paper",
        "base": 1,
        "first": [],
        "blocked": [],
        "loosened": [],
        "changes": [{**change, "fields": [shown | field]}],
        "holds": {"a": "1 live order"},
    }
    return "\n".join(plan_lines(found))


def test_what_a_removed_actor_leaves_behind_is_told() -> None:
    assert "now: 1 live order; nobody minds them then" in lines("remove")
    assert "nobody" not in lines("restart")


def test_a_limit_is_wider_or_tighter_or_neither() -> None:
    assert "fast: 8 -> 9  a.yaml:1:1  LOOSENS LIMIT" in lines("restart", loosens=True)
    text = lines("restart", tightens=True)
    assert "fast: 8 -> 9  a.yaml:1:1  tightens limit" in text
    assert "beyond a tighter limit stays" in text
    assert "limit" not in lines("restart")
