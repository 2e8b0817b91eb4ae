"""Are the markets files fresh enough for real money? Asked when a deployment starts, not when it is read."""

from __future__ import annotations

from actors.deployment.catalogs import Catalog
from actors.deployment.faults import Fault
from actors.deployment.policy import trades_real_money
from actors.deployment.registry import KINDS
from actors.deployment.topology import Topology
from actors.domain.markets_file import MarketsFile

__all__ = ["LIVE_AGE_NS_MAX", "age_faults", "why_not_live"]

LIVE_AGE_NS_MAX = 24 * 3_600 * 1_000_000_000  # contracts, tiers and bands change without notice
SYNC_HELP = "run `polytrade markets sync`; it shows what has changed"


def age_faults(topology: Topology, now_ns: int, code: str) -> tuple[Fault, ...]:
    """Return a fault under `code` for each markets file that is too old for real money; none without any.

    A node that its heart starts again is not asked: it has positions to look after, whatever its files say.
    """
    urls = [
        str(getattr(plan.settings, name, ""))
        for plan in topology.actors
        if plan.kind in KINDS
        for name in KINDS[plan.kind].trades_at
    ]
    if not trades_real_money(topology.mode, urls):
        return ()
    found = ((catalog, why_not_live(catalog.file, now_ns)) for catalog in topology.catalogs)
    return tuple(_fault(catalog, reason, code) for catalog, reason in found if reason)


def why_not_live(file: MarketsFile, now_ns: int) -> str:
    """Return why nobody should trade real money on a markets file; empty when its age is no reason."""
    if not file.synced_from:
        return f"was written by hand on {file.as_of}, and never held against the venue"
    if not file.is_of_venue:
        return f"says what {file.synced_from} says, which is not the venue"
    if now_ns - file.as_of_ns > LIVE_AGE_NS_MAX:
        return f"is of {file.as_of}, older than 24 h"
    return ""


def _fault(catalog: Catalog, reason: str, code: str) -> Fault:
    origin, message = catalog.origin, f"the markets file {catalog.file.path} {reason}"
    return Fault(
        *(code, message, origin.file, origin.line, origin.column),
        *(catalog.width, catalog.excerpt, SYNC_HELP),
    )
