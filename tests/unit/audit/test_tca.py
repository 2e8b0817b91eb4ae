"""Transaction cost analysis: known answers by hand, and a whole run against its own ledger."""

from __future__ import annotations

import csv
import io
import json

import pytest

from actors.audit.tca import Costs, costs, quantile, read_executions, stages
from actors.cli.exit_codes import ExitCode
from actors.control.journal_reader import JournalReader
from actors.oms.execution import Execution
from tests.unit.audit.taped import TapedRun
from tests.unit.cli.conftest import cli, own_run_directory  # noqa: F401  (fixtures)
from tests.unit.risk.risk_bench import BTC, CATALOG, ETH

TICK = CATALOG[BTC].tick_value


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TapedRun:
    taped = TapedRun(tmp_path_factory.mktemp("costs"), 240)
    taped.stop()
    return taped


@pytest.fixture(scope="module")
def found(run: TapedRun) -> list[Execution]:
    with JournalReader(run.topology.journal_path) as reader:
        return read_executions(reader)


def execution(name: str, side: int, prices: list[int], **changes: object) -> Execution:
    fields = {
        "decision_x2": 200,
        "arrival_x2": 202,
        "filled_contracts": len(prices),
        "filled_ticks": sum(prices),
        "fee_usdt": 10,
    }
    plain = {"strategy": "trend", "symbol": BTC} | changes
    strategy, symbol = plain.pop("strategy"), plain.pop("symbol")
    one = Execution(name, f"{strategy}#1", "main", str(strategy), str(symbol), side, 10)
    for field, value in (fields | plain).items():
        setattr(one, field, value)
    return one


def test_costs_of_a_group_are_as_computed_by_hand() -> None:
    members = [
        execution("a", 1, [102, 102, 104], maker_contracts=3),
        execution("b", -1, [100, 99], fee_usdt=20),
        execution("c", 1, [103], decision_x2=0, arrival_x2=0),
        execution("d", 1, []),
    ]
    (group,), everything = costs(members, "strategy", CATALOG)
    # a: 308 for 3, which is 8 over the decision and 5 over the arrival. b: 199 for 2, 1 and 3 under them.
    assert group == Costs(
        "trend",
        4,
        3,
        1,
        (308 + 199 + 103) * TICK,
        (8 + 1) * TICK,
        pytest.approx(10_000 * 9 / 500),
        (5 + 3) * TICK,
        pytest.approx(10_000 * 8 / 505),
        40,
        pytest.approx(10_000 * 40 / (610 * TICK)),
        pytest.approx(308 / 610),
    )
    assert everything == Costs("all", *[getattr(group, name) for name in Costs.__struct_fields__[1:]])


def test_groups_are_ordered_by_value_and_add_up() -> None:
    members = [
        execution("a", 1, [100], symbol=ETH),
        execution("b", 1, [100] * 5),
        execution("c", 1, [100], strategy="mean"),
    ]
    by_symbol, everything = costs(members, "symbol", CATALOG)
    assert {one.group for one in by_symbol} == {BTC, ETH}
    assert by_symbol[0].value_usdt > by_symbol[1].value_usdt
    assert sum(one.value_usdt for one in by_symbol) == everything.value_usdt
    assert sum(one.arrival_usdt for one in by_symbol) == everything.arrival_usdt
    assert {one.group for one in costs(members, "order", CATALOG)[0]} == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 50, 0), ([7], 99, 7), ([1, 2, 3, 4], 50, 2), ([1, 2, 3, 4], 90, 4), (list(range(1, 101)), 99, 99)],
)
def test_quantiles_are_nearest_ranks(values: list[int], percent: int, expected: int) -> None:
    assert quantile(values, percent) == expected


def test_a_run_costs_what_its_ledger_says(run: TapedRun, found: list[Execution]) -> None:
    ledger = run.node.cell("ledger/main").behaviour.state
    _, everything = costs(found, "strategy", run.topology.instruments)
    assert everything.fees_usdt == ledger.fees_usdt > 0
    assert sum(one.filled_contracts for one in found) > 0
    unmeasured = [one for one in found if not one.arrival_x2]
    assert len(unmeasured) == everything.unmeasured_count
    assert {one.strategy for one in unmeasured} == {"oms/main"}, "the halt closed positions"
    assert everything.orders_count > 20
    assert everything.arrival_bps is not None
    assert 0 < everything.arrival_bps < 100, "market orders pay about half of the spread"
    by_name = {one.stage: one for one in stages(found)}
    assert by_name["decision_to_ack"].count == len(found)


def test_the_table_and_the_stages_are_shown(cli, run) -> None:  # noqa: F811
    shown = cli("tca", str(run.file), "--by", "symbol")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0].split()[:3] == ["SYMBOL", "ORDERS", "FILLED"]
    assert "decision to risk" in shown.stdout
    assert "positive is paid" in shown.stderr


def test_csv_and_json_say_the_same(cli, run, found) -> None:  # noqa: F811
    rows = list(csv.DictReader(io.StringIO(cli("tca", str(run.file), "--csv").stdout)))
    told = json.loads(cli("tca", str(run.file), "--by", "order", "--json").stdout)
    assert len(rows) == len(told["orders"]) == told["all"]["orders_count"] == len(found)
    paid = sum(round(float(row["arrival_cost_usdt"]) * 1e8) for row in rows)
    assert paid == told["all"]["arrival_usdt"]


def test_filters_narrow_it(cli, run, found) -> None:  # noqa: F811
    symbol = found[0].symbol
    told = json.loads(cli("tca", str(run.file), "--symbol", symbol, "--json").stdout)
    assert told["all"]["orders_count"] == sum(one.symbol == symbol for one in found)
    nothing = cli("tca", str(run.file), "--from", "2200-01-01")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "no order was submitted" in nothing.stderr
    assert cli("tca", str(run.file), "--from", "soon").exit_code == ExitCode.USAGE


def test_the_page_stands_alone(cli, run, tmp_path) -> None:  # noqa: F811
    assert cli("tca", str(run.file), "--html", str(tmp_path / "costs.html")).exit_code == 0
    text = (tmp_path / "costs.html").read_text()
    assert "Latency by stage" in text
    assert "http" not in text


def test_a_folder_alone_does_not_say_what_a_contract_is_worth(cli, run) -> None:  # noqa: F811
    shown = cli("tca", str(run.topology.journal_path))
    assert shown.exit_code == ExitCode.USAGE
    assert "name the deployment's file" in shown.stderr
