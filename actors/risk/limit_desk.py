"""The limits in force: from the file, from what people have changed, compiled into the checks to ask."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from actors.domain.persons import same_person
from actors.domain.place import Place
from actors.messages.control import Acknowledged, Rejected
from actors.messages.limits import ChangeLimit
from actors.risk.guard_events import (
    LimitLoosened,
    LimitReturned,
    LimitTightened,
    LooseningAsked,
    NearEnded,
)
from actors.risk.limits import change_fault, checked, effective, limit_name, looser, near, value_of
from actors.risk.rule import Check
from actors.risk.rules import RULES
from actors.risk.settings import RiskSettings, SymbolLimits
from actors.risk.state import Override
from actors.risk.switch import KillSwitch
from actors.runtime.behaviour import Context
from actors.runtime.errors import InvariantError
from actors.runtime.messages import Message, Severity

__all__ = ["LimitDesk", "LimitsDue"]

Checks = tuple[tuple[str, Check], ...]


class LimitsDue(Message, frozen=True):
    """A changed limit ends now."""


class LimitDesk(KillSwitch):
    """Keeps what people have changed, and makes the checks anew when it changes."""

    def __init__(self, settings: RiskSettings, place: Place) -> None:
        super().__init__(settings, place)
        for symbol in settings.symbols:
            if symbol not in self._markets:
                raise ValueError(f"symbols.{symbol}: is not an instrument of this deployment")
        self.file = settings  # as the deployment says; `settings` is what is in force
        self._watched: Checks = ()
        self._near_checks: dict[str, Checks] = {}
        self._tallied = False
        self._ledger_peak_usdt = 0
        self.compile_checks(settings)

    # -- checks -----------------------------------------------------------------------------------

    def compile_checks(self, settings: RiskSettings) -> None:
        """Make what is asked from now on: for each symbol a tuple of the rules that have a limit there."""
        self.settings = self._picture.settings = settings
        made: dict[str, tuple[Checks, Checks, Checks]] = {"": _made(settings)}
        for symbol, own in settings.symbols.items():
            made[symbol] = _made(_of_symbol(settings, own))
        for symbol, market in self._markets.items():
            market.checks, market.checks_reducing, market.exits = made.get(symbol, made[""])
        self._watched = tuple(
            (rule.name, check)
            for rule in RULES
            if rule.watched and (check := rule.make(settings)) is not None
        )
        self._tallied = any(name in TALLIED for checks, _, _ in made.values() for name, _ in checks)
        self._near_checks = {}
        if settings.warn_at:
            self._compile_near(near(settings))
        self._set_rate(settings)

    def _compile_near(self, scaled: RiskSettings) -> None:
        for symbol in self._markets:
            own = scaled.symbols.get(symbol)
            checks = _made(scaled if own is None else _of_symbol(scaled, own))[0]
            self._near_checks[symbol] = tuple((name, check) for name, check in checks if name in WARNED)

    # -- changes ----------------------------------------------------------------------------------

    def recall_limits(self, context: Context) -> None:
        """Take up what people had changed before the restart; what has ended meanwhile is over."""
        if self.state.tightened or self.state.loosened or self.state.asked:
            self._end_limits(context)
            self.compile_checks(effective(self.file, self.state.tightened, self.state.loosened))
            self._tell_limits(context)
        self._forget_warnings(context)

    def _forget_warnings(self, context: Context) -> None:
        """End the warnings of limits that nobody is warned of any more: no order would do it."""
        asked = {name for checks in self._near_checks.values() for name, _ in checks}
        for name in sorted(self.state.near.keys() - asked):
            self.end_warning(name, context)

    def end_warning(self, name: str, context: Context) -> None:
        """A limit that somebody was warned of is not near any more."""
        context.record(NearEnded(name, context.now_ns))
        context.resolve("LimitNear", key=f"{self._account}:{name}")

    def on_change_limit(self, change: ChangeLimit, context: Context) -> None:
        if change.account != self._account:
            self._answer_change(Rejected(f"this is the risk actor of account {self._account!r}"), context)
            return
        try:
            name = limit_name(change.limit, self.file, self._markets)
        except ValueError as error:
            self._answer_change(Rejected(str(error)), context)
            return
        current, file, now_ns = value_of(self.settings, name), value_of(self.file, name), context.now_ns
        fault = change_fault(change, name, current, file, now_ns) or checked(self.file, name, change.value)
        if fault:
            self._answer_change(Rejected(fault), context)
        elif not change.loosens:
            context.record(
                LimitTightened(name, change.value, change.actor, change.reason, change.until_ns, now_ns)
            )
            self._changed_limits(f"{name} is tightened", context)
        else:
            self._loosen(change, name, context)

    def _loosen(self, change: ChangeLimit, name: str, context: Context) -> None:
        asked, now_ns = self.state.asked.get(name), context.now_ns
        two = self.file.approval == "two_persons"
        if two and not change.approves:
            context.record(
                LooseningAsked(name, change.value, change.actor, change.reason, change.until_ns, now_ns)
            )
            self._arm_limits(context)
            text = f"asked: {name} is loosened when a second person approves it"
            self._answer_change(Acknowledged(text), context)
            return
        if two and (asked is None or asked.value != change.value):
            self._answer_change(Rejected(f"nobody has asked for {name} to become {change.value}"), context)
            return
        if two and asked is not None and same_person(asked.actor, change.actor):
            text = f"{change.actor} asked for it: the second person must be another"
            self._answer_change(Rejected(text), context)
            return
        if asked is not None and two:
            event = LimitLoosened(
                *(name, change.value, asked.actor, change.actor, asked.reason, asked.until_ns, now_ns)
            )
        else:
            event = LimitLoosened(
                name, change.value, change.actor, "", change.reason, change.until_ns, now_ns
            )
        if not event.until_ns and looser(name, event.value, value_of(self.file, name)):
            self._answer_change(Rejected(f"a loosening of {name} needs an end"), context)
            return
        context.record(event)
        self._changed_limits(f"{name} is loosened", context)

    def _changed_limits(self, text: str, context: Context) -> None:
        self.compile_checks(effective(self.file, self.state.tightened, self.state.loosened))
        self._arm_limits(context)
        self._tell_limits(context)
        self._forget_warnings(context)
        self._answer_change(Acknowledged(text), context)

    def on_limits_due(self, _: LimitsDue, context: Context) -> None:
        self._end_limits(context)
        self.compile_checks(effective(self.file, self.state.tightened, self.state.loosened))
        self._tell_limits(context)

    def _end_limits(self, context: Context) -> None:
        """Put on the record what is over, and wake up for what ends next."""
        for kind, found in self._changes().items():
            for name, override in list(found.items()):
                if override.until_ns and override.until_ns <= context.now_ns:
                    context.record(LimitReturned(name, kind, "its time is over", context.now_ns))
        self._arm_limits(context)

    def _arm_limits(self, context: Context) -> None:
        ends = [one.until_ns for found in self._changes().values() for one in found.values() if one.until_ns]
        if ends:
            context.schedule(max(0, min(ends) - context.now_ns), LimitsDue(), key="limits")
        else:
            context.cancel_timer("limits")

    def _changes(self) -> dict[str, dict[str, Override]]:
        state = self.state
        return {"tightened": state.tightened, "loosened": state.loosened, "asked": state.asked}

    def _tell_limits(self, context: Context) -> None:
        """A looser limit is told for as long as it holds."""
        loosened = self.state.loosened
        if not loosened:
            context.resolve("LimitLoosened", key=self._account)
            return
        shown = ", ".join(f"{name} by {one.actor}: {one.reason}" for name, one in loosened.items())
        text = f"Account {self._account} trades with looser limits than its file says: {shown}"
        context.alert("LimitLoosened", Severity.TICKET, text, key=self._account)

    def _answer_change(self, answer: Acknowledged | Rejected, context: Context) -> None:
        try:
            context.reply(answer)
        except InvariantError:
            context.log("answer to a change of a limit has no reader", text=answer.text)

    def shown_limits(self) -> list[dict[str, Any]]:
        """Return every limit with its value in force, the file's, and who changed it."""
        rows = []
        changed = {*self.state.tightened, *self.state.loosened, *self.state.asked}
        for name in (*LIMIT_NAMES, *sorted(changed - set(LIMIT_NAMES))):
            row: dict[str, Any] = {
                "limit": name,
                "rule": RULE_OF_LIMIT.get(name, ""),
                "value": value_of(self.settings, name),
                "file": value_of(self.file, name),
            }
            for kind, found in self._changes().items():
                if name in found:
                    one = found[name]
                    row[kind] = {
                        "value": one.value,
                        "by": one.actor,
                        "approved_by": one.approver,
                        "reason": one.reason,
                        "at_ns": one.at_ns,
                        "until_ns": one.until_ns,
                    }
            rows.append(row)
        for group in ("symbols", "strategies"):
            for owner, own in getattr(self.file, group).items():
                for field in own.__struct_fields__:
                    name = f"{group}.{owner}.{field}"
                    if getattr(own, field) and name not in changed:
                        value = value_of(self.settings, name)
                        rows.append({"limit": name, "value": value, "file": value_of(self.file, name)})
        return rows


