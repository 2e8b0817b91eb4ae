"""The node's log: one JSON object a line, written by a thread of its own, rotated by size, secrets masked.

Each line has `at`, `level`, `event`, `actor`, `turn`, `cause` and the fields of the event. `turn` and `cause`
are numbers of the journal, so a line leads to what was decided, and from there to why.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import time
import traceback
from collections.abc import Callable
from io import BufferedWriter, FileIO, TextIOWrapper
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from typing import Any

from actors.control.fields import masked, plain
from actors.runtime.cell import Cell
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.ports import Guardian

__all__ = ["LOG_FILE", "JsonLines", "NodeLog"]

LOG_FILE = "node.jsonl"
FILE_BYTES_MAX = 16 << 20
FILES_KEPT = 8
WAITING_MAX = 10_000  # lines; past this lines are dropped and counted, the loop never waits for a disk
STOP_TIMEOUT_S = 5.0
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
OWN_KEYS = frozenset({"at", "level", "event", "actor", "turn", "cause"})


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line = {
            "at": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.created % 1 * 1e6):06d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "actor": getattr(record, "actor", ""),
            "turn": getattr(record, "turn", 0),
            "cause": getattr(record, "cause", 0),
        }
        fields = masked(getattr(record, "fields", {}))
        line.update({f"{name}_" if name in OWN_KEYS else name: value for name, value in fields.items()})
        if record.exc_info:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, default=plain, ensure_ascii=False)

    converter = staticmethod(time.gmtime)  # local time has no place in a log that machines read


class _PrivateFile(RotatingFileHandler):
    """A rotated file that only its owner reads."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return TextIOWrapper(BufferedWriter(FileIO(descriptor, "ab")), encoding=self.encoding)


class _BoundedHandler(QueueHandler):
    """Hands records to the writing thread as they are; drops them, counted, when it cannot keep up."""

    dropped_count = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record  # formatted by the writing thread

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped_count += 1


class _PatientListener(QueueListener):
    """The writing thread; the word to end goes behind everything that waits, however full the queue is."""

    def enqueue_sentinel(self) -> None:
        with contextlib.suppress(queue.Full):
            self.queue.put(self._sentinel, timeout=STOP_TIMEOUT_S)  # type: ignore[attr-defined]


class NodeLog:
    """Writes a node's log into a folder. `sink` is what the loop calls for every line of an actor."""

    def __init__(self, directory: Path, level: str = "info", *, turn: Callable[[], int] = lambda: 0) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = directory / LOG_FILE
        file = _PrivateFile(
            self.path, maxBytes=FILE_BYTES_MAX, backupCount=FILES_KEPT, encoding="utf-8", delay=True
        )
        file.setFormatter(JsonLines())
        self._handler = _BoundedHandler(queue.Queue(WAITING_MAX))
        self._listener = _PatientListener(self._handler.queue, file)
        self._file = file
        self._turn = turn
        self.logger = logging.Logger("polytrade", LEVELS[level])
        self.logger.addHandler(self._handler)
        # What libraries have to say (asyncio, aiohttp) belongs into the same file, from warnings on.
        logging.getLogger().addHandler(self._handler)
        self._listener.start()

    @property
    def dropped_count(self) -> int:
        """Lines that were dropped because the disk could not keep up."""
        return self._handler.dropped_count

    def watch(self, node: Node) -> None:
        """Take the lines of a node's actors, its failures with their tracebacks, and the turn's number."""
        self._turn = lambda: node.journal.turn
        node.loop.log_sink = self.sink
        if node.loop.guardian is not None:
            node.loop.guardian = _WatchedGuardian(node.loop.guardian, self)

    def sink(self, actor: str, event: str, fields: dict[str, object], cause: int) -> None:
        """Write one line. A field `level` sets its level: debug, info, warning or error."""
        level = LEVELS.get(str(fields.get("level", "info")), 20)
        if level >= self.logger.level:
            shown = {name: value for name, value in fields.items() if name != "level"}
            self._write(level, actor, event, shown, cause)

    def _write(
        self, level: int, actor: str, event: str, fields: dict[str, Any], cause: int, error: Any = None
    ) -> None:
        more = {"actor": actor, "turn": self._turn(), "cause": cause, "fields": fields}
        found = (type(error), error, error.__traceback__) if error is not None else None
        record = self.logger.makeRecord(self.logger.name, level, "", 0, event, (), found, extra=more)
        self.logger.handle(record)

    def error(self, actor: str, event: str, error: BaseException, **fields: object) -> None:
        """Write what went wrong, with its traceback."""
        self._write(LEVELS["error"], actor, event, fields, 0, error)

    def stop(self) -> None:
        """Write what waits and close the file."""
        logging.getLogger().removeHandler(self._handler)
        self._listener.stop()
        if self.dropped_count:
            fields = {"fields": {"count": self.dropped_count}}
            self._file.handle(
                self.logger.makeRecord("polytrade", 30, "", 0, "log_lines_dropped", (), None, extra=fields)
            )
        self._file.close()


class _WatchedGuardian:
    """Writes a failure down before it goes to the supervision tree."""

    def __init__(self, guardian: Guardian, log: NodeLog) -> None:
        self._guardian = guardian
        self._log = log

    def failed(self, cell: Cell, error: BaseException, item: Any, *, retried: bool) -> None:
        """See runtime.ports.Guardian."""
        kind = type(item[0]).__name__ if item is not None else ""
        self._log.error(cell.name, "actor_failed", error, message_type=kind, retried=retried)
        self._guardian.failed(cell, error, item, retried=retried)

    def cannot_keep_up(self, cell: Cell, message: Message) -> None:
        """See runtime.ports.Guardian."""
        fields: dict[str, object] = {"waiting": cell.waiting_count, "message_type": type(message).__name__}
        self._log.sink(cell.name, "actor_cannot_keep_up", {"level": "warning", **fields}, 0)
        self._guardian.cannot_keep_up(cell, message)

    def stop_asked(self, cell: Cell) -> None:
        """See runtime.ports.Guardian."""
        self._log.sink(cell.name, "actor_stop_asked", {}, 0)
        self._guardian.stop_asked(cell)
