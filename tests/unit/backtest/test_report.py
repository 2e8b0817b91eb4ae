"""The report of a run: its figures, and a page that stands alone."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from actors.backtest import metrics
from actors.backtest.definitions import DEFINITIONS
from actors.backtest.drawing import nice_steps, thinned
from actors.backtest.figures import curve_of, figures, monthly
from actors.backtest.record import DataNote, EquityPoint, RunRecord
from actors.backtest.report import shares, write_report
from actors.backtest.report_page import page
from actors.backtest.trade_metrics import profit_factor, win_rate
from actors.cli.main import main
from tests.unit.backtest.test_backtest_run import record as record

DAY = 86_400_000_000_000
MINUTE = 60_000_000_000
VOID = {"meta", "br", "link", "img", "input", "hr"}


class _Checked(HTMLParser):
    """Counts tags, and knows which are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _parsed(text: str) -> _Checked:
    checked = _Checked()
    checked.feed(text)
    checked.close()
    assert checked.open == []
    return checked


def _drawn(record: RunRecord) -> str:
    return page(record, curve_of(record))


def _with_equity(record: RunRecord, equities: list[int], step: int) -> RunRecord:
    zeros = (0,) * len(record.symbols), (0,) * len(record.strategies)
    points = tuple(EquityPoint(i * step, e, e, 0, 0, 0, *zeros) for i, e in enumerate(equities))
    return msgspec.structs.replace(record, equity=points, initial_usdt=equities[0])


def test_figures_are_those_of_the_metrics_on_daily_closes(record: RunRecord) -> None:
    equities = [1_000_000 + (day % 3) * 10_000 + day * 900 for day in range(41)]
    made = _with_equity(record, equities, DAY)
    curve = curve_of(made)
    returns = np.array(equities[1:]) / np.array(equities[:-1]) - 1.0
    np.testing.assert_allclose(curve.returns, returns)
    found = figures(made, curve)
    assert found["sharpe"] == pytest.approx(metrics.sharpe(returns, 365.0))
    assert found["sortino"] == pytest.approx(metrics.sortino(returns, 365.0))
    assert found["volatility"] == pytest.approx(metrics.volatility(returns, 365.0))
    assert found["cagr"] == pytest.approx(metrics.cagr(returns, 365.0))
    assert found["max_drawdown"] == pytest.approx(metrics.max_drawdown(returns))
    assert found["calmar"] == pytest.approx(metrics.calmar(returns, 365.0))
    assert found["net_usdt"] == equities[-1] - equities[0]


def test_figures_of_trades_are_those_of_the_record(record: RunRecord) -> None:
    found = figures(record, curve_of(record))
    results = [trade.net_usdt for trade in record.trades]
    assert results
    assert found["profit_factor"] == profit_factor(results)
    assert found["win_rate"] == win_rate(results)
    assert found["fees_usdt"] == sum(fill.fee_usdt for fill in record.fills)
    assert found["funding_usdt"] == sum(paid.payment_usdt for paid in record.funding)
    assert set(found) == {item.name for item in DEFINITIONS}


def test_the_shares_add_up_to_the_net_profit(record: RunRecord) -> None:
    net = record.equity[-1].equity_usdt - record.initial_usdt
    assert net
    for by in ("symbol", "strategy"):
        assert sum(one.net_usdt for one in shares(record, by)) == net
        assert sum(one.fills_count for one in shares(record, by)) == len(record.fills)


def test_months_multiply_to_the_return(record: RunRecord) -> None:
    equities = [1_000_000 + 1_000 * day + (day % 5) * 777 for day in range(100)]
    made = _with_equity(record, equities, DAY)
    found = monthly(curve_of(made), equities[0])
    assert list(found) == [(1970, 1), (1970, 2), (1970, 3), (1970, 4)]
    assert np.prod([1.0 + one for one in found.values()]) == pytest.approx(equities[-1] / equities[0])


def test_the_page_stands_alone_and_parses(record: RunRecord) -> None:
    text = _drawn(record)
    seen = _parsed(text).seen
    assert not {tag for tag, _ in seen} & {"script", "link", "img", "iframe", "object", "use", "image"}
    assert not [name for _, attrs in seen for name in attrs if name in {"src", "href", "xlink:href"}]
    assert not re.search(r"url\(|@import|https?:", text)
    drawings = [attrs for tag, attrs in seen if tag == "svg"]
    assert len(drawings) >= 6
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in drawings)


