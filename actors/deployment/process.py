"""The node's process: a topology becomes a running node, reachable by its operators, until it is stopped."""

from __future__ import annotations

import errno
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from actors import __version__
from actors.deployment.applying import Applier
from actors.deployment.assemble import assemble, open_store
from actors.deployment.beginning import first_generation
from actors.deployment.canary.keeper import CanaryKeeper
from actors.deployment.configuring import ConfigurationDesk
from actors.deployment.dead_man import Orphan
from actors.deployment.direct_plan import plan_of
from actors.deployment.faults import ConfigError
from actors.deployment.finish import Finish
from actors.deployment.generations import Generations
from actors.deployment.latches import LatchWatch
from actors.deployment.latches import keep_looking as keep_looking_at_latch
from actors.deployment.parity_worker import ParityPump
from actors.deployment.secret_values import CONTROL, SecretsMissing, anchor_signer, keep_secrets
from actors.deployment.self_watch import alert_of, end_strays, held_by_node, watched_beat
from actors.deployment.stored import keep_markets
from actors.deployment.topology import Topology
from actors.deployment.units import UnitsChanged
from actors.drills.node_faults import NodeFaults
from actors.messages.parity import PARITY_PORT
from actors.runtime.beat import Beat
from actors.runtime.cell import CellSpec
from actors.runtime.clock import Clock, SystemClock, VirtualClock, monotonic_ns
from actors.runtime.disk_watch import DiskWatch, keep_looking, lack_of_room
from actors.runtime.errors import (
    EventsArchived,
    JournalError,
    JournalFull,
    JournalInUse,
    JournalNotUnderstood,
)
from actors.runtime.messages import Severity
from actors.runtime.pumps.http import HttpPump
from actors.runtime.pumps.mail import MailPump
from actors.runtime.pumps.socket import SocketPump
from actors.runtime.pumps.thread import PumpThread
from actors.runtime.store_lmdb import LmdbStore
from actors.secrets.desk import PORT as SECRETS
from actors.secrets.desk import SecretDesk, SecretPump
from actors.secrets.keeper import SecretKeeper
from actors.secrets.port import SecretSource

__all__ = ["DISK_FULL", "JOURNAL_IN_USE", "explain", "run_node"]

SWITCH_INTERVAL_S = 50e-6  # so that helper threads never hold the loop up for long
DISK_FREE_BYTES_MIN = 256 << 20
CONTROL_AFTER_NS = 300_000_000  # first decisions first: the control API's imports can wait that long
NOT_UNDERSTOOD = (
    f"help: polytrade {__version__} cannot go on from this journal, and has left it to the release that "
    "wrote it last (`polytrade journal ls` names it): start that one again; docs/upgrade.md"
)
CONFIGURATION, JOURNAL_IN_USE, DISK_FULL, JOURNAL_VERSION = 3, 6, 7, 15  # exit codes


