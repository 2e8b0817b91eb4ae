"""`polytrade data fetch` against an exchange on a real port: whole files and each row once, come what may."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from actors.cli import venue_asker
from actors.cli.fetch_file import GrowingFile
from actors.cli.fetch_series import Series, pages, series_of
from actors.cli.problems import Problem
from actors.domain.catalog import load_catalog
from actors.poloniex.request import CANDLE_INTERVALS, Request
from tests.contract.clients.raw_socket import fault
from tests.contract.clients.served import BTC, CATALOG, RawClient, Served, settings_for
from tests.process.live_path import PROGRAM

MINUTE_MS = 60_000
MINUTE_NS = 60_000_000_000
BEGIN, END = "2026-01-05T00:00Z", "2026-01-05T20:00Z"  # 1,200 minutes are three pages
BEGIN_MS = 1_767_571_200_000


@pytest.fixture(scope="module")
def served():
    one = Served(settings_for(symbols=(BTC,), participants=False, faults=True))
    yield one
    one.close()


@pytest.fixture(autouse=True)
def quick(served, monkeypatch):
    """Pauses of a test run; the venue's limits are held in the tests of the rate budget."""
    monkeypatch.setattr(venue_asker, "PAUSE_S", 0.001)
    monkeypatch.setattr(venue_asker, "SHARE_E8", 100_000_000)
    yield
    RawClient(served.url).send("DELETE", "/__faults__", sign=False)


def words(served, out: Path, *more: str, begin: str = BEGIN, end: str = END) -> list[str]:
    return ["data", "fetch", BTC, "--out", str(out), "--from", begin, "--to", end, "--url", served.url, *more]


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_what_was_fetched_passes_the_check_and_feeds_a_backtest(cli, served, tmp_path) -> None:
    now_ms = int(time.time() * 1_000)
    begin = time.strftime("%Y-%m-%dT%H:00Z", time.gmtime(now_ms / 1_000 - 14 * 3_600))
    end = time.strftime("%Y-%m-%dT%H:00Z", time.gmtime(now_ms / 1_000 - 3_600))
    found = cli(*words(served, tmp_path / "h", "--json", begin=begin, end=end))
    assert found.exit_code == 0, found.stderr
    told = {one["kind"]: one for one in json.loads(found.stdout)["files"]}
    assert {kind: one["gaps"] for kind, one in told.items()} == {"candles": [], "funding": [], "mark": []}
    assert told["candles"]["rows"] == told["mark"]["rows"] == 13 * 60
    for one in told.values():
        assert cli("data", "check", one["file"], "--symbol", BTC).exit_code == 0
    run = cli(
        *("backtest", str(CATALOG.parents[1] / "examples" / "replay.yaml"), "--data", str(tmp_path / "h")),
        *("--set", "trend.bar=5m", "--json"),
    )
    assert run.exit_code == 0, run.stderr
    roles = [file["role"] for file in json.loads(run.stdout)["manifest"]["files"]]
    assert roles == ["market", "funding", "mark"]


@pytest.mark.parametrize("kind", ["rate_limit", "http_error", "partial_body", "drop", "lose_answer"])
def test_a_venue_in_trouble_costs_time_and_no_row(cli, served, tmp_path, kind) -> None:
    assert cli(*words(served, tmp_path / "quiet", "--kind", "candles")).exit_code == 0
    fault(served, kind=kind, path="/v3/market/candles", status=503, every=2)
    found = cli(*words(served, tmp_path / "storm", "--kind", "candles"))
    assert found.exit_code == 0, found.stderr
    name = f"{BTC}.csv"
    assert (tmp_path / "storm" / name).read_bytes() == (tmp_path / "quiet" / name).read_bytes()


