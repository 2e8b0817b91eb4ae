"""The alerter of a deployment: hears of every alert, and tells people what is worth telling."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.alerter.channels import CHANNELS
from actors.alerter.delivery import Answer
from actors.alerter.dispatch import Ending, Sender, advance, answered, enqueue
from actors.alerter.escalation import acknowledge, is_acknowledged, matching, release
from actors.alerter.grouping import (
    end_after,
    has_room,
    next_due_ns,
    raise_alert,
    resolve_alert,
    settle,
)
from actors.alerter.notification import Notification
from actors.alerter.quiet import utc_ns, utc_text
from actors.alerter.redaction import redacted
from actors.alerter.report import alerter_report, gauges_of, trial_report
from actors.alerter.settings import AlerterSettings, Route
from actors.alerter.state import Alert, AlerterState, Hush, identity, upgraded
from actors.alerter.telling import collect
from actors.alerter.trial import Trial, trial_notifications
from actors.domain.place import Place
from actors.messages.alerting import AcknowledgeAlerts, SilenceAlerts, TestRoutes
from actors.messages.control import Acknowledged, Rejected
from actors.messages.secrets import SecretsAdopted, SecretsOffered
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
from actors.runtime.pumps.messages import HttpFailure, HttpResponse, MailAnswered, MailFailure

__all__ = ["AlerterActor", "AlerterWake"]

STAYS_NS = 20_000_000_000  # an actor that was given up and has run for so long again is back
HUSHES_MAX = 100  # silences made while running; more belong into the deployment's file
ERROR_TEXT_MAX = 300  # an exception's text can hold a whole response
SUMMARY_MAX, DETAIL_MAX = 1_000, 300  # letters; nobody reads more on a telephone
TRIALS_MAX = 20  # results of tried routes that are remembered
REFERENCE = "secret://"


class AlerterWake(Message, frozen=True):
    """Something is due: a group, the end of a flapping alert, or another attempt at a delivery."""


class AlerterActor(Behaviour):
    """Groups, quiets, repeats, escalates and delivers. The runtime brings every actor's alerts here."""

    ACCEPTS = (
        *(AlertRaised, AlertResolved, ActorFailed, ActorRestarted, SupervisorExhausted),
        *(SilenceAlerts, AcknowledgeAlerts, TestRoutes, SecretsOffered, AlerterWake),
        *(HttpResponse, HttpFailure, MailAnswered, MailFailure),
    )
    EMITS = (SecretsAdopted,)
    STATE = AlerterState
    STATE_VERSION = 2
    PERSISTENCE = Persistence.SAVED
    PHASE = Phase.SOURCE

    state: AlerterState

    def __init__(self, settings: AlerterSettings, place: Place) -> None:
        self.settings = settings
        self._address = place.address
        self._secrets = place.secrets
        self._sender = Sender(place.address, place.deployment, place.directory, self._secret)
        self._newer: dict[str, str] = {}  # reference -> the newest version of it, once one was offered
        self._trials: dict[str, Trial] = {}  # by delivery
        self._seen_ns = 0  # the last time somebody told us
        self._is_settled = True  # nothing has changed since the last look at what is due
        self._gauges: dict[str, int | float] = {}

    def upgrade(self, state: Any, version: int) -> Any:
        """Version 1 did not know on which routes an alert had been told: on all that are told at once."""
        return upgraded(state, tuple(route.name for route in self.settings.routes if route.at_once))

    def started(self, context: Context) -> None:
        """Send again what was under way when the node ended: nobody will hear the answer."""
        if self.state.epoch != context.epoch:
            self.state.epoch = context.epoch
            for delivery in self.state.deliveries.values():
                delivery.due_at_ns = 0
        self._look_again(context)

    def reconfigured(self, settings: Any, context: Context) -> None:
        """Go on with other settings: other routes, other times."""
        self.settings = settings
        self._look_again(context)

    def _look_again(self, context: Context) -> None:
        """Settings may be others now: look at every group, forget the troubles of routes that are gone."""
        names = {route.name for route in self.settings.routes}
        for alert in list(self.state.alerts.values()):
            if alert.name == "AlertDeliveryFailed" and alert.key not in names:
                self._end_own(alert.name, alert.key, context)
        for gone in self.state.routes.keys() - names:
            del self.state.routes[gone]
        for group in self.state.groups.values():
            group.due_at_ns = min(group.due_at_ns, context.now_ns) or context.now_ns
        self._changed(context)
        self.caught_up(context)

    def _secret(self, text: str) -> str:
        """Return what a setting stands for. A value is for the pump: never keep it, never decide by it."""
        if not text.startswith(REFERENCE):
            return text
        newer = self._newer.get(text, text)
        return self._secrets.get(newer) or self._secrets.get(text, "")

    def on_secrets_offered(self, offer: SecretsOffered, context: Context) -> None:
        """Use newer versions from now on. There is nothing to try them with: the next delivery will tell."""
        ours = {reference for reference in self._secrets if reference.startswith(REFERENCE)}
        taken = tuple(text for text in offer.references if text.rpartition("@")[0] in ours)
        self._newer |= {text.rpartition("@")[0]: text for text in taken}
        if taken:
            context.publish(SecretsAdopted(taken))

    # -- what holds -----------------------------------------------------------------------------------

    def on_alert_raised(self, raised: AlertRaised, context: Context) -> None:
        raised = self._clean(raised)
        alert = self.state.alerts.get(identity(raised.name, raised.source, raised.key))
        if alert is not None and _says_nothing_new(alert, raised):
            alert.refreshed_at_ns = context.now_ns
            return
        self._raise(raised, context)
        self._changed(context)

    def _clean(self, raised: AlertRaised) -> AlertRaised:
        details = tuple((name, self._redacted(value[:DETAIL_MAX])) for name, value in raised.details)
        summary = self._redacted(raised.summary[:SUMMARY_MAX])
        return msgspec.structs.replace(raised, summary=summary, details=details)

    def _redacted(self, text: str) -> str:
        return redacted(text, self._secrets.values())

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
        own = AlertRaised(name, key, severity, self._redacted(summary), self._address, context.now_ns)
        self._raise(own, context)

    def _end_own(self, name: str, key: str, context: Context) -> None:
        now_ns = context.now_ns
        resolve_alert(self.state, self.settings, AlertResolved(name, key, self._address, now_ns), now_ns)

    def on_alert_resolved(self, over: AlertResolved, context: Context) -> None:
        if resolve_alert(self.state, self.settings, over, context.now_ns):
            self._changed(context)

    def on_actor_failed(self, failed: ActorFailed, context: Context) -> None:
        text = f"{failed.actor} failed on {failed.message_type}: {failed.error[:ERROR_TEXT_MAX]}"
        details = (("attempt", str(failed.attempt)),)
        end_after(self.state, "SupervisorExhausted", failed.actor, 0, context.now_ns)
        self.on_alert_raised(
            AlertRaised(
                "ActorRestarting", failed.actor, Severity.TICKET, text, failed.actor, failed.at_ns, details
            ),
            context,
        )

    def on_actor_restarted(self, restarted: ActorRestarted, context: Context) -> None:
        """It is back; whether it stays is seen later: a parent may bring back at once what was given up."""
        actor = restarted.actor
        if end_after(self.state, "SupervisorExhausted", actor, STAYS_NS, context.now_ns):
            self._changed(context)
        self.on_alert_resolved(AlertResolved("ActorRestarting", actor, actor, restarted.at_ns), context)

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
            reason = self._redacted(f"{order.actor}: {order.reason}")
            kept.append(Hush(*patterns, now, now + order.duration_ns, reason))
        ended = len(kept) <= len(self.state.hushes) and order.duration_ns <= 0
        known = any((hush.name, hush.key, hush.source) == patterns for hush in self.state.hushes)
        self.state.hushes = kept
        for group in self.state.groups.values():
            group.due_at_ns = now  # to be looked at again
        self._changed(context)
        if ended and not known:
            context.reply(Rejected(f"No silence of {order.name} {order.key} {order.source} is in force"))
        else:
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

    # -- who takes care -------------------------------------------------------------------------------

    def on_acknowledge_alerts(self, order: AcknowledgeAlerts, context: Context) -> None:
        state, now = self.state, context.now_ns
        found = matching(state, order.name, order.key, order.source)
        if not order.holds:
            found = [alert for alert in found if is_acknowledged(alert)]
        if not found:
            holding = sorted({alert.name for alert in state.alerts.values() if not alert.over})
            what = "fires" if order.holds else "is acknowledged"
            names = f"; what fires: {', '.join(holding)}" if holding else "; nothing fires"
            context.reply(Rejected(f"No alert {order.name} {order.key} {what}{names}"))
            return
        order = msgspec.structs.replace(order, reason=self._redacted(order.reason))
        for alert in found:
            if order.holds:
                acknowledge(alert, order, self.settings.acknowledged_for, now)
            else:
                release(alert)
            state.groups[alert.name].due_at_ns = now
        self._changed(context)
        named = ", ".join(f"{alert.name} {alert.key}".rstrip() for alert in found)
        if order.holds:
            until = utc_text(found[0].acknowledgement.ends_at_ns if found[0].acknowledgement else now)
            context.reply(Acknowledged(f"{named}: {order.actor} takes care until {until[:16]}Z"))
        else:
            context.reply(Acknowledged(f"{named}: nobody takes care; told anew"))

    # -- trying routes --------------------------------------------------------------------------------

    def on_test_routes(self, order: TestRoutes, context: Context) -> None:
        routes = [route for route in self.settings.routes if order.route in ("", route.name)]
        if not routes:
            known = ", ".join(route.name for route in self.settings.routes)
            context.reply(Rejected(f"No route is named {order.route!r}; there are {known}"))
            return
        ids = []
        for route in routes:
            both = CHANNELS[route.channel].each_alert  # what is kept track of there must end there, too
            for notification in trial_notifications(order, route, self._address, context.now_ns, both):
                ids += self._enqueue(notification, route, context)
                self._trials |= dict.fromkeys(ids[-1:], Trial(route.name))
        self._trials = dict(list(self._trials.items())[-TRIALS_MAX:])
        self._changed(context)
        context.reply(Acknowledged(" ".join(ids)))

    # -- telling --------------------------------------------------------------------------------------

    def on_alerter_wake(self, _: AlerterWake, context: Context) -> None:
        state, settings, now = self.state, self.settings, context.now_ns
        settle(state, settings, now)
        hushes = self._all_hushes()
        for name, group in sorted(state.groups.items()):
            if group.due_at_ns and group.due_at_ns <= now:
                tellings = collect(state, settings, hushes, name, now)
                state.notifications_count += bool(tellings)
                for telling in tellings:
                    self._enqueue(telling.notification, telling.route, context)
        self._changed(context)

    def _enqueue(self, notification: Notification, route: Route, context: Context) -> list[str]:
        ids, endings = enqueue(self.state, self.settings, self._sender, notification, route, context.now_ns)
        for ending in endings:
            self._ended(ending, context)
        return ids

    def on_http_response(self, response: HttpResponse, context: Context) -> None:
        self._answered(response, context)

    def on_http_failure(self, failure: HttpFailure, context: Context) -> None:
        self._answered(failure, context)

    def on_mail_answered(self, answer: MailAnswered, context: Context) -> None:
        self._answered(answer, context)

    def on_mail_failure(self, failure: MailFailure, context: Context) -> None:
        self._answered(failure, context)

    def _answered(self, answer: Answer, context: Context) -> None:
        context.effect_done(answer.request_id)  # nodes of an earlier version kept requests in the outbox
        ending = answered(self.state, self.settings, answer, context)
        if ending is not None:
            self._ended(ending, context)
        self._changed(context)

    def _ended(self, ending: Ending, context: Context) -> None:
        """A delivery was taken, or given up: say so where it matters."""
        error = self._redacted(self._without_urls(ending.error))
        if ending.delivery_id in self._trials:
            self._trials[ending.delivery_id] = Trial(ending.route, error, True)
        if not error:
            self._end_own("AlertDeliveryFailed", ending.route, context)
        elif not ending.is_test:
            context.log("alert_delivery_failed", alert=ending.alert, route=ending.route, reason=error)
            summary = f"Route {ending.route} does not deliver: {error}"
            self._raise_own("AlertDeliveryFailed", Severity.PAGE, summary, ending.route, context)

    def _without_urls(self, text: str) -> str:
        for route in self.settings.routes:
            if route.url:  # it may hold a secret, and errors like to quote it
                text = text.replace(route.url, f"the url of {route.name}")
        return text

    def _changed(self, context: Context) -> None:
        """End every handler that changed something: keep it."""
        self._is_settled = False
        context.save()

    def caught_up(self, context: Context) -> None:
        """Send what is due, and wake up for what comes next: once, however many alerts came in this turn."""
        if self._is_settled:
            return
        state, now = self.state, context.now_ns
        for ending in advance(state, self.settings, self._sender, context):
            self._ended(ending, context)
        if has_room(state, self.settings.alerts_max):
            self._end_own("AlertsDropped", "", context)
        state.hushes = [hush for hush in state.hushes if hush.ends_at_ns > now]
        context.save()
        self._is_settled = True
        self._seen_ns = now
        self._gauges = gauges_of(state, self.settings)
        due_ns = next_due_ns(state, self.settings)
        if due_ns:
            context.schedule(max(due_ns - now, 0), AlerterWake(), key="wake")
        else:
            context.cancel_timer("wake")

    # -- what others see ------------------------------------------------------------------------------

    def describe(self) -> Any:
        """Return the alerts that hold, most important first, and how telling goes."""
        report = alerter_report(self.state, self.settings, self._all_hushes(), self._seen_ns)
        return report | {"trials": trial_report(self._trials, self.state)}

    def gauges(self) -> dict[str, int | float]:
        """Return counts for the metrics."""
        return self._gauges


def _says_nothing_new(alert: Alert, raised: AlertRaised) -> bool:
    known = (alert.severity, alert.summary, alert.details, alert.lasts_ns)
    said = (raised.severity, raised.summary, raised.details, raised.ends_after_ns)
    return not alert.ends_at_ns and known == said
