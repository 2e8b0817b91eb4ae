"""Random limits, markets and faults: no order outside the limits in force reaches the venue's port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec import structs

from actors.deployment.topology import Topology
from actors.messages.limits import ChangeLimit
from actors.risk.actor import RiskActor
from actors.risk.guard import Guard
from actors.risk.limit_desk import LimitDesk
from actors.risk.picture import Picture
from actors.risk.rules import RULES
from actors.risk.settings import Action, RiskSettings, StrategyLimits, SymbolLimits
from actors.simulation.bundle import Recipe
from actors.simulation.faults import draw
from actors.simulation.run import SeedRun, ground_of
from tests.simulation.limit_auditor import LimitAuditor

ROOT = Path(__file__).resolve().parents[2]
FILE = str(ROOT / "config/examples/two-accounts.yaml")
USDT, SECOND_NS, MINUTE_NS = 100_000_000, 1_000_000_000, 60_000_000_000
FOUND_WITHIN = 200
Patch = pytest.MonkeyPatch


def drawn(chance: Random) -> dict[str, Any]:
    """Return limits that a deployment of this size meets often."""

    def some(low: int, high: int, unit: int = USDT, share: float = 0.6) -> int:
        return chance.randint(low, high) * unit if chance.random() < share else 0

    shrinkable = (
        "order_notional",
        "position_notional",
        "position_contracts",
        "gross_exposure",
        "net_exposure",
    )
    actions = {name: Action.SHRINK for name in shrinkable if chance.random() < 0.8}
    own = SymbolLimits(
        max_position_notional_usdt=some(100, 900) or None, max_order_contracts=some(3, 40, 1) or None
    )
    return {
        "max_order_contracts": some(20, 2_000, 1, 0.3),
        "max_order_notional_usdt": some(200, 1_500),
        "max_position_contracts": some(20, 3_000, 1, 0.3),
        "max_position_notional_usdt": some(300, 1_500),
        "max_symbol_orders": some(1, 2, 1),
        "max_open_orders": some(1, 4, 1),
        "max_open_trades": some(1, 3, 1, 0.4),
        "max_gross_usdt": some(600, 3_000),
        "max_net_usdt": some(400, 2_000),
        "price_band": some(1, 4, USDT // 100),
        "daily_loss_usdt": some(5, 60),
        "max_leverage": some(10, 40, USDT // 100),
        "stop_loss": some(1, 5, USDT // 1_000),
        "take_profit": some(1, 5, USDT // 1_000),
        "max_holding": some(20, 120, SECOND_NS, 0.4),
        "exit_pause": 10 * SECOND_NS,
        "max_loss_streak": some(2, 5, 1, 0.3),
        "warn_at": some(8, 8, USDT // 10),
        "symbols": {symbol: own for symbol in ("BTC_USDT_PERP", "SOL_USDT_PERP") if chance.random() < 0.5},
        "strategies": {"trend/ETH_USDT_PERP": StrategyLimits(max_open_orders=1)},
        "actions": actions,
    }


def drawn_for_all(chance: Random) -> dict[str, Any]:
    """Return limits on all accounts together: narrower than what the accounts may come to by themselves."""
    shared = {
        "portfolio_gross_usdt": (1_000, 5_000),
        "portfolio_net_usdt": (700, 3_000),
        "portfolio_correlated_usdt": (1_000, 5_000),
    }
    return {
        name: chance.randint(*bounds) * USDT if chance.random() < 0.6 else 0
        for name, bounds in shared.items()
    }


FAST = {
    "trend": {
        "retry_after": SECOND_NS // 100,
        "bar": SECOND_NS,
        "fast": 2,
        "slow": 5,
        "atr": 4,
        "atr_filter": 0,
        "risk_fraction": USDT // 50,
    },
    "reversion": {
        "retry_after": SECOND_NS // 100,
        "bar": SECOND_NS,
        "window": 8,
        "entry": USDT,
        "exit": 0,
        "risk_fraction": USDT // 50,
    },
}


def limited(topology: Topology, chance: Random) -> Topology:
    """Return the deployment with drawn limits and strategies that trade all the time."""

    shared = drawn_for_all(Random(chance.random()))

    def plan_of(plan: Any) -> Any:
        changes = drawn(chance) if plan.kind == "risk" else FAST.get(plan.name, {})
        if plan.kind == "risk":
            changes |= shared
            changes["actions"] = changes["actions"] | {"portfolio_grant": Action.SHRINK}
        return replace(plan, settings=structs.replace(plan.settings, **changes)) if changes else plan

    return replace(topology, actors=tuple(plan_of(plan) for plan in topology.actors))


class World:
    """One seed under audit."""

    def __init__(self, seed: int, minutes: int, patch: Patch, *, faulty: bool = True) -> None:
        chance = Random(f"limits/{seed}")
        topology = limited(Recipe((FILE,)).topology(), chance)
        faults = draw(seed, minutes * 60_000, ground_of(topology)) if faulty else []
        limits = {
            plan.place.variables["account"]: plan.settings
            for plan in topology.actors
            if isinstance(plan.settings, RiskSettings)
        }
        self.audit = LimitAuditor(lambda: self.run.world.node, limits)
        self.audit.install(patch)  # before a node is made: cells take their handlers then
        self.run = SeedRun(topology, seed, faults, minutes * MINUTE_NS)
        for second in range(1, minutes * 60, 2):
            self.run.world.after(second * SECOND_NS, self._sample)
        for _ in range(3):
            at_ns = chance.randrange(20, minutes * 60) * SECOND_NS
            account, name = (
                chance.choice(sorted(limits)),
                chance.choice(("max_order_contracts", "max_gross_usdt")),
            )
            value = (
                chance.randint(3, 90) if name == "max_order_contracts" else chance.randint(200, 900) * USDT
            )
            self.run.world.after(at_ns, lambda a=account, n=name, v=value: self._tighten(a, n, v))  # type: ignore[misc]

    def _sample(self) -> None:
        if not self.run.world.ended:
            self.audit.sample(self.run.world.now_ns)

    def _tighten(self, account: str, name: str, value: int) -> None:
        if self.run.world.ended:
            return
        node = self.run.world.node
        node.tell(f"risk/{account}", ChangeLimit(account, name, value, False, "ann", "drill", 0))

        def holds() -> None:
            """What the node took is in its journal; a kill before that left nothing to hold."""
            found = self.run.world.node.cell(f"risk/{account}").behaviour.state.tightened.get(name)
            if found is not None:
                self.audit.tightened[account, name] = found.value

        self.run.world.after(SECOND_NS, lambda: None if self.run.world.ended else holds())

    def play(self) -> list[str]:
        outcome = self.run.run()
        return [f"{one.invariant}: {one.detail}" for one in outcome.violations] + self.audit.faults


@pytest.mark.parametrize("part", range(2))
def test_no_order_outside_the_limits_in_force_reaches_the_venue(part: int, monkeypatch: Patch) -> None:
    seen = Counter[str]()
    for seed in range(part * 3, part * 3 + 3):
        with monkeypatch.context() as patch:
            world = World(seed, 3, patch)
            assert world.play() == [], f"seed {seed}"
            seen += world.audit.orders
    assert seen["opening"] >= 5
    assert seen["reducing"] >= 5


@pytest.mark.parametrize("seed", [28, 35, 39, 44, 65])
def test_accounts_that_open_at_once_keep_the_limits_on_all_of_them(seed: int, monkeypatch: Patch) -> None:
    """Worlds in which several accounts open in the same turns."""
    assert World(seed, 4, monkeypatch).play() == []


@pytest.mark.long
@pytest.mark.parametrize("part", range(10))
def test_no_order_outside_the_limits_leaves_in_two_hundred_worlds(part: int, monkeypatch: Patch) -> None:
    for seed in range(100 + part * 20, 120 + part * 20):
        with monkeypatch.context() as patch:
            assert World(seed, 8, patch).play() == [], f"seed {seed}"


# -- planted bugs: each must be seen at the port ----------------------------------------------------------


def _without(*names: str) -> Callable[[Patch], None]:
    def plant(patch: Patch) -> None:
        kept = tuple(rule for rule in RULES if rule.name not in names)
        patch.setattr("actors.risk.limit_desk.RULES", kept)

    return plant


def judge_before_instead_of_after(patch: Patch) -> None:
    original = Picture.look

    def look(self: Any, intent: Any, market: Any, now_ns: int) -> None:
        original(self, intent, market, now_ns)
        self.exposure_usdt_after = self.exposure_usdt

    patch.setattr(Picture, "look", look)


def ignore_symbols_own_limits(patch: Patch) -> None:
    patch.setattr("actors.risk.limit_desk._of_symbol", lambda settings, own: settings)


def shrink_and_send_the_whole(patch: Patch) -> None:
    original = Guard.shrunk

    def shrunk(self: Any, intent: Any, name: str, denied: Any, context: Any) -> Any:
        return intent if original(self, intent, name, denied, context) is not None else None

    patch.setattr(Guard, "shrunk", shrunk)


def forget_tightened_limits_on_restart(patch: Patch) -> None:
    patch.setattr(LimitDesk, "recall_limits", lambda self, context: None)


def free_an_order_when_it_is_allowed(patch: Patch) -> None:
    original = RiskActor.apply_intent_allowed

    def allowed(self: Any, event: Any) -> None:
        original(self, event)
        book = self.state.books[event.symbol]
        book.buy_contracts = book.sell_contracts = 0

    patch.setattr(RiskActor, "apply_intent_allowed", allowed)
    kind = next(kind for kind in RiskActor.APPLIERS if kind.__name__ == "IntentAllowed")
    patch.setitem(RiskActor.APPLIERS, kind, allowed)


def weigh_long_against_short_the_wrong_way(patch: Patch) -> None:
    original = Picture.net_usdt_with
    patch.setattr(Picture, "net_usdt_with", lambda self, side: original(self, -side) - 2 * self.order_usdt)


BUGS: dict[str, Callable[[Patch], None]] = {
    "no_gross_exposure": _without("gross_exposure"),
    "no_net_exposure": _without("net_exposure"),
    "no_daily_loss": lambda patch: (
        _without("daily_loss")(patch),
        patch.setattr(RiskActor, "hit_loss_limit", lambda self, at_ns, context: None),
    )[0],
    "judge_before_instead_of_after": judge_before_instead_of_after,
    "ignore_symbols_own_limits": ignore_symbols_own_limits,
    "shrink_and_send_the_whole": shrink_and_send_the_whole,
    "forget_tightened_limits_on_restart": forget_tightened_limits_on_restart,
    "free_an_order_when_it_is_allowed": free_an_order_when_it_is_allowed,
    "ignore_the_grant": _without("portfolio_grant"),
    "weigh_long_against_short_the_wrong_way": weigh_long_against_short_the_wrong_way,
}


QUICK = (
    "shrink_and_send_the_whole",
    "forget_tightened_limits_on_restart",
    "free_an_order_when_it_is_allowed",
    "ignore_the_grant",
)
QUICK_FIRST = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.long) for name in BUGS]


@pytest.mark.parametrize("bug", QUICK_FIRST)
def test_a_planted_bug_of_the_limits_is_found(bug: str, monkeypatch: Patch) -> None:
    BUGS[bug](monkeypatch)
    for seed in range(FOUND_WITHIN):
        with monkeypatch.context() as patch:
            world = World(seed, 4, patch)
            world.play()
            if world.audit.faults:
                return
    pytest.fail(f"{bug} was not found within {FOUND_WITHIN} seeds")
