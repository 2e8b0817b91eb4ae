"""Deliveries on their way: one at a time on each route, in order, until the far side has taken them.

They are kept in the alerter's state and not in the outbox, because what is handed to a pump may hold secrets.
After a restart of the node those under way are sent again: a notification may come twice, never not at all
while attempts last. A route that hangs holds up nobody but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from actors.alerter.channels import CHANNELS
from actors.alerter.channels.channel import Attempt
from actors.alerter.delivery import Answer, Verdict, judge, retry_wait_ns
from actors.alerter.notification import Notification
from actors.alerter.settings import AlerterSettings, Route
from actors.alerter.state import AlerterState, Delivery, RouteCounts
from actors.runtime.behaviour import Context

__all__ = ["Ending", "Sender", "advance", "answered", "enqueue", "waiting_by_route"]

TEST_ATTEMPTS_MAX = 1  # whoever tries a route wants to know now


class Ending(NamedTuple):
    """What became of one delivery."""

    delivery_id: str
    route: str
    error: str  # empty: it was taken
    is_test: bool
    alert: str


class Sender(NamedTuple):
    """What sending needs to know of the deployment."""

    address: str
    deployment: str
    directory: str
    secret: Callable[[str], str]


def enqueue(
    state: AlerterState,
    settings: AlerterSettings,
    sender: Sender,
    notification: Notification,
    route: Route,
    now_ns: int,
) -> tuple[list[str], list[Ending]]:
    """Put a notification at the end of a route's queue; return its deliveries' ids, and what made room."""
    parts = notification.singles() if CHANNELS[route.channel].each_alert else (notification,)
    ids, endings = [], []
    for part in parts:
        state.deliveries_count += 1
        delivery_id = f"{sender.address}#{state.deliveries_count}"
        while len(state.deliveries) >= settings.deliveries_max:
            endings.append(_pushed_out(state, route.name, now_ns))
        state.deliveries[delivery_id] = Delivery(route.name, part)
        ids.append(delivery_id)
    return ids, endings


def _pushed_out(state: AlerterState, incoming: str, now_ns: int) -> Ending:
    """Give up the oldest of the route with the most: a route that hangs takes no room from others."""
    counts = waiting_by_route(state)
    counts[incoming] = counts.get(incoming, 0) + 1
    fullest = max(counts, key=counts.__getitem__)
    oldest = next(key for key, delivery in state.deliveries.items() if delivery.route == fullest)
    return _end(state, oldest, "pushed out by newer ones", now_ns)


def waiting_by_route(state: AlerterState) -> dict[str, int]:
    """Return how many deliveries each route has on their way."""
    counts: dict[str, int] = {}
    for delivery in state.deliveries.values():
        counts[delivery.route] = counts.get(delivery.route, 0) + 1
    return counts


def advance(
    state: AlerterState, settings: AlerterSettings, sender: Sender, context: Context
) -> Iterable[Ending]:
    """Send what is first on its route and due."""
    routes = {route.name: route for route in settings.routes}
    endings: list[Ending] = []
    busy: set[str] = set()
    for delivery_id, delivery in list(state.deliveries.items()):
        if delivery.route in busy:
            continue
        route = routes.get(delivery.route)
        if route is None:
            del state.deliveries[delivery_id]
            context.log("alert_delivery_dropped", route=delivery.route, alert=delivery.notification.name)
            continue
        ending = _attempt(state, settings, sender, delivery_id, route, context)
        if ending is None:
            busy.add(delivery.route)
        else:
            endings.append(ending)
    return endings


def _attempt(
    state: AlerterState,
    settings: AlerterSettings,
    sender: Sender,
    delivery_id: str,
    route: Route,
    context: Context,
) -> Ending | None:
    """Try the first of a route if it is time; None when it goes on waiting."""
    delivery = state.deliveries[delivery_id]
    if delivery.due_at_ns > context.now_ns:
        return None
    if delivery.attempts >= _attempts_max(delivery, settings):
        return _end(state, delivery_id, delivery.error or "no answer", context.now_ns)
    delivery.attempts += 1
    # Far enough off for the pump's own time-out to come first.
    delivery.due_at_ns = context.now_ns + settings.delivery_timeout * 2 + settings.retry_wait
    attempt = Attempt(
        delivery_id, sender.deployment, settings.delivery_timeout, sender.secret, sender.directory
    )
    if CHANNELS[route.channel].send(delivery.notification, route, attempt, context):
        return _end(state, delivery_id, "", context.now_ns)
    return None


def _attempts_max(delivery: Delivery, settings: AlerterSettings) -> int:
    return TEST_ATTEMPTS_MAX if delivery.notification.test else settings.attempts_max


def answered(
    state: AlerterState, settings: AlerterSettings, answer: Answer, context: Context
) -> Ending | None:
    """Take what a pump says about a delivery; return its end, if this is one."""
    delivery = state.deliveries.get(answer.request_id)
    if delivery is None:
        return None  # answered before, or given up
    outcome = judge(answer)
    if outcome.verdict is Verdict.DELIVERED:
        if outcome.reason:
            context.log("alert_partly_delivered", route=delivery.route, reason=outcome.reason)
        return _end(state, answer.request_id, "", context.now_ns)
    delivery.error = outcome.reason
    if outcome.verdict is Verdict.REFUSED or delivery.attempts >= _attempts_max(delivery, settings):
        return _end(state, answer.request_id, outcome.reason, context.now_ns)
    wait_ns = retry_wait_ns(delivery.attempts, settings, outcome.wait_ns)
    delivery.due_at_ns = context.now_ns + wait_ns
    return None


def _end(state: AlerterState, delivery_id: str, error: str, now_ns: int) -> Ending:
    delivery = state.deliveries.pop(delivery_id)
    counts = state.routes.setdefault(delivery.route, RouteCounts())
    is_test = delivery.notification.test
    counts.error = error
    if not error:
        counts.delivered_count += 1
        counts.delivered_at_ns = now_ns
    elif not is_test:
        counts.failed_count += 1
        counts.failed_at_ns = now_ns
        state.failed_count += 1
    return Ending(delivery_id, delivery.route, error, is_test, delivery.notification.name)
