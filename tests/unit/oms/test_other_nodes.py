"""Orders of another node on the account are seen by their names; what is left over from earlier is none."""

from __future__ import annotations

import pytest

from actors.messages.venue import OrderAccepted
from actors.oms.ids import client_order_id, is_of_a_node
from actors.oms.settings import OmsSettings
from actors.runtime.messages import AlertRaised
from tests.unit.oms.oms_bench import OmsBench

SECOND = 1_000_000_000
YOUNG = 11 * SECOND  # after this node began, beyond what clocks may differ by
OTHERS = [
    client_order_id("paper", "main", "zzzzzzzzz", 1, 7),  # the same deployment, from another journal
    client_order_id("other", "main", "bbbbbbbbb", 3, 7),  # another deployment with the same key
]


def hear(bench: OmsBench, name: str, age_ns: int) -> list[AlertRaised]:
    created_ns = bench.now_ns + age_ns
    bench.tell(OrderAccepted("main", name, "v1", created_ns, 0, created_ns))
    return [alert for alert in bench.alerts if alert.name == "VenueShared"]


@pytest.mark.parametrize("name", OTHERS)
def test_a_young_order_of_another_node_is_told_and_over_by_itself(bench: OmsBench, name: str) -> None:
    (alert,) = hear(bench, name, YOUNG)
    assert name in alert.summary
    assert (alert.key, alert.ends_after_ns) == ("main", 600 * SECOND)


@pytest.mark.parametrize("age_ns", [-3_600 * SECOND, 0, 10 * SECOND])
def test_an_order_that_may_be_older_than_this_node_is_left_over(bench: OmsBench, age_ns: int) -> None:
    assert hear(bench, OTHERS[0], age_ns) == []


def test_orders_of_the_same_journal_in_a_later_life_are_another_node(bench: OmsBench) -> None:
    own = bench.oms._prefix
    mark, journal, epoch, _ = own.split("-")
    assert hear(bench, f"{own}999", YOUNG) == [], "made by us, and forgotten"
    assert len(hear(bench, f"{mark}-{journal}-{int(epoch) + 1}-1", YOUNG)) == 1, "a copy of our folder"


@pytest.mark.parametrize("name", ["", "polo123", "web", "k3x7aa-d-0123456789abn1", "k3x7aa-bthq2vmk4-12"])
def test_orders_by_hand_and_by_the_heart_are_no_other_node(bench: OmsBench, name: str) -> None:
    assert hear(bench, name, YOUNG) == []
    assert not is_of_a_node(name)


def test_a_far_side_that_does_not_say_when_an_order_was_made_accuses_nobody(bench: OmsBench) -> None:
    bench.tell(OrderAccepted("main", OTHERS[0], "v1", bench.now_ns + YOUNG))
    assert bench.alerts == []


def test_an_account_that_is_meant_to_be_shared_is_left_alone() -> None:
    assert hear(OmsBench(OmsSettings(account_shared=True)), OTHERS[0], YOUNG) == []


def test_names_of_both_forms_are_known() -> None:
    assert is_of_a_node(client_order_id("paper", "main", "", 12, 4_711)), "of a journal without a name"
    assert all(map(is_of_a_node, OTHERS))
