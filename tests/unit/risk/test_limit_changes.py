"""Limits of a running account: tightened at once, loosened with an end and a second person, over restarts."""

from __future__ import annotations

from typing import Any

import pytest

from actors.messages.control import Acknowledged, Rejected
from actors.messages.limits import ChangeLimit
from actors.risk.guard_events import LimitLoosened, LimitReturned
from actors.risk.limits import effective, looser, value_of
from actors.risk.settings import SymbolLimits
from actors.risk.state import Override
from tests.unit.risk.conftest import Benches
from tests.unit.risk.risk_bench import BTC, ETH, SECOND, USDT, RiskBench, settings

HOUR = 3_600 * SECOND


def change(bench: RiskBench, limit: str, value: int, **changes: Any) -> str:
    """Order a change; return what was answered, refusals with a mark."""
    told = {
        "account": "main",
        "loosens": False,
        "actor": "ann",
        "reason": "drill",
        "until_ns": 0,
        "approves": False,
    } | changes
    bench.tell(ChangeLimit(limit=limit, value=value, **told))
    (answer,) = bench.replies
    bench.replies.clear()
    assert isinstance(answer, Acknowledged | Rejected)
    return answer.text if isinstance(answer, Acknowledged) else f"NO: {answer.text}"


def loosen(bench: RiskBench, limit: str, value: int, ns: int = HOUR, **changes: Any) -> str:
    return change(bench, limit, value, loosens=True, until_ns=bench.now_ns + ns if ns else 0, **changes)


def size(bench: RiskBench) -> int:
    """Return the largest order that passes."""
    sizes = [n for n in (1, 2, 3, 5, 10, 20, 50) if not hasattr(bench.ask(n), "rule")]
    return max(sizes, default=0)


def test_tightening_holds_at_once_and_over_a_restart(risk: Benches) -> None:
    bench = risk(max_order_contracts=20)
    assert size(bench) == 20
    assert change(bench, "max_order_contracts", 5) == "max_order_contracts is tightened"
    assert size(bench) == 5
    bench.restart()
    bench.reconciled()
    bench.hear()
    assert size(bench) == 5


def test_tightening_may_have_an_end(risk: Benches) -> None:
    bench = risk(max_order_contracts=20, quote_age_max=0)
    change(bench, "order_contracts", 5, until_ns=bench.now_ns + HOUR)
    bench.advance(HOUR - 1)
    assert size(bench) == 5
    bench.advance(1)
    assert size(bench) == 20


def test_a_tightening_that_loosens_and_a_loosening_that_tightens_are_refused(risk: Benches) -> None:
    bench = risk(max_order_contracts=20)
    assert change(bench, "max_order_contracts", 21).startswith("NO: that would loosen")
    assert change(bench, "max_order_contracts", 0).startswith("NO: that would loosen")  # 0 is off
    assert loosen(bench, "max_order_contracts", 19).startswith("NO: that does not loosen")
    assert size(bench) == 20


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"reason": " "}, "NO: a change of a limit needs to say who wants it and why"),
        ({"actor": ""}, "NO: a change of a limit needs to say who wants it and why"),
        ({"until_ns": 1}, "NO: the end of the change lies in the past"),
        ({"account": "other"}, "NO: this is the risk actor of account 'main'"),
    ],
)
def test_a_change_without_a_name_a_reason_or_a_time_is_refused(
    risk: Benches, changes: dict[str, Any], why: str
) -> None:
    assert change(risk(max_order_contracts=20), "max_order_contracts", 5, **changes) == why


@pytest.mark.parametrize("limit", ["max_cheese", "symbols.XXX.collar", "symbols.collar", "begins_halted"])
def test_what_is_no_limit_is_refused(risk: Benches, limit: str) -> None:
    assert change(risk(), limit, 1).startswith("NO: ")


def test_a_loosening_needs_an_end_and_ends_by_itself(risk: Benches) -> None:
    bench = risk(max_order_contracts=5, quote_age_max=0)
    assert loosen(bench, "max_order_contracts", 20, 0).startswith("NO: a loosening beyond what the file says")
    assert loosen(bench, "max_order_contracts", 20) == "max_order_contracts is loosened"
    assert size(bench) == 20
    assert bench.alerts[-1].name == "LimitLoosened"
    bench.advance(HOUR)
    assert size(bench) == 5
    assert LimitReturned("max_order_contracts", "loosened", "its time is over", bench.now_ns) in bench.events


def test_a_loosening_that_ended_while_the_node_was_away_is_over_when_it_is_back(risk: Benches) -> None:
    bench = risk(max_order_contracts=5)
    loosen(bench, "max_order_contracts", 20)
    bench.restart()
    bench.reconciled()
    bench.hear()
    assert size(bench) == 20
    bench.now_ns += HOUR  # nobody is there to see the timer
    bench.restart()
    bench.reconciled()
    bench.hear()
    assert size(bench) == 5


