"""The policy tier: what may run in which mode, and what must never stand in a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec import inspect

from actors.deployment.alert_policy import check_alert_route
from actors.deployment.expansion import Draft
from actors.deployment.faults import FaultLog
from actors.deployment.places import Span
from actors.deployment.sections import ClockSection, ControlSection, JournalSection, SecretsSection
from actors.deployment.setting_types import SettingField, fields_of, item_type
from actors.deployment.topology import SupervisorPlan
from actors.deployment.yaml_tree import List, Map, Node, Scalar
from actors.domain.instrument import Instrument
from actors.domain.listing import unconfirmed
from actors.secrets.reference import is_reference, parse_reference

__all__ = ["check_catalog", "check_mode", "check_secrets", "trades_real_money"]

SECRET_KEY = re.compile(
    r"(^|[_-])(secret|password|passwd|passphrase|token|credentials?|api_?key|private_?key)$"
)
# What keys of well-known makers look like, whatever the setting is called.
SECRET_TEXT = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bhvs\.[\w-]{20,}|\bxox[abp]-[\w-]{10,}|\bAKIA[0-9A-Z]{16}\b|://[^/\s:@]+:[^/\s@]+@"
    r"|hooks\.slack\.com/services/\w+/\w+/\w{8,}|\b(bot)?\d{8,10}:[\w-]{35}\b"
    r"|discord(app)?\.com/api/webhooks/\d+/[\w-]{20,}|webhook\.office\.com/webhookb2/\w{8,}|/hooks/[a-z0-9]{26}\b"
    r"|[?&](access_token|api_?key|key|secret|sig|signature|token)=[\w%.~+/-]{16,}"
)
LOOPBACK_URL = re.compile(r"\w+://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?(/.*)?")
LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")
CONFIRM_HELP = "run `polytrade markets sync`, which asks the venue, or `polytrade markets confirm`"
REFERENCE_HELP = "the form is secret://mount/path#key, or ...#key@version"
PLAIN_HELP = "keep it in Vault and write 'secret://mount/path#key'; change it, for it has been seen"
OWNERS_OF_ORDERS = frozenset({"risk", "oms", "venue"})
VIRTUAL_MODES = ("backtest", "simulation")


def check_mode(
    root: Map,
    mode: str,
    sections: tuple[JournalSection | None, ControlSection | None, ClockSection | None, SecretsSection | None],
    drafts: list[Draft],
    supervisors: dict[str, SupervisorPlan],
    chosen: dict[str, str],
    log: FaultLog,
) -> None:
    """Note what must not run in the deployment's mode. A section that is None was faulty, and told."""
    journal, control, clock, secrets = sections
    _check_kinds(drafts, mode, log)
    if control is not None:
        _check_control(control, root, log)
    if clock is not None and clock.kind == "virtual" and mode not in VIRTUAL_MODES:
        span = _span(root, "clock", "kind")
        log.add("E307", span, f"a deployment in {mode} mode cannot live in virtual time")
    if mode != "live":
        _check_money(drafts, mode, log)
        return
    if control is not None and control.faults:
        message = "in live mode nobody brings faults about on purpose"
        log.add(
            "E316", _span(root, "control", "faults"), message, "drill a paper deployment; see docs/drills.md"
        )
    if journal is not None and journal.durability != "disk":
        message = (
            f"in live mode an order must be on the disk before it leaves, not only in {journal.durability!r}"
        )
        log.add("E302", _span(root, "journal", "durability"), message, "write 'durability: disk'")
    if secrets is not None and secrets.defaults:
        _refuse_defaults(root, log)
    _check_keys(drafts, log)
    _check_limits(drafts, log)
    check_alert_route(root, drafts, log)
    _check_escalation(root, drafts, supervisors, chosen, log)


def trades_real_money(mode: str, urls: Iterable[str]) -> bool:
    """Return whether orders of a deployment leave this machine. `urls`: where they go."""
    return mode == "live" and not all(LOOPBACK_URL.fullmatch(url) for url in urls)


