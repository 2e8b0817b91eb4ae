"""A small house that runs: a feed, a guard that can be halted, books with an order, a clerk who fails."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from actors.domain.instrument import Instrument, RiskTier
from actors.messages.control import Acknowledged, Halt, Rejected, Resume
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.cell import CellSpec
from actors.runtime.clock import SystemClock
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.store import Store
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec

SYMBOL = "BTC_USDT_PERP"
E8 = 100_000_000
BTC = Instrument(
    symbol=SYMBOL,
    base="BTC",
    tick_e8=E8 // 100,
    contract_e8=E8 // 1000,
    contracts_min=1,
    contracts_max_limit=1_000_000,
    contracts_max_market=1_000_000,
    leverage_max=100,
    leverage_default=10,
    price_band_e8=E8 // 10,
    maker_fee_e8=20_000,
    taker_fee_e8=50_000,
    funding_interval_ns=8 * 3_600_000_000_000,
    tiers=(RiskTier(1_000_000, 100, E8 // 200),),
)


class HousePing(Message, frozen=True):
    """Count one."""

    text: str = ""


class HousePoison(Message, frozen=True):
    """Fail on this."""


class HouseCounted(Message, frozen=True):
    """One was counted."""

    text: str
    api_key: str = "hidden"


class HouseState(msgspec.Struct):
    """How many were counted."""

    count: int = 0


class HouseFeed(Behaviour):
    """Says what a market looks like."""

    EMITS = (HousePing,)
    PHASE = Phase.SOURCE

    def describe(self) -> Any:
        return {"symbol": SYMBOL, "state": "live", "bid_ticks": 9_999_900, "ask_ticks": 10_000_000}


class HouseClerk(Behaviour):
    """Counts, on the record; fails when poisoned."""

    ACCEPTS = (HousePing, HousePoison)
    EVENTS = (HouseCounted,)
    STATE = HouseState
    PERSISTENCE = Persistence.EVENT_SOURCED

    def on_house_ping(self, ping: HousePing, context: Context) -> None:
        context.record(HouseCounted(ping.text))
        context.log("counted", text=ping.text, password="dont show")

    def on_house_poison(self, poison: HousePoison, context: Context) -> None:
        raise ValueError("poisoned")

    def apply_house_counted(self, event: HouseCounted) -> None:
        self.state.count += 1

    def gauges(self) -> dict[str, int | float]:
        return {"counted_count": self.state.count, "wait_ms": 250, "lost{path=GET /orders/{id}/trades}": 2}


class HouseGuard(Behaviour):
    """Takes halts for everything but one account."""

    ACCEPTS = (Halt, Resume)
    PHASE = Phase.DECIDE

    def __init__(self) -> None:
        self.halts: list[tuple[str, int, str]] = []

    def on_halt(self, halt: Halt, context: Context) -> None:
        if halt.scope == "account/other":
            context.reply(Rejected("not my account"))
            return
        self.halts.append((halt.scope, int(halt.level), halt.reason))
        context.reply(Acknowledged(f"halted {halt.scope} for {halt.actor}"))

    def on_resume(self, resume: Resume, context: Context) -> None:
        self.halts = [held for held in self.halts if held[0] != resume.scope]
        context.reply(Acknowledged("goes on"))

    def describe(self) -> Any:
        halts = {scope: [level, "ann", reason] for scope, level, reason in self.halts}
        return {"halts": halts, "denied_count": 3, "feeds_stale": {"ETH_USDT_PERP": "silent"}}


class HouseBooks(Behaviour):
    """Owns one order, one position and the money."""

    def describe(self) -> Any:
        order = {"client_order_id": "c-1", "symbol": SYMBOL, "side": "buy", "contracts": 5}
        order |= {"filled_contracts": 2, "limit_ticks": 9_900_000, "state": "open", "intent_id": "i-1"}
        position = {"symbol": SYMBOL, "net_contracts": -4, "cost_ticks": -40_000_000, "mark_ticks": 9_990_000}
        return {
            "orders_live": 1,
            "orders_submitted": 9,
            "open_orders": [order],
            "account": "main",
            "cash_usdt": 1000 * E8,
            "initial_usdt": 990 * E8,
            "equity_usdt": 1001 * E8,
            "fills_count": 7,
            "positions": [position],
            "agrees": True,
        }


def specs() -> list[CellSpec]:
    """Return the cells of the house."""
    return [
        CellSpec("feed/BTC", HouseFeed, kind="feed.synthetic"),
        CellSpec("clerk/main", HouseClerk, reads=("feed/BTC",), supervisor="trading", kind="clerk"),
        CellSpec("guard/main", HouseGuard, supervisor="trading", kind="risk"),
        CellSpec("books/main", HouseBooks, supervisor="trading", kind="ledger"),
    ]


SUPERVISORS = (SupervisorSpec("root"), SupervisorSpec("trading", parent="root", backoff_ns_min=1_000_000))


def make_node(store: Store | None = None) -> Node:
    """Return the node of the house, not yet started."""
    return Node(specs(), SUPERVISORS, store or MemoryStore(), SystemClock(), facts={"deployment": "house"})


@dataclass
class Plan:
    """What a server wants to know of a deployment."""

    journal_path: Path
    http_enabled: bool = False
    http_host: str = "127.0.0.1"
    deployment: str = "house"
    mode: str = "paper"
    files: tuple[str, ...] = ("house.yaml",)
    content_hash: str = "abc"
    instruments: dict[str, Instrument] = field(default_factory=lambda: {SYMBOL: BTC})
    journal: Any = field(default_factory=lambda: SimpleNamespace(durability="process"))
    catalogs: tuple[Any, ...] = ()

    @property
    def socket_path(self) -> Path:
        return self.journal_path / "control.sock"

    @property
    def control(self) -> Any:
        http = SimpleNamespace(enabled=self.http_enabled, host=self.http_host, port=0)
        return SimpleNamespace(http=http, group="")


@contextlib.contextmanager
def running(node: Node) -> Iterator[Node]:
    """Run a node's loop in a thread of its own for as long as the block lasts."""
    node.start()
    thread = threading.Thread(target=node.run, kwargs={"longest_wait_ns": 20_000_000}, daemon=True)
    thread.start()
    try:
        yield node
    finally:
        node.request_stop()
        thread.join(10)
        assert not thread.is_alive()
