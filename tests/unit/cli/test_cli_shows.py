"""What `up` shows: the screen at any size, plain lines, the report and the words at the end."""

import io
import json
from copy import deepcopy
from typing import Any

import pytest
from rich.console import Console

from actors.cli import summary
from actors.cli.plain import PlainLines
from actors.cli.screen import Screen
from actors.cli.shown import (
    age,
    bytes_text,
    count,
    instant,
    money,
    rate,
    shown_field,
    signed_money,
    sparkline,
    table_text,
)
from actors.cli.shows import PictureShow
from actors.cli.summary import Run, count_events, final_view, last_sequence, leftovers, run_report
from actors.control.desk import Desk
from actors.control.server import LAST_RUN_FILE
from tests.unit.control.house import BTC, E8, SYMBOL, HouseCounted, make_node
from tests.unit.control.test_journal_reader import write


@pytest.fixture(scope="module")
def house_view() -> dict[str, Any]:
    node = make_node()
    node.start()
    while node.turn():
        pass
    facts = {"deployment": "house", "mode": "paper", "epoch": 3, "started_at_ns": node.loop.now_ns, "pid": 41}
    view = Desk(node, facts, {SYMBOL: BTC}).last_view()
    event = {"sequence": 1, "at_ns": view["at_ns"], "actor": "oms/main", "type": "Fill", "text": "BTC +5"}
    return json.loads(json.dumps({**view, "events": [event]}))


@pytest.fixture
def view(house_view) -> dict[str, Any]:
    return deepcopy(house_view)


def drawn(screen: Screen, view: dict[str, Any] | None, width: int, height: int) -> str:
    console = Console(width=width, height=height, file=io.StringIO(), color_system=None, force_terminal=True)
    console.print(screen.draw(view, width, height), height=height)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (100, 30), (140, 44), (250, 80), (118, 18), (20, 6)])
def test_the_screen_fits_a_terminal_of_any_size(view, size) -> None:
    width, height = size
    text = drawn(Screen(), view, width, height)
    assert max(map(len, text.splitlines())) <= width
    assert len(text.splitlines()) <= height


def test_the_screen_shows_what_matters_without_colour(view) -> None:
    screen = Screen()
    for step in range(30):
        view["at_ns"] += 1
        view["markets"][0]["bid_ticks"] += step
        screen.remember(view)
    text = drawn(screen, view, 140, 40)
    for part in ("house (paper)", "ready", "1,001.00 USDT", "+11.00", "clerk/main", "99999", "live", "-4"):
        assert part in text
    assert "▁" in text
    assert "█" in text
    assert "BTC +5" in text
    assert "Ctrl-C stops in order" in text


def test_a_halt_an_alert_and_a_failed_actor_stand_out(view) -> None:
    view["halts"] = [{"scope": "all", "reason": "drill"}]
    view["alerts"] = [{"severity": "page", "summary": "feed is silent"}]
    view["actors"][1] |= {"state": "backing off", "restarts": 4}
    text = drawn(Screen(), view, 140, 40)
    assert "HALT all: drill" in text
    assert "page: feed is silent" in text
    assert "backing off" in text


def test_many_actors_are_shown_as_groups(view) -> None:
    actor = view["actors"][0]
    view["actors"] = [{**actor, "address": f"feed/{n}", "handled_per_s": 2.0} for n in range(40)]
    text = drawn(Screen(), view, 140, 30)
    assert "feed/* (40)" in text
    assert "80/s" in text


def test_a_replay_shows_its_price_and_progress(view) -> None:
    view["markets"] = [
        {"symbol": SYMBOL, "price": "42", "price_ticks": 4200, "state": "live", "progress_percent": 7}
    ]
    text = drawn(Screen(), view, 140, 40)
    assert "42" in text
    assert "live 7%" in text


def test_a_banner_takes_the_place_of_the_state(view) -> None:
    screen = Screen()
    assert "starting" in drawn(screen, None, 80, 24)
    screen.banner = "stopping in order"
    assert "stopping in order" in drawn(screen, view, 80, 24)


def test_a_picture_is_an_svg_of_the_view(view, tmp_path) -> None:
    show = PictureShow()
    show.view(view)
    show.save(str(tmp_path / "view.svg"), "house")
    text = (tmp_path / "view.svg").read_text()
    assert text.startswith("<svg")
    assert "clerk/main" in text
    assert "@font-face" not in text  # nothing is loaded from elsewhere


# -- plain lines -------------------------------------------------------------------------------------------


def test_a_plain_line_says_the_same_in_short(view) -> None:
    (line,) = PlainLines().lines(view)
    for part in ("ready", "orders 9", "fills 7", "denied 3", "open 1", "positions 1", "1,001.00 (+11.00)"):
        assert part in line


def test_the_same_view_is_not_told_twice(view) -> None:
    lines = PlainLines()
    assert lines.lines(view)
    assert lines.lines(view) == []