def _of_symbol(settings: RiskSettings, own: SymbolLimits) -> RiskSettings:
    """Return the limits of one symbol: its own where it has them."""
    values = {name: getattr(own, name) for name in own.__struct_fields__}
    return structs.replace(settings, **{name: value for name, value in values.items() if value is not None})


def _made(settings: RiskSettings) -> tuple[Checks, Checks, Checks]:
    """Return the checks of any order, of one that only reduces, and of positions."""
    made = [(rule, check) for rule in RULES if (check := rule.make(settings)) is not None]
    return (
        tuple((rule.name, check) for rule, check in made if not rule.exits),
        tuple((rule.name, check) for rule, check in made if rule.binds_reducing),
        tuple((rule.name, check) for rule, check in made if rule.exits),
    )


# Rules that read the tally, which is kept only while one of them is on.
TALLIED = frozenset(
    {
        *("symbol_orders", "strategy_orders", "strategy_notional"),
        *("slippage", "denials", "strategy_silence"),
    }
)
# Rules whose limits somebody can be warned of: those that a number grows towards.
WARNED = frozenset(
    rule.name for rule in RULES if rule.limits and not rule.exits and rule.name not in ("exit_pause",)
)
LIMIT_NAMES = tuple(
    dict.fromkeys(
        name for rule in RULES for name in rule.limits if name not in ("strategies", "refuse_not_finite")
    )
)
RULE_OF_LIMIT = {rule.limits[0]: rule.name for rule in RULES if rule.limits}
