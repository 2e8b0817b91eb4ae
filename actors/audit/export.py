"""What happened, row by row, for auditors: who did and decided what, in the order in which it was written.

One row is one event of the journal. Rows are made one at a time, so a million events take no more memory than
a hundred. Values of fields that are called like a secret are masked; the journal holds none to begin with.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from actors.control.event_tail import event_entry
from actors.control.journal_reader import JournalReader
from actors.runtime.journal import Entry, TurnRecord

__all__ = [
    "COLUMNS",
    "TOPICS",
    "Column",
    "event_type",
    "export_rows",
    "topic_of",
    "write_jsonl",
    "write_parquet",
]


class Column(NamedTuple):
    """One column of the export."""

    name: str
    kind: str  # of DuckDB and Parquet
    meaning: str


COLUMNS = (
    Column("sequence", "BIGINT", "number of the event in the journal, from 1"),
    Column("turn", "BIGINT", "number of the turn that wrote it; events of a turn became durable together"),
    Column("at_ns", "BIGINT", "instant of the turn, UTC nanoseconds"),
    Column("at", "VARCHAR", "the same as text, `2026-01-31T12:00:00.123456789Z`"),
    Column("epoch", "INTEGER", "which start of the node wrote it, from 1"),
    Column("generation", "INTEGER", "which configuration was in force, from 1; grows when its hash changes"),
    Column(
        "configuration_hash",
        "VARCHAR",
        "SHA-256 of everything the deployment said at its start; empty once it was changed running",
    ),
    Column("topic", "VARCHAR", "what the event is about, see the topics"),
    Column("type", "VARCHAR", "the event's type"),
    Column("actor", "VARCHAR", "address of the actor that wrote it; `node` for the node itself"),
    Column("cause", "BIGINT", "sequence of the event that led to it; 0 when it came from outside"),
    Column("who", "VARCHAR", "person or rule on whose word it happened, where somebody's was needed"),
    Column("strategy", "VARCHAR", "address of the strategy"),
    Column("symbol", "VARCHAR", "symbol at the venue"),
    Column("intent_id", "VARCHAR", "the wish behind an order"),
    Column("client_order_id", "VARCHAR", "our id of an order"),
    Column("venue_order_id", "VARCHAR", "the venue's id of an order"),
    Column("trade_id", "VARCHAR", "the venue's id of a fill"),
    Column("reason", "VARCHAR", "why, in words: of a signal, a denial, a halt, a resolution, a command"),
    Column("fields", "VARCHAR", "all fields of the event, as JSON; prices ticks, money 1e-8 USDT"),
)

TOPICS = {
    "deployment": "starts and stops, code version, configuration hash; actors that failed or came back",
    "approval": "changes of limits: who, why, until when",
    "operator": "commands over the control socket: who asked for what, with the user id of the process",
    "signal": "decisions of strategies, with their reasons",
    "decision": "what risk allowed and denied, with rule, measured value and limit",
    "order": "orders, from submission to their end, amends, parents, anomalies",
    "fill": "fills, as the OMS applied and the ledger booked them",
    "money": "account opened, funding, corrections of cash, days",
    "halt": "halts latched and released, the reconciler's gate",
    "resolution": "what was settled on evidence: unknown orders, corrected and adopted positions",
    "other": "everything else; only with `--all`",
}

BY_TYPE = {
    **dict.fromkeys(("NodeStarted", "NodeStopping", "ActorFailed", "ActorRestarted"), "deployment"),
    **dict.fromkeys(("ActorStopped", "SupervisorExhausted", "NodeReshaped"), "deployment"),
    **dict.fromkeys(("CanaryBegan", "CanaryEnded"), "deployment"),
    "OperatorCommanded": "operator",
    "SignalDecided": "signal",
    **dict.fromkeys(("IntentAllowed", "IntentDenied", "IntentShrunk"), "decision"),
    **dict.fromkeys(("BreachNoted", "LossDayNoted"), "decision"),
    **dict.fromkeys(("OrderFillApplied", "FillBooked", "FillSetAside", "PositionLiquidated"), "fill"),
    **dict.fromkeys(("AccountOpened", "FundingBooked", "CashAdjusted", "DayStarted"), "money"),
    **dict.fromkeys(("HaltLatched", "HaltReleased", "LatchTaken", "GateMoved"), "halt"),
    **dict.fromkeys(("FlattenStarted", "FlattenEnded"), "halt"),
    **dict.fromkeys(("OrderResolved", "DifferenceResolved", "AnomaliesSettled"), "resolution"),
    **dict.fromkeys(("PositionCorrected", "PositionAdopted", "OrderAdopted"), "resolution"),
    **dict.fromkeys(("OrderBooked", "OrderUnbooked", "RestingOrderExecuted", "FeedNoted"), "other"),
    **dict.fromkeys(("OrderProgressed", "OrderFinished", "EquityPeakRaised"), "other"),
}
# Types that came later: by the first of these words that is in their name.
BY_WORD = (
    *((word, "approval") for word in ("Limit", "Approv", "Loosen", "Tighten")),
    ("Halt", "halt"),
    ("Resol", "resolution"),
    *((word, "order") for word in ("Order", "Cancel", "Amend", "Parent", "Child", "Trail", "Exit")),
    ("Replacement", "order"),
)
OF_PEOPLE = frozenset({"approval", "operator", "order", "money", "halt", "resolution"})
WHO = ("who", "approved_by", "requested_by", "actor")
REASONS = ("why", "reason", "evidence", "error", "detail")
STARTED, RESHAPED = "NodeStarted", "NodeReshaped"
CSV_OPTIONS = "quote = '\"', escape = '\"', max_line_size = 16777216, nullstr = '\\0'"
ARRAY_16 = 0xDC  # MessagePack: an array of more than 15 items
STRING_8 = 0xD9


def topic_of(kind: str) -> str:
    """Return the topic of an event's type."""
    found = BY_TYPE.get(kind)
    return found or next((topic for word, topic in BY_WORD if word in kind), "other")


