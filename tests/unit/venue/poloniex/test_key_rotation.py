"""A new key is tried, gets a stream of its own, and is adopted or refused; no report is lost or doubled."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from actors.domain.money import E8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.place import Place
from actors.exchange.server.faults import Fault
from actors.exchange.server.settings import AccountSettings
from actors.messages.secrets import SecretsAdopted, SecretsOffered, SecretsRefused
from actors.messages.venue import (
    CancelOrder,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OutcomeUnknown,
    PlaceOrder,
    VenueConnection,
)
from actors.runtime.messages import Message
from actors.runtime.pumps.messages import HttpFailure, HttpRequest, SocketClosed, SocketFrame
from actors.venue.poloniex.actor import PoloniexVenue
from actors.venue.poloniex.settings import PoloniexSpotVenueSettings, PoloniexVenueSettings
from actors.venue.poloniex.spot import PoloniexSpotVenue
from tests.contract.venue.spot_driver import MS, SECOND, WiredBench
from tests.unit.exchange.server.served_world import BTC, CATALOG, ServedWorld

KEY, SECRET = "secret://desk/main#key", "secret://desk/main#secret"
OFFER = SecretsOffered((f"{KEY}@2", f"{SECRET}@2", "secret://desk/other#key@7"))
MINE = (f"{KEY}@2", f"{SECRET}@2")


STEP, PACE = 20 * MS, 100 * MS  # two orders every PACE are within the limits of the venue
RESTS = 5  # steps until an order is taken back


class RotatingBench(WiredBench):
    """An account with two keys at the exchange; `values` are what the keeper has at hand."""

    def __init__(self, spot: bool = False) -> None:
        self.connections: list[str] = []  # in the order in which they were opened
        self.delays_ns = (0, 0)  # of frames: of the first connection, of those after it
        self.refuses_second = self.mutes_second = False
        self.placing_ns = 0  # how long the answer to an order takes
        self.on_the_way: list[tuple[int, Message]] = []
        self.number = 0
        keys = [
            AccountSettings(key=f"key-{n}", secret=f"key-{n}-secret", usdt=10_000 * E8, name="ann")
            for n in (1, 2)
        ]
        bob = AccountSettings(key="bob", secret="bob-secret", usdt=10_000 * E8)
        world = ServedWorld(accounts=(*keys, bob))
        self.values: Mapping[str, str] = {
            KEY: "key-1",
            SECRET: "key-1-secret",
            f"{KEY}@2": "key-2",
            f"{SECRET}@2": "key-2-secret",
        }
        given = {"key": KEY, "secret": SECRET}
        variables = {"account": "main"}
        place = Place(
            "t", "venue/main", "live", variables=variables, instruments=CATALOG, secrets=self.values
        )
        if spot:
            super().__init__(
                world, lambda: PoloniexSpotVenue(PoloniexSpotVenueSettings(**given), place), "venue/main"
            )
        else:
            super().__init__(
                world, lambda: PoloniexVenue(PoloniexVenueSettings(**given), place), "venue/main"
            )
        self.run(5 * SECOND)
        assert self.behaviour.is_up  # type: ignore[attr-defined]
        self.published.clear()

    @property
    def key(self) -> str:
        return str(self.behaviour.credentials.key)  # type: ignore[attr-defined]

    # -- links ---------------------------------------------------------------------------------------

    def run(self, duration_ns: int) -> None:
        """Let time pass on both sides; frames take as long as their connection does."""
        end_ns = self.now_ns + duration_ns
        while self.now_ns < end_ns:
            super().run(STEP)
            due = [message for at_ns, message in self.on_the_way if at_ns <= self.now_ns]
            self.on_the_way = [one for one in self.on_the_way if one[0] > self.now_ns]
            for message in due:
                self.tell(message)

    def _frames(self, name: str, frames: list[Any]) -> None:
        if frames and name not in self.connections:
            self.connections.append(name)
        for frame in frames:
            is_second = self.connections.index(name) > 0
            if self.refuses_second and is_second and frame.get("channel") == "auth":
                frame = {"channel": "auth", "data": {"success": False, "message": "not here", "ts": 1}}
            if not (self.mutes_second and is_second):
                at_ns = self.now_ns + self.delays_ns[is_second]
                raw = json.dumps(frame).encode()
                self.on_the_way.append((at_ns, SocketFrame(name, raw, self.now_ns)))

    def _answer(self, request: HttpRequest) -> Message:
        answer = super()._answer(request)
        if not self.placing_ns or request.method != "POST":
            return answer
        self.on_the_way.append((self.now_ns + self.placing_ns, answer))
        return HttpFailure("nobody's", False, "")

    def break_first(self) -> None:
        """The connection that was first is gone, with what was on its way."""
        first = self.connections[0]
        late = self.on_the_way
        self.on_the_way = [one for one in late if getattr(one[1], "socket_id", "") != first]
        self.world.core.hub.close(self.sockets[first])
        self._break(first)

    def _break(self, name: str) -> None:
        del self.sockets[name]
        self.tell(SocketClosed(name, 1006, "reset"))

    # -- orders --------------------------------------------------------------------------------------

    def trade(self, steps: int) -> None:
        """Each step one order fills, one is placed and one, placed a while ago, is taken back."""
        for _ in range(steps):
            self.number += 1
            self.world.place("SELL", 1, 80_000, key="bob")
            self._place(f"f-{self.number}", 8_000_000)
            self._place(f"c-{self.number}", 7_800_000)
            if self.number > RESTS:
                self.tell(CancelOrder("main", f"c-{self.number - RESTS}", BTC), sender="oms/main")
            self.run(PACE)

    def _place(self, name: str, ticks: int) -> None:
        order = PlaceOrder("main", name, BTC, Side.BUY, 1, OrderType.LIMIT, ticks, TimeInForce.GTC, False)
        self.tell(order, sender="oms/main")

    def check_reports(self) -> None:
        """Everything is told, and told once."""
        told = self.published
        accepted = Counter(one.client_order_id for one in told if isinstance(one, OrderAccepted))
        filled = Counter(one.client_order_id for one in told if isinstance(one, OrderFilled))
        canceled = Counter(one.client_order_id for one in told if isinstance(one, OrderCanceled))
        numbers = range(1, self.number + 1)
        assert accepted == {f"{kind}-{n}": 1 for kind in "fc" for n in numbers}
        assert filled == {f"f-{n}": 1 for n in numbers}
        assert canceled == {f"c-{n}": 1 for n in numbers[:-RESTS]}
        assert not [one for one in told if isinstance(one, VenueConnection | OutcomeUnknown | OrderRejected)]

    def revoke(self, key: str) -> None:
        self.world.core.faults.add(Fault(kind="revoke_key", key=key))
        self.world.core.hub.cut_revoked()
        self.world._deliver()
        cut = [name for name, socket in self.sockets.items() if socket in self.world.closed]
        for name in cut:
            self._break(name)

    def news(self, *, forget: bool = True) -> list[object]:
        found = [one for one in self.published if isinstance(one, SecretsAdopted | SecretsRefused)]
        if forget:
            self.published.clear()
        return found


DELAYS = {"alike": (0, 0), "the old one is slow": (700 * MS, 0), "the new one is slow": (0, 700 * MS)}


@pytest.mark.parametrize("spot", [False, True])
def test_a_key_that_the_venue_takes_is_used_from_then_on(spot: bool) -> None:
    bench = RotatingBench(spot)
    bench.tell(OFFER)
    bench.run(SECOND)
    assert (bench.news(), bench.key) == ([SecretsAdopted(MINE)], "key-2")
    assert list(bench.sockets) == bench.connections[1:], "the stream of the new key, and no other"
    bench.revoke("key-1")
    bench.run(10 * SECOND)
    assert not [one for one in bench.published if isinstance(one, VenueConnection)]
    assert list(bench.sockets) == bench.connections[1:]
    assert not [alert for alert in bench.alerts if alert.name == "VenueKeyRefused"]


@pytest.mark.parametrize("delays", DELAYS.values(), ids=DELAYS)
def test_every_report_is_told_once_while_keys_change_and_the_old_one_is_deleted(
    delays: tuple[int, int],
) -> None:
    bench = RotatingBench()
    bench.delays_ns = delays
    bench.trade(20)
    bench.tell(OFFER)
    steps = 0
    while not bench.news(forget=False) and steps < 500:
        bench.trade(1)
        steps += 1
    bench.revoke("key-1")
    bench.trade(50)
    bench.run(5 * SECOND)
    assert bench.news(forget=False) == [SecretsAdopted(MINE)]
    bench.check_reports()


def test_what_an_old_stream_took_with_it_is_read_from_the_lists() -> None:
    bench = RotatingBench()
    bench.delays_ns = (700 * MS, 0)
    bench.trade(20)
    bench.tell(OFFER)
    while bench.key != "key-2":
        bench.trade(1)
    bench.trade(5)
    bench.break_first()
    bench.trade(50)
    bench.run(5 * SECOND)
    assert bench.news(forget=False) == [SecretsAdopted(MINE)]
    bench.check_reports()


def test_the_old_key_is_in_use_until_the_last_request_signed_with_it_is_answered() -> None:
    bench = RotatingBench()
    bench.placing_ns = 2 * SECOND
    bench.tell(OFFER)
    bench.trade(1)
    bench.run(SECOND)
    assert (bench.news(forget=False), bench.key) == ([], "key-2")
    bench.run(2 * SECOND)
    assert bench.news(forget=False) == [SecretsAdopted(MINE)]


def test_a_key_whose_stream_is_refused_is_refused_and_the_old_stream_goes_on() -> None:
    bench = RotatingBench()
    bench.refuses_second = True
    bench.tell(OFFER)
    bench.trade(100)
    bench.run(2 * SECOND)
    refused = SecretsRefused(MINE, "the private stream answered: not here")
    assert (bench.news(forget=False), bench.key) == ([refused], "key-1")
    assert list(bench.sockets) == bench.connections[:1]
    bench.check_reports()
    assert not bench.alerts


def test_a_key_whose_stream_does_not_come_up_waits_for_the_next_offer() -> None:
    bench = RotatingBench()
    bench.mutes_second = True
    bench.tell(OFFER)
    bench.run(20 * SECOND)
    assert (bench.news(), bench.key) == ([], "key-1")
    assert list(bench.sockets) == bench.connections[:1]
    bench.mutes_second = False
    bench.tell(OFFER)
    bench.run(SECOND)
    assert (bench.news(), bench.key) == ([SecretsAdopted(MINE)], "key-2")


def test_a_key_is_adopted_without_a_stream_when_the_old_one_breaks_meanwhile() -> None:
    bench = RotatingBench()
    bench.mutes_second = True
    bench.tell(OFFER)
    bench.run(SECOND)
    bench.revoke("key-1")
    bench.run(10 * SECOND)
    bench.mutes_second = False
    bench.run(10 * SECOND)
    assert bench.key == "key-2"
    assert bench.behaviour.is_up  # type: ignore[attr-defined]


def test_a_key_that_the_venue_does_not_know_is_refused_and_nothing_else_changes() -> None:
    bench = RotatingBench()
    bench.revoke("key-2")
    bench.tell(OFFER)
    bench.run(5 * SECOND)
    assert not [one for one in bench.published if isinstance(one, VenueConnection)]
    assert (bench.news(), bench.key) == ([SecretsRefused(MINE, "the venue answered 401")], "key-1")
    assert not [alert for alert in bench.alerts if alert.name == "VenueKeyRefused"]


def test_a_venue_that_does_not_answer_decides_nothing() -> None:
    bench = RotatingBench()
    bench.world.core.faults.add(Fault(kind="http_error", path="/v3/account/balance", status=502))
    bench.tell(OFFER)
    bench.run(5 * SECOND)
    assert (bench.news(), bench.key) == ([], "key-1")
    bench.world.core.faults.remove()
    bench.tell(OFFER)
    bench.run(SECOND)
    assert (bench.news(), bench.key) == ([SecretsAdopted(MINE)], "key-2")


def test_a_venue_that_refused_the_old_key_is_asked_at_once_with_the_new_one() -> None:
    bench = RotatingBench()
    bench.revoke("key-1")
    bench.run(10 * SECOND)
    assert not bench.behaviour.is_up  # type: ignore[attr-defined]
    bench.tell(OFFER)
    bench.run(5 * SECOND)
    assert bench.behaviour.is_up  # type: ignore[attr-defined]
    assert bench.key == "key-2"


def test_an_offer_of_others_secrets_is_nothing_to_us() -> None:
    bench = RotatingBench()
    bench.tell(SecretsOffered(("secret://desk/other#key@7",)))
    bench.run(SECOND)
    assert (bench.news(), bench.key) == ([], "key-1")


def test_neither_key_is_in_anything_that_is_sent_to_an_actor_or_logged() -> None:
    bench = RotatingBench()
    bench.tell(OFFER)
    bench.run(SECOND)
    shown = repr((bench.published, bench.alerts, bench.logs, bench.behaviour.describe()))  # type: ignore[attr-defined]
    assert "key-2-secret" not in shown
    assert "key-1-secret" not in shown
