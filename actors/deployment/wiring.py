"""The wiring tier: does every actor hear what it needs, tell somebody who listens, and own what it writes?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from actors.deployment.expansion import Cast, Draft
from actors.deployment.faults import FaultLog, did_you_mean
from actors.deployment.markets import check_markets
from actors.deployment.topology import Edge
from actors.deployment.yaml_tree import List, Map, Scalar
from actors.domain.instrument import Instrument

__all__ = ["check_wiring"]

REFUSAL = "RateLimited"  # what those tell each other who share the limits of a venue
# Families that must get orders only from an actor that vets them.
BEHIND_RISK = frozenset({"oms", "venue", "exchange"})


def check_wiring(
    cast: Cast, edges: list[Edge], instruments: Mapping[str, Instrument] | None, log: FaultLog
) -> None:
    """Note every actor that could not do its work, or would do somebody else's. None: no catalog to check."""
    drafts = cast.drafts
    known = {draft.address: draft for draft in drafts}
    heard, told = _traffic(edges)
    for draft in drafts:
        if draft.kind is None:
            continue
        if not draft.misread and not _has_riddles(draft, known):
            _check_hears(draft, heard[draft.address], drafts, log)
        if not cast.unsure:  # those nobody can tell the addresses of may read it
            _check_tells(draft, told[draft.address], drafts, log)
        _check_market(draft, known, log)
        _check_sources(draft, known, log)
        _check_use(draft, heard, told, log)
    _check_protection(drafts, edges, log)
    _check_owners(drafts, log)
    _check_shared_limits(drafts, log)
    if instruments is not None:
        _check_symbols(drafts, instruments, log)
        check_markets(drafts, instruments, log)