def test_two_persons_must_be_two(risk: Benches) -> None:
    bench = risk(max_order_contracts=5, approval="two_persons")  # type: ignore[arg-type]
    assert loosen(bench, "max_order_contracts", 20, approves=True).startswith("NO: nobody has asked")
    assert loosen(bench, "max_order_contracts", 20).startswith("asked: ")
    assert size(bench) == 5
    assert loosen(bench, "max_order_contracts", 20, approves=True).startswith("NO: ann asked for it")
    assert loosen(bench, "max_order_contracts", 50, approves=True, actor="bob").startswith("NO: nobody")
    bench.restart()
    bench.reconciled()
    bench.hear()
    assert loosen(bench, "max_order_contracts", 20, 0, approves=True, actor="bob").endswith("is loosened")
    assert size(bench) == 20
    event = next(event for event in bench.events if isinstance(event, LimitLoosened))
    assert (event.actor, event.approver) == ("ann", "bob")


def test_tightening_needs_one_person_only_and_ends_a_loosening(risk: Benches) -> None:
    bench = risk(max_order_contracts=5, approval="two_persons", quote_age_max=0)  # type: ignore[arg-type]
    loosen(bench, "max_order_contracts", 20)
    loosen(bench, "max_order_contracts", 20, 0, approves=True, actor="bob")
    change(bench, "max_order_contracts", 3)
    assert size(bench) == 3
    bench.advance(HOUR)
    assert size(bench) == 3


def test_taking_a_tightening_back_needs_no_end(risk: Benches) -> None:
    bench = risk(max_order_contracts=20)
    change(bench, "max_order_contracts", 3)
    assert loosen(bench, "max_order_contracts", 20, 0).endswith("is loosened")
    assert size(bench) == 20
    assert bench.actor.state.tightened == {}


def test_a_loosening_over_a_tightening_leaves_the_tightening_behind(risk: Benches) -> None:
    bench = risk(max_order_contracts=20, quote_age_max=0)
    change(bench, "max_order_contracts", 3)
    assert loosen(bench, "max_order_contracts", 10) == "max_order_contracts is loosened"
    assert size(bench) == 10
    bench.advance(HOUR)
    assert size(bench) == 3


def test_a_symbols_own_limit_holds_in_place_of_the_accounts(risk: Benches) -> None:
    symbols: Any = {BTC: SymbolLimits(max_order_contracts=3)}
    bench = risk(max_order_contracts=20, symbols=symbols)
    assert size(bench) == 3
    bench.allowed(20, symbol=ETH)
    change(bench, "max_order_contracts", 2)  # it is meant to bind everything
    assert size(bench) == 2
    loosen(bench, f"symbols.{BTC}.max_order_contracts", 10)
    assert size(bench) == 10
    assert bench.denied(3, symbol=ETH) == ("order_contracts", 3, 2)


def test_the_limits_in_force_are_shown_with_who_changed_them(risk: Benches) -> None:
    bench = risk(max_order_contracts=20)
    change(bench, "max_order_contracts", 3)
    row = next(row for row in bench.actor.describe()["limits"] if row["limit"] == "max_order_contracts")
    assert (row["value"], row["file"], row["tightened"]["by"]) == (3, 20, "ann")


def test_a_value_that_the_setting_does_not_take_is_refused(risk: Benches) -> None:
    assert change(risk(), "price_band", 2 * USDT).startswith("NO: ")


def test_the_tighter_holds_whatever_the_order_of_changes() -> None:
    base = settings(max_order_contracts=10)
    for value, expected in ((5, 5), (10, 10), (50, 10)):
        tightened = {"max_order_contracts": Override(value, False, "a", "b", 0)}
        assert effective(base, tightened, {}).max_order_contracts == expected
    loosened = {"max_order_contracts": Override(7, True, "a", "b", 0, 1)}
    assert effective(base, {}, loosened).max_order_contracts == 10  # the file became looser meanwhile
    assert value_of(effective(base, {"exit_pause": Override(9, False, "a", "b", 0)}, {}), "exit_pause") != 9
    assert looser("exit_pause", 1, 2)
    assert looser("max_open_orders", 0, 10**9)


def test_limits_of_a_symbol_that_is_not_there_are_a_fault_of_the_file() -> None:
    with pytest.raises(ValueError, match=r"symbols\.BTC_USDT_PREP: is not an instrument"):
        RiskBench(settings(symbols={"BTC_USDT_PREP": SymbolLimits(stop_loss=1)}))  # type: ignore[arg-type]
