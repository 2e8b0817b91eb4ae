"""The deployments we ship, made to trade a real venue or not, run over history as they are."""

import pytest

from actors.alerter.settings import AlerterSettings
from actors.deployment.history import load_history
from tests.unit.backtest.histories import BTC, REPOSITORY, run, usual

FILES = ["paper-poloniex.yaml", "live.yaml"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_names_a_real_venue_runs_over_history(name, tmp_path) -> None:
    overrides = {"trend.bar": "1m", "risk.begins_halted": "false"}
    record = run(usual(tmp_path, overrides=overrides), REPOSITORY / "config" / name, {"symbols": BTC})
    assert record.fills or record.denials  # the limits of the live file are for a smaller account
    assert record.books_agree


def test_the_past_wakes_nobody(tmp_path) -> None:
    topology = load_history([REPOSITORY / "config" / "live.yaml"], (), {"symbols": BTC}, {}, usual(tmp_path))
    [alerter] = [plan.settings for plan in topology.actors if isinstance(plan.settings, AlerterSettings)]
    assert [route.channel for route in alerter.routes] == ["log"]
    assert alerter.escalation == ()
