"""Faults on purpose: what a drill switches on, and what it then does to requests and frames."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from actors.exchange.protocol.errors import ApiError, GatewayError, Problem
from actors.exchange.server.messages import HttpReply, StreamClose, StreamSend, WebRequest

__all__ = ["FRAME_KINDS", "KINDS", "REQUEST_KINDS", "Fault", "Faults"]

RULES_MAX = 200
BPS = 10_000
E8_OF_BPS = 10_000
LIES = frozenset({"mPx", "iPx"})  # fields of frames whose prices a lie moves
HELD_MAX = 1_000
REQUEST_KINDS = {
    "delay": "Hold the answer back for `delay_ms`.",
    "error": "Refuse with `code` and `message` in the body.",
    "http_error": "Answer with HTTP `status`.",
    "rate_limit": "Answer 429.",
    "lose_answer": "Do what was asked, then cut the connection without an answer.",
    "drop": "Do nothing and cut the connection without an answer.",
    "partial_body": "Do what was asked, then cut the connection in the middle of the answer.",
    "duplicate_request": "Do what was asked twice; answer once.",
    "false_refusal": "Do what was asked, then refuse with `code` and `message` all the same.",
}
ORDER_KINDS = {"reject_after_answer": "Accept orders, then cancel them at once with `reason`."}
FRAME_KINDS = {
    "mute": "Send nothing on a channel.",
    "drop_frame": "Leave frames out.",
    "duplicate": "Send frames twice.",
    "reorder": "Send frames one after the next.",
    "delay_frame": "Hold frames back for `delay_ms`.",
    "gap": "Leave `book_lv2` updates out, so that `lid` no longer fits.",
    "lie": "Say mark and index prices `shift_bps` too high on a stream; REST tells the truth.",
    "garble": "Send half of a frame, which nobody can read.",
    "disconnect": "Cut the connection instead of sending a frame.",
}
WORLD_KINDS = {
    "revoke_key": "Treat `key`, or all keys of `account`, as unknown, and cut their private streams.",
    "freeze_prices": "Let index and mark price of `symbol` (all without one) stand still.",
    "jump": "Let the market of `symbol` (all without one) be `shift_bps` higher (negative: lower).",
    "overcharge": "Charge `account` (all without one) `shift_bps` of notional more in fees.",
    "skew": "Set the exchange's clock `skew_ms` ahead (negative: behind).",
    "maintenance": "Refuse everything that is signed.",
    "lag": "Leave what is younger than `delay_ms` out of the lists of fills, ended orders and bills.",
    "symbol_status": "Set `symbol` to `status_word`: PAUSED, CANCEL_ONLY, CANCEL_CLOSE_ONLY, CLOSED.",
}
KINDS = {**REQUEST_KINDS, **ORDER_KINDS, **FRAME_KINDS, **WORLD_KINDS}


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One rule. Empty fields match everything; `path` matches from its beginning."""

    kind: str
    path: str = ""
    method: str = ""
    channel: str = ""
    symbol: str = ""
    account: str = ""
    key: str = ""  # for `revoke_key`: this one alone
    contains: tuple[str, ...] = ()  # of requests: those whose body has all of these texts
    lacks: tuple[str, ...] = ()  # and none of these
    every: int = 1  # of the matching ones, each so manieth
    count: int = 0  # how often it strikes before it is used up; 0 for ever
    delay_ms: int = 0
    status: int = 500
    code: int = 500
    message: str = "System exception"
    reason: str = "INVALID_PARAM_WHEN_PLACE_ORDER"
    skew_ms: int = 0
    shift_bps: int = 100
    status_word: str = "PAUSED"
    id: int = 0
    seen: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        """Count one match; tell whether this one is struck."""
        if self.count and self.struck >= self.count:
            return False
        self.seen += 1
        if self.seen % max(1, self.every):
            return False
        self.struck += 1
        return True