def test_a_venue_that_stays_away_ends_it_and_what_came_is_kept(cli, served, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("actors.cli.fetch.TRIES", 2)
    out, part = tmp_path / "h", tmp_path / "h" / f"{BTC}.csv.part"
    fault(served, kind="http_error", path="/v3/market/candles", status=502, every=2)
    fault(served, kind="http_error", path="/v3/market/candles", status=502, every=3)
    found = cli(*words(served, out, "--kind", "candles"))
    assert found.exit_code == 1
    assert "does not answer /v3/market/candles" in found.stderr
    assert "the same command goes on from there" in found.stderr
    assert not (out / f"{BTC}.csv").exists()
    kept = lines(part)
    RawClient(served.url).send("DELETE", "/__faults__", sign=False)
    assert cli(*words(served, out, "--kind", "candles")).exit_code == 0
    whole = lines(out / f"{BTC}.csv")
    assert (len(whole), whole[: len(kept)]) == (1_201, kept)
    assert not part.exists()


def test_killed_in_the_middle_it_goes_on_where_it_was(cli, served, tmp_path) -> None:
    end = "2026-01-07T00:00Z"
    assert cli(*words(served, tmp_path / "whole", "--kind", "candles", end=end)).exit_code == 0
    out, kills = tmp_path / "killed", 0
    fault(served, kind="delay", path="/v3/market/candles", delay_ms=100)
    for pages_done in (1, 3):
        process = subprocess.Popen(
            [*PROGRAM, *words(served, out, "--kind", "candles", end=end)], stderr=subprocess.DEVNULL
        )
        part, least = out / f"{BTC}.csv.part", pages_done * 500
        while process.poll() is None and (not part.exists() or len(lines(part)) < least):
            time.sleep(0.01)
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert kills == 2
    with part.open("ab") as file:
        file.write(b"17675")  # of a line that was being written
    assert cli(*words(served, out, "--kind", "candles", end=end)).exit_code == 0
    name = f"{BTC}.csv"
    assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_grows_at_its_end(cli, served, tmp_path, form) -> None:
    pytest.importorskip("duckdb")
    more = ("--kind", "candles", "--format", form)
    first = cli(*words(served, tmp_path / "h", *more, "--json", end="2026-01-05T08:00Z"))
    second = cli(*words(served, tmp_path / "h", *more, "--json"))
    again = cli(*words(served, tmp_path / "h", *more, "--json"))
    found = [json.loads(one.stdout)["files"][0] for one in (first, second, again)]
    assert [(one["rows"], one["rows_new"]) for one in found] == [(480, 480), (1_200, 720), (1_200, 0)]
    assert cli("data", "check", found[2]["file"], "--symbol", BTC).exit_code == 0
    assert not list((tmp_path / "h").glob("*.part*"))


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (("BTC_USD_PERP",), 9, "did you mean BTC_USDT_PERP"),
        (("--interval", "7m"), 2, "candles of 1m, 5m"),
        (("--url", "ftp://x"), 2, "must be http"),
        (("--to", "2025-01-01"), 2, "not before --to"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    cli, served, tmp_path, change, code, told
) -> None:
    said = [*words(served, tmp_path / "h"), *change]
    found = cli(*said)
    assert (found.exit_code, told in found.stderr) == (code, True), found.stderr
    assert not (tmp_path / "h").exists()


def test_other_files_and_other_questions_are_left_alone(cli, served, tmp_path) -> None:
    out = tmp_path / "h"
    out.mkdir()
    (out / f"{BTC}.csv").write_text("mine\n")
    found = cli(*words(served, out, "--kind", "candles"))
    assert (found.exit_code, (out / f"{BTC}.csv").read_text()) == (2, "mine\n")
    assert "no fetch has written it" in found.stderr
    (out / f"{BTC}.csv").unlink()
    assert cli(*words(served, out, "--kind", "candles", end="2026-01-05T01:00Z")).exit_code == 0
    for more, told in (
        (("--interval", "5m"), "begun with step_ms 60000"),
        (("--from", "2026-01-04"), "grows at its end only"),
    ):
        found = cli(*words(served, out, "--kind", "candles", *more))
        assert (found.exit_code, told in found.stderr) == (2, True), found.stderr


# -- pages -----------------------------------------------------------------------------------------------


def btc_series(kind: str = "candles") -> Series:
    return series_of(kind, load_catalog(CATALOG.read_text())[BTC], MINUTE_NS)


class Venue:
    """Answers questions about minutes; `lacks` never exist, and only `most` rows fit into an answer."""

    def __init__(self, most: int = 500, lacks: frozenset[int] = frozenset(), twice: bool = False) -> None:
        self.most, self.lacks, self.twice, self.asked = most, lacks, twice, 0

    def __call__(self, request: Request, read):
        self.asked += 1
        query = dict(request.query)
        begin, end = int(query["sTime"]), int(query["eTime"])
        found = [at for at in range(begin, end + 1, MINUTE_MS) if at // MINUTE_MS not in self.lacks]
        rows = [(at, ("1", "1", "1", "1", "0")) for at in found[-self.most :]]
        return rows[::-1] + rows if self.twice else rows


def fetched(venue: Venue, minutes: int = 1_200) -> list[int]:
    found = pages(btc_series(), BEGIN_MS, BEGIN_MS + minutes * MINUTE_MS, venue)
    return [(at - BEGIN_MS) // MINUTE_MS for rows, _ in found for at, _ in rows]


def test_a_page_cut_short_is_asked_for_again_where_it_lacks_rows() -> None:
    assert fetched(Venue(most=200)) == list(range(1_200))


def test_rows_that_come_twice_and_backwards_are_there_once() -> None:
    assert fetched(Venue(twice=True)) == list(range(1_200))


def test_what_the_venue_does_not_have_is_a_gap_and_ends_the_asking() -> None:
    begin = BEGIN_MS // MINUTE_MS
    venue = Venue(lacks=frozenset(range(begin + 100, begin + 700)))
    assert fetched(venue) == [*range(100), *range(700, 1_200)]
    assert venue.asked <= 6
    series = btc_series()
    times = [BEGIN_MS + minute * MINUTE_MS for minute in (1, 2, 5)]
    holes = series.holes(times, BEGIN_MS, BEGIN_MS + 7 * MINUTE_MS)
    assert [((a - BEGIN_MS) // MINUTE_MS, (b - BEGIN_MS) // MINUTE_MS) for a, b in holes] == [
        (0, 1),
        (3, 5),
        (6, 7),
    ]


def test_every_interval_of_the_venue_can_be_asked_for() -> None:
    market = load_catalog(CATALOG.read_text())[BTC]
    for interval_ns in CANDLE_INTERVALS:
        assert series_of("candles", market, interval_ns).step_ms == interval_ns // 1_000_000


# -- the file --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("torn", ["", "3", "300000,1", "300000,1.5,2", "100000,1.5\n", "x,1\n"])
def test_a_file_torn_anywhere_ends_with_its_last_whole_row(tmp_path, torn: str) -> None:
    file = GrowingFile(tmp_path / "a.csv", ("ts_ms", "rate"))
    assert file.resume() == -1
    file.append([(100_000, ("0.1",)), (200_000, ("0.2",))])
    with file.part.open("a") as part:
        part.write(torn)
    assert file.resume() == 200_000
    file.append([(300_000, ("0.3",))])
    assert list(file.times()) == [100_000, 200_000, 300_000]
    file.finish()
    assert lines(tmp_path / "a.csv") == ["ts_ms,rate", "100000,0.1", "200000,0.2", "300000,0.3"]


def test_a_file_of_something_else_is_refused(tmp_path) -> None:
    (tmp_path / "a.csv").write_text("when,what\n1,2\n")
    with pytest.raises(Problem, match="holds something else"):
        GrowingFile(tmp_path / "a.csv", ("ts_ms", "rate")).resume()
