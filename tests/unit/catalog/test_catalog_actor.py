"""The catalog actor before an exchange without sockets that the test moves by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from actors.catalog.actor import MISSING_READINGS, CatalogActor
from actors.catalog.settings import CatalogSettings
from actors.domain.catalog import load_catalog
from actors.domain.instrument import Instrument
from actors.domain.money import E8
from actors.domain.place import Place
from actors.exchange.server.faults import Fault
from actors.exchange.server.messages import WebRequest
from actors.messages.control import Halt, HaltLevel, Rejected
from actors.poloniex.line import RateLimited
from actors.runtime.messages import Severity
from actors.runtime.pumps.messages import HttpFailure, HttpRequest, HttpResponse
from actors.runtime.testing import Bench
from tests.unit.exchange.server.served_world import BTC, CATALOG, ETH, ServedWorld

SECOND, MINUTE, HOUR = 10**9, 60 * 10**9, 3_600 * 10**9
COINS = load_catalog((Path(__file__).parents[3] / "config/markets/poloniex-spot.json").read_text("utf-8"))
MARKETS = {BTC: CATALOG[BTC], ETH: CATALOG[ETH]}


class CatalogBench(Bench):
    """`asked` are the paths in order; without `is_up` nothing is answered."""

    def __init__(self, instruments: dict[str, Instrument] | None = None, **settings: Any) -> None:
        self.world = ServedWorld()
        self.is_up = True
        self.asked: list[str] = []
        place = Place("test", "catalog", "live", instruments=MARKETS if instruments is None else instruments)
        wanted = CatalogSettings(**settings)
        super().__init__(lambda: CatalogActor(wanted, place), name="catalog", now_ns=self.world.now_ns)
        self.run(30 * SECOND)

    @property
    def catalog(self) -> CatalogActor:
        assert isinstance(self.behaviour, CatalogActor)
        return self.behaviour

    def run(self, duration_ns: int) -> None:
        end_ns = self.now_ns + duration_ns
        while self.now_ns < end_ns:
            self.advance(SECOND)
            self.world.now_ns = self.now_ns
            self.world.core.pulse(self.now_ns)
            effects, self.effects = self.effects, []
            while effects:
                for _, message in effects:
                    assert isinstance(message, HttpRequest)
                    self.tell(self._answer(message))
                effects, self.effects = self.effects, []

    def _answer(self, request: HttpRequest) -> HttpResponse | HttpFailure:
        url = urlsplit(request.url)
        self.asked.append(url.path)
        assert (request.method, request.headers) == ("GET", ())
        if not self.is_up:
            return HttpFailure(request.request_id, False, "no such host")
        wire = WebRequest(1, "GET", url.path, url.query, (), b"", "127.0.0.1")
        reply = self.world.core.handle(wire, self.world.now_ns)
        return HttpResponse(request.request_id, reply.status, (), reply.body, 1)

    def pause(self, symbol: str = BTC, word: str = "PAUSED") -> None:
        self.world.core.faults.add(Fault(kind="symbol_status", symbol=symbol, status_word=word))

    def last_alerts(self) -> set[tuple[str, str]]:
        return {(alert.name, alert.key) for alert in self.alerts}


def test_markets_as_the_file_has_them_are_read_and_not_talked_about() -> None:
    bench = CatalogBench()
    assert bench.catalog.readings_count == 1
    assert bench.asked[0] == "/v3/market/allInstruments"
    assert len(bench.asked) == 2 + 2 * len(MARKETS)
    assert (bench.alerts, bench.published) == ([], [])
    bench.run(6 * MINUTE)
    assert bench.catalog.readings_count == 2


def test_a_paused_symbol_is_told_and_halted_to_reductions_once() -> None:
    bench = CatalogBench(check_every=10 * SECOND)
    bench.pause()
    bench.run(MINUTE)
    assert bench.take(Halt) == [
        Halt(f"symbol/{BTC}", HaltLevel.NO_NEW_RISK, "catalog", "it is PAUSED at the venue")
    ]
    assert {(alert.name, alert.key, alert.severity) for alert in bench.alerts} == {
        ("CatalogChanged", BTC, Severity.PAGE)
    }
    bench.restart()
    bench.run(MINUTE)
    assert bench.take(Halt) == []  # whatever a person did about it since holds
    bench.world.core.faults.remove()
    bench.pause(word="CLOSED")
    bench.run(MINUTE)
    assert [halt.reason for halt in bench.take(Halt)] == ["it is CLOSED at the venue"]


def test_a_symbol_that_opens_again_ends_the_alert_and_leaves_the_halt_to_a_person() -> None:
    bench = CatalogBench(check_every=10 * SECOND)
    bench.pause()
    bench.run(30 * SECOND)
    bench.take(Halt)
    bench.world.core.faults.remove()
    bench.run(30 * SECOND)
    assert ("CatalogChanged", BTC) in {(one.name, one.key) for one in bench.resolved}
    assert bench.catalog.state.halted == {}
    assert bench.published == []


def test_another_tick_is_halted_and_another_limit_is_told() -> None:
    theirs = {
        BTC: replace(CATALOG[BTC], tick_e8=10 * CATALOG[BTC].tick_e8, reference_ticks=1),
        ETH: replace(CATALOG[ETH], contracts_max_market=7),
    }
    bench = CatalogBench(theirs)
    assert [halt.scope for halt in bench.take(Halt)] == [f"symbol/{BTC}"]
    severities = {alert.key: alert.severity for alert in bench.alerts}
    assert severities == {BTC: Severity.PAGE, ETH: Severity.TICKET}
    assert "contracts_max_market is 7 on file and 10000 at the venue" in bench.alerts[-1].summary


def test_without_halts_it_only_tells() -> None:
    bench = CatalogBench(check_every=10 * SECOND, halt_symbols=False)
    bench.pause()
    bench.run(MINUTE)
    assert bench.take(Halt) == []
    assert bench.last_alerts() == {("CatalogChanged", BTC)}


def test_a_symbol_the_venue_does_not_list_counts_as_gone_at_the_second_look() -> None:
    bench = CatalogBench(MARKETS | {"SOL_USDT_PERP": CATALOG["SOL_USDT_PERP"]}, check_every=HOUR)
    assert MISSING_READINGS == 2
    assert [halt.scope for halt in bench.take(Halt)] == ["symbol/SOL_USDT_PERP"]
    assert bench.catalog.readings_count == 2  # it looked again soon, not after an hour
    assert bench.last_alerts() == {("CatalogChanged", "SOL_USDT_PERP")}


def test_a_venue_that_does_not_answer_is_asked_ever_less_often_and_told_after_a_day() -> None:
    bench = CatalogBench()
    bench.is_up = False
    bench.asked.clear()
    bench.run(HOUR)
    assert 10 < len(bench.asked) < 20
    assert bench.alerts == []
    bench.run(24 * HOUR)
    assert bench.last_alerts() == {("CatalogStale", "")}
    assert "/v3/market/allInstruments: no such host" in bench.alerts[-1].summary
    assert bench.take(Halt) == []
    bench.is_up = True
    bench.run(6 * MINUTE)
    assert bench.resolved[-1].name == "CatalogStale"


def test_half_an_answer_is_not_compared() -> None:
    bench = CatalogBench(check_every=10 * SECOND)
    bench.pause()
    bench.world.core.faults.add(Fault(kind="http_error", path="/v3/market/riskLimit", status=502))
    bench.run(MINUTE)
    assert (bench.alerts, bench.published) == ([], [])
    assert bench.catalog.failures_count > 0
    assert "risk tiers" in bench.catalog.last_failure


def test_a_429_slows_it_down_and_is_told() -> None:
    bench = CatalogBench(check_every=10 * SECOND)
    bench.world.core.faults.add(Fault(kind="rate_limit", path="/v3/market/allInstruments"))
    bench.run(30 * SECOND)
    assert ("VenueRateLimited", "catalog") in bench.last_alerts()
    told = bench.take(RateLimited)
    assert (told[0].limit, told[0].account) == ("public", "")
    bench.restart()
    assert bench.catalog.state.paces["public"].refused_count > 0


def test_a_429_of_somebody_else_slows_it_down_too() -> None:
    bench = CatalogBench()
    blocked_ns = bench.now_ns + MINUTE
    for host in ("https://elsewhere.example", "https://api.poloniex.com"):
        assert "public" not in bench.catalog.state.paces or bench.catalog.state.paces["public"].slowed == 1
        bench.tell(RateLimited("", host, "public", 2, blocked_ns, bench.now_ns), sender="feed/x")
    bench.restart()
    assert bench.catalog.state.paces["public"].slowed == 2


def test_spot_markets_are_watched_with_one_request() -> None:
    coins = {symbol: COINS[symbol] for symbol in ("BTC_USDT", "ETH_USDT")}
    bench = CatalogBench(coins, check_every=10 * SECOND)
    assert set(bench.asked) == {"/markets"}
    assert bench.alerts == []
    other = CatalogBench(coins | {"BTC_USDT": replace(COINS["BTC_USDT"], contract_e8=E8)})
    assert [halt.scope for halt in other.take(Halt)] == ["symbol/BTC_USDT"]


def test_only_wanted_symbols_are_watched() -> None:
    bench = CatalogBench(symbols=(ETH,), check_every=10 * SECOND)
    bench.pause(BTC)
    bench.run(MINUTE)
    assert bench.alerts == []
    assert bench.catalog.describe()["watched"] == [ETH]


def test_a_halt_that_risk_refuses_is_written_down() -> None:
    bench = CatalogBench()
    bench.tell(Rejected("not mine"), sender="risk/main")
    assert bench.logs[-1] == ("halt refused", {"by": "risk/main", "text": "not mine"})
    assert bench.catalog.gauges()["catalog_readings"] == 1
