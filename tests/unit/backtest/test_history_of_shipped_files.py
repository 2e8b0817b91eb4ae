"""The deployments we ship, made to trade a real venue or not, run over history as they are."""

import pytest

from tests.unit.backtest.histories import BTC, REPOSITORY, run, usual

FILES = ["paper-poloniex.yaml", "live.yaml"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_names_a_real_venue_runs_over_history(name, tmp_path) -> None:
    overrides = {"trend.bar": "1m", "risk.begins_halted": "false"}
    record = run(usual(tmp_path, overrides=overrides), REPOSITORY / "config" / name, {"symbols": BTC})
    assert record.fills or record.denials  # the limits of the live file are for a smaller account
    assert record.books_agree