def export_rows(
    reader: JournalReader,
    from_sequence: int = 1,
    to_sequence: int = 0,
    topics: frozenset[str] = frozenset(TOPICS) - {"other"},
) -> Iterator[dict[str, Any]]:
    """Yield the rows of these topics. `fields` is still a dict. Errors: JournalError."""
    starts = _Starts()
    last = to_sequence or reader.last_sequence
    wanted: dict[str, bool] = {}
    if from_sequence > 1:
        for record in _started_before(reader, from_sequence):
            starts.take_record(record, reader, from_sequence)
    for first, raw in reader.raw_records(from_sequence):
        if first > last:
            return
        record = reader.decode(raw)
        for index, entry in enumerate(record.entries):
            sequence = first + index
            if not from_sequence <= sequence <= last:
                continue
            kind = event_type(entry)
            if kind in (STARTED, RESHAPED):
                starts.take(kind, event_entry(record, index, reader.names)["fields"])
            if kind not in wanted:
                wanted[kind] = topic_of(kind) in topics
            if wanted[kind]:
                yield _row(event_entry(record, index, reader.names), starts)


class _Starts:
    """Which start and which configuration an event belongs to."""

    def __init__(self) -> None:
        self.epoch = self.generation = 0
        self.configuration_hash = ""

    def take(self, kind: str, fields: dict[str, Any]) -> None:
        """A node started, or its configuration changed while it ran; the next start says that one's hash."""
        if kind == RESHAPED:
            self.generation += 1
            self.configuration_hash = ""
            return
        said = str(fields.get("configuration_hash", ""))
        is_known = self.epoch and not self.configuration_hash  # it was counted when it came into force
        self.epoch = int(fields.get("epoch", 0))
        if said != self.configuration_hash and not is_known:
            self.generation += 1
        self.configuration_hash = said

    def take_record(self, record: TurnRecord, reader: JournalReader, before: int) -> None:
        """Take the starts of a record that are before a sequence."""
        for index, entry in enumerate(record.entries):
            kind = event_type(entry)
            if kind in (STARTED, RESHAPED) and record.first_sequence + index < before:
                self.take(kind, event_entry(record, index, reader.names)["fields"])


