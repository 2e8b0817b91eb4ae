"""The alerter of a deployment: hears of every alert, and tells people what is worth telling."""

from __future__ import annotations

from typing import Any

from actors.alerter.channels import CHANNELS
from actors.alerter.channels.channel import Attempt
from actors.alerter.delivery import Verdict, judge, retry_wait_ns
from actors.alerter.grouping import ALWAYS_ADMITTED, collect, next_due_ns, raise_alert, resolve_alert, settle
from actors.alerter.notification import Notification
from actors.alerter.quiet import utc_ns
from actors.alerter.report import alerter_report
from actors.alerter.settings import AlerterSettings, Route
from actors.alerter.state import RANK, Alert, AlerterState, Delivery, Hush, identity
from actors.domain.place import Place
from actors.messages.control import Acknowledged, Rejected, SilenceAlerts
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import (
    ActorFailed,
    ActorRestarted,
    AlertRaised,
    AlertResolved,
    Message,
    Severity,
    SupervisorExhausted,
)
from actors.runtime.pumps.messages import HttpFailure, HttpResponse

__all__ = ["AlerterActor", "AlerterWake"]

HUSHES_MAX = 100  # silences made while running; more belong into the deployment's file
ERROR_TEXT_MAX = 300  # an exception's text can hold a whole response


class AlerterWake(Message, frozen=True):
    """Something is due: a group, the end of a flapping alert, or another attempt at a delivery."""


