"""Slack, PagerDuty and Telegram as far as an alerter sees them: their documented rules, over real HTTP.

Sources: docs.slack.dev (incoming webhooks, formatting, rate limits), developer.pagerduty.com (Events API v2),
core.telegram.org/bots/api (sendMessage, HTML style, ResponseParameters).
"""

from __future__ import annotations

import asyncio
import json
import re
from html.parser import HTMLParser
from typing import Any

from aiohttp import web
from jsonschema import Draft202012Validator

from actors.runtime.pumps.thread import PumpThread

SLACK_PATH = "/services/T0000/B0000/planted-slack-secret"
PAGERDUTY_KEY = "planted-pagerduty-key-0123456789"  # 32 characters
TELEGRAM_TOKEN = "123456789:planted-telegram-token-abcdefghijklm"
CHAT = "-1001234567890"
HOOK_AUTHORIZATION = "Bearer planted-hook-token"
PAGERDUTY_BYTES_MAX = 512 * 1024
INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d{4})$"
EVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["routing_key", "event_action"],
    "properties": {
        "routing_key": {"type": "string", "minLength": 32, "maxLength": 32},
        "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": {"type": "string", "maxLength": 255},
        "client": {"type": "string"},
        "client_url": {"type": "string"},
        "images": {"type": "array"},
        "links": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["href"],
                "properties": {"href": {"pattern": "^https?://"}, "text": {"type": "string"}},
            },
        },
        "payload": {
            "type": "object",
            "required": ["summary", "source", "severity"],
            "properties": {
                "summary": {"type": "string", "minLength": 1, "maxLength": 1024},
                "source": {"type": "string", "minLength": 1},
                "severity": {"enum": ["critical", "error", "warning", "info"]},
                "timestamp": {
                    "type": "string",
                    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d{4})$",
                },
                "component": {"type": "string"},
                "group": {"type": "string"},
                "class": {"type": "string"},
                "custom_details": {"type": "object"},
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
    "if": {"properties": {"event_action": {"const": "trigger"}}},
    "then": {"required": ["payload"]},
    "else": {"required": ["dedup_key"]},
}
Fault = tuple[int, dict[str, str], str]


