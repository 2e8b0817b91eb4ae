"""Measures the gap in a process of its own: with little priority, and never in the way of a loop.

`python -m actors.deployment.parity_worker` reads a topology and a request from stdin, as the node wrote them,
and writes one answer to stdout.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable

import msgspec

from actors.deployment.topology import Topology
from actors.messages.parity import MeasureParity, ParityFailed, ParityMeasured
from actors.runtime.clock import monotonic_ns
from actors.runtime.messages import Message

__all__ = ["ParityPump", "answer_of"]

NICENESS = 15
REASON_CHARS_MAX = 500


class ParityPump:
    """The node's side: starts a worker per request and brings its answer to whoever asked."""

    def __init__(self, topology: Topology, deliver: Callable[[str, Message], None]) -> None:
        self._topology = topology
        self._deliver = deliver
        self._workers: set[subprocess.Popen[bytes]] = set()
        self._is_over = False

    def put(self, message: Message, address: str) -> None:
        """See Pump. Returns at once."""
        if isinstance(message, MeasureParity):
            threading.Thread(target=self._run, args=(message, address), name="parity", daemon=True).start()

    def stop(self) -> None:
        """End what is running."""
        self._is_over = True
        for worker in list(self._workers):
            worker.kill()

    def _run(self, request: MeasureParity, address: str) -> None:
        try:
            said = self._ask(request)
            answer: Message = msgspec.msgpack.decode(said, type=ParityMeasured | ParityFailed)
        except (OSError, subprocess.TimeoutExpired, msgspec.MsgspecError) as error:
            answer = ParityFailed(request.request_id, f"{type(error).__name__}: {error}"[:REASON_CHARS_MAX])
        if not self._is_over:
            self._deliver(address, answer)

    def _ask(self, request: MeasureParity) -> bytes:
        command = [sys.executable, "-m", "actors.deployment.parity_worker"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
            self._workers.add(worker)
            try:
                given = pickle.dumps((self._topology, request))
                return worker.communicate(given, timeout=request.timeout_ns / 1e9)[0]
            finally:
                self._workers.discard(worker)
                worker.kill()


def answer_of(topology: Topology, request: MeasureParity) -> ParityMeasured | ParityFailed:
    """Return the answer to a request; whatever goes wrong is one, too."""
    from actors.deployment.parity import Model, measure

    began = monotonic_ns()
    model = Model(
        request.latency_ns, request.taker_fee_e8, request.maker_fee_e8, request.slippage_e8, request.queue
    )
    try:
        found = measure(topology, model, request.from_ns, request.to_ns)
    except (
        Exception
    ) as error:  # of whatever the code of a strategy does under the model: it is told, not hidden
        reason = f"{type(error).__name__}: {error}"
        return ParityFailed(request.request_id, reason[:REASON_CHARS_MAX])
    return ParityMeasured(
        request_id=request.request_id,
        from_ns=request.from_ns,
        to_ns=request.to_ns,
        **msgspec.structs.asdict(found.parts),
        latency_ns_measured=found.latency_ns_measured,
        took_ns=monotonic_ns() - began,
    )


def main() -> None:
    """Answer one request."""
    os.nice(NICENESS)
    topology, request = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer_of(topology, request)))


if __name__ == "__main__":
    main()
