"""Words on the command line about history: which file belongs to which symbol, and from when until when."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem

__all__ = ["instant", "market_files", "pairs", "period"]

ROLES = ("market", "funding", "mark", "trades", "book")
BESIDE = ("index", "premium")  # what a fetch writes and no run reads
INDEX = "data.json"
SUFFIXES = (".csv", ".parquet", ".pq", ".json")


def pairs(words: Iterable[str], option: str, form: str) -> dict[str, str]:
    """Return NAME=VALUE words as a dict. Errors: Problem."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Problem(ExitCode.USAGE, f"{word!r} does not fit {option}", f"write {option} {form}")
        found[name] = value
    return found


def market_files(words: Iterable[str]) -> dict[str, Any]:
    """Return each symbol's files, from SYMBOL=FILE, SYMBOL.ROLE=FILE and folders."""
    from actors.backtest.wish import MarketFiles

    found: dict[str, dict[str, str]] = {}
    for word in words:
        name, equals, path = word.partition("=")
        entries = {name: path} if equals else _folder(Path(word))
        for entry, file in entries.items():
            symbol, _, role = entry.partition(".")
            role = role or "market"
            if role not in ROLES:
                remedy = "a symbol has a market file, and beside it .funding, .mark, .trades and .book"
                raise Problem(ExitCode.USAGE, f"--data {entry}: {role!r} is no kind of file", remedy)
            if not Path(file).is_file():
                raise Problem(
                    ExitCode.NOT_FOUND, f"--data {entry}: there is no file {file!r}", "check the path"
                )
            found.setdefault(symbol, {})[role] = file
    for symbol, files in found.items():
        if "market" not in files:
            raise Problem(ExitCode.USAGE, f"--data: {symbol} has no market file", f"add --data {symbol}=FILE")
    return {symbol: MarketFiles(**files) for symbol, files in found.items()}


def _folder(folder: Path) -> dict[str, str]:
    """Return what a folder holds: by its data.json, or by names such as BTC_USDT_PERP.funding.csv."""
    if not folder.is_dir():
        remedy = "write --data SYMBOL=FILE, or name a folder with a data.json"
        raise Problem(ExitCode.NOT_FOUND, f"--data: there is no folder {str(folder)!r}", remedy)
    index = folder / INDEX
    if index.is_file():
        return _index(index)
    found = {}
    for path in sorted(folder.iterdir()):
        symbol, _, rest = path.name.partition(".")
        role = rest.removesuffix(path.suffix).strip(".")
        if path.suffix not in SUFFIXES or not symbol.isupper() or role in BESIDE:
            continue
        if path.suffix == ".json" and role != "book":
            continue
        entry = f"{symbol}.{role if role in ROLES else 'market'}"
        if entry in found:
            text = (
                f"--data: {str(folder)!r} holds two files for {entry}: {Path(found[entry]).name}, {path.name}"
            )
            raise Problem(ExitCode.USAGE, text, f"move one of them away, or write a {INDEX}")
        found[entry] = str(path)
    if not found:
        remedy = f"put a {INDEX} there, or name the files BTC_USDT_PERP.csv, BTC_USDT_PERP.funding.csv"
        raise Problem(ExitCode.NOT_FOUND, f"--data: no history in {str(folder)!r}", remedy)
    return found


def _index(path: Path) -> dict[str, str]:
    """Return the entries of {"BTC_USDT_PERP": {"market": "btc.csv", "funding": "..."}}."""
    remedy = 'write {"BTC_USDT_PERP": {"market": "btc-1m.csv", "funding": "btc-funding.csv"}}'
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise Problem(ExitCode.FAILURE, f"{path}: cannot be read: {error}", remedy) from None
    if not isinstance(content, Mapping) or not all(isinstance(one, Mapping) for one in content.values()):
        raise Problem(ExitCode.FAILURE, f"{path}: is no index of files by symbol", remedy)
    return {
        f"{symbol}.{role}": str(path.parent / str(file))
        for symbol, files in content.items()
        for role, file in files.items()
    }


def period(begin: str, end: str) -> tuple[int, int]:
    """Return the instants of --from and --to; 0 for one that was not given. Errors: Problem."""
    from_ns, to_ns = instant(begin, "--from"), instant(end, "--to")
    if from_ns and to_ns and from_ns >= to_ns:
        text = f"--from {begin} is not before --to {end}"
        raise Problem(ExitCode.USAGE, text, "the period must not be empty")
    return from_ns, to_ns


def instant(text: str, option: str) -> int:
    """Return an instant in UTC nanoseconds; 0 for an empty text. Errors: Problem."""
    from datetime import UTC, datetime

    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        remedy = "write 2025-10-01 or 2025-10-01T08:00Z; times are UTC"
        raise Problem(ExitCode.USAGE, f"{option} {text!r} is no instant", remedy) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000
