"""Markets files as wholes: the shipped ones stay valid, what is read is written back, evidence is checked."""

import json
from pathlib import Path
from typing import Any

import pytest

from actors.domain.catalog import CatalogError
from actors.domain.evidence import instant_text, parse_instant, with_evidence
from actors.domain.listing import unconfirmed
from actors.domain.markets_file import MarketsFile, is_on_this_machine, read_markets_file, render_markets

FOLDER = Path(__file__).parents[3] / "config" / "markets"
FILES = sorted(FOLDER.glob("*.json"))
GROUP = {"source": "wire", "at": "2026-11-28", "from": "https://api.poloniex.com/x", "fields": ["tick"]}


def shipped(path: Path) -> MarketsFile:
    return read_markets_file(path.read_text("utf-8"), str(path))


def whole(**changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / "poloniex-futures.json").read_text("utf-8"))
    content["markets"] = content["markets"][:1]
    return content | changes


def with_row(**changes: Any) -> dict[str, Any]:
    content = whole()
    content["markets"][0] |= changes
    return content


def faults(content: Any) -> tuple[str, ...]:
    with pytest.raises(CatalogError) as caught:
        read_markets_file(content)
    return caught.value.faults


def test_both_venues_are_shipped() -> None:
    assert [shipped(path).venue for path in FILES] == ["poloniex-futures", "poloniex-spot"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_file_is_valid_and_written_as_sync_would_write_it(path: Path) -> None:
    file = shipped(path)
    assert render_markets(file.content()) == path.read_text("utf-8")
    assert file.as_of_ns > parse_instant("2026-01-01")


def test_a_shipped_value_claims_to_be_confirmed_only_where_the_row_says_how() -> None:
    for path in FILES:
        for row in shipped(path).rows:
            if row["source"] == "assumed":
                assert unconfirmed(shipped(path).instruments[row["symbol"]]), row["symbol"]


def test_every_base_of_the_shipped_spot_file_has_a_perpetual() -> None:
    futures, spot = (shipped(path) for path in FILES)
    assert {one.base for one in spot.instruments.values()} <= {
        one.base for one in futures.instruments.values()
    }


def test_what_is_read_is_written_back() -> None:
    content = whole(as_of="2026-11-28T06:54:09Z", synced_from="https://api.poloniex.com")
    content["markets"][0] |= {"status": "CANCEL_ONLY", "evidence": [GROUP]}
    file = read_markets_file(content)
    assert read_markets_file(render_markets(file.content())) == file
    assert file.instruments["BTC_USDT_PERP"].status == "CANCEL_ONLY"
    assert not file.instruments["BTC_USDT_PERP"].is_open
    assert (file.as_of_ns, file.is_of_venue) == (1_795_848_849 * 10**9, True)


def test_a_file_synced_from_this_machine_is_not_of_the_venue() -> None:
    assert not read_markets_file(whole(synced_from="http://127.0.0.1:9443")).is_of_venue
    assert not read_markets_file(whole()).is_of_venue
    assert [
        is_on_this_machine(url) for url in ("http://localhost:1", "http://[::1]/", "https://10.0.0.1")
    ] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (whole(venue=""), "venue: must name the venue, such as poloniex-futures"),
        (
            whole(as_of="yesterday"),
            "as_of: must be written 2026-11-28 or 2026-11-28T06:54:09Z, not 'yesterday'",
        ),
        (
            whole(as_of="2026-02-30"),
            "as_of: must be written 2026-11-28 or 2026-11-28T06:54:09Z, not '2026-02-30'",
        ),
        (whole(synced_from=7), "synced_from: must be the URL that was asked"),
        (whole(note="x"), "note: is not a field; the fields are venue, as_of, synced_from, markets"),
        (
            with_row(status="ASLEEP"),
            "BTC_USDT_PERP.status: must be one of OPEN, PAUSED, POST_ONLY, CANCEL_ONLY, CANCEL_CLOSE_ONLY, "
            "CLOSED, DELISTED, not 'ASLEEP'",
        ),
        (with_row(evidence={}), "BTC_USDT_PERP.evidence: must be a list, not {}"),
        (
            with_row(evidence=[{"source": "wire"}]),
            "BTC_USDT_PERP.evidence[0]: must be an object with source, at, from, fields",
        ),
        (
            with_row(evidence=[GROUP | {"source": "hearsay"}]),
            "BTC_USDT_PERP.evidence[0].source: must be one of wire, local, person, recorded, documentation, "
            "announcement",
        ),
        (
            with_row(evidence=[GROUP | {"at": "now"}]),
            "BTC_USDT_PERP.evidence[0].at: must be written 2026-11-28 or 2026-11-28T06:54:09Z",
        ),
        (
            with_row(evidence=[GROUP | {"from": ""}]),
            "BTC_USDT_PERP.evidence[0].from: must say in text what was looked at",
        ),
        (
            with_row(evidence=[GROUP | {"fields": []}]),
            "BTC_USDT_PERP.evidence[0].fields: must be a list of at least one field",
        ),
        (
            with_row(evidence=[GROUP, GROUP]),
            "BTC_USDT_PERP.evidence[1].fields: 'tick' has evidence twice",
        ),
        (
            with_row(evidence=[GROUP | {"fields": ["symbol"]}]),
            "BTC_USDT_PERP.evidence[0].fields: 'symbol' is not a field with evidence",
        ),
    ],
)
def test_what_is_wrong_around_the_rows_is_named(content: dict[str, Any], fault: str) -> None:
    assert faults(content) == (fault,)


@pytest.mark.parametrize("text", ["2026-11-28", "2026-11-28T06:54:09Z"])
def test_an_instant_is_read_and_written(text: str) -> None:
    at_ns = parse_instant(text)
    assert at_ns is not None
    assert instant_text(at_ns).startswith(text.removesuffix("Z"))


@pytest.mark.parametrize(
    "text", ["2026-11-28T06:54", "2026-11-28T06:54:09", "28.11.2026", "", None, 7, "\uff12026-11-28"]
)
def test_anything_else_is_no_instant(text: object) -> None:
    assert parse_instant(text) is None


def test_new_evidence_takes_the_place_of_the_old() -> None:
    old = [{"source": "recorded", "at": "2026-01-01", "from": "x", "fields": ["tick", "tiers"]}]
    found = with_evidence(old, ["tick"], "wire", "2026-11-28", "y")
    assert [(group["source"], group["fields"]) for group in found] == [
        ("recorded", ["tiers"]),
        ("wire", ["tick"]),
    ]
    assert with_evidence(found, ["tiers"], "wire", "2026-11-28", "z")[0]["fields"] == ["tick"]
