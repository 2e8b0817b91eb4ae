"""Real money is not traded on old or unproven markets files; everything else is."""

import json
from pathlib import Path

import pytest

from actors.deployment.live_markets import LIVE_AGE_NS_MAX, age_faults
from actors.deployment.loader import load
from actors.domain.markets_file import render_markets

ROOT = Path(__file__).parents[3]
AS_OF_NS = 1_795_848_849 * 10**9


@pytest.fixture
def live(tmp_path) -> Path:
    """The shipped live deployment over a markets file of its own."""
    path = tmp_path / "live.yaml"
    path.write_text(f"extends: {ROOT}/config/live.yaml\ncatalog: markets.json\n", "utf-8")
    write(tmp_path, "2026-11-28T06:54:09Z", "https://api.poloniex.com")
    return path


def write(folder: Path, as_of: str, synced_from: str) -> None:
    content = json.loads((ROOT / "config/markets/poloniex-futures.json").read_text("utf-8"))
    content |= {"as_of": as_of} | ({"synced_from": synced_from} if synced_from else {})
    (folder / "markets.json").write_text(render_markets(content), "utf-8")


def test_a_fresh_file_of_the_venue_may_be_traded_on_for_a_day(live) -> None:
    topology = load(live)
    assert age_faults(topology, AS_OF_NS + LIVE_AGE_NS_MAX, "E313") == ()
    (fault,) = age_faults(topology, AS_OF_NS + LIVE_AGE_NS_MAX + 1, "E313")
    assert (fault.code, fault.file, fault.line, fault.column) == ("E313", str(live), 2, 10)
    assert fault.message.endswith("markets.json is of 2026-11-28T06:54:09Z, older than 24 h")
    assert "polytrade markets sync" in fault.help
    assert fault.excerpt == "catalog: markets.json"


@pytest.mark.parametrize(
    ("synced_from", "text"),
    [("", "never held against the venue"), ("http://127.0.0.1:9443", "which is not the venue")],
)
def test_a_file_that_nobody_held_against_the_venue_is_not_traded_on(live, synced_from, text) -> None:
    write(live.parent, "2026-11-28T06:54:09Z", synced_from)
    (fault,) = age_faults(load(live), AS_OF_NS, "W407")
    assert text in fault.message
    assert not fault.is_error


def test_a_rehearsal_and_paper_may_have_old_files() -> None:
    for files, environments in (("live.yaml", ("rehearsal",)), ("paper.yaml", ()), ("local.yaml", ())):
        assert age_faults(load(ROOT / "config" / files, environments), 2 * AS_OF_NS, "E313") == ()
