"""What evidence or policy does about a difference that counts. Pure; everything else is left to a person."""

from __future__ import annotations

from collections.abc import Iterable

from actors.messages.account import AdjustCash
from actors.messages.evidence import VerifyOrders
from actors.messages.venue import CancelOrder
from actors.reconciler.compare import Comparison, Difference, Kind, fill_name, order_name
from actors.reconciler.settings import ReconcilerSettings
from actors.runtime.messages import Message

__all__ = ["Resolution", "resolutions", "without_ignored"]

Resolution = tuple[Difference, Message]


def without_ignored(
    differences: Iterable[Difference], settings: ReconcilerSettings
) -> tuple[Difference, ...]:
    """Return the differences that policy does not leave alone."""
    ignored = {Kind.ORDER_UNKNOWN_TO_US} if settings.unknown_orders == "ignore" else set()
    return tuple(difference for difference in differences if difference.kind not in ignored)


def resolutions(
    differences: tuple[Difference, ...],
    comparison: Comparison,
    settings: ReconcilerSettings,
    *,
    actor: str,
    evidence: str,
    agreed_before: bool = True,
) -> tuple[Resolution, ...]:
    """Return, for each difference that something can be done about, the message that does it.

    Missed fills and funding are the venue's own statements, passed on; whoever gets them counts each once.
    An order that only one side knows is asked about, never declared dead. `actor` and `evidence` say who
    decided, and from which comparison; `agreed_before`: the books have agreed once in this journal.
    """
    account = comparison.account
    fills = {fill_name(fill): fill for fill in comparison.fills_missed}
    funding = {paid.funding_id: paid for paid in comparison.funding_missed}
    strangers = {order_name(order): order for order in comparison.strangers}
    adopts = settings.cash_drift == "adopt" or (settings.cash_drift == "adopt_first" and not agreed_before)
    found: list[Resolution] = []
    for difference in differences:
        kind, key = difference.kind, difference.key
        if kind is Kind.FILL_MISSED:
            found.append((difference, fills[key]))
        elif kind is Kind.FUNDING_MISSED:
            found.append((difference, funding[key]))
        elif kind is Kind.ORDER_UNKNOWN_TO_VENUE or kind is Kind.ORDER_DIFFERS:
            found.append((difference, VerifyOrders(account, (key,), kind.value)))
        elif kind is Kind.ORDER_UNKNOWN_TO_US and settings.unknown_orders == "cancel":
            order = strangers[key]
            if order.client_order_id:
                found.append((difference, CancelOrder(account, order.client_order_id, order.symbol)))
        elif kind is Kind.CASH_DRIFT and adopts:
            amount = difference.theirs - difference.ours
            reason = "the venue's cash was adopted by policy"
            found.append((difference, AdjustCash(account, amount, reason, evidence, actor, True)))
    return tuple(found)
