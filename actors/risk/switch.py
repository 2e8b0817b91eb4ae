"""The kill switch: latches halts, has the OMS carry them out, and lets go on a person's word only."""

from __future__ import annotations

from actors.domain.place import Place
from actors.messages.control import Acknowledged, Halt, HaltLevel, HaltState, LatchFound, Rejected, Resume
from actors.risk.events import HaltLatched, HaltReleased, LatchTaken, LossDayNoted
from actors.risk.fold import DEPLOYMENT, RiskFold
from actors.risk.halts import LEVEL_OF_ACTION, bind_halts, cancels_of, flattens_of, halt_fault, resume_fault
from actors.risk.picture import Picture
from actors.risk.settings import Action, RiskSettings
from actors.runtime.behaviour import Context
from actors.runtime.errors import InvariantError
from actors.runtime.messages import Severity, SupervisorExhausted

__all__ = ["LEVEL_OF", "KillSwitch"]

DAY_NS = 86_400_000_000_000
LEVEL_OF = {
    Action.REDUCE_ONLY: HaltLevel.NO_NEW_RISK,
    Action.HALT: HaltLevel.NO_NEW_RISK,
    Action.CANCEL: HaltLevel.CANCEL_ALL,
    Action.FLATTEN: HaltLevel.FLATTEN,
}


class KillSwitch(RiskFold):
    """The part of the risk actor that stops trading. A halt outlives restarts; only a resume releases it."""

    def __init__(self, settings: RiskSettings, place: Place) -> None:
        super().__init__(settings)
        self._account = place.account
        self._picture = Picture(settings, place.instruments)
        self._markets = self._picture.markets

    def recall_halts(self, context: Context) -> None:
        """Halts in force bind again, and everybody hears of them; a new deployment may begin with one."""
        if self.settings.begins_halted and not self.state.began_halted:
            reason = "a new deployment begins halted: look at it, then resume with a reason"
            self._latch("all", HaltLevel.NO_NEW_RISK, DEPLOYMENT, reason, context)
            return
        if not self.state.halts:
            return
        self._tell_halts(context)
        for scope in self.state.halts:
            self._alert_halt(scope, context)

    def enforce_halts(self, context: Context) -> None:
        """Cancel and flatten once more; a restart may have cut it short the first time."""
        for scope, halt in self.state.halts.items():
            self._enforce(scope, halt.level, halt.reason, context)

    def on_halt(self, halt: Halt, context: Context) -> None:
        fault = halt_fault(halt, self._account, self._markets)
        if fault:
            _answer(Rejected(fault), context)
            return
        level = self._latch(halt.scope, halt.level, halt.actor, halt.reason, context)
        _answer(Acknowledged(f"{halt.scope} is halted at {level.name}"), context)

    def on_latch_found(self, found: LatchFound, context: Context) -> None:
        """Take in what was ordered from outside while nobody here listened, once."""
        if found.digest in self.state.latches:
            return
        said = found.text or f"{found.scope} halted at {found.level.name} by {found.actor}: {found.reason}"
        context.record(LatchTaken(found.number, found.digest, said, context.now_ns))
        halt = Halt(found.scope, found.level, found.actor, found.reason)
        if found.scope and not halt_fault(halt, self._account, self._markets):
            evidence = f"line {found.number} of the latch, sha256 {found.digest}"
            self._latch(found.scope, found.level, found.actor, found.reason, context, evidence)

    def on_supervisor_exhausted(self, exhausted: SupervisorExhausted, context: Context) -> None:
        # An action this version does not know is taken for the safest that leaves positions alone.
        level = LEVEL_OF_ACTION.get(exhausted.action, HaltLevel.CANCEL_ALL)
        if level is not None:
            is_node = exhausted.actor == "node"  # it runs, and says what it lacks: room on the disk
            reason = (
                exhausted.reason if is_node else f"{exhausted.actor} failed too often: {exhausted.reason}"
            )
            self._latch("all", level, "supervisor/" + exhausted.supervisor, reason, context)

    def _latch(
        self, scope: str, level: HaltLevel, actor: str, reason: str, context: Context, evidence: str = ""
    ) -> HaltLevel:
        """Latch a halt, and return its level: one that goes further already stays."""
        current = self.state.halts.get(scope)
        if current is not None and current.level > level:
            level = current.level
        context.record(HaltLatched(scope, level, actor, reason, context.now_ns, evidence))
        self._tell_halts(context)
        self._enforce(scope, level, reason, context)
        self._alert_halt(scope, context)
        return level

    def on_resume(self, resume: Resume, context: Context) -> None:
        fault = resume_fault(resume, self.state.halts)
        if fault:
            context.reply(Rejected(fault))
            return
        scope = resume.scope
        context.record(HaltReleased(scope, resume.actor, resume.reason, context.now_ns))
        self._tell_halts(context)
        context.resolve("TradingHalted", key=f"{self._account}:{scope}")
        if scope == "account/" + self._account:
            context.resolve("LossLimitHit", key=self._account)
        self.resumed(scope, context)
        context.reply(Acknowledged(f"{scope} is resumed"))

    def resumed(self, scope: str, context: Context) -> None:
        """A person resumed a scope; what counts towards a halt begins anew."""

    def _enforce(self, scope: str, level: HaltLevel, reason: str, context: Context) -> None:
        if level >= HaltLevel.CANCEL_ALL:
            context.publish(cancels_of(scope, self._account, reason))
        if level >= HaltLevel.FLATTEN:
            context.publish(flattens_of(scope, self._account, reason))

    def _tell_halts(self, context: Context) -> None:
        halts = self.state.halts
        bind_halts(self._picture, self._account, halts)
        shown = tuple((scope, halt.level, halt.reason) for scope, halt in halts.items())
        context.publish(HaltState(shown, context.now_ns))

    def _alert_halt(self, scope: str, context: Context) -> None:
        halt = self.state.halts[scope]
        severity = Severity.TICKET if halt.level is HaltLevel.NO_NEW_RISK else Severity.PAGE
        text = f"{self._account}: {scope} is halted at {halt.level.name} by {halt.actor}: {halt.reason}"
        context.alert("TradingHalted", severity, text, key=f"{self._account}:{scope}")

    def hit_loss_limit(self, at_ns: int, context: Context) -> None:
        """Latch the daily loss limit, once a day: after a resume the rule itself goes on denying."""
        day = at_ns // DAY_NS
        if self.state.loss_day == day:
            return
        loss, limit = self._picture.loss_usdt, self.settings.daily_loss_usdt
        context.record(LossDayNoted(day, loss, limit, context.now_ns))
        text = f"Account {self._account} lost its daily limit; only reductions pass until a person resumes"
        action = self.settings.actions.get("daily_loss", Action.REDUCE_ONLY)
        context.alert(
            "LossLimitHit",
            Severity.PAGE,
            text,
            key=self._account,
            ends_after_ns=0 if action in LEVEL_OF else DAY_NS,  # without a halt there is nothing to resume
            loss_usdt_e8=loss,
            limit_usdt_e8=limit,
        )
        if action in LEVEL_OF:
            scope, reason = "account/" + self._account, "the daily loss limit was hit"
            self._latch(scope, LEVEL_OF[action], "rule/daily_loss", reason, context)


def _answer(message: Acknowledged | Rejected, context: Context) -> None:
    """Answer whoever wants a halt. An actor that does not read us cannot be told, and the halt stands."""
    try:
        context.reply(message)
    except InvariantError:
        context.log("answer to a halt has no reader", address=context.sender, text=message.text)
