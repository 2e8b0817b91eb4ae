"""What the OMS tells the reconciler."""

from actors.domain.orders import Side
from actors.messages.account import LedgerSnapshotRequest
from actors.messages.trading import Fill, KnownFill, OpenOrder, OrdersSnapshot, OrdersSnapshotRequest
from actors.oms.settings import OmsSettings
from tests.unit.oms.oms_bench import BTC, OmsBench


def _snapshot(bench: OmsBench, since_ns: int = 0) -> OrdersSnapshot:
    bench.tell(OrdersSnapshotRequest("main", "r1", since_ns), sender="reconciler/main")
    answer = bench.replies[-1]
    assert isinstance(answer, OrdersSnapshot)
    return answer


def test_a_snapshot_names_live_orders_positions_and_fills(bench: OmsBench) -> None:
    name = bench.opened()
    fill = bench.fill(name, 4)
    snapshot = _snapshot(bench)
    assert snapshot.orders == (OpenOrder(name, f"v{name}", BTC, Side.BUY, 10, 4, bench.order(name).state),)
    assert snapshot.net_contracts == ((BTC, 4),)
    assert snapshot.fills == (KnownFill(BTC, fill.trade_id, 4, fill.at_ns),)
    assert (snapshot.request_id, snapshot.fills_count, snapshot.fills_since_ns) == ("r1", 1, 0)


def test_the_ledger_is_asked_behind_every_fill(bench: OmsBench) -> None:
    bench.fill(bench.opened())
    _snapshot(bench)
    assert [type(m) for m in bench.published[-2:]] == [Fill, LedgerSnapshotRequest]


def test_only_fills_that_were_asked_for_are_named(bench: OmsBench) -> None:
    name = bench.opened()
    bench.fill(name, 4)
    bench.advance(10)
    later = bench.fill(name, 4)
    snapshot = _snapshot(bench, bench.now_ns)
    assert [fill.trade_id for fill in snapshot.fills] == [later.trade_id]
    assert snapshot.fills_since_ns == bench.now_ns


def test_a_snapshot_says_from_where_on_its_fills_are_complete() -> None:
    bench = OmsBench(OmsSettings(fills_kept=100))
    name = bench.opened(contracts=1_000)
    for _ in range(201):
        bench.advance(1)
        last_forgotten = bench.now_ns - 100
        bench.fill(name, 1)
    snapshot = _snapshot(bench)
    assert snapshot.fills_since_ns == last_forgotten
    assert min(fill.at_ns for fill in snapshot.fills) > snapshot.fills_since_ns


def test_another_accounts_question_is_not_answered(bench: OmsBench) -> None:
    bench.tell(OrdersSnapshotRequest("hedge", "r1"))
    assert (bench.replies, bench.published) == ([], [])