class Services:
    """All of them on one port of this machine; `faults` are answered first, one a request."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []  # (service, what it was sent), also what is refused
        self.accepted: list[tuple[str, Any]] = []
        self.incidents: dict[str, str] = {}  # of PagerDuty: dedup key -> triggered, acknowledged, resolved
        self.faults: list[Fault] = []
        self.hanging: set[str] = set()  # services that answer nothing
        self._thread = PumpThread("services")
        self._runner: Any = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Services:
        self._thread.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._runner.cleanup())
        self._thread.stop()

    async def _start(self) -> None:
        application = web.Application(client_max_size=1 << 20)
        application.router.add_post("/v2/enqueue", self._served("pagerduty", self._pagerduty))
        application.router.add_post("/hook", self._served("webhook", self._webhook))
        application.router.add_post("/{bot:bot.*}/sendMessage", self._served("telegram", self._telegram))
        application.router.add_post("/services/{rest:.*}", self._served("slack", self._slack))
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    def _served(self, service: str, answer: Any) -> Any:
        async def handle(request: web.Request) -> web.Response:
            raw = await request.read()
            try:
                body = json.loads(raw)
            except ValueError:
                body = None
            self.requests.append((service, body))
            if service in self.hanging:
                await asyncio.sleep(60)
            if self.faults:
                status, headers, text = self.faults.pop(0)
                return web.Response(status=status, headers=headers, text=text)
            found: web.Response = answer(request, raw, body)
            if found.status < 300:
                self.accepted.append((service, body))
            return found

        return handle

    # -- Slack: plain words as answers ---------------------------------------------------------------

    def _slack(self, request: web.Request, raw: bytes, body: Any) -> web.Response:
        if request.path != SLACK_PATH:
            return web.Response(status=404, text="no_service")
        if not isinstance(body, dict):
            return web.Response(status=400, text="invalid_payload")
        attachments = body.get("attachments", [])
        if not body.get("text") and not attachments:
            return web.Response(status=400, text="no_text")
        if len(attachments) > 100:
            return web.Response(status=400, text="too_many_attachments")
        texts = [body.get("text", ""), *(one.get("text", "") for one in attachments)]
        if any(re.search(r"<[!@#][^>]*>", text) for text in texts):
            return web.Response(status=400, text="user_not_found")  # it would have called somebody
        return web.Response(text="ok")

    # -- PagerDuty: an event, or what is wrong with it -------------------------------------------------

    def _pagerduty(self, request: web.Request, raw: bytes, body: Any) -> web.Response:
        errors = [error.message for error in Draft202012Validator(EVENT_SCHEMA).iter_errors(body)]
        if len(raw) > PAGERDUTY_BYTES_MAX:
            return web.Response(status=413, text="")
        if errors or body["routing_key"] != PAGERDUTY_KEY:
            told = {
                "status": "invalid event",
                "message": "Event object is invalid",
                "errors": errors or ["Invalid routing key"],
            }
            return web.json_response(told, status=400)
        self._incident(body["event_action"], body["dedup_key"])
        told = {"status": "success", "message": "Event processed", "dedup_key": body["dedup_key"]}
        return web.json_response(told, status=202)

    def _incident(self, action: str, key: str) -> None:
        """What is resolved or was never triggered takes no other events but a trigger."""
        before = self.incidents.get(key, "resolved")
        if action == "trigger":
            self.incidents[key] = "acknowledged" if before == "acknowledged" else "triggered"
        elif before != "resolved":
            self.incidents[key] = {"acknowledge": "acknowledged", "resolve": "resolved"}[action]

    # -- Telegram: ok, or an error with its number -----------------------------------------------------

    def _telegram(self, request: web.Request, raw: bytes, body: Any) -> web.Response:
        token = request.match_info["bot"].removeprefix("bot")
        if not re.fullmatch(r"\d+:[\w-]{35,}", token):
            return _refusal(404, "Not Found")
        if token != TELEGRAM_TOKEN:
            return _refusal(401, "Unauthorized")
        if not isinstance(body, dict):
            return _refusal(400, "Bad Request: message text is empty")
        if str(body.get("chat_id")) != CHAT:
            return _refusal(400, "Bad Request: chat not found")
        shown, fault = shown_text(body.get("text", "")) if body.get("parse_mode") else (body.get("text"), "")
        if fault:
            return _refusal(400, f"Bad Request: can't parse entities: {fault}")
        if not shown.strip():
            return _refusal(400, "Bad Request: message text is empty")
        if len(shown.encode("utf-16-le")) // 2 > 4096:
            return _refusal(400, "Bad Request: message is too long")
        return web.json_response({"ok": True, "result": {"message_id": 7, "text": shown}})

    # -- somebody's own webhook ------------------------------------------------------------------------

    def _webhook(self, request: web.Request, raw: bytes, body: Any) -> web.Response:
        if request.headers.get("Authorization") != HOOK_AUTHORIZATION:
            return web.json_response({"error": "who are you?"}, status=401)
        return web.Response(status=204)


def _refusal(code: int, description: str) -> web.Response:
    told = {"ok": False, "error_code": code, "description": description}
    return web.json_response(told, status=code)


class _Tags(HTMLParser):
    """Telegram's HTML: few tags, all of them closed in order, no other angle brackets."""

    ALLOWED = frozenset({"b", "strong", "i", "em", "u", "s", "code", "pre", "a"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.shown = ""
        self.fault = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.ALLOWED:
            self.fault = f'Unsupported start tag "{tag}"'
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.fault = f'Unexpected end tag "{tag}"'

    def handle_data(self, data: str) -> None:
        self.shown += data


def shown_text(text: str) -> tuple[str, str]:
    """Return what Telegram shows of HTML, and what keeps it from being parsed."""
    tags = _Tags()
    tags.feed(text)
    tags.close()
    fault = tags.fault or (f'Can\'t find end tag "{tags.open[-1]}"' if tags.open else "")
    stripped = re.sub(r"</?[a-z]+>", "", text)
    if not fault and ("<" in stripped or re.search(r"&(?!(lt|gt|amp|quot|#\d+);)", stripped)):
        fault = "Unexpected character"
    return tags.shown, fault
