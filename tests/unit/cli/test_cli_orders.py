"""`polytrade orders` against a real OMS, over its real socket; the venue says what a test wants."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from actors.cli.exit_codes import ExitCode
from actors.cli.running import announced
from actors.control.server import ControlServer
from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.place import Place
from actors.messages.control import ReconcileFinished
from actors.messages.parents import ChildIntent, ParentIntent, ParentUpdate, SubmitParent
from actors.messages.plans import Bracket, Stop
from actors.messages.plans import Plan as ParentPlan
from actors.messages.trading import OrderIntent, OrderUpdate, SubmitOrder
from actors.messages.venue import (
    CancelOrder,
    OrderAccepted,
    OrderCanceled,
    OutcomeUnknown,
    PlaceOrder,
    QueryOrder,
    RequestKind,
)
from actors.oms.actor import OmsActor
from actors.oms.settings import OmsSettings
from actors.runtime.behaviour import Behaviour, Context
from actors.runtime.cell import CellSpec
from actors.runtime.clock import SystemClock
from actors.runtime.node import Node
from actors.runtime.store_lmdb import Durability, LmdbStore
from tests.unit.cli.conftest import running_house
from tests.unit.control.house import SUPERVISORS, SYMBOL, Plan, running

ETH = "ETH_USDT_PERP"
LIMIT_BRACKET = Bracket(OrderType.LIMIT, 9_900_000, TimeInForce.GTC, 9_800_000)
TREND, MEAN = f"trend/{SYMBOL}", f"mean/{ETH}"


class Wisher(Behaviour):
    """Stands for strategies and risk."""

    EMITS = (SubmitOrder, SubmitParent, ReconcileFinished)
    ACCEPTS = (SubmitOrder, SubmitParent, ReconcileFinished, OrderUpdate, ParentUpdate, ChildIntent)

    def on_submit_order(self, message: SubmitOrder, context: Context) -> None:
        context.publish(message)

    def on_submit_parent(self, message: SubmitParent, context: Context) -> None:
        context.publish(message)

    def on_reconcile_finished(self, message: ReconcileFinished, context: Context) -> None:
        context.publish(message)

    def on_child_intent(self, message: ChildIntent, context: Context) -> None:
        context.publish(SubmitOrder(message.intent, 1))

    def on_order_update(self, message: OrderUpdate, context: Context) -> None:
        pass

    def on_parent_update(self, message: ParentUpdate, context: Context) -> None:
        pass


class ScriptedVenue(Behaviour):
    """Takes orders of one symbol, loses those of another, and cancels what it takes unless it is deaf."""

    ACCEPTS = (PlaceOrder, CancelOrder, QueryOrder)
    EMITS = (OrderAccepted, OrderCanceled, OutcomeUnknown)
    hears_cancels = True

    def on_place_order(self, order: PlaceOrder, context: Context) -> None:
        name, now_ns = order.client_order_id, context.now_ns
        if order.contracts == 13:
            context.publish(OutcomeUnknown("main", name, RequestKind.PLACE, "connection reset", now_ns))
        else:
            context.publish(OrderAccepted("main", name, "v" + name, now_ns))

    def on_cancel_order(self, order: CancelOrder, context: Context) -> None:
        if self.hears_cancels:
            name = order.client_order_id
            context.publish(OrderCanceled("main", name, "v" + name, "by request", 0, context.now_ns))

    def on_query_order(self, order: QueryOrder, context: Context) -> None:
        pass


class Street:
    """The node, and its orders."""

    def __init__(self, plan: Plan) -> None:
        place = Place("house", "oms/main", "paper", 7, {"account": "main"}, plan.instruments)
        specs = (
            CellSpec("wisher", Wisher, reads=("oms/main",)),
            CellSpec("venue/main", ScriptedVenue, reads=("oms/main",)),
            CellSpec(
                "oms/main",
                lambda: OmsActor(OmsSettings(), place),
                reads=("wisher", "venue/main"),
                supervisor="trading",
                kind="oms",
            ),
        )
        store = LmdbStore(plan.journal_path, Durability.PROCESS)
        self.node = Node(specs, SUPERVISORS, store, SystemClock(), facts={"deployment": "house"})
        self._count = 0

    def order(self, contracts: int = 5, symbol: str = SYMBOL, strategy: str = TREND) -> str:
        """Submit a resting order; return its intent's id. 13 contracts get no answer."""
        self._count += 1
        intent_id = f"{strategy}#1.{self._count}"
        intent = OrderIntent(
            *(intent_id, strategy, "main", symbol, Side.BUY, contracts, OrderType.LIMIT, 9_900_000),
            *(TimeInForce.GTC, False, 9_900_000, 1),
        )
        before = self.node.cell("venue/main").handled_count
        self.node.tell("wisher", SubmitOrder(intent, 1))
        until = time.monotonic() + 5
        while self.node.cell("venue/main").handled_count == before and time.monotonic() < until:
            time.sleep(0.002)
        return intent_id

    def parent(self, plan: ParentPlan, *, reduce_only: bool = False) -> str:
        """Have a parent order run; return its id. A bracket's entry and a resting target rest."""
        self._count += 1
        intent_id = f"{TREND}#1.{self._count}"
        intent = ParentIntent(
            *(intent_id, TREND, "main", SYMBOL, Side.BUY, 5, reduce_only, plan, 9_900_000, 1),
        )
        self.node.tell("wisher", ReconcileFinished("main", True, (), 1))
        before = self.node.cell("venue/main").handled_count
        self.node.tell("wisher", SubmitParent(intent, 1))
        until = time.monotonic() + 5
        oms, venue = self.node.cell("oms/main"), self.node.cell("venue/main")
        while time.monotonic() < until:
            if intent_id in oms.behaviour.state.parents and venue.handled_count > before - isinstance(
                plan, Stop
            ):
                break
            time.sleep(0.002)
        return intent_id

    def state_of(self, intent_id: str) -> OrderState:
        oms = self.node.cell("oms/main").behaviour
        orders = (*oms.state.live.values(), *oms.state.closed.values())
        return next(order.state for order in orders if order.intent_id == intent_id)