def check_catalog(
    mode: str, drafts: list[Draft], instruments: Mapping[str, Instrument], log: FaultLog
) -> None:
    """Note symbols that would be traded with real money on numbers that nobody has confirmed."""
    urls = [
        str(getattr(draft.settings, name, ""))
        for draft in drafts
        for name in (draft.kind.trades_at if draft.kind is not None else ())
        if draft.settings is not None
    ]
    if not trades_real_money(mode, urls):
        return
    asked: dict[Span, list[str]] = {}
    for draft in drafts:
        instrument = instruments.get(draft.variables.get("symbol", ""))
        if draft.family != "strategy" or instrument is None:
            continue
        symbol, span = instrument.symbol, draft.places["symbol"]
        if names := unconfirmed(instrument):
            asked.setdefault(span, []).append(f"{', '.join(names)} of {symbol}")
        if not instrument.is_open:
            log.add("W406", span, f"{symbol} is {instrument.status} at the venue, by the markets file")
    for span, questions in asked.items():
        message = f"nobody has confirmed {'; '.join(questions)}, which would be traded with real money"
        log.add("E312", span, message, CONFIRM_HELP)


def _span(root: Map, *path: str) -> Span:
    """Return the place of a value; of the nearest key above when it is not written."""
    span, node = root.span, root
    for name in path:
        if name not in node.values:
            break
        span = node.keys[name].span
        found = node.values[name]
        if not isinstance(found, Map):
            return found.span
        node = found
    return span


def _check_kinds(drafts: list[Draft], mode: str, log: FaultLog) -> None:
    for draft in drafts:
        kind = draft.kind
        if kind is None:
            continue
        span = draft.entry.values["kind"].span
        if mode not in kind.modes:
            message = f"actor {draft.name!r}: the kind {kind.name!r} does not run in {mode} mode"
            log.add("E305", span, message, f"it runs in {', '.join(kind.modes)}")


def _check_money(drafts: list[Draft], mode: str, log: FaultLog) -> None:
    """Outside live mode no order may reach an exchange beyond this machine."""
    for draft in drafts:
        for name in draft.kind.trades_at if draft.kind is not None else ():
            url = getattr(draft.settings, name, "")
            if draft.settings is not None and not LOOPBACK_URL.fullmatch(url):
                message = f"actor {draft.name!r}: in {mode} mode orders would go to {url}, with real money"
                help = "point it at a local exchange on 127.0.0.1, or write 'mode: live'"
                log.add("E311", _setting_span(draft, name), message, help)


def _refuse_defaults(root: Map, log: FaultLog) -> None:
    message = "values of secrets stand in the file, and in live mode none may"
    log.add("E304", _span(root, "secrets", "defaults"), message, "take 'defaults' away")
    section = root.get("secrets")
    for _, scalar in _texts(section, "") if section is not None else ():
        if len(scalar.text) > 2 and not is_reference(scalar.text):
            log.hide(scalar.span, scalar.text)


def _check_keys(drafts: list[Draft], log: FaultLog) -> None:
    for draft in drafts:
        if draft.kind is None or draft.settings is None:
            continue
        for name, one in fields_of(draft.kind.settings_class).items():
            if one.is_secret and not getattr(draft.settings, name):
                message = f"actor {draft.name!r}: in live mode {name!r} is needed, and is not there"
                log.add("E310", _setting_span(draft, name), message, "write a 'secret://mount/path#key'")


def _setting_span(draft: Draft, name: str) -> Span:
    """Return the place of a setting; of the actor when it is not written."""
    span = _span(draft.entry, "settings", name)
    return draft.key.span if span == draft.entry.span else span


def _check_control(control: ControlSection, root: Map, log: FaultLog) -> None:
    http = control.http
    if http.enabled and not http.allow_remote and not LOOPBACK.fullmatch(http.host):
        message = f"the control API would listen on {http.host}, where others can reach it and stop trading"
        help = "listen on 127.0.0.1, or write 'allow_remote: true' if a firewall or proxy stands before it"
        log.add("E306", _span(root, "control", "http", "host"), message, help)


