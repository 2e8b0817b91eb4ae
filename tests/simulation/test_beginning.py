"""What a simulation assumes where the files say nothing: money at the exchange, and a person who resumes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from actors.cli.main import main
from actors.deployment.loader import load
from actors.domain.money import E8
from actors.simulation.beginning import AS_WRITTEN, Beginning, beginning_of
from actors.simulation.bundle import Recipe, replay_bundle, write_bundle
from actors.simulation.far_sides import exchange_of
from actors.simulation.run import SeedRun

LIVE = "config/live.yaml"
SPOT = "config/examples/local-with-spot.yaml"
QUARTER_NS = 15 * 60 * 1_000_000_000
# Fast enough to trade within minutes; the rest is the shipped file.
FAST = "actors:\n  trend: {settings: {bar: 1m, fast: 3, slow: 8}}\n"


@pytest.fixture
def fast(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "fast.yaml").write_text(FAST)
    return LIVE, str(tmp_path / "fast.yaml")


def test_an_account_that_is_taken_over_gets_as_much_as_its_limits_are_made_for() -> None:
    beginning, said = beginning_of(load(LIVE), {})
    assert beginning == Beginning({"main": 200 * E8}, is_resumed=True)
    assert "account main begins with 200 USDT" in said[0]
    assert "resumes" in said[1]


def test_what_ledgers_say_is_believed_and_nothing_assumed() -> None:
    assert beginning_of(load("config/local.yaml"), {}) == (AS_WRITTEN, ())
    assert beginning_of(load("config/paper.yaml"), {}) == (AS_WRITTEN, ())


def test_money_is_given_to_one_account_or_to_all() -> None:
    assert beginning_of(load(LIVE), {"main": 5 * E8})[0].cash_usdt == {"main": 5 * E8}
    assert beginning_of(load(LIVE), {"": 7 * E8})[0].cash_usdt == {"main": 7 * E8}
    beginning, said = beginning_of(load(SPOT), {"coins": 50 * E8})
    assert beginning.cash_usdt == {"coins": 50 * E8}
    assert any("coins does not adopt that" in line for line in said)
    with pytest.raises(ValueError, match="no account 'other' at an exchange; there is main, coins"):
        beginning_of(load(SPOT), {"other": 1})
    with pytest.raises(ValueError, match="its exchange is an actor of the deployment"):
        beginning_of(load("config/paper.yaml"), {"main": 1})


def test_accounts_of_two_markets_under_one_key_have_each_its_own_money() -> None:
    far = exchange_of(load(SPOT, environment={}), 0, None, {"coins": 50 * E8, "main": 70 * E8})
    assert far is not None
    (account,) = far.core.settings.accounts
    assert (account.name, account.usdt, account.spot) == ("main", 70 * E8, {"USDT": 50 * E8})


def test_the_shipped_live_deployment_trades_and_replays(fast: tuple[str, str], tmp_path: Path) -> None:
    recipe = Recipe(fast)
    beginning, _ = beginning_of(recipe.topology(), {})
    kept = write_bundle(tmp_path / "bundle", recipe, 0, (), QUARTER_NS, beginning)
    assert kept.violations == ()
    assert kept.fills_count > 0
    again = replay_bundle(tmp_path / "bundle")
    assert again.is_same
    assert again.outcome.fills_count == kept.fills_count


def test_as_written_it_neither_has_money_nor_is_it_resumed(fast: tuple[str, str]) -> None:
    run = SeedRun(Recipe(fast).topology(), 0, (), 60 * 1_000_000_000)
    assert run.run().orders_count == 0
    assert run.far is not None
    assert run.far.core.engine.state.wallets["main"].cash_usdt == 0


def test_the_command_says_what_it_assumed_and_why_nothing_traded(fast: tuple[str, str]) -> None:
    words = ["simulate", *fast, "--seeds", "0..1", "--hours", "0.25", "--faults", "none"]
    found = CliRunner().invoke(main, [*words, "--cash", "10000", "--json"])
    assert found.exit_code == 0, found.output
    assert "assumed: account main begins with 10000 USDT at the exchange" in found.stderr
    assert "wishes all were denied, most by order_contracts" in found.stderr
    row = json.loads(found.stdout)
    assert (row["orders"], set(row["denied"])) == (0, {"order_contracts"})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cash", "-5"), "nobody holds less than nothing"),
        (("--cash", "main=much"), "is not a decimal number"),
        (("--cash", "other=5"), "there is main"),
        (("--cash", "5", "--as-written"), "do not go together"),
    ],
)
def test_a_wrong_amount_is_a_usage_error(words: tuple[str, ...], said: str) -> None:
    found = CliRunner().invoke(main, ["simulate", LIVE, *words])
    assert (found.exit_code, said in found.output + found.stderr) == (2, True), found.output