@pytest.fixture
def street(plan: Plan) -> Iterator[Street]:
    ScriptedVenue.hears_cancels = True
    street = Street(plan)
    file = str(plan.journal_path.parent / "house.yaml")
    with running(street.node):
        server = ControlServer(street.node, plan)
        server.start()
        with announced(running_house(plan, file)):
            yield street
    server.stop()


def found(cli, *words: str):
    return json.loads(cli("orders", *words, "--json").stdout)


def test_orders_are_listed_those_in_doubt_first(cli, street) -> None:
    resting, lost = street.order(), street.order(13)
    shown = cli("orders", "ls")
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0].split()[:5] == ["ORDER", "STATE", "SYMBOL", "SIDE", "CONTRACTS"]
    assert [line.split()[1] for line in lines[1:]] == ["unknown", "open"]
    assert "99000" in lines[2]
    assert "2 live, 1 of them unknown" in shown.stderr
    assert [order["intent_id"] for order in found(cli, "ls")["orders"]] == [lost, resting]
    assert [order["intent_id"] for order in found(cli, "ls", "--unknown")["orders"]] == [lost]


def test_a_list_without_orders_says_so(cli, street) -> None:
    shown = cli("orders", "ls")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "no orders match" in shown.stderr


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("--symbol", ETH), 1),
        (("--strategy", TREND), 2),
        (("--account", "main"), 3),
        (("--account", "other"), 0),
        (("--symbol", ETH, "--strategy", TREND), 0),
    ],
)
def test_a_list_is_narrowed_by_its_options(cli, street, options, count) -> None:
    street.order(), street.order(), street.order(symbol=ETH, strategy=MEAN)
    assert found(cli, "ls", *options)["live"] == count