def _check_limits(drafts: list[Draft], log: FaultLog) -> None:
    for draft in drafts:
        if draft.kind is None or not draft.kind.vets_orders:
            continue
        fields = fields_of(draft.kind.settings_class)
        missing = [
            name
            for name, one in fields.items()
            if one.risk and not one.is_optional and f"settings.{name}" not in draft.origins
        ]
        if missing:
            span = _span(draft.entry, "settings") if "settings" in draft.entry.keys else draft.key.span
            message = (
                f"actor {draft.name!r}: in live mode every limit is written down, and {missing[0]!r} is not"
            )
            more = f"also missing: {', '.join(missing[1:])}" if len(missing) > 1 else ""
            log.add("E301", span, message, more)


def _check_escalation(
    root: Map,
    drafts: list[Draft],
    supervisors: dict[str, SupervisorPlan],
    chosen: dict[str, str],
    log: FaultLog,
) -> None:
    for draft in drafts:
        plan = supervisors.get(chosen[draft.address])
        if draft.family in OWNERS_OF_ORDERS and plan is not None and plan.exhausted == "continue":
            message = (
                f"supervisor {plan.name!r} would continue without {draft.name!r}, with orders still open"
            )
            help = "write 'exhausted: reduce_only', 'cancel_all' or 'flatten'"
            log.add("E308", _span(root, "supervisors", plan.name, "exhausted"), message, help)


def check_secrets(root: Map, drafts: list[Draft], log: FaultLog) -> None:
    """Note secrets that stand in the file, and references to secrets that are malformed."""
    _check_plain(drafts, log)
    defaults = root.get("secrets")
    defaults = defaults.get("defaults") if isinstance(defaults, Map) else None
    for text, key in defaults.keys.items() if isinstance(defaults, Map) else ():
        if parse_reference(text) is None:
            log.add("E309", key.span, "the reference to a secret is malformed", REFERENCE_HELP)
    for name, scalar in _texts(root, ""):
        text = scalar.text
        if is_reference(text):
            if parse_reference(text) is None:
                log.add("E309", scalar.span, "the reference to a secret is malformed", REFERENCE_HELP)
        elif (SECRET_KEY.search(name.lower()) and text) or SECRET_TEXT.search(text):
            about = f"{name!r} holds" if SECRET_KEY.search(name.lower()) else "this looks like"
            log.add("E304", scalar.span, f"{about} a secret in plain text", PLAIN_HELP)
            log.hide(scalar.span, text)


def _check_plain(drafts: list[Draft], log: FaultLog) -> None:
    """Note text in settings that hold references, unless the search by name finds it anyway.

    Where text may stand it is shown nowhere, not even beside a fault: it may be a secret all the same.
    """
    for draft in drafts:
        settings = draft.entry.get("settings")
        if draft.kind is None or not isinstance(settings, Map):
            continue
        for name, one, node in _for_references(draft.kind.settings_class, settings):
            if one.may_be_plain:
                log.veil(node.span, node.text)
            elif not SECRET_KEY.search(name) and not SECRET_TEXT.search(node.text):
                log.add("E304", node.span, f"{name!r} holds a secret in plain text", PLAIN_HELP)
                log.hide(node.span, node.text)


def _for_references(kind: type[msgspec.Struct], settings: Map) -> Iterator[tuple[str, SettingField, Scalar]]:
    """Yield what stands, as other text, where references may; settings inside of others too."""
    for name, one in fields_of(kind).items():
        node, base = settings.get(name), one.type.base
        if isinstance(node, Scalar):
            if one.is_secret and node.text and not is_reference(node.text):
                yield name, one, node
        elif isinstance(node, Map) and isinstance(base, inspect.StructType):
            yield from _for_references(base.cls, node)
        elif isinstance(node, List) and isinstance(base, inspect.VarTupleType):
            inner = item_type(one.type, 0).base
            for item in node.items:
                if isinstance(item, Map) and isinstance(inner, inspect.StructType):
                    yield from _for_references(inner.cls, item)


def _texts(node: Node, name: str) -> Iterator[tuple[str, Scalar]]:
    """Yield every text with the key it stands under."""
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            yield name, node
    elif isinstance(node, List):
        for item in node.items:
            yield from _texts(item, name)
    else:
        for key, value in node.values.items():
            yield from _texts(value, key)
