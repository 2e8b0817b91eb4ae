"""Fills and equity of a run as Parquet, for notebooks; units are those of the record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from actors.backtest.record import EquityPoint, FillPoint, RunRecord

__all__ = ["write_tables"]

TYPES: dict[str, tuple[str, Any]] = {
    "int": ("BIGINT", np.int64),
    "str": ("VARCHAR", object),
    "bool": ("BOOLEAN", np.bool_),
}


def write_tables(record: RunRecord, folder: Path) -> list[Path]:
    """Write `fills.parquet` and `equity.parquet`; nothing when duckdb (extra `data`) is not installed.

    The reasons of a fill are JSON text. Profit by symbol and strategy is a column each: `pnl_usdt:NAME`.
    """
    try:
        import duckdb
    except ImportError:
        return []
    written = []
    tables = (
        ("fills", _columns(FillPoint, record.fills)),
        ("equity", _columns(EquityPoint, record.equity) + _shares(record)),
    )
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, columns in tables:
            arrays = {f"c{index}": values for index, (_, _, values) in enumerate(columns)}
            connection.register("arrays", arrays)
            chosen = ", ".join(
                f'CAST(c{index} AS {kind}) AS "{title.replace(chr(34), "")}"'
                for index, (title, kind, _) in enumerate(columns)
            )
            path = folder / f"{name}.parquet"
            table = connection.sql(f"SELECT {chosen} FROM arrays")
            table.write_parquet(str(path), compression="zstd")
            connection.unregister("arrays")
            written.append(path)
    return written


def _columns(kind: type[msgspec.Struct], rows: Sequence[Any]) -> list[tuple[str, str, Any]]:
    """Return (name, SQL type, values) of every plain field, and of `reasons` as JSON."""
    found = []
    for field in msgspec.structs.fields(kind):
        name = field.name
        known = TYPES.get(getattr(field.type, "__name__", ""))
        if known is not None:
            found.append((name, known[0], np.array([getattr(row, name) for row in rows], known[1])))
        elif name == "reasons":
            found.append((name, "VARCHAR", _texts(rows, _reasons)))
    return found


def _shares(record: RunRecord) -> list[tuple[str, str, Any]]:
    found = []
    for index, name in enumerate(record.symbols):
        values = np.array([point.pnl_usdt_by_symbol[index] for point in record.equity], np.int64)
        found.append((f"pnl_usdt:{name}", "BIGINT", values))
    for index, name in enumerate(record.strategies):
        values = np.array([point.pnl_usdt_by_strategy[index] for point in record.equity], np.int64)
        found.append((f"pnl_usdt:{name}", "BIGINT", values))
    return found


def _texts(rows: Sequence[Any], told: Callable[[Any], str]) -> Any:
    return np.array([told(row) for row in rows], object)


def _reasons(fill: FillPoint) -> str:
    return msgspec.json.encode({reason.name: reason.value for reason in fill.reasons}).decode()