class AlerterActor(Behaviour):
    """Groups, quiets, repeats and delivers. The runtime brings every actor's alerts here."""

    ACCEPTS = (
        *(AlertRaised, AlertResolved, ActorFailed, ActorRestarted, SupervisorExhausted),
        *(SilenceAlerts, HttpResponse, HttpFailure, AlerterWake),
    )
    STATE = AlerterState
    PERSISTENCE = Persistence.SAVED
    PHASE = Phase.SOURCE

    state: AlerterState

    def __init__(self, settings: AlerterSettings, place: Place) -> None:
        self.settings = settings
        self._address = place.address
        self._deployment = place.deployment
        self._seen_ns = 0  # the last time somebody told us
        self._counts = dict.fromkeys(Severity, 0)  # alerts that hold, for gauges
        self._firing: dict[tuple[str, str], int] = {}  # the same by name and severity

    def started(self, context: Context) -> None:
        self._finish(context)

    # -- what holds -----------------------------------------------------------------------------------

    def on_alert_raised(self, raised: AlertRaised, context: Context) -> None:
        alert = self.state.alerts.get(identity(raised.name, raised.source, raised.key))
        if alert is not None and _says_nothing_new(alert, raised):
            alert.refreshed_at_ns = context.now_ns
            return
        self._raise(raised, context)
        self._finish(context)

    def _raise(self, raised: AlertRaised, context: Context) -> None:
        if raise_alert(self.state, self.settings, raised, context.now_ns):
            return
        context.log("alert_dropped", alert=raised.name, key=raised.key, source=raised.source)
        summary = (
            f"{self.settings.alerts_max} alerts hold, and there is no room for more: new ones are dropped"
        )
        self._raise_own("AlertsDropped", Severity.PAGE, summary, "", context)

    def _raise_own(self, name: str, severity: Severity, summary: str, key: str, context: Context) -> None:
        """Raise an alert of this actor itself: not by way of the runtime, which would bring it back later."""
        self._raise(AlertRaised(name, key, severity, summary, self._address, context.now_ns), context)

    def on_alert_resolved(self, over: AlertResolved, context: Context) -> None:
        if resolve_alert(self.state, self.settings, over, context.now_ns):
            self._finish(context)

    def on_actor_failed(self, failed: ActorFailed, context: Context) -> None:
        text = f"{failed.actor} failed on {failed.message_type}: {failed.error[:ERROR_TEXT_MAX]}"
        details = (("attempt", str(failed.attempt)),)
        self.on_alert_raised(
            AlertRaised(
                "ActorRestarting", failed.actor, Severity.TICKET, text, failed.actor, failed.at_ns, details
            ),
            context,
        )

    def on_actor_restarted(self, restarted: ActorRestarted, context: Context) -> None:
        actor = restarted.actor
        for name in ("ActorRestarting", "SupervisorExhausted"):
            self.on_alert_resolved(AlertResolved(name, actor, actor, restarted.at_ns), context)

    def on_supervisor_exhausted(self, spent: SupervisorExhausted, context: Context) -> None:
        text = f"{spent.supervisor} gave up on {spent.actor}: {spent.reason[:ERROR_TEXT_MAX]}"
        details = (("supervisor", spent.supervisor), ("action", spent.action))
        self.on_alert_raised(
            AlertRaised(
                "SupervisorExhausted", spent.actor, Severity.PAGE, text, spent.actor, spent.at_ns, details
            ),
            context,
        )

    # -- quiet ----------------------------------------------------------------------------------------

    def on_silence_alerts(self, order: SilenceAlerts, context: Context) -> None:
        patterns, now = (order.name, order.key, order.source), context.now_ns
        kept = [
            hush
            for hush in self.state.hushes
            if hush.ends_at_ns > now and (hush.name, hush.key, hush.source) != patterns
        ]
        if order.duration_ns > 0:
            if len(kept) >= HUSHES_MAX:
                context.reply(Rejected(f"{HUSHES_MAX} silences are in force; end one first"))
                return
            kept.append(Hush(*patterns, now, now + order.duration_ns, f"{order.actor}: {order.reason}"))
        self.state.hushes = kept
        for group in self.state.groups.values():
            group.due_at_ns = now  # to be looked at again
        self._finish(context)
        context.reply(Acknowledged("Silence is in force" if order.duration_ns > 0 else "Silence is over"))

    def _all_hushes(self) -> list[Hush]:
        planned = [
            Hush(
                silence.name,
                silence.key,
                silence.source,
                utc_ns(silence.starts_at),
                utc_ns(silence.ends_at),
                silence.reason,
            )
            for silence in self.settings.silences
        ]
        return planned + self.state.hushes

    # -- telling --------------------------------------------------------------------------------------

    def on_alerter_wake(self, _: AlerterWake, context: Context) -> None:
        state, settings, now = self.state, self.settings, context.now_ns
        settle(state, settings, now)
        hushes = self._all_hushes()
        for name, group in sorted(state.groups.items()):
            if group.due_at_ns and group.due_at_ns <= now:
                notification = collect(state, settings, hushes, name, now)
                if notification is not None:
                    self._tell(notification, context)
        due = [key for key, delivery in state.deliveries.items() if delivery.due_at_ns <= now]
        for delivery_id in due:
            self._try_again(delivery_id, context)
        self._finish(context)

    def _tell(self, notification: Notification, context: Context) -> None:
        self.state.notifications_count += 1
        for route in self.settings.routes:
            loud = RANK[notification.severity] >= RANK[route.severity_min]
            if loud and (notification.firing or route.resolved):
                self._deliver(notification, route, context)

    def _deliver(self, notification: Notification, route: Route, context: Context) -> None:
        state = self.state
        state.deliveries_count += 1
        delivery_id = f"{self._address}#{state.deliveries_count}"
        delivery = Delivery(route.name, notification)
        if not self._attempt(delivery_id, delivery, route, context):
            while len(state.deliveries) >= self.settings.deliveries_max:
                self._give_up(next(iter(state.deliveries)), "pushed out by newer ones", context)
            state.deliveries[delivery_id] = delivery

    def _attempt(self, delivery_id: str, delivery: Delivery, route: Route, context: Context) -> bool:
        settings = self.settings
        delivery.attempts += 1
        # Far enough off for the pump's own time-out to come first.
        delivery.due_at_ns = context.now_ns + settings.delivery_timeout * 2 + settings.retry_wait
        attempt = Attempt(delivery_id, self._deployment, settings.delivery_timeout)
        return CHANNELS[route.channel](delivery.notification, route, attempt, context)

    def on_http_response(self, response: HttpResponse, context: Context) -> None:
        delivery = self.state.deliveries.get(response.request_id)
        if delivery is None:
            context.effect_done(response.request_id)  # answered or given up before
            return
        verdict = judge(response.status)
        if verdict is Verdict.DELIVERED:
            del self.state.deliveries[response.request_id]
            context.effect_done(response.request_id)
            over = AlertResolved("AlertDeliveryFailed", delivery.route, self._address, context.now_ns)
            resolve_alert(self.state, self.settings, over, context.now_ns)
        elif verdict is Verdict.RETRY:
            self._pause(response.request_id, f"status {response.status}", response, context)
        else:
            self._give_up(response.request_id, f"refused with status {response.status}", context)
        self._finish(context)

    def on_http_failure(self, failure: HttpFailure, context: Context) -> None:
        if failure.request_id in self.state.deliveries:
            reason = failure.reason
            for route in self.settings.routes:
                if route.url:  # it may hold a secret, and errors like to quote it
                    reason = reason.replace(route.url, f"the url of {route.name}")
            self._pause(failure.request_id, reason, None, context)
            self._finish(context)
        else:
            context.effect_done(failure.request_id)

    def _pause(self, delivery_id: str, reason: str, response: HttpResponse | None, context: Context) -> None:
        """Wait for the next attempt. A webhook may be told twice, never not at all while attempts last."""
        delivery = self.state.deliveries[delivery_id]
        if delivery.attempts >= self.settings.attempts_max:
            self._give_up(delivery_id, reason, context)
        else:
            wait_ns = retry_wait_ns(delivery.attempts, self.settings, response)
            delivery.due_at_ns = context.now_ns + wait_ns

    def _try_again(self, delivery_id: str, context: Context) -> None:
        delivery = self.state.deliveries[delivery_id]
        route = next((route for route in self.settings.routes if route.name == delivery.route), None)
        if route is None:
            self._give_up(delivery_id, "the route is gone from the settings", context)
        elif delivery.attempts >= self.settings.attempts_max:
            self._give_up(delivery_id, "no answer", context)
        elif self._attempt(delivery_id, delivery, route, context):
            del self.state.deliveries[delivery_id]  # the route leads elsewhere by now
            context.effect_done(delivery_id)

    def _give_up(self, delivery_id: str, reason: str, context: Context) -> None:
        state = self.state
        delivery = state.deliveries.pop(delivery_id)
        context.effect_done(delivery_id)
        state.failed_count += 1
        context.log(
            "alert_delivery_failed", alert=delivery.notification.name, route=delivery.route, reason=reason
        )
        summary = f"Route {delivery.route} does not deliver: {reason}"
        self._raise_own("AlertDeliveryFailed", Severity.PAGE, summary, delivery.route, context)

    def _finish(self, context: Context) -> None:
        """End every handler that changed something: keep it, and wake up for what comes next."""
        state, now = self.state, context.now_ns
        if _has_room(state, self.settings):
            resolve_alert(state, self.settings, AlertResolved("AlertsDropped", "", self._address, now), now)
        context.save()
        self._seen_ns = now
        holding = [(alert.name, alert.severity) for alert in state.alerts.values() if not alert.over]
        self._counts = {severity: sum(one[1] is severity for one in holding) for severity in Severity}
        self._firing = {(name, severity.value): holding.count((name, severity)) for name, severity in holding}
        due_ns = next_due_ns(state)
        if due_ns:
            context.schedule(max(due_ns - now, 0), AlerterWake(), key="wake")
        else:
            context.cancel_timer("wake")

    # -- what others see ------------------------------------------------------------------------------

    def describe(self) -> Any:
        """Return the alerts that hold, most important first, and how telling goes."""
        return alerter_report(self.state, self.settings, self._all_hushes(), self._seen_ns)

    def gauges(self) -> dict[str, int | float]:
        """Return counts for the metrics."""
        state = self.state
        return {
            **{f"alerts_{severity.value}_count": count for severity, count in self._counts.items()},
            **{f"alerts_firing{{alert={a},severity={s}}}": count for (a, s), count in self._firing.items()},
            "alerts_dropped_count": state.dropped_count,
            "deliveries_waiting_count": len(state.deliveries),
            "deliveries_failed_count": state.failed_count,
            "notifications_count": state.notifications_count,
        }


def _says_nothing_new(alert: Alert, raised: AlertRaised) -> bool:
    known = (alert.severity, alert.summary, alert.details, alert.lasts_ns)
    said = (raised.severity, raised.summary, raised.details, raised.ends_after_ns)
    return not alert.ends_at_ns and known == said


def _has_room(state: AlerterState, settings: AlerterSettings) -> bool:
    theirs = [a for a in state.alerts.values() if not a.over and a.name not in ALWAYS_ADMITTED]
    return len(theirs) < settings.alerts_max