def test_one_order_is_shown_by_either_of_its_names(cli, street) -> None:
    intent_id = street.order(13)
    order = found(cli, "show", intent_id)
    assert (order["state"], order["is_live"], order["limit"]) == ("unknown", True, "99000")
    assert found(cli, "show", order["client_order_id"])["intent_id"] == intent_id
    text = cli("orders", "show", intent_id).stdout
    assert "unknown: connection reset" in text
    assert "buy 5" not in text
    assert "buy 13 BTC_USDT_PERP at 99000" in text


def test_parents_are_listed_below_the_orders_and_shown_with_theirs(cli, street) -> None:
    bracket = street.parent(LIMIT_BRACKET)
    shown = cli("orders", "ls")
    orders, parents = (part.splitlines() for part in shown.stdout.split("\n\n"))
    assert (len(orders), len(parents)) == (2, 2)
    assert parents[0].split()[:4] == ["PARENT", "TYPE", "STATE", "SYMBOL"]
    assert parents[1].split()[:4] == [bracket, "bracket", "entering", SYMBOL]
    assert "stop 98000" in parents[1]
    assert "1 parent order live" in shown.stderr
    (listed,) = found(cli, "ls")["parents"]
    assert (listed["parent_id"], listed["state"], listed["plan"]["stop_ticks"]) == (
        bracket,
        "entering",
        9_800_000,
    )
    one = found(cli, "show", bracket)
    assert [order["client_order_id"] for order in one["orders"]] == listed["children"]
    text = cli("orders", "show", bracket).stdout
    assert listed["children"][0] in text
    assert "entering" in text


def test_a_parent_is_canceled_by_its_id_with_its_orders(cli, street) -> None:
    bracket, stop = street.parent(LIMIT_BRACKET), street.parent(Stop(9_999_000))
    (child,) = found(cli, "show", bracket)["children"]
    told = cli("orders", "cancel", bracket, "--reason", "enough")
    assert told.exit_code == 0
    assert f"{bracket}  bracket canceled" in told.stdout
    assert child in told.stdout
    one = found(cli, "show", bracket)
    assert (one["state"], one["is_live"]) == ("canceled", False)
    assert one["orders"][0]["state"] == "canceled"
    assert found(cli, "show", stop)["state"] == "waiting"
    told = found(cli, "cancel", stop)
    assert [(parent["state"], parent["is_withdrawn"]) for parent in told["parents"]] == [("canceled", True)]


def test_a_parent_whose_order_the_venue_does_not_end_is_not_confirmed(cli, street) -> None:
    bracket = street.parent(LIMIT_BRACKET)
    ScriptedVenue.hears_cancels = False
    told = cli("orders", "cancel", bracket, "--wait", "0.3")
    assert told.exit_code == ExitCode.UNCONFIRMED
    assert told.stdout.count("NOT CONFIRMED") == 2
    assert "2 of 2 cancels are not confirmed" in told.stderr


def test_a_parent_is_not_settled_on_a_word(cli, street) -> None:
    bracket = street.parent(LIMIT_BRACKET)
    told = cli("orders", "resolve", bracket, "--as", "absent", "--evidence", "page", "--yes")
    assert told.exit_code == ExitCode.REFUSED
    assert "is a parent order" in told.stderr


def test_an_order_nobody_has_heard_of_has_a_code_of_its_own(cli, street) -> None:
    for words in (("show", "nobody"), ("cancel", "nobody"), ("resolve", "nobody")):
        extra = ("--as", "canceled", "--evidence", "none", "--yes") if words[0] == "resolve" else ()
        shown = cli("orders", *words, *extra)
        assert shown.exit_code == ExitCode.NOT_FOUND
        assert "polytrade why nobody" in shown.stderr


def test_one_order_is_canceled_and_its_confirmation_told(cli, street) -> None:
    intent_id, other = street.order(), street.order()
    shown = cli("orders", "cancel", intent_id)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("confirmed")
    assert street.state_of(intent_id) is OrderState.CANCELED
    assert street.state_of(other) is OrderState.OPEN


