"""Lets the faults of a run happen, and ends them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from actors.deployment.fault_kinds import EXCHANGE_KINDS, HAND_KINDS
from actors.exchange.server import faults as exchange_faults
from actors.messages.control import Halt, HaltLevel, Resume
from actors.runtime.cell import CellState
from actors.runtime.errors import NodeStopped
from actors.runtime.messages import Message
from actors.runtime.wire_faults import LINE_KINDS, LineFault
from actors.simulation.by_hand import strike_by_hand
from actors.simulation.exchange_side import ExchangeSide
from actors.simulation.faults import Fault
from actors.simulation.world import SimulatedWorld

__all__ = ["Striker"]

MS_NS = 1_000_000
MILLION = 1_000_000
SECOND_NS = 1_000_000_000
ENDLESS = 1 << 40
BLIND_NS = 4_000_000_000  # longer than two steps of a trader
SWEEP_NS = 230_000_000
HALTED_AWAY_NS = 300_000_000


class Striker:
    """Keeps an appointment with the world for each fault."""

    def __init__(self, world: SimulatedWorld, far: ExchangeSide | None, faults: Sequence[Fault]) -> None:
        self._world = world
        self._far = far
        self._start_ns = world.now_ns
        self._ends: dict[int, Callable[[], None]] = {}
        self.on_end: list[Callable[[], None]] = []  # told when a fault is over
        for fault in faults:
            if fault.kind in LINE_KINDS:
                self._on_line(fault, self._start_ns)
            world.after(fault.at_ms * MS_NS, lambda fault=fault: self._begin(fault))  # type: ignore[misc]

    def strike(self, fault: Fault) -> None:
        """Let a fault begin now; its `at_ms` says nothing."""
        if fault.kind in LINE_KINDS:
            self._on_line(fault, self._world.now_ns - fault.at_ms * MS_NS)
        self._begin(fault)

    def end_all(self) -> None:
        """End what still goes on."""
        for number in list(self._ends):
            self._end(number)

    def _end(self, number: int) -> None:
        end = self._ends.pop(number, None)
        if end is not None:
            end()
            for tell in self.on_end:
                tell()

    def _on_line(self, fault: Fault, start_ns: int) -> None:
        begin = start_ns + fault.at_ms * MS_NS
        until = begin + fault.for_ms * MS_NS
        window = LineFault(fault.number, fault.kind, begin, until, fault.share_ppm, fault.value * MS_NS)
        self._world.wire.faults.add(window)

    def _begin(self, fault: Fault) -> None:
        if fault.kind in EXCHANGE_KINDS:
            if self._far is not None:
                self._on_exchange(fault, self._far)
        elif fault.kind in HAND_KINDS:
            if self._far is not None:
                end = strike_by_hand(fault, self._far, self._world.now_ns)
                if end is not None:
                    self._ends[fault.number] = partial(end, self._world)
        elif fault.kind == "refuse":
            self._world.wire.cut()
        elif fault.kind not in LINE_KINDS:
            getattr(self, f"_{fault.kind}")(fault)
        if fault.number in self._ends:
            self._world.after(fault.for_ms * MS_NS, lambda: self._end(fault.number))

    # -- the far side --------------------------------------------------------------------------------

    def _on_exchange(self, fault: Fault, far: ExchangeSide) -> None:
        if fault.kind == "venue_sweep":
            self._sweep(fault, far)
            return
        every = max(1, round(MILLION / max(1, fault.share_ppm)))
        kind = fault.kind
        rules = {
            "venue_error": [exchange_faults.Fault(kind="http_error", status=503, code=503, every=every)],
            "venue_storm": [exchange_faults.Fault(kind="rate_limit", every=every)],
            "venue_maintenance": [exchange_faults.Fault(kind="maintenance")],
            "venue_key": [
                exchange_faults.Fault(kind="revoke_key", account=one.account)
                for one in far.core.settings.accounts
            ],
            "venue_frozen": [exchange_faults.Fault(kind="freeze_prices")],
            "venue_gap": [exchange_faults.Fault(kind="gap", every=every)],
            "venue_mute": [exchange_faults.Fault(kind="mute", channel=fault.target, every=every)],
            "venue_skew": [exchange_faults.Fault(kind="skew", skew_ms=fault.value)],
            "venue_reject": [exchange_faults.Fault(kind="reject_after_answer", every=every)],
            "venue_lag": [exchange_faults.Fault(kind="lag", delay_ms=fault.value)],
            "venue_paused": [
                exchange_faults.Fault(kind="symbol_status", symbol=symbol) for symbol in far.core.views
            ],
        }[kind]
        added = [far.core.faults.add(rule).id for rule in rules]

        def end() -> None:
            for number in added:
                far.core.faults.remove(number)

        self._ends[fault.number] = end

    def _sweep(self, fault: Fault, far: ExchangeSide) -> None:
        going = [True]

        def again() -> None:
            if going:
                far.sweep(self._world.now_ns)
                self._world.after(SWEEP_NS, again)

        self._ends[fault.number] = going.clear
        again()

    # -- the node ------------------------------------------------------------------------------------

    def _kill(self, fault: Fault) -> None:
        self._kill_for(fault.for_ms * MS_NS)

    def _power_cut(self, fault: Fault) -> None:
        self._kill_for(fault.for_ms * MS_NS, power_cut=True)

    def _kill_for(self, away_ns: int, *, power_cut: bool = False) -> None:
        world = self._world
        if not world.ended:
            world.away_ns = away_ns
            world.crash(power_cut=power_cut)

    def _kill_before_write(self, fault: Fault) -> None:
        self._kill_at_write(fault, False)

    def _kill_after_write(self, fault: Fault) -> None:
        self._kill_at_write(fault, True)

    def _kill_at_write(self, fault: Fault, written: bool) -> None:
        self._world.away_ns = fault.for_ms * MS_NS
        self._world.kill_at_commit(max(1, fault.value), written=written)

    def _crash_cell(self, fault: Fault) -> None:
        node = self._world.node
        cell = node.loop.cells.get(fault.target)
        if not self._world.ended and cell is not None and cell.state is CellState.RUNNING:
            node.kill(fault.target)

    def _halt(self, fault: Fault) -> None:
        """Halt in one of three ways, by the fault's number: chances stay those of every other fault.

        A flatten is ordered because the venue has not answered for a while, so that orders are in doubt then.
        """
        scope = self._a_symbol() if fault.number % 3 == 1 else "all"
        halt = Halt(scope, HaltLevel(1 + fault.number % 3), "simulation", "a drill")
        if halt.level is HaltLevel.FLATTEN and self._far is not None:
            self._lose_sight(self._far)
            self._world.after(BLIND_NS, lambda: self._tell_risks(halt))
        else:
            self._tell_risks(halt)
        resume = Resume(scope, "simulation", "the drill is over")
        self._ends[fault.number] = lambda: self._tell_risks(resume)
        if fault.value:
            self._world.after(fault.value * MS_NS, lambda: self._kill_for(HALTED_AWAY_NS))

    def _lose_sight(self, far: ExchangeSide) -> None:
        """For a while the exchange takes orders and says nothing of them, nor of any other."""
        path = "/v3/trade/order"
        added = [
            far.core.faults.add(rule).id
            for rule in (
                exchange_faults.Fault(kind="lose_answer", path=path, method="POST"),
                exchange_faults.Fault(kind="http_error", path=path, method="GET", status=503, code=503),
                exchange_faults.Fault(kind="mute", channel="orders"),
            )
        ]

        def end() -> None:
            for number in added:
                if number in far.core.faults.rules:
                    far.core.faults.remove(number)

        self._world.after(BLIND_NS + SECOND_NS, end)

    def _a_symbol(self) -> str:
        """Return the scope of the first symbol that an account trades."""
        cells = self._world.node.loop.cells.values()
        symbols = [cell.name.partition("/")[2] for cell in cells if cell.kind.startswith("strategy.")]
        return "symbol/" + symbols[0] if symbols else "all"

    def halt_for_good(self, level: HaltLevel) -> None:
        """Halt everything at the end of a run, wherever that is not so already."""
        world = self._world
        cells = [] if world.ended else [c for c in world.node.loop.cells.values() if c.kind == "risk"]
        for cell in cells:
            state: Any = cell.behaviour.state
            found = state.halts.get("all")
            if found is None or found.level < level:
                self._tell_risks(Halt("all", level, "simulation", "the run is over"))
                return

    def resume_beginning(self) -> None:
        """Resume trading that a new deployment begins halted, as soon as it is."""
        world = self._world
        risks = [] if world.ended else [c for c in world.node.loop.cells.values() if c.kind == "risk"]
        states: list[Any] = [cell.behaviour.state for cell in risks if cell.is_ready]
        if len(states) < len(risks) or not risks:
            world.after(SECOND_NS, self.resume_beginning)
        elif any(state.began_halted and "all" in state.halts for state in states):
            self._tell_risks(Resume("all", "simulation", "looked at it"))

    def _tell_risks(self, message: Message) -> None:
        world = self._world
        if world.ended:
            world.after(SECOND_NS, lambda: self._tell_risks(message))
            return
        for address, cell in world.node.loop.cells.items():
            if cell.kind == "risk":
                try:
                    world.node.tell(address, message)
                except NodeStopped:
                    world.after(SECOND_NS, lambda: self._tell_risks(message))

    # -- disk and clock ------------------------------------------------------------------------------

    def _disk_fail(self, fault: Fault) -> None:
        self._world.store.fail_commits = max(1, fault.value)

    def _disk_full(self, fault: Fault) -> None:
        store = self._world.store
        store.capacity_bytes = store.used_bytes

        def end() -> None:
            store.capacity_bytes = ENDLESS

        self._ends[fault.number] = end

    def _disk_filling(self, fault: Fault) -> None:
        store = self._world.store
        store.capacity_bytes = store.used_bytes * 1_000 // 905

        def end() -> None:
            store.capacity_bytes = ENDLESS
            self._tell_risks(Resume("all", "simulation", "there is room again"))

        self._ends[fault.number] = end

    def _disk_slow(self, fault: Fault) -> None:
        self._world.write_takes_ns = fault.value * MS_NS

        def end() -> None:
            self._world.write_takes_ns = 0

        self._ends[fault.number] = end

    def _clock_step(self, fault: Fault) -> None:
        clock = self._world.node_clock
        clock.step(fault.value * MS_NS)
        self._ends[fault.number] = lambda: clock.step(-fault.value * MS_NS)

    def _clock_drift(self, fault: Fault) -> None:
        clock = self._world.node_clock
        clock.drift(fault.value)
        self._ends[fault.number] = lambda: clock.drift(0)