def _started_before(reader: JournalReader, sequence: int) -> Iterator[TurnRecord]:
    for first, raw in reader.raw_records():
        if first >= sequence:
            return
        if STARTED.encode() in raw or RESHAPED.encode() in raw:
            yield reader.decode(raw)


def event_type(entry: Entry) -> str:
    """Return the type's name of an event: the first item of a MessagePack array."""
    raw = bytes(entry.event)
    start = 3 if raw[0] == ARRAY_16 else 1
    if raw[start] == STRING_8:
        return raw[start + 2 : start + 2 + raw[start + 1]].decode()
    return raw[start + 1 : start + 1 + (raw[start] & 0x1F)].decode("utf-8", "replace")


def _row(event: dict[str, Any], starts: _Starts) -> dict[str, Any]:
    fields = event["fields"]
    flat = dict(fields)
    for nested in ("intent", "request", "report"):
        inner = flat.get(nested)
        if isinstance(inner, dict):
            flat = {**inner, **flat}
    topic, denied = topic_of(event["type"]), ""
    if "rule" in flat and "measured" in flat:
        denied = f"{flat['rule']}: {flat['measured']} against {flat.get('limit')}"
    row = {
        **{name: event[name] for name in ("sequence", "turn", "at_ns")},
        "at": _instant(event["at_ns"]),
        "epoch": starts.epoch,
        "generation": starts.generation,
        "configuration_hash": starts.configuration_hash,
        "topic": topic,
        **{name: event[name] for name in ("type", "actor", "cause")},
        "who": _first(flat, WHO) if topic in OF_PEOPLE else "",
        **{name: _text(flat.get(name)) for name in ("strategy", "symbol", "intent_id", "client_order_id")},
        **{name: _text(flat.get(name)) for name in ("venue_order_id", "trade_id")},
        "reason": denied or _first(flat, REASONS),
        "fields": fields,
    }
    if topic == "signal":
        row["strategy"] = event["actor"]
    return row


def _first(fields: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _text(fields.get(name)))), "")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _instant(at_ns: int) -> str:
    whole, part = divmod(at_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{part:09d}Z"


def write_jsonl(rows: Iterator[dict[str, Any]], out: IO[str]) -> int:
    """Write one JSON object a line; return how many."""
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007  (the last number is the count)
        out.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
    return count


def write_parquet(rows: Iterator[dict[str, Any]], target: Path) -> int:
    """Write a Parquet file, by way of a CSV file beside it; return how many rows. Errors: OSError."""
    import duckdb

    aside, result = target.with_name(target.name + ".csv.part"), target.with_name(target.name + ".part")
    try:
        with aside.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow([column.name for column in COLUMNS])
            count = 0
            for count, row in enumerate(rows, 1):  # noqa: B007
                row["fields"] = json.dumps(row["fields"], ensure_ascii=False, default=str)
                table.writerow([row[column.name] for column in COLUMNS])
        with duckdb.connect() as database:
            database.execute("SET memory_limit = '256MB'; SET threads = 1")
            columns = {column.name: column.kind for column in COLUMNS}
            source = f"SELECT * FROM read_csv(?, header = true, columns = {columns}, {CSV_OPTIONS})"
            options = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)"
            database.execute(f"COPY ({source}) TO {_quoted(str(result))} {options}", [str(aside)])
        result.replace(target)
        return count
    finally:
        aside.unlink(missing_ok=True)
        result.unlink(missing_ok=True)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
