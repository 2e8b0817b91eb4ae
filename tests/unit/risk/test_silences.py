"""A silence that lasts halts, if the deployment wants that; being heard again releases nothing."""

from actors.messages.control import HaltLevel
from actors.messages.market import FeedState, FeedStatus
from actors.messages.venue import VenueConnection
from tests.unit.risk.conftest import Benches
from tests.unit.risk.risk_bench import BTC, SECOND, RiskBench


def venue(bench: RiskBench, up: bool, account: str = "main") -> None:
    bench.tell(VenueConnection(account, up, "stream closed", bench.now_ns))


def feed(bench: RiskBench, state: FeedState) -> None:
    bench.tell(FeedStatus(BTC, bench.now_ns, state, bench.now_ns, "quiet"))


def halts(bench: RiskBench) -> dict[str, HaltLevel]:
    return {scope: halt.level for scope, halt in bench.actor.state.halts.items()}


def test_a_venue_that_stays_away_halts_its_account_until_a_person_resumes(risk: Benches) -> None:
    bench = risk(venue_silence_max=30 * SECOND)
    venue(bench, False)
    bench.advance(29 * SECOND)
    assert halts(bench) == {}
    bench.advance(2 * SECOND)
    assert halts(bench) == {"account/main": HaltLevel.NO_NEW_RISK}
    venue(bench, True)
    bench.restart()
    assert halts(bench) == {"account/main": HaltLevel.NO_NEW_RISK}


def test_a_venue_that_is_not_read_is_silent(risk: Benches) -> None:
    bench = risk(venue_silence_max=30 * SECOND)
    bench.restart()
    bench.advance(31 * SECOND)
    assert halts(bench) == {"account/main": HaltLevel.NO_NEW_RISK}


def test_short_silences_do_not_add_up(risk: Benches) -> None:
    bench = risk(venue_silence_max=30 * SECOND)
    venue(bench, True)
    for _ in range(4):
        venue(bench, False)
        bench.advance(20 * SECOND)
        venue(bench, True)
        bench.advance(5 * SECOND)
    bench.advance(1 * SECOND)
    venue(bench, False, account="other")
    bench.advance(60 * SECOND)
    assert halts(bench) == {}


def test_a_feed_that_stays_stale_halts_its_symbol(risk: Benches) -> None:
    bench = risk(feed_silence_max=30 * SECOND)
    feed(bench, FeedState.SILENT)
    bench.advance(10 * SECOND)
    bench.restart()  # it begins anew
    bench.advance(25 * SECOND)
    assert halts(bench) == {}
    bench.advance(6 * SECOND)
    assert halts(bench) == {f"symbol/{BTC}": HaltLevel.NO_NEW_RISK}


def test_it_is_off_unless_written(risk: Benches) -> None:
    bench = risk()
    venue(bench, False)
    feed(bench, FeedState.SILENT)
    bench.advance(3_600 * SECOND)
    assert halts(bench) == {}
