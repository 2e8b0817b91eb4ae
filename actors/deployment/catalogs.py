"""The markets files of a deployment, read with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from actors.deployment.faults import FaultLog
from actors.deployment.places import Origin, Span
from actors.deployment.yaml_tree import List, Map, Scalar
from actors.domain.catalog import CatalogError
from actors.domain.instrument import Instrument
from actors.domain.markets_file import MarketsFile, read_markets_file

__all__ = ["Catalog", "catalog_files", "instruments_of", "read_catalogs"]

DEFAULT = "markets/poloniex-futures.json"


@dataclass(frozen=True, slots=True)
class Catalog:
    """One markets file, and where the deployment names it."""

    file: MarketsFile
    origin: Origin
    excerpt: str = ""
    width: int = 1


def read_catalogs(root: Map, folder: str, log: FaultLog) -> tuple[Catalog, ...] | None:
    """Return all markets files of a deployment; None when one was faulty, and told.

    `folder` is where the default one is looked for; others start at the file that names them.
    """
    node = root.get("catalog")
    if node is None:
        found = _read(DEFAULT, root.span, folder, log)
        return None if found is None else (found,)
    catalogs: list[Catalog] = []
    seen: set[str] = set()
    for said in node.items if isinstance(node, List) else [node]:
        if not (isinstance(said, Scalar) and isinstance(said.value, str)):
            return None
        found = _read(said.text, said.span, said.span.source.directory, log)
        if found is None:
            return None
        again = sorted(found.file.instruments.keys() & seen)
        if again:
            count = f" (and {len(again) - 1} more)" if len(again) > 1 else ""
            message = f"the markets file {said.text!r} has {again[0]}{count} once more"
            log.add("E114", said.span, message, "name each markets file once")
        seen |= found.file.instruments.keys()
        catalogs.append(found)
    return tuple(catalogs)


def catalog_files(root: Map, folder: str) -> tuple[str, ...]:
    """Return the paths of the markets files, whether they are there or not."""
    node = root.get("catalog")
    if node is None:
        return (str(Path(folder, DEFAULT)),)
    said = [one for one in (node.items if isinstance(node, List) else [node]) if isinstance(one, Scalar)]
    return tuple(str(Path(one.span.source.directory, one.text)) for one in said)


def _read(said: str, span: Span, folder: str, log: FaultLog) -> Catalog | None:
    path = Path(folder, said)
    try:
        file = read_markets_file(path.read_text(encoding="utf-8"), str(path))
        return Catalog(file, span.origin, span.source.line(span.line), max(1, span.width))
    except OSError as error:
        reason = error.strerror or str(error)
        help = "write 'catalog: <path>'; paths start at the folder of the file that says them"
        log.add("E114", span, f"the markets file {said!r} cannot be read: {reason}", help)
    except CatalogError as error:
        count = f" (and {len(error.faults) - 1} more)" if len(error.faults) > 1 else ""
        help = "`polytrade markets validate --file ...` tells them all" if count else ""
        log.add("E114", span, f"the markets file {said!r}: {error.faults[0]}{count}", help)
    except ValueError as error:
        log.add("E114", span, f"the markets file {said!r} is not UTF-8: {error}")
    return None


def instruments_of(catalogs: Iterable[Catalog]) -> dict[str, Instrument]:
    """Return the instruments of all markets files together."""
    return {symbol: one for catalog in catalogs for symbol, one in catalog.file.instruments.items()}