def test_equal_records_give_equal_bytes(record: RunRecord, tmp_path: Path) -> None:
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=RunRecord)
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder, one in zip(folders, (record, again), strict=True):
        folder.mkdir()
        write_report(one, folder)
    for path in folders[0].iterdir():
        assert path.read_bytes() == (folders[1] / path.name).read_bytes()


def test_the_tables_hold_every_fill_and_sample(record: RunRecord, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    write_report(record, tmp_path)
    ask = duckdb.connect().execute
    fills = f"FROM '{tmp_path}/fills.parquet'"
    fees = sum(fill.fee_usdt for fill in record.fills)
    assert ask(f"SELECT count(*), sum(fee_usdt) {fills}").fetchone() == (len(record.fills), fees)
    equity = f"FROM '{tmp_path}/equity.parquet'"
    last = record.equity[-1]
    names = f'equity_usdt, "pnl_usdt:{record.symbols[0]}"'
    found = ask(f"SELECT {names} {equity} ORDER BY at_ns DESC LIMIT 1").fetchone()
    assert found == (last.equity_usdt, last.pnl_usdt_by_symbol[0])


def test_hostile_text_stays_text(record: RunRecord) -> None:
    evil = '"><script>alert(1)</script>'
    manifest = msgspec.structs.replace(record.manifest, deployment=evil)
    notes = (DataNote(evil, 1, evil, evil),)
    made = msgspec.structs.replace(record, manifest=manifest, notes=notes)
    text = _drawn(made)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    _parsed(text)


def test_a_run_without_trades_draws(record: RunRecord) -> None:
    nothing = msgspec.structs.replace(
        _with_equity(record, [1_000_000] * 50, MINUTE),
        fills=(),
        trades=(),
        funding=(),
        denials=(),
        bars=tuple(() for _ in record.symbols),
    )
    text = _drawn(nothing)
    _parsed(text)
    assert "No trade was closed" in text
    assert "nan" not in text.replace("finance", "")
    _parsed(_drawn(msgspec.structs.replace(nothing, equity=())))


def test_a_year_of_minutes_stays_below_a_megabyte(record: RunRecord) -> None:
    count = 366 * 1440
    rng = np.random.default_rng(1)
    equities = (10**12 + np.cumsum(rng.integers(-(10**8), 10**8, count))).tolist()
    bars = record.bars[0]
    long = [msgspec.structs.replace(bars[i % len(bars)], at_ns=i * 60 * MINUTE) for i in range(366 * 24)]
    trades = [
        msgspec.structs.replace(record.trades[0], entry_at_ns=i * 10 * MINUTE, exit_at_ns=i * 10 * MINUTE + 1)
        for i in range(50_000)
    ]
    made = msgspec.structs.replace(
        _with_equity(record, equities, MINUTE), bars=(tuple(long),), trades=tuple(trades)
    )
    assert len(_drawn(made).encode()) < 1_000_000


def test_thinning_loses_no_spike() -> None:
    values = np.zeros(100_000)
    values[77_777], values[12_345] = 5.0, -3.0
    kept = thinned(values)
    assert {0, 12_345, 77_777, 99_999} <= set(kept)
    assert len(kept) < 2_000


def test_steps_are_round() -> None:
    assert nice_steps(0.0, 10.0) == pytest.approx([0.0, 2.5, 5.0, 7.5, 10.0])
    assert nice_steps(3.0, 3.0) == [3.0]


def test_the_command_draws_a_kept_run_again(record: RunRecord, tmp_path: Path) -> None:
    (tmp_path / "record.msgpack").write_bytes(msgspec.msgpack.encode(record))
    result = CliRunner().invoke(main, ["report", str(tmp_path)])
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["figures"]["fills_count"] == len(record.fills)
    assert found["manifest"]["deployment"] == record.manifest.deployment
    assert (tmp_path / "report.html").stat().st_size < 1_000_000


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["report", str(tmp_path)])
    assert result.exit_code == 9
    (tmp_path / "record.msgpack").write_bytes(b"\x01nonsense")
    assert CliRunner().invoke(main, ["report", str(tmp_path)]).exit_code == 12
