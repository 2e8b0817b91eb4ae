"""Whether a canary does well: numbers in, the first criterion that is broken out. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from actors.deployment.canary.settings import CanarySection

__all__ = ["Measures", "OrderCounts", "broken", "percentile"]

E8 = 100_000_000


class OrderCounts(msgspec.Struct):
    """Orders since the canary began, of one side of the comparison."""

    orders: int = 0  # that somebody wished for: denied ones too
    refused: int = 0  # denied by risk or rejected by the venue
    answers_ns: list[int] = []  # from submission to the venue's first word; the newest


class Measures(msgspec.Struct, frozen=True):
    """What is known of a canary at one instant."""

    ours: OrderCounts
    others: OrderCounts
    drawdown_usdt: int = 0  # 1e-8 USDT below the highest profit since the start
    restarts: int = 0  # of the changed actors
    down: tuple[str, ...] = ()  # changed actors that do not run
    pages: tuple[str, ...] = ()  # alerts that page, raised since the start
    halts: tuple[str, ...] = ()  # ordered since the start


def broken(settings: CanarySection, found: Measures) -> str:
    """Return why the canary has to end, in words; empty while it does well."""
    checks = (
        _pages(settings, found),
        _halts(settings, found),
        f"{found.down[0]} does not run" if found.down else "",
        _restarts(settings, found),
        _refusals(settings, found.ours),
        _latency(settings, found),
        _drawdown(settings, found),
    )
    return next(filter(None, checks), "")


def percentile(values: Sequence[int], percent: int = 99) -> int:
    """Return the value that so many percent do not exceed (nearest rank); 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0


def _pages(settings: CanarySection, found: Measures) -> str:
    return f"{found.pages[0]} pages" if settings.pages and found.pages else ""


def _halts(settings: CanarySection, found: Measures) -> str:
    return f"trading was halted: {found.halts[0]}" if settings.halts and found.halts else ""


def _restarts(settings: CanarySection, found: Measures) -> str:
    if found.restarts <= settings.restarts_max:
        return ""
    return f"the changed actors restarted {found.restarts} times, {settings.restarts_max} are allowed"


def _refusals(settings: CanarySection, ours: OrderCounts) -> str:
    if ours.orders < settings.orders_min or ours.refused * E8 <= ours.orders * settings.refusals_max:
        return ""
    limit = settings.refusals_max / E8
    return f"{ours.refused} of {ours.orders} orders were refused, more than a part of {limit:g}"


def _latency(settings: CanarySection, found: Measures) -> str:
    counts = (len(found.ours.answers_ns), len(found.others.answers_ns))
    if not settings.latency_factor or min(counts) < settings.orders_min:
        return ""
    ours, others = percentile(found.ours.answers_ns), percentile(found.others.answers_ns)
    if ours <= settings.latency_floor or ours * E8 <= others * settings.latency_factor:
        return ""
    return (
        f"orders are answered within {ours / 1e6:.1f} ms (p99), those of others within {others / 1e6:.1f} ms"
    )


def _drawdown(settings: CanarySection, found: Measures) -> str:
    if not settings.drawdown_usdt or found.drawdown_usdt <= settings.drawdown_usdt:
        return ""
    fell, limit = found.drawdown_usdt / E8, settings.drawdown_usdt / E8
    return f"profit fell {fell:.2f} USDT below its highest, {limit:.2f} are allowed"