def _traffic(edges: Iterable[Edge]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    heard: dict[str, set[str]] = defaultdict(set)
    told: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        heard[edge.reader].update(edge.messages)
        told[edge.source].update(edge.messages)
    return heard, told


def _check_hears(draft: Draft, heard: set[str], drafts: list[Draft], log: FaultLog) -> None:
    for need in draft.kind.hears if draft.kind else ():
        names = need.split("|")
        if heard.isdisjoint(names):
            senders = [other for other in drafts if other is not draft and _sends(other, names)]
            # Between two that send it, the one of the same account is meant.
            senders.sort(key=lambda other: other.variables.get("account") != draft.variables.get("account"))
            help = "no actor here sends it"
            if senders:
                help = f"{senders[0].address!r} sends it: add it to 'reads'"
            message = f"actor {draft.name!r} needs {_either(names)}, and nobody it reads sends it"
            log.add("E212", draft.key.span, message, help)
            return


def _check_tells(draft: Draft, told: set[str], drafts: list[Draft], log: FaultLog) -> None:
    if draft.kind is None:
        return
    for need in draft.kind.tells:
        names = need.split("|")
        if not told.isdisjoint(names):
            continue
        readers = [other for other in drafts if other is not draft and _accepts(other, names)]
        if any(reader.misread for reader in readers) or _is_read_by_riddle(draft, drafts):
            return
        help = f"{readers[0].address!r} accepts it: let it read" if readers else "no actor here accepts"
        message = f"actor {draft.name!r} sends {_either(names)}, and nobody reads it"
        log.add("E211", draft.key.span, message, f"{help} {draft.address!r}" if readers else f"{help} it")
        return


def _has_riddles(draft: Draft, known: dict[str, Draft]) -> bool:
    """Return whether it reads actors of unknown kinds, which may send anything."""
    return any(known[address].kind is None for address in draft.sources)


def _is_read_by_riddle(draft: Draft, drafts: list[Draft]) -> bool:
    return any(other.kind is None and (other.misread or draft.address in other.sources) for other in drafts)


def _either(names: list[str]) -> str:
    return " or ".join(names)


def _sends(draft: Draft, names: list[str]) -> bool:
    return draft.kind is not None and not draft.kind.sends.keys().isdisjoint(names)


def _accepts(draft: Draft, names: list[str]) -> bool:
    return draft.kind is not None and not draft.kind.accepts.keys().isdisjoint(names)


def _check_market(draft: Draft, known: dict[str, Draft], log: FaultLog) -> None:
    """A strategy without a feed of its symbol waits for ever."""
    symbol = draft.variables.get("symbol")
    if draft.family != "strategy" or symbol is None or draft.misread:
        return
    sources = [known[address] for address in draft.sources]
    feeds = [source for source in sources if source.family == "feed"]
    if any(feed.variables.get("symbol") == symbol for feed in feeds):
        return
    message = f"actor {draft.name!r} trades {symbol} and reads no feed of it"
    span = draft.entry.keys["reads"].span if "reads" in draft.entry.keys else draft.key.span
    offered = next(
        (d for d in known.values() if d.family == "feed" and d.variables.get("symbol") == symbol), None
    )
    log.add(
        "E208", span, message, f"add '{offered.name}/$symbol'" if offered else f"no feed here has {symbol}"
    )


def _check_sources(draft: Draft, known: dict[str, Draft], log: FaultLog) -> None:
    account = draft.variables.get("account")
    for address, span in draft.sources.items():
        source = known[address]
        if source.family == "strategy" and draft.family in BEHIND_RISK:
            message = f"actor {draft.name!r} reads the strategy {address!r}: orders must pass the risk actor"
            log.add(
                "E209", span, message, "let the risk actor read the strategy, and this one the risk actor"
            )
        other = source.variables.get("account")
        if account is not None and other is not None and account != other:
            message = f"actor {draft.address!r} reads {address!r}, which belongs to another account"
            log.add("E207", span, message, f"write '{source.name}/$account'")


def _check_use(draft: Draft, heard: dict[str, set[str]], told: dict[str, set[str]], log: FaultLog) -> None:
    kind = draft.kind
    if kind is None or kind.listens or kind.hears or kind.tells or kind.stands_alone or draft.misread:
        return
    if not heard[draft.address] and not told[draft.address]:
        log.add("W401", draft.key.span, f"nobody reads actor {draft.name!r}, and it reads nobody")


def _check_shared_limits(drafts: list[Draft], log: FaultLog) -> None:
    """Whoever uses the same limits of a venue must hear what the others are refused."""
    told: set[str] = set()
    sharers = [draft for draft in drafts if _sends(draft, [REFUSAL]) and _accepts(draft, [REFUSAL])]
    for draft in sharers:
        for other in sharers:
            if draft.name in told or other is draft or not _share_limits(draft, other):
                continue
            if other.address not in draft.sources and not draft.misread:
                told.add(draft.name)
                message = f"actor {draft.address!r} shares limits of the venue with {other.address!r}, unread"
                name = other.name if other.name == other.address else f"{other.name}/*"
                help = f"add {name!r} to 'reads': a 429 of one slows the other too"
                log.add("W408", draft.key.span, message, help)


def _share_limits(one: Draft, other: Draft) -> bool:
    """Return whether a 429 of one says something to the other: one market, one venue, no two accounts.

    A kind that knows no market of its own asks about all of them.
    """
    markets = [draft.kind.market for draft in (one, other) if draft.kind is not None and draft.kind.market]
    if len(set(markets)) > 1:
        return False
    hosts = [getattr(draft.settings, "rest_url", "") for draft in (one, other)]
    accounts = {draft.variables["account"] for draft in (one, other) if "account" in draft.variables}
    return bool(hosts[0]) and hosts[0] == hosts[1] and len(accounts) < 2


def _check_protection(drafts: list[Draft], edges: list[Edge], log: FaultLog) -> None:
    """Note strategies whose exits the OMS cannot see prices for."""
    for draft in drafts:
        protect = getattr(draft.settings, "protect", None)
        if draft.misread or draft.family != "strategy" or protect is None or not protect.is_on:
            continue
        account, symbol = getattr(draft.settings, "account", ""), draft.variables.get("symbol", "")
        oms = {d.address for d in drafts if d.family == "oms" and d.variables.get("account") == account}
        feeds = {d.address for d in drafts if d.family == "feed" and d.variables.get("symbol") == symbol}
        sees = any(edge.reader in oms and edge.source in feeds for edge in edges)
        if oms and feeds and not sees:
            message = f"the OMS runs the exits of actor {draft.name!r} and reads no feed of {symbol}"
            help = f"let {min(oms)} read {min(feeds)}, or leave 'protect' out"
            log.add("E221", draft.entry.keys["settings"].span, message, help)


def _check_owners(drafts: list[Draft], log: FaultLog) -> None:
    owners: dict[tuple[str, str], Draft] = {}
    for draft in drafts:
        variable = draft.kind.owns if draft.kind else ""
        value = draft.variables.get(variable)
        if not variable or value is None:
            continue
        first = owners.setdefault((draft.family, value), draft)
        if first.name != draft.name:
            place = first.key.span.seen_from(draft.key.span.source.name)
            message = f"actor {draft.name!r} would own {variable} {value!r} together with {first.name!r}"
            help = f"one {draft.family} owns it; the other is declared at {place}"
            log.add("E210", draft.key.span, message, help)


def _check_symbols(drafts: list[Draft], instruments: Mapping[str, Instrument], log: FaultLog) -> None:
    for draft in drafts:
        symbol = draft.variables.get("symbol")
        if symbol is not None and symbol not in instruments:
            help = did_you_mean(symbol, instruments) or "the markets file under 'catalog' lists the symbols"
            log.add("E213", draft.places["symbol"], f"there is no symbol {symbol!r}", help)
        if draft.family == "catalog":
            _check_watched(draft, instruments, log)


def _check_watched(draft: Draft, instruments: Mapping[str, Instrument], log: FaultLog) -> None:
    settings = draft.entry.get("settings")
    node = settings.get("symbols") if isinstance(settings, Map) else None
    for item in node.items if isinstance(node, List) else ():
        if isinstance(item, Scalar) and item.text not in instruments:
            log.add(
                "E213", item.span, f"there is no symbol {item.text!r}", did_you_mean(item.text, instruments)
            )
