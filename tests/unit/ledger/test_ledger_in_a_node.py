"""Ledger and alerter in a real node: killed, restarted, fed the same fills again."""

import msgspec

from actors.alerter.actor import AlerterActor
from actors.alerter.settings import AlerterSettings, Route
from actors.domain.orders import Side
from actors.domain.place import Place
from actors.ledger.actor import LedgerActor
from actors.ledger.settings import LedgerSettings
from actors.messages.market import MarkPrice
from actors.messages.trading import Fill
from actors.runtime.behaviour import Behaviour, Context
from actors.runtime.cell import CellSpec
from actors.runtime.clock import VirtualClock
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.pumps.messages import HttpRequest, HttpResponse
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from tests.unit.ledger.conftest import CATALOG

START = 1_760_000_000_000_000_000
SECOND = 1_000_000_000
PRICE = 10_000_000
HOOK = Route(name="hook", channel="webhook", url="https://alerts.example/hook")


class Relay(Behaviour):
    """Publishes whatever it is told, as the OMS and the feed would."""

    ACCEPTS = (Fill, MarkPrice)
    EMITS = (Fill, MarkPrice)

    def on_fill(self, fill: Fill, context: Context) -> None:
        context.publish(fill)

    def on_mark_price(self, price: MarkPrice, context: Context) -> None:
        context.publish(price)


class Wire:
    """An HTTP pump without a network: keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[HttpRequest, str]] = []

    def put(self, message: Message, address: str) -> None:
        assert isinstance(message, HttpRequest)
        self.asked.append((message, address))


class World:
    """A journal that outlives its nodes, and the clock beside it."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryStore(), VirtualClock(START)

    def boot(self) -> Node:
        ledger = Place("paper", "ledger/main", "paper", 7, {"account": "main"}, CATALOG)
        alerter = Place("paper", "alerter/main", "paper", 7, {}, CATALOG)
        cells = (
            CellSpec("alerter/main", lambda: AlerterActor(AlerterSettings(routes=(HOOK,)), alerter)),
            CellSpec("relay/main", Relay),
            CellSpec("ledger/main", lambda: LedgerActor(LedgerSettings(), ledger), reads=("relay/main",)),
        )
        node = Node(cells, (SupervisorSpec("root"),), self.store, self.clock)
        self.wire = Wire()
        node.loop.pumps["http"] = self.wire
        node.start()
        self.settle(node)
        return node

    def settle(self, node: Node, advance_ns: int = 0) -> None:
        self.clock.advance_to(self.clock.now_ns() + advance_ns)
        for _ in range(50):
            if not node.turn() and node.is_ready:
                return


def fill(number: int, symbol: str = "BTC_USDT_PERP") -> Fill:
    side = Side.BUY if number % 3 else Side.SELL
    return Fill(
        "main", symbol, "c", "v", f"t{number}", "s", side, 1 + number % 4, PRICE + number, 7, False, False, 1
    )


def state_of(node: Node, address: str) -> bytes:
    return msgspec.msgpack.encode(node.cell(address).behaviour.state)


def test_a_node_that_died_continues_with_the_same_books() -> None:
    world = World()
    node = world.boot()
    for number in range(40):
        node.tell("relay/main", fill(number))
    world.settle(node)
    before = state_of(node, "ledger/main")
    # The first node is simply forgotten, as after kill -9; the venue then reports everything again.
    node = world.boot()
    assert state_of(node, "ledger/main") == before
    for number in range(41):
        node.tell("relay/main", fill(number))
    world.settle(node)
    ledger = node.cell("ledger/main").behaviour
    assert ledger.state.fills_count == 41
    assert ledger.describe()["unmarked"] == ["BTC_USDT_PERP"]
    node.tell("relay/main", MarkPrice("BTC_USDT_PERP", 1, PRICE, PRICE))
    world.settle(node)
    assert ledger.describe()["unmarked"] == []
    assert ledger.describe()["books_faults"] == []


def test_an_actor_that_fails_on_a_message_loses_nothing_else() -> None:
    world = World()
    node = world.boot()
    node.tell("relay/main", fill(1))
    node.tell("relay/main", msgspec.structs.replace(fill(2), contracts=0))
    node.tell("relay/main", fill(3))
    for _ in range(5):
        world.settle(node, SECOND)
    ledger = node.cell("ledger/main").behaviour
    assert ledger.state.fills_count == 2
    assert ledger.describe()["books_faults"] == []


def test_an_alert_reaches_the_webhook_even_if_the_node_dies_on_the_way() -> None:
    world = World()
    node = world.boot()
    node.tell("relay/main", fill(1, "XMR_USDT_PERP"))
    world.settle(node)
    world.settle(node, 6 * SECOND)
    [(first, asker)] = world.wire.asked
    assert asker == "alerter/main"
    assert b'"alert":"UnknownInstrument"' in first.body
    node = world.boot()
    [(again, asker)] = world.wire.asked
    assert again == first
    node.deliver_from_outside(asker, HttpResponse(again.request_id, 200, (), b"", 1))
    world.settle(node)
    node = world.boot()
    assert world.wire.asked == []
    assert [alert["name"] for alert in node.cell("alerter/main").behaviour.describe()["active"]] == [
        "UnknownInstrument"
    ]
