"""What becomes of each actor when files change: the least that is enough, field by field, with its place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from actors.deployment.changes import Plan, compare, loosens
from actors.deployment.loader import load
from actors.deployment.resolved import from_resolved, resolved
from actors.deployment.topology import Topology

SHIPPED = (
    "config/paper.yaml",
    "config/local.yaml",
    "config/live.yaml",
    "config/examples/spot-and-futures.yaml",
)
Edit = Callable[[str], str]


def planned(folder: Path, edit: Edit) -> tuple[Plan, Topology]:
    """Return the plan from the shipped paper deployment to one that was edited."""
    shutil.copytree("config", folder / "config")
    file = folder / "config" / "paper.yaml"
    before = load(str(file))
    text = file.read_text()
    changed = edit(text)
    assert changed != text, "the edit found nothing to change"
    file.write_text(changed)
    after = load(str(file))
    return compare(before, after, (resolved(before), resolved(after))), after


def swap(*pairs: tuple[str, str]) -> Edit:
    def edit(text: str) -> str:
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        return text

    return edit


def own_limit(usdt: str) -> Edit:
    """Give one symbol an order limit of its own."""
    daily, own = 'daily_loss_usdt: "500"', f'{{BTC_USDT_PERP: {{max_order_notional_usdt: "{usdt}"}}}}'
    return swap((daily, f"{daily}\n      symbols: {own}"))


@pytest.mark.parametrize("path", SHIPPED)
def test_a_deployment_survives_being_written_down_and_read_again(path: str) -> None:
    found = load(path)
    raw = msgspec.json.encode(resolved(found))
    again = from_resolved(msgspec.json.decode(raw), found)
    assert again.actors == found.actors
    assert again.supervisors == found.supervisors
    assert again.content_hash == found.content_hash
    assert compare(found, again).is_empty


def test_a_changed_setting_restarts_those_who_have_it_and_nobody_else(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path, swap(("fast: 8", "fast: 9")))
    assert {one.address: one.action for one in plan.actors} == {
        f"trend/{symbol}_USDT_PERP": "restart" for symbol in ("BTC", "ETH", "XRP")
    }
    (field,) = plan.actors[0].fields
    assert (field.path, field.before, field.after, field.loosens) == ("fast", 8, 9, False)
    line = int(field.place.split(":")[-2])
    assert "fast: 9" in (tmp_path / "config/paper.yaml").read_text().splitlines()[line - 1]


def test_a_symbol_that_changes_hands_touches_only_who_reads_it(tmp_path: Path) -> None:
    plan, _ = planned(
        tmp_path,
        swap(
            ("[BTC_USDT_PERP, ETH_USDT_PERP, XRP_USDT_PERP]", "[BTC_USDT_PERP, XRP_USDT_PERP]"),
            (
                "[SOL_USDT_PERP, LTC_USDT_PERP, DOGE_USDT_PERP]",
                "[ETH_USDT_PERP, LTC_USDT_PERP, SOL_USDT_PERP, DOGE_USDT_PERP]",
            ),
        ),
    )
    actions = {one.address: one.action for one in plan.actors}
    assert actions == {
        "trend/ETH_USDT_PERP": "remove",
        "reversion/ETH_USDT_PERP": "create",
        "feed/ETH_USDT_PERP": "live change",
        "risk/main": "live change",
    }
    reads = next(one for one in plan.actors if one.address == "risk/main").fields[0]
    assert (reads.before, reads.after) == (["trend/ETH_USDT_PERP"], ["reversion/ETH_USDT_PERP"])


@pytest.mark.parametrize(
    ("edit", "wider"),
    [
        (swap(('max_order_notional_usdt: "2500"', 'max_order_notional_usdt: "2600"')), True),
        (swap(('max_order_notional_usdt: "2500"', 'max_order_notional_usdt: "2400"')), False),
        (swap(("max_orders_per_second: 20", "max_orders_per_second: 21")), True),
        # 0 is no limit at all
        (swap(('daily_loss_usdt: "500"', 'daily_loss_usdt: "0"')), True),
        (swap(('daily_loss_usdt: "500"', 'daily_loss_usdt: "500"\n      weekly_loss_usdt: "900"')), False),
        # a symbol's own limit stands in place of the account's
        (own_limit("2600"), True),
        (own_limit("2400"), False),
        # choices are in the order of what they do
        (swap(('daily_loss_usdt: "500"', 'daily_loss_usdt: "500"\n      silence_level: flatten')), False),
    ],
)
def test_a_limit_that_becomes_wider_is_marked(tmp_path: Path, edit: Edit, wider: bool) -> None:
    plan, _ = planned(tmp_path, edit)
    assert bool(plan.loosened) is wider
    assert plan.is_possible


@pytest.mark.parametrize(
    ("risk", "before", "after", "wider"),
    [
        *(("raise", 1, 2, True), ("raise", 2, 1, False), ("lower", 2, 1, True), ("lower", 1, 2, False)),
        *(
            ("raise", 5, None, True),
            ("raise", None, 5, False),
            ("", 1, 2, False),
            ("raise", (1,), (2,), True),
        ),
    ],
)
def test_no_limit_is_wider_than_any(risk: str, before: object, after: object, wider: bool) -> None:
    assert loosens(risk, before, after) is wider


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (swap(("deployment: paper", "deployment: other")), "deployment: paper -> other"),
        (swap(("durability: process", "durability: disk")), "journal.durability: process -> disk"),
        (swap(("deployment: paper\n", "deployment: paper\nloop: {inputs_max: 100}\n")), "loop.inputs_max"),
        (swap(("intensity: ", "backoff_min: 1s, intensity: ")), "the supervisors"),
    ],
)
def test_what_no_running_node_can_change_is_blocked(tmp_path: Path, edit: Edit, said: str) -> None:
    plan, _ = planned(tmp_path, edit)
    assert not plan.is_possible
    assert any(said in text for text in plan.blocked), plan.blocked


def test_another_kind_under_the_same_name_is_blocked(tmp_path: Path) -> None:
    plan, _ = planned(
        tmp_path,
        lambda text: text.replace("kind: strategy.trend_follow", "kind: strategy.mean_reversion", 1).replace(
            "fast: 8, slow: 24, ", "", 1
        ),
    )
    blocked = [one for one in plan.actors if one.action == "blocked"]
    assert len(blocked) == 3
    assert "another kind cannot take over its state" in blocked[0].reason


def test_a_narrower_limit_tightens_and_does_not_loosen(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path, swap(("max_open_orders: 20", "max_open_orders: 19")))
    (change,) = plan.actors
    assert [(one.loosens, one.tightens) for one in change.fields] == [(False, True)]


def test_limits_that_come_or_go_with_their_actor_are_loosened_ones(tmp_path: Path) -> None:
    two = swap(
        ("account: [main]", "account: [main, other]"), ('{main: "10000"}', '{main: "10000", other: "10000"}')
    )
    plan, after = planned(tmp_path, two)
    assert [(address, field.path) for address, field in plan.loosened] == [("risk/other", "limits")]
    back = compare(after, load("config/paper.yaml"))
    assert [(address, field.before) for address, field in back.loosened] == [("risk/other", "those in force")]
