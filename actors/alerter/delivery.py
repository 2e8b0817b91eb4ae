"""When a delivery is done, when it is tried again, and when it is given up."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

import msgspec

from actors.alerter.settings import AlerterSettings
from actors.runtime.pumps.messages import HttpFailure, HttpResponse, MailAnswered, MailFailure

__all__ = ["Answer", "Outcome", "Verdict", "judge", "retry_wait_ns"]

SECOND_NS = 1_000_000_000
SAID_CHARS_MAX = 120  # of what a far side says about a refusal

# Request timeout, too early, too many requests: the far side asks for patience.
PATIENCE = frozenset({408, 425, 429})
# Where services write why: Telegram, PagerDuty, others.
REASONS = ("description", "errors", "message", "error", "detail")

Answer = HttpResponse | HttpFailure | MailAnswered | MailFailure


class Verdict(enum.Enum):
    """What an answer means for a delivery."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"  # the same request would be refused again


class Outcome(NamedTuple):
    """What became of one attempt."""

    verdict: Verdict
    reason: str = ""
    wait_ns: int = 0  # the far side wants to be left alone for so long


def judge(answer: Answer) -> Outcome:
    """Return what an answer means."""
    if isinstance(answer, HttpFailure | MailFailure):
        return Outcome(Verdict.RETRY, answer.reason)
    if isinstance(answer, MailAnswered):
        return _judge_mail(answer)
    status = answer.status
    if 200 <= status < 300:
        return Outcome(Verdict.DELIVERED)
    said = _said(answer)
    if status >= 500 or status in PATIENCE:
        return Outcome(Verdict.RETRY, f"status {status}{said}", _wanted_wait_ns(answer))
    return Outcome(Verdict.REFUSED, f"refused with status {status}{said}")


def _judge_mail(answer: MailAnswered) -> Outcome:
    """Codes of RFC 5321: 4xx may pass, 5xx does not. A mail that one recipient gets is delivered."""
    if 200 <= answer.code < 300:
        refused = ", ".join(answer.refused)
        return Outcome(Verdict.DELIVERED, f"not taken for {refused}" if refused else "")
    said = f"{answer.code} {answer.text}"
    if 400 <= answer.code < 500:
        return Outcome(Verdict.RETRY, f"the mail server says {said}")
    return Outcome(Verdict.REFUSED, f"refused by the mail server: {said}")


def _said(response: HttpResponse) -> str:
    """Return why, in the far side's words, when it has any that are not a page for browsers."""
    kind = next((value for name, value in response.headers if name.lower() == "content-type"), "")
    text = response.body[: SAID_CHARS_MAX * 8].decode("utf-8", "replace").strip()
    if "html" in kind.lower() or not text:
        return ""
    found = _fields(response)
    told = next((found[name] for name in REASONS if found.get(name)), "" if found else text)
    if isinstance(told, list):
        told = "; ".join(map(str, told))
    shown = " ".join(str(told).split())[:SAID_CHARS_MAX]
    return f": {shown}" if shown else ""


def _fields(response: HttpResponse) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(response.body)
    except msgspec.MsgspecError:
        return {}
    return found if isinstance(found, dict) else {}


def _wanted_wait_ns(response: HttpResponse) -> int:
    """Return how long the far side wants to be left alone, by header, or in the body as Telegram does."""
    parameters = _fields(response).get("parameters")
    seconds = parameters.get("retry_after", 0) if isinstance(parameters, dict) else 0
    for name, value in response.headers:
        if name.lower() == "retry-after" and value.isdecimal():
            seconds = int(value)
    return seconds * SECOND_NS if isinstance(seconds, int) else 0


def retry_wait_ns(attempts: int, settings: AlerterSettings, wanted_ns: int) -> int:
    """Return the pause after so many attempts: doubling, or what the far side asks for; bounded."""
    doublings = min(attempts - 1, 62)
    return min(max(settings.retry_wait << doublings, wanted_ns), settings.retry_wait_max)
