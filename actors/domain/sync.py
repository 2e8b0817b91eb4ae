"""A markets file brought up to date with what a venue lists: the new file, and what changes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from actors.domain.catalog import CatalogError
from actors.domain.evidence import with_evidence
from actors.domain.instrument import MarketKind
from actors.domain.listing import DELISTED, Difference, Listed, differences, facts, new_row, updated_row
from actors.domain.markets_file import MarketsFile, is_on_this_machine, read_markets_file

__all__ = ["SyncPlan", "confirmed", "file_differences", "plan_sync"]

MISSING_FRACTION_MAX = 2  # more than one in so many gone at once is no delisting, it is a wrong answer


@dataclass(slots=True)
class SyncPlan:
    """What a sync would do. `after` is the whole file, checked."""

    after: MarketsFile
    changes: list[Difference] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    not_added: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def plan_sync(
    file: MarketsFile, listed: Iterable[Listed], at: str, url: str, add: Collection[str] = ()
) -> SyncPlan:
    """Return the file as it will be. New perpetuals are added by themselves, other symbols by `add`.

    `at` is the instant of the answers, `url` who gave them. An exchange on this machine confirms nothing,
    lists nothing new and delists nothing.
    Errors: CatalogError when the venue's answers make no valid file; then nothing must be written.
    """
    found = {one.symbol: one for one in listed}
    source = "local" if is_on_this_machine(url) else "wire"
    _check_complete(file, found, source)
    plan = SyncPlan(file)
    rows, faults = [], []
    for row in file.rows:
        symbol = row["symbol"]
        one = found.get(symbol)
        if one is None:
            rows.append(_missing(row, source, at, url, plan))
        elif one.fault:
            faults.append(f"{symbol}: {one.fault}")
        else:
            rows.append(updated_row(row, one, at, url, source))
    has_perpetuals = any(not one.is_spot for one in file.instruments.values())
    for symbol in sorted(found.keys() - file.instruments.keys()):
        rows += _new(found[symbol], symbol in add, has_perpetuals, (at, url, source), plan)
    faults += [f"{symbol}: the venue does not list it" for symbol in add if symbol not in found]
    if faults:
        raise CatalogError(faults)
    content = {"venue": file.venue, "as_of": at, "synced_from": url, "markets": rows}
    plan.after = read_markets_file(content, file.path)
    plan.changes = file_differences(file, plan.after)
    return plan


def _check_complete(file: MarketsFile, found: Collection[str], source: str) -> None:
    here = [symbol for symbol, one in file.instruments.items() if one.status != DELISTED]
    gone = [symbol for symbol in here if symbol not in found]
    if source == "wire" and len(gone) * MISSING_FRACTION_MAX > len(here):
        raise CatalogError(
            [f"the venue lists {len(here) - len(gone)} of {len(here)} symbols: too few to be believed"]
        )


def _missing(row: dict[str, Any], source: str, at: str, url: str, plan: SyncPlan) -> dict[str, Any]:
    symbol = row["symbol"]
    if source == "local":
        plan.notes.append(f"{symbol}: {url} does not serve it; its row stays as it is")
        return row
    plan.notes.append(f"{symbol}: the venue does not list it any more; its row stays, marked {DELISTED}")
    return {**row, "status": DELISTED}


def _new(
    one: Listed, wanted: bool, has_perpetuals: bool, evidence: tuple[str, str, str], plan: SyncPlan
) -> list[dict[str, Any]]:
    at, url, source = evidence
    if not wanted and (one.spot or not has_perpetuals or source == "local"):
        plan.not_added.append(one.symbol)
        return []
    try:
        row = updated_row(new_row(one), one, at, url, source)
        read_markets_file({"venue": "new", "as_of": at, "markets": [row]})
    except ValueError as error:
        if wanted:
            raise CatalogError([f"{one.symbol}: {error}"]) from None
        plan.notes.append(f"{one.symbol} is new at the venue, and left out: {error}")
        plan.not_added.append(one.symbol)
        return []
    plan.added.append(one.symbol)
    return [row]


def file_differences(before: MarketsFile, after: MarketsFile) -> list[Difference]:
    """Return what is different between two markets files; a symbol that only one has, as field `listed`."""
    found = []
    for symbol in before.instruments.keys() | after.instruments.keys():
        old, new = before.instruments.get(symbol), after.instruments.get(symbol)
        if old is None or new is None:
            found.append(Difference(symbol, "listed", old is not None, new is not None))
        else:
            found += differences(symbol, facts(old), facts(new))
    order = {symbol: index for index, symbol in enumerate([*before.instruments, *after.instruments])}
    return sorted(found, key=lambda one: order[one.symbol])


def confirmed(
    file: MarketsFile, symbol: str, name: str, value: Any, at: str, origin: str
) -> tuple[MarketsFile, Difference]:
    """Return the file with one value that a person vouches for, and how it differs. `origin`: who, and why.

    Errors: KeyError for an unknown symbol; CatalogError when the value cannot be.
    """
    row = dict(file.row(symbol))
    if name not in row:
        market = row.get("market", MarketKind.PERPETUAL.value)
        raise CatalogError([f"{symbol}.{name}: is not a field of a {market} market"])
    difference = Difference(symbol, name, row[name], value)
    row[name] = value
    row["assumed"] = [one for one in row["assumed"] if one != name]
    row["evidence"] = with_evidence(list(row.get("evidence", ())), [name], "person", at, origin)
    rows = [row if one["symbol"] == symbol else one for one in file.rows]
    return read_markets_file({**file.content(), "markets": rows}, file.path), difference
