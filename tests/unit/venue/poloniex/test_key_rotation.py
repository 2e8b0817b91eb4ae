"""A new key is tried at the venue, adopted between two turns or refused; the old one works on meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from actors.domain.money import E8
from actors.domain.place import Place
from actors.exchange.server.faults import Fault
from actors.exchange.server.settings import AccountSettings
from actors.messages.secrets import SecretsAdopted, SecretsOffered, SecretsRefused
from actors.messages.venue import VenueConnection
from actors.venue.poloniex.actor import PoloniexVenue
from actors.venue.poloniex.settings import PoloniexSpotVenueSettings, PoloniexVenueSettings
from actors.venue.poloniex.spot import PoloniexSpotVenue
from tests.contract.venue.spot_driver import SECOND, WiredBench
from tests.unit.exchange.server.served_world import CATALOG, ServedWorld

KEY, SECRET = "secret://desk/main#key", "secret://desk/main#secret"
OFFER = SecretsOffered((f"{KEY}@2", f"{SECRET}@2", "secret://desk/other#key@7"))
MINE = (f"{KEY}@2", f"{SECRET}@2")


class RotatingBench(WiredBench):
    """An account with two keys at the exchange; `values` are what the keeper has at hand."""

    def __init__(self, spot: bool = False) -> None:
        keys = [
            AccountSettings(key=f"key-{n}", secret=f"key-{n}-secret", usdt=10_000 * E8, name="ann")
            for n in (1, 2)
        ]
        world = ServedWorld(accounts=tuple(keys))
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

    def revoke(self, key: str) -> None:
        self.world.core.faults.add(Fault(kind="revoke_key", key=key))
        self.world.core.hub.cut_revoked()

    def news(self) -> list[object]:
        found = [one for one in self.published if isinstance(one, SecretsAdopted | SecretsRefused)]
        self.published.clear()
        return found


@pytest.mark.parametrize("spot", [False, True])
def test_a_key_that_the_venue_takes_is_used_from_then_on(spot: bool) -> None:
    bench = RotatingBench(spot)
    bench.tell(OFFER)
    bench.run(SECOND)
    assert (bench.news(), bench.key) == ([SecretsAdopted(MINE)], "key-2")
    bench.revoke("key-1")
    bench.run(10 * SECOND)
    assert bench.behaviour.is_up  # type: ignore[attr-defined]
    assert not [alert for alert in bench.alerts if alert.name == "VenueKeyRefused"]


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
