"""Watches the store of secrets: offers what is new, and halts when nothing confirms what is in use.

It never sees a value. A new version is tried by the actor that uses it; until the far side has taken it, the
one before stays in use.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from actors.domain.place import Place
from actors.messages.control import Acknowledged, Halt, HaltLevel, Rejected
from actors.messages.secrets import LookForSecrets, SecretsAdopted, SecretsOffered, SecretsRefused
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import Message, Severity
from actors.secrets.desk import PORT, Failed, LookAtSecrets, SecretsSeen, Seen, TakeSecrets
from actors.secrets.port import Trouble
from actors.secrets.reference import unversioned, versioned
from actors.secrets.settings import SecretsWatchSettings

__all__ = ["SecretsPulse", "SecretsState", "SecretsWatch"]

SECOND = 1_000_000_000
PULSE_NS = SECOND
BELIEVED = (Trouble.ABSENT, Trouble.DENIED)  # the store has spoken; a repeated question changes nothing
STORE_DOWN, DENIED, EXPIRING, REFUSED = "SecretStoreDown", "SecretDenied", "SecretExpiring", "SecretRefused"


class SecretsPulse(Message, frozen=True):
    """Look at deadlines."""


class SecretsState(msgspec.Struct):
    """What a restart must neither forget nor repeat."""

    confirmed_ns: dict[str, int] = {}  # reference -> when the store last gave it
    leases_ns: dict[str, int] = {}  # reference -> how long it may be used after that; 0: for ever
    refused: dict[str, int] = {}  # reference -> the newest version that a far side did not take
    halted: str = ""  # why we had everything halted; empty while nothing is wrong


class SecretsWatch(Behaviour):
    """Asks, offers, alerts, halts."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (
        *(SecretsSeen, SecretsAdopted, SecretsRefused, SecretsPulse, LookForSecrets),
        *(Acknowledged, Rejected),
    )
    EMITS: ClassVar[tuple[type[Message], ...]] = (SecretsOffered, Halt)
    STATE = SecretsState
    PERSISTENCE: ClassVar = Persistence.SAVED
    PHASE: ClassVar = Phase.SOURCE

    state: SecretsState

    def __init__(self, settings: SecretsWatchSettings, place: Place) -> None:
        self.settings = settings
        self.versions: dict[str, tuple[int, int]] = {}  # reference -> newest, in use
        self.troubles: dict[str, Failed] = {}
        self.refusals: dict[str, str] = {}  # reference -> why its newest version was not taken
        self.adopted_count = 0
        self._number = 0  # of the newest question
        self._answered = 0  # of the newest one that was answered, or given up
        self._asked_ns = 0  # when the question under way left; 0 when there is none
        self._due_ns = 0

    def started(self, context: Context) -> None:
        """The node had every value when it started: the time unconfirmed begins now, at the latest."""
        self._due_ns = context.now_ns
        context.schedule(0, SecretsPulse(), key="pulse")

    # -- asking --------------------------------------------------------------------------------------

    def on_secrets_pulse(self, message: SecretsPulse, context: Context) -> None:
        """Ask when it is time; a store that hangs counts as one that does not answer."""
        now_ns = context.now_ns
        if self._asked_ns and now_ns - self._asked_ns > self.settings.answer_within:
            seconds = self.settings.answer_within // SECOND
            self._not_answered(f"the store has not answered for {seconds} s", context)
        if not self._asked_ns and now_ns >= self._due_ns:
            self._ask(context)
        self._look_at_leases(context)
        context.schedule(PULSE_NS, SecretsPulse(), key="pulse")

    def on_look_for_secrets(self, message: LookForSecrets, context: Context) -> None:
        """Ask at once; an answer that is under way may be older than what the operator means."""
        self.state.refused.clear()
        self.refusals.clear()
        self._ask(context)
        context.save()
        context.reply(Acknowledged("the store is asked"))

    def _ask(self, context: Context) -> None:
        self._number += 1
        self._asked_ns = context.now_ns
        context.effect(PORT, LookAtSecrets(self._number))

    def _not_answered(self, reason: str, context: Context) -> None:
        self._asked_ns, self._answered = 0, self._number
        self._due_ns = context.now_ns + self.settings.check_every
        context.alert(STORE_DOWN, Severity.TICKET, f"Secrets are not confirmed: {reason}")

    def on_secrets_seen(self, message: SecretsSeen, context: Context) -> None:
        """Take down what the store has; offer what is new."""
        if message.number != self._number:
            return
        self._asked_ns, self._answered = 0, self._number
        self._due_ns = context.now_ns + self.settings.check_every
        self.troubles = {one.reference: one for one in message.failed}
        for one in message.seen:
            self._confirm(one, context)
        self._tell_of_store(context)
        self._tell_of_refusals_to_us(context)
        self._offer(context)
        context.save()

    def _confirm(self, one: Seen, context: Context) -> None:
        self.versions[one.reference] = (one.newest, one.held)
        self.state.confirmed_ns[one.reference] = context.now_ns
        self.state.leases_ns[one.reference] = one.lease_ns

    def _offer(self, context: Context) -> None:
        new = [
            versioned(text, newest)
            for text, (newest, held) in self.versions.items()
            if newest != held and self.state.refused.get(text) != newest
        ]
        if new:
            context.publish(SecretsOffered(tuple(new)))

    # -- what becomes of an offer --------------------------------------------------------------------

    def on_secrets_adopted(self, message: SecretsAdopted, context: Context) -> None:
        """A far side takes them: actors that are made anew shall have them too."""
        for text in message.references:
            base, version = unversioned(text)
            self.versions[base] = (version, version)
            self.state.refused.pop(base, None)
            self.refusals.pop(base, None)
            context.resolve(REFUSED, key=base)
        self.adopted_count += 1
        context.effect(PORT, TakeSecrets(message.references))
        context.log("secrets adopted", references=", ".join(message.references), by=context.sender)
        context.save()

    def on_secrets_refused(self, message: SecretsRefused, context: Context) -> None:
        """Say so once a version; the one before works on."""
        for text in message.references:
            base, version = unversioned(text)
            self.state.refused[base] = version
            self.refusals[base] = message.reason
            summary = (
                f"Version {version} of {base} is not taken: {message.reason}; the one before stays in use"
            )
            context.alert(REFUSED, Severity.TICKET, summary, key=base)
        context.save()

    # -- trouble -------------------------------------------------------------------------------------

    def _tell_of_store(self, context: Context) -> None:
        down = [one for one in self.troubles.values() if one.trouble not in BELIEVED]
        if down:
            context.alert(STORE_DOWN, Severity.TICKET, f"Secrets are not confirmed: {down[0].reason}")
        else:
            context.resolve(STORE_DOWN)

    def _tell_of_refusals_to_us(self, context: Context) -> None:
        """The store says no: fail closed. What is held stays held, so that orders can still be canceled."""
        denied = {text: one for text, one in self.troubles.items() if one.trouble in BELIEVED}
        for text in self.state.confirmed_ns.keys() | denied.keys():
            if text in denied:
                summary = f"{text} is not given to us any more: {denied[text].reason}"
                context.alert(DENIED, Severity.PAGE, summary, key=text)
            else:
                context.resolve(DENIED, key=text)
        if denied:
            first = min(denied)
            self._halt(f"{first}: {denied[first].reason}", context)

    def _look_at_leases(self, context: Context) -> None:
        worst = 0
        for text, lease_ns in self.state.leases_ns.items():
            used_ns = context.now_ns - self.state.confirmed_ns[text]
            percent = used_ns * 100 // lease_ns if lease_ns else 0
            worst = max(worst, percent)
            if percent >= 100:
                self._halt(
                    f"{text} is unconfirmed for {used_ns // SECOND} s, longer than it may be used", context
                )
        if worst >= self.settings.expiring_at:
            context.alert(
                EXPIRING, Severity.PAGE, f"{min(worst, 100)} % of the time that secrets may be used is over"
            )
        elif self.state.leases_ns:
            context.resolve(EXPIRING)
            if not any(one.trouble in BELIEVED for one in self.troubles.values()) and self.state.halted:
                self.state.halted = ""  # the next trouble halts anew; the halt itself waits for a person
                context.save()

    def _halt(self, reason: str, context: Context) -> None:
        if self.settings.halt and not self.state.halted:
            self.state.halted = reason
            context.publish(Halt("all", HaltLevel.NO_NEW_RISK, "secrets", reason))
            context.save()

    def on_acknowledged(self, message: Acknowledged, context: Context) -> None:
        """Risk has halted."""

    def on_rejected(self, message: Rejected, context: Context) -> None:
        """Risk has not halted: ask again at the next trouble."""
        self.state.halted = ""
        context.log("halt refused", text=message.text)
        context.save()

    # -- what is seen of it --------------------------------------------------------------------------

    def describe(self) -> Any:
        """Return what an operator sees: references, versions and troubles."""
        return {
            "halted_for": self.state.halted,
            "asked": self._number,
            "answered": self._answered,
            "references": [
                {
                    "reference": text,
                    "newest": newest,
                    "in_use": held,
                    "refused": self.state.refused.get(text, 0),
                    "refusal": self.refusals.get(text, ""),
                    **_trouble(self.troubles.get(text)),
                }
                for text, (newest, held) in sorted(self._known().items())
            ],
        }

    def _known(self) -> dict[str, tuple[int, int]]:
        """Return every reference that was asked for; what was never given has version 0."""
        return dict.fromkeys(self.troubles, (0, 0)) | self.versions

    def gauges(self) -> dict[str, int | float]:
        """Return what is worth a metric."""
        return {
            "secrets": len(self.versions),
            "secrets_in_trouble": len(self.troubles),
            "secrets_waiting": sum(newest != held for newest, held in self.versions.values()),
            "adopted": self.adopted_count,
        }


def _trouble(failed: Failed | None) -> dict[str, str]:
    if failed is None:
        return {"trouble": "", "reason": ""}
    return {"trouble": str(failed.trouble), "reason": failed.reason}