def test_news_get_lines_of_their_own(view) -> None:
    lines, later = PlainLines(), deepcopy(view)
    lines.lines(view)
    later["at_ns"] += 1
    later["actors"][1] |= {"restarts": 1, "last_error": "ValueError: odd"}
    later["halts"] = [{"scope": "all", "reason": "drill", "actor": "risk/main"}]
    later["alerts"] = [{"name": "X", "summary": "it burns"}]
    told = lines.lines(later)
    assert told[0].endswith("restarted: clerk/main after ValueError: odd")
    assert told[1].endswith("alert: it burns")
    assert told[2].endswith("halt: all drill")
    later["at_ns"] += 1
    assert len(lines.lines(later)) == 1


# -- the end -----------------------------------------------------------------------------------------------


def make_run(directory: Any, view: dict[str, Any] | None, **changes: Any) -> Run:
    fields = {"deployment": "house", "journal": directory, "began_after": 2, "seconds": 5.0, "exit_code": 0}
    return Run(**{**fields, "node_restarts": 1, "node_pids": [40, 41], "last_view": view, **changes})


@pytest.fixture
def directory(tmp_path, view, monkeypatch) -> Any:
    monkeypatch.setitem(summary.COUNTED, "orders", "HouseCounted")  # events are counted by name alone
    order = ("clerk/main", 0, 1, HouseCounted("x"))
    write(tmp_path, [order, order], [order], [order, order])
    (tmp_path / LAST_RUN_FILE).write_text(json.dumps(view))
    return tmp_path


def test_the_report_counts_this_run_only(directory) -> None:
    report = run_report(make_run(directory, None))
    assert (report["orders"], report["journal_events"], report["journal_sequence"]) == (3, 3, 5)
    assert (report["equity_usdt"], report["profit_usdt"]) == ("1001", "11")
    assert report["positions"] == {SYMBOL: -4}
    assert report["ledger_agrees"] is True
    assert report["totals"] == {"orders": 9, "fills": 7, "denials": 3}
    assert (report["node_restarts"], report["exit"]) == (1, 0)
    json.dumps(report)


def test_a_run_without_a_journal_is_reported_too(tmp_path) -> None:
    report = run_report(make_run(tmp_path, None, exit_code=6))
    assert (report["orders"], report["journal_sequence"], report["exit"]) == (0, 0, 6)
    assert last_sequence(tmp_path) == 0
    assert count_events(tmp_path, 0)["fills"] == 0


def test_the_view_another_run_left_is_not_taken_for_ours(directory, view) -> None:
    assert final_view(make_run(directory, {"n": 1})) == view
    assert final_view(make_run(directory, {"n": 1}, node_pids=[77])) == {"n": 1}


def test_what_is_left_behind_is_said(directory) -> None:
    text = "\n".join(leftovers(make_run(directory, None), "polytrade up house.yaml"))
    for part in (
        "stopped in order after 5.0 s: 3 orders",
        "equity 1,001.00 USDT, profit +11.00",
        f"open orders: c-1 {SYMBOL} buy open",
        f"positions: {SYMBOL} -4 contracts",
        "5 events, 3 of them new",
        "go on where it stopped: polytrade up house.yaml",
    ):
        assert part in text


def test_an_end_out_of_order_is_said(directory) -> None:
    assert "ended with exit code 70" in leftovers(make_run(directory, None, exit_code=70), "x")[0]


# -- numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (money(1_000_322 * E8 + 5 * E8 // 1000), "1,000,322.00"),
        (money(-E8 // 2), "-0.50"),
        (money(E8, 0), "1"),
        (signed_money(0), "+0.00"),
        (signed_money(-E8), "-1.00"),
        (count(9999), "9999"),
        (count(12_345), "12.3k"),
        (count(4_100_000), "4.1M"),
        (count(34.5), "34.5"),
        (rate(0), "·"),
        (rate(4.0), "4/s"),
        (bytes_text(512), "512 B"),
        (bytes_text(3 << 20), "3.0 MiB"),
        (age(850_000_000), "850ms"),
        (age(12 * 10**9), "12s"),
        (age(184 * 10**9), "3m04s"),
        (age(7860 * 10**9), "2h11m"),
        (age(5 * 86_400 * 10**9), "5d00h"),
        (instant(1_760_000_000_123_456_789), "2025-10-09 08:53:20.123Z"),
        (sparkline([1, 2, 3]), "▁▅█"),
        (sparkline([5, 5]), "▄▄"),
        (sparkline([]), ""),
        (shown_field("side", -1), "sell"),
        (shown_field("fee_usdt", 150_000_000), "1.5"),
        (shown_field("limit_ticks", 9_900_000, BTC), "99000"),
        (shown_field("limit_ticks", 9_900_000), "9900000"),
        (shown_field("wait_ns", 5 * 10**9), "5s"),
        (shown_field("reduce_only", True), "True"),
        (shown_field("reasons", [{"type": "Reason", "name": "a", "value": "b"}]), "[Reason(name=a value=b)]"),
        (table_text([("a", "1"), ("bb", "22")], frozenset({1})), "a    1\nbb  22"),
    ],
)
def test_numbers_are_written_as_people_read_them(found, text) -> None:
    assert found == text


def test_the_events_that_are_counted_exist() -> None:
    from actors.cli.journal import import_kinds
    from actors.runtime.codec import message_types

    import_kinds()
    assert set(summary.COUNTED.values()) <= message_types().keys()