class Faults:
    """All rules in force, oldest first."""

    def __init__(self) -> None:
        self.rules: dict[int, Fault] = {}
        self.on_streams = False
        self.skew_ns = 0
        self._given = 0
        self._held: dict[tuple[int, tuple[int, ...]], str] = {}  # frames that wait for the next one

    # -- rules --------------------------------------------------------------------------------------

    def add(self, rule: Fault) -> Fault:
        """Put a rule in force. Errors: ApiError."""
        if rule.kind not in KINDS or len(self.rules) >= RULES_MAX or rule.every < 1 or rule.count < 0:
            raise ApiError((400, f"Param error kind: one of {', '.join(KINDS)}"))
        self._given += 1
        rule.id, rule.seen, rule.struck = self._given, 0, 0
        self.rules[rule.id] = rule
        self._refresh()
        return rule

    def remove(self, number: int | None = None) -> list[Fault]:
        """Take one rule, or all, out of force; return them."""
        gone = [self.rules.pop(one) for one in ([number] if number is not None else list(self.rules))]
        self._refresh()
        return gone

    def _refresh(self) -> None:
        kinds = {rule.kind for rule in self.rules.values()}
        self.on_streams = bool(kinds & FRAME_KINDS.keys())
        self.skew_ns = sum(rule.skew_ms for rule in self._of("skew")) * 1_000_000
        if not self.on_streams:
            self._held.clear()

    def _of(self, kind: str) -> Iterator[Fault]:
        return (rule for rule in self.rules.values() if rule.kind == kind)

    # -- the world ----------------------------------------------------------------------------------

    def is_revoked(self, key: str, account: str) -> bool:
        """Tell whether a key is treated as unknown: by itself, or with all keys of its account."""
        return any(
            rule.key == key if rule.key else bool(account) and rule.account == account
            for rule in self._of("revoke_key")
        )

    def listed_until_ns(self, account: str, now_ns: int) -> int:
        """Return the date of the newest row that an account's lists show."""
        lags = [rule.delay_ms for rule in self._of("lag") if rule.account in ("", account)]
        return now_ns - max(lags, default=0) * 1_000_000

    def is_frozen(self, symbol: str) -> bool:
        """Tell whether a symbol's prices stand still."""
        return any(rule.symbol in ("", symbol) for rule in self._of("freeze_prices"))

    def jumped_ticks(self, symbol: str, ticks: int) -> int:
        """Return where a symbol's price is once all jumps have moved it."""
        for rule in self._of("jump"):
            if rule.symbol in ("", symbol):
                ticks = ticks * (BPS + rule.shift_bps) // BPS
        return max(1, ticks)

    def overcharged_e8(self, account: str) -> int:
        """Return what an account is charged beyond its fees, in 1e-8 of notional."""
        return sum(
            rule.shift_bps * E8_OF_BPS for rule in self._of("overcharge") if rule.account in ("", account)
        )

    def is_maintained(self) -> bool:
        """Tell whether the exchange is under maintenance."""
        return any(self._of("maintenance"))

    def statuses(self) -> dict[str, str]:
        """Return the statuses set for symbols."""
        return {rule.symbol: rule.status_word for rule in self._of("symbol_status")}

    # -- requests -----------------------------------------------------------------------------------

    def on_request(self, request: WebRequest, account: str) -> list[Fault]:
        """Return the rules that strike a request. Errors: ApiError, GatewayError where a rule wants them."""
        method, path = request.method, request.path
        struck = [
            rule
            for rule in self.rules.values()
            if rule.kind in REQUEST_KINDS
            and path.startswith(rule.path)
            and rule.method.upper() in ("", method)
            and rule.account in ("", account)
            and _names(request, rule.symbol)
            and _says(request, rule)
            and rule.strikes()
        ]
        for rule in struck:
            if rule.kind == "error":
                raise ApiError((rule.code, rule.message))
            if rule.kind == "http_error":
                raise GatewayError(rule.status, rule.code or rule.status, rule.message)
            if rule.kind == "rate_limit":
                raise GatewayError(429, *Problem.TOO_MANY)
        return struck

    def order_fault(self, account: str, symbol: str) -> str | None:
        """Return why an order is to be canceled although it is accepted; None when it is not."""
        for rule in self._of("reject_after_answer"):
            if rule.account in ("", account) and rule.symbol in ("", symbol) and rule.strikes():
                return rule.reason
        return None

    def bend_reply(self, struck: list[Fault], reply: HttpReply) -> HttpReply:
        """Return a reply as the rules want it."""
        for rule in struck:
            if rule.kind == "delay":
                reply = msgspec.structs.replace(reply, delay_ms=rule.delay_ms)
            elif rule.kind in ("lose_answer", "drop"):
                reply = msgspec.structs.replace(reply, cut_at=0)
            elif rule.kind == "partial_body":
                reply = msgspec.structs.replace(reply, cut_at=max(1, len(reply.body) // 2))
        return reply

    # -- frames -------------------------------------------------------------------------------------

    def bend_frame(
        self, sockets: tuple[int, ...], channel: str, symbol: str, account: str, text: str
    ) -> list[Any]:
        """Return what is sent instead of a frame."""
        texts, delay_ms = [text], 0
        for rule in self.rules.values():
            if rule.kind not in FRAME_KINDS or not _fits(rule, channel, symbol, account):
                continue
            if rule.kind == "gap" and (channel != "book_lv2" or '"action":"update"' not in text):
                continue
            if not rule.strikes():
                held = self._held.pop((rule.id, sockets), None)
                texts += [held] if held is not None else []
            elif rule.kind == "disconnect":
                return [StreamClose(socket, True) for socket in sockets]
            elif rule.kind == "duplicate":
                texts = texts * 2
            elif rule.kind == "delay_frame":
                delay_ms = rule.delay_ms
            elif rule.kind == "reorder":
                texts = self._swap(rule, sockets, texts)
            elif rule.kind == "lie":
                texts = [_shifted(one, rule.shift_bps) for one in texts]
            elif rule.kind == "garble":
                texts = [one[: len(one) // 2] for one in texts]
            else:
                texts = []
        return [StreamSend(sockets, one, delay_ms) for one in texts]

    def _swap(self, rule: Fault, sockets: tuple[int, ...], texts: list[str]) -> list[str]:
        held = self._held.pop((rule.id, sockets), None)
        if held is not None:
            return [*texts, held]
        if texts and len(self._held) < HELD_MAX:
            self._held[rule.id, sockets] = texts.pop()
        return texts


def _shifted(text: str, shift_bps: int) -> str:
    """Return a frame with its mark and index prices moved."""
    frame = json.loads(text)
    for row in frame.get("data") or ():
        for name in LIES.intersection(row) if isinstance(row, dict) else ():
            row[name] = str(Decimal(row[name]) * (BPS + shift_bps) / BPS)
    return json.dumps(frame, separators=(",", ":"))


def _names(request: WebRequest, symbol: str) -> bool:
    """Tell whether a request is about a symbol, as far as its text says so; empty fits all."""
    return not symbol or symbol in request.query or symbol in request.path or symbol.encode() in request.body


def _says(request: WebRequest, rule: Fault) -> bool:
    """Tell whether a request's body is one of those a rule is about."""
    body = request.body
    return all(text.encode() in body for text in rule.contains) and not any(
        text.encode() in body for text in rule.lacks
    )


def _fits(rule: Fault, channel: str, symbol: str, account: str) -> bool:
    return rule.channel in ("", channel) and rule.symbol in ("", symbol) and rule.account in ("", account)