@pytest.mark.parametrize(
    ("scope", "count"),
    [
        (("--all",), 3),
        (("--symbol", ETH), 1),
        (("--strategy", TREND), 2),
        (("--account", "main"), 3),
        (("--account", "other"), 0),
    ],
)
def test_a_scope_is_canceled_and_nothing_else(cli, street, scope, count) -> None:
    street.order(), street.order(), street.order(symbol=ETH, strategy=MEAN)
    told = found(cli, "cancel", *scope, "--yes")
    assert (told["asked"], len(told["confirmed"]), told["not_confirmed"]) == (count, count, [])
    assert found(cli, "ls")["live"] == 3 - count


def test_what_the_venue_does_not_confirm_is_told_with_a_code_of_its_own(cli, street) -> None:
    street.order(), street.order(13)
    ScriptedVenue.hears_cancels = False
    shown = cli("orders", "cancel", "--all", "--yes", "--wait", "0.3")
    assert shown.exit_code == ExitCode.UNCONFIRMED
    assert shown.stdout.count("NOT CONFIRMED") == 2
    assert "unknown, cancel wanted" in shown.stdout
    assert "2 of 2 cancels are not confirmed" in shown.stderr


def test_many_orders_are_not_canceled_without_a_word(cli, street) -> None:
    intent_id = street.order()
    shown = cli("orders", "cancel", "--all")
    assert shown.exit_code == ExitCode.USAGE
    assert "cancel 1 live order of house" in shown.stderr
    assert "--yes" in shown.stderr
    assert street.state_of(intent_id) is OrderState.OPEN


@pytest.mark.parametrize(
    "words", [(), ("--all", "--symbol", ETH), ("x-1", "--all"), ("x-1", "--symbol", ETH)]
)
def test_a_cancel_has_one_scope(cli, street, words) -> None:
    shown = cli("orders", "cancel", *words, "--yes")
    assert shown.exit_code == ExitCode.USAGE
    assert "name one order, or a scope" in shown.stderr


def test_a_person_settles_an_order_and_the_story_names_them(cli, street, plan, monkeypatch) -> None:
    monkeypatch.setattr("actors.cli.orders.who", lambda: "ada")
    intent_id = street.order(13)
    told = cli("orders", "resolve", intent_id, "--as", "absent", "--evidence", "not on the page", "--yes")
    assert told.exit_code == 0
    assert "unknown -> absent" in told.stdout
    assert street.state_of(intent_id) is OrderState.ABSENT
    # Another process reads the journal: one process opens it once only.
    command = [sys.executable, "-m", "actors.cli.main", "why", str(plan.journal_path), intent_id]
    story = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "OrderResolved" in story
    assert "evidence not on the page" in story
    assert "actor ada" in story


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("filled", "taken from the venue alone"),
        ("partially_filled", "has no fills in our books"),
        ("unknown", "no answer"),
        ("gone", "there is no order state"),
    ],
)
def test_nonsense_is_refused(cli, street, state, says) -> None:
    intent_id = street.order(13)
    told = cli("orders", "resolve", intent_id, "--as", state, "--evidence", "page", "--yes")
    assert told.exit_code in (ExitCode.REFUSED, ExitCode.USAGE)
    assert says in told.stderr
    assert street.state_of(intent_id) is OrderState.UNKNOWN


def test_a_word_is_not_taken_without_asking(cli, street) -> None:
    intent_id = street.order(13)
    told = cli("orders", "resolve", intent_id, "--as", "absent", "--evidence", "page")
    assert told.exit_code == ExitCode.USAGE
    assert "add --yes" in told.stderr
    assert street.state_of(intent_id) is OrderState.UNKNOWN


def test_a_deployment_without_an_oms_has_no_orders(cli, house) -> None:
    shown = cli("orders", "ls")
    assert shown.exit_code == ExitCode.NOT_FOUND
    assert "owns orders" in shown.stderr