def run_node(
    topology: Topology, beat: Callable[[], bool], source: SecretSource | None = None, run: str = ""
) -> int:
    """Run a deployment until SIGTERM, a stop by its operators, or its own end; return the exit code.

    `source` holds its secrets; without one, it is made from what the deployment says. `run` names the
    `polytrade up` that it belongs to: what was applied to an earlier node of that holds for this one too.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        return _run_with_room(topology, beat, source, run)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"polytrade: {error.filename or topology.journal_path}: the disk is full", file=sys.stderr)
        return DISK_FULL


def _run_with_room(
    topology: Topology, beat: Callable[[], bool], source: SecretSource | None, run: str
) -> int:
    """Refuse to begin without room, as every start after a full disk would end where the one before did."""
    try:
        store = _open_with_room(topology)
    except JournalError as error:
        return explain(error)
    try:
        generations = Generations(topology.journal_path)
        now_ns = _clock(topology).now_ns()
        run = run or f"alone-{now_ns}"
        topology = first_generation(topology, generations, run, now_ns)
        keep_markets(generations, topology)
        secrets = keep_secrets(topology, source)
    except (SecretsMissing, ConfigError, ValueError, OSError) as error:
        store.close()
        print(f"polytrade: {error}", file=sys.stderr)
        return DISK_FULL if isinstance(error, OSError) else CONFIGURATION
    try:
        process = NodeProcess(topology, store, secrets, run)
    except JournalError as error:
        store.close()
        return explain(error)
    return process.run(beat)


def _open_with_room(topology: Topology) -> LmdbStore:
    fault = lack_of_room(topology.journal_path)
    if fault:
        raise JournalFull(fault)
    store = open_store(topology)
    fault = lack_of_room(topology.journal_path, store)
    if fault:
        store.close()
        raise JournalFull(fault)
    return store


def explain(error: JournalError) -> int:
    """Say what is wrong with the journal and return the exit code for it."""
    print(f"polytrade: {error}", file=sys.stderr)
    if isinstance(error, EventsArchived):
        print("help: put them back: `polytrade journal unarchive`", file=sys.stderr)
    elif isinstance(error, JournalNotUnderstood):
        print(NOT_UNDERSTOOD, file=sys.stderr)
    if isinstance(error, UnitsChanged):
        return CONFIGURATION
    if isinstance(error, JournalInUse):
        return JOURNAL_IN_USE
    if isinstance(error, JournalNotUnderstood):
        return JOURNAL_VERSION
    return DISK_FULL if isinstance(error, JournalFull) else 1


class NodeProcess:
    """Everything around the node that lives in the same process."""

    def __init__(self, topology: Topology, store: LmdbStore, secrets: SecretKeeper, run: str) -> None:
        self.topology = topology
        self.store = store
        self.secrets = secrets
        self.clock = _clock(topology)
        self.node = assemble(topology, store, self.clock, self._finish(), secrets)
        generations = Generations(topology.journal_path)
        self.applier = Applier(self.node, topology, secrets, generations, run)
        self.canaries = CanaryKeeper(self.applier, self.node, topology.canary)
        self.pumps = PumpThread()
        self.faults = NodeFaults(self.node, store, self.clock)
        self.services: list[Any] = []
        self.closers: list[Callable[[], None]] = []

    def run(self, beat: Callable[[], bool]) -> int:
        """Start, serve, stop."""
        node = self.node
        signal.signal(signal.SIGTERM, lambda *_: node.request_stop())
        node.loop.pumps["http"] = HttpPump(self.pumps, node.deliver_from_outside)
        node.loop.pumps["socket"] = SocketPump(self.pumps, node.deliver_from_outside, self.clock)
        node.loop.pumps["mail"] = MailPump(self.pumps, node.deliver_from_outside)
        node.loop.pumps[SECRETS] = self._secret_pump()
        node.loop.pumps[PARITY_PORT] = self._parity_pump()
        self._start_logs()
        self._start_tape()
        silent_ns = self.clock.now_ns() - node.journal.at_ns
        try:
            node.start()
            self._log_start()
            self.applier.begun()
            end_strays(node)
            keep_looking_at_latch(self._latch_watch(), node)
            self._watch_disk()
            self._watch_backups()
            self._sync_in_time()
            self._start_anchors()
            self._watch_chain()
            self._keep_canaries()
            node.act_later(CONTROL_AFTER_NS, self._start_control)
            node.run(beat=self._watched(beat, silent_ns))
        except JournalError as error:
            return explain(error)
        finally:
            for service in reversed(self.services):
                service.stop()
            for close in self.closers:
                close()
            self.pumps.stop()
        return 1 if node.ended else 0

    def _watched(self, beat: Callable[[], bool], silent_ns: int) -> Callable[[], bool]:
        """Return a beat that the heart hears, and that sees what is wrong with the node itself."""
        orphan = Orphan(plan_of(self.topology), beat)
        if isinstance(self.clock, VirtualClock):
            return orphan
        death = beat.death if isinstance(beat, Beat) else None
        watch = watched_beat(self.node, self.topology.watch, orphan, death, silent_ns)
        if not isinstance(beat, Beat):
            return watch
        beat.tick = watch.tick  # it reads the stopwatch as it is
        return orphan

    def _finish(self) -> tuple[CellSpec, ...]:
        """A run over recorded data on a virtual clock ends with its data."""
        replays = tuple(plan.address for plan in self.topology.actors if plan.kind == "feed.replay")
        if not (replays and isinstance(self.clock, VirtualClock)):
            return ()
        make = partial(Finish, len(replays), lambda: self.node.request_stop())
        return (CellSpec("finish", make, reads=replays),)

    def _parity_pump(self) -> ParityPump:
        pump = ParityPump(self.topology, self.node.deliver_from_outside)
        self.closers.append(pump.stop)
        return pump

    def _secret_pump(self) -> SecretPump:
        pump = SecretPump(SecretDesk(self.secrets), self.node.deliver_from_outside)
        self.services.append(pump)
        return pump

    def _start_logs(self) -> None:
        from actors.control.logs import NodeLog

        log = NodeLog(self.topology.journal_path / "log", turn=lambda: self.node.journal.turn)
        log.watch(self.node)
        self.services.append(log)

    def _start_tape(self) -> None:
        """Write down every message that enters the loop, when the deployment asks for it."""
        if self.topology.journal.tape:
            from actors.runtime.tape import Tape

            tape = Tape(self.topology.journal_path / "tape")
            self.node.loop.tape = tape
            self.closers.append(tape.close)

    def _log_start(self) -> None:
        node = self.node
        fields: dict[str, object] = {
            "deployment": self.topology.deployment,
            "mode": self.topology.mode,
            "epoch": node.journal.epoch,
            "events_folded": node.events_folded,
            "recovery_ms": node.recovery_ns // 1_000_000,
        }
        node.loop.log_sink("node", "node started", fields, 0)

    def _keep_canaries(self) -> None:
        if not isinstance(self.clock, VirtualClock):
            self.canaries.start()
            self.services.append(self.canaries)

    def _start_control(self) -> None:
        """Serve the control API from a thread of its own; importing its libraries takes a while."""
        from actors.control.server import ControlServer

        configuration = ConfigurationDesk(self.applier, self.canaries)
        faults = self.faults if self.topology.control.faults else None
        server = ControlServer(
            self.node, self.topology, self.pumps, self._halt_token(), configuration, faults
        )
        self.services.append(server)
        threading.Thread(target=server.start, name="control", daemon=True).start()

    def _halt_token(self) -> Callable[[], str] | None:
        """Return what gives the token that halts are signed with; None when nobody may halt over HTTP."""
        reference = self.topology.control.http.halt_token
        if not reference:
            return None
        return lambda: self.secrets.values_of(CONTROL).get(reference, "")

    def _latch_watch(self) -> LatchWatch:
        was_damaged = "HaltLatchDamaged" in held_by_node(self.node)
        return LatchWatch(self.topology.journal_path, self.node, was_damaged)

    def _watch_disk(self) -> None:
        watch = DiskWatch(
            self.store,
            self.topology.journal_path,
            free_bytes_min=DISK_FREE_BYTES_MIN,
            action="reduce_only",
            tell=self.node.note,
            free_bytes=self.faults.free_bytes,
            was_low="DiskFilling" in held_by_node(self.node),
        )
        keep_looking(watch, self.node)

    def _watch_backups(self) -> None:
        within_ns = self.topology.journal.backup_within
        if within_ns:
            from actors.deployment.backup_watch import BackupWatch, keep_looking

            keep_looking(BackupWatch(self.topology.journal_path, within_ns, self.node.note), self.node)

    def _sync_in_time(self) -> None:
        if self.topology.journal.durability == "process":
            every_s = self.topology.journal.sync_interval / 1e9
            self.services.append(_Syncer(self._sync, every_s))

    def _sync(self) -> None:
        began = monotonic_ns()
        self.store.sync()
        self.node.loop.counters.synced(monotonic_ns() - began)

    def _start_anchors(self) -> None:
        """Keep the head of the chain outside the journal, when the deployment asks for it."""
        if self.topology.anchors_path is None:
            return
        from actors.runtime.anchors import Anchoring, keep_anchoring

        node = self.node
        anchoring = Anchoring(
            self.store,
            self.topology.anchors_path,
            lambda fact: node.loop.call(lambda: node.note(fact)),
            anchor_signer(self.topology, self.secrets.source),
            "AnchorsFailing" in held_by_node(node),
        )
        keep_anchoring(anchoring, node, self.topology.journal.anchor_every)
        self.closers.append(lambda: anchoring.take(node.journal, node.now_ns))
        self.closers.append(anchoring.close)

    def _watch_chain(self) -> None:
        """Have the chain proven, as far as there is one: a run over history is proven by running it again."""
        every_ns, node = self.topology.watch.chain_every, self.node
        if not every_ns or isinstance(self.clock, VirtualClock):
            return
        from actors.deployment.chain_watch import ChainWatch

        def tell(broken: str) -> None:
            node.loop.call(lambda: alert_of(node, "ChainBroken", Severity.PAGE).look(broken, node.now_ns))

        folder, anchors = self.topology.journal_path, self.topology.anchors_path
        self.services.append(ChainWatch(folder, anchors, node.journal.sequence, every_ns / 1e9, tell))


class _Syncer:
    """Syncs the disk now and then, beside the loop, when commits do not."""

    def __init__(self, sync: Callable[[], None], every_s: float) -> None:
        self._sync = sync
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-sync", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(self._every_s):
            self._sync()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(5.0)


def _clock(topology: Topology) -> Clock:
    if topology.clock.kind == "virtual":
        return VirtualClock(topology.clock_start_ns or 0)
    return SystemClock()
