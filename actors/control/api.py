"""The control API over HTTP: paths, JSON in and out, errors with a remedy. docs/cli.md lists the paths."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from actors.control.alert_desk import AlertDesk
from actors.control.bodies import asked, asking, body_of, number_of, text_of
from actors.control.desk import ControlError, Desk
from actors.control.fault_port import FaultPort
from actors.control.fields import masked, plain
from actors.control.halt_hook import HOOK_PATH, HaltHook
from actors.control.limit_desk import LimitDesk
from actors.control.markets import MarketsShelf
from actors.control.metrics import scrape
from actors.control.order_desk import OrderDesk
from actors.control.reconcile_desk import ReconcileDesk
from actors.control.secrets_desk import SecretsDesk
from actors.messages.alerting import AcknowledgeAlerts, SilenceAlerts, TestRoutes
from actors.messages.audit import OperatorCommanded
from actors.messages.limits import ChangeLimit

__all__ = ["make_application"]

BODY_BYTES_MAX = 64 * 1024
EVENTS_DEFAULT = 100
DETAIL_CHARS_MAX = 2_000  # of what came with a command, in the journal; a plan may be long
WAIT_S = 30.0  # for what takes a question to the venue or to a store, unless the request says
CLOSED_DEFAULT = 20  # closed orders listed beside the live ones
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_application(
    desk: Desk,
    shelf: MarketsShelf,
    registry: Any,
    *,
    is_open: bool,
    hook: HaltHook | None = None,
    configuration: Any = None,
    port: FaultPort | None = None,
) -> web.Application:
    """Return the application. Only behind the Unix socket (`is_open`) are orders taken: there the file's
    permissions say who asks; over HTTP anybody on the machine, or a page in a browser, could. Except for a
    halt that is signed, where the deployment has a `hook` for it."""
    api = _Api(desk, shelf, registry, is_open, hook, configuration)
    application = web.Application(middlewares=[api.guard], client_max_size=BODY_BYTES_MAX)
    application.add_routes(
        [
            web.get("/healthz", api.health),
            web.get("/readyz", api.readiness),
            web.get("/metrics", api.metrics),
            web.get("/v1/status", api.status),
            web.get("/v1/view", api.view),
            web.get("/v1/actors", api.actors),
            web.get("/v1/actors/{address:.+}", api.actor),
            web.get("/v1/events", api.events),
            web.get("/v1/orders", api.orders),
            web.get("/v1/generations", api.generations),
            web.get("/v1/generations/{number}", api.generation),
            web.get("/markets", api.markets),
            web.get("/markets/{name}", api.market),
            web.post("/v1/actors/{address:.+}/restart", api.restart),
            web.post("/v1/orders/cancel", api.cancel_orders),
            web.post("/v1/orders/resolve", api.resolve_order),
            web.get("/v1/alerts", api.alerts),
            web.post("/v1/alerts/acknowledge", api.acknowledge_alerts),
            web.post("/v1/alerts/silence", api.silence_alerts),
            web.post("/v1/alerts/test", api.test_routes),
            web.get("/v1/limits/{account}", api.limits),
            web.post("/v1/limits", api.change_limit),
            web.post("/v1/halt", api.halt),
            web.post("/v1/resume", api.resume),
            web.post("/v1/reconcile", api.reconcile),
            web.post("/v1/secrets/rotate", api.rotate_secrets),
            web.post("/v1/apply", api.apply),
            web.post("/v1/approve", api.approve),
            web.get("/v1/canary", api.canary),
            web.post("/v1/canary", api.end_canary),
            web.post("/v1/runbook", api.runbook),
            web.post("/v1/stop", api.stop),
        ]
    )
    if port is not None:
        application.add_routes([web.post("/v1/faults", port.add), web.post("/v1/faults/clear", port.clear)])
    if hook is not None:
        application.add_routes([web.post(HOOK_PATH, api.halt_by_hook)])
    return application


class _Api:
    """The handlers."""

    def __init__(
        self,
        desk: Desk,
        shelf: MarketsShelf,
        registry: Any,
        is_open: bool,
        hook: HaltHook | None,
        configuration: Any,
    ) -> None:
        self._desk = desk
        self._hook = hook
        self._orders = OrderDesk(desk, desk.instruments)
        self._reconcilers = ReconcileDesk(desk)
        self._secrets = SecretsDesk(desk)
        self._limits = LimitDesk(desk)
        self._alerts = AlertDesk(desk)
        self._shelf = shelf
        self._registry = registry
        self._configuration = configuration
        self._is_open = is_open
        self._scraping = asyncio.Lock()
        self.guard = self._make_guard()

    def _make_guard(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                await self._let_in(request)
                if request.method == "POST":
                    await self._put_on_record(request)
                return await handler(request)
            except ControlError as error:
                return _problem(error)
            except web.HTTPException as error:
                remedy = "docs/cli.md lists the paths of the control API"
                return _problem(ControlError(error.status, error.reason, remedy))
            except msgspec.MsgspecError as error:
                return _problem(ControlError(400, f"the body cannot be read: {error}", "send a JSON object"))
            except Exception as error:  # the edge of the system: whoever asked gets it in words
                text = f"{type(error).__name__}: {error}"
                return _problem(ControlError(500, text, "this is a fault of the control API; see the log"))

        return guard

    async def _let_in(self, request: web.Request) -> None:
        """Refuse orders over HTTP, and questions from pages that call this machine by another name."""
        if self._hook is not None and request.path == HOOK_PATH and request.method == "POST":
            fault = self._hook.refusal(request.headers, await request.read())
            if fault:
                raise ControlError(401, fault, "docs/kill-switch.md says how a request is signed")
            return
        if self._is_open:
            return
        if request.method not in ("GET", "HEAD"):
            raise ControlError(
                403,
                "orders are taken on the Unix socket only",
                "use the command line on this machine, as the user who runs the node",
            )
        if not _names_this_machine(request):
            raise ControlError(
                403, f"unknown host {request.host!r}", "use the address the node listens on, as a number"
            )

    async def _put_on_record(self, request: web.Request) -> None:
        """Journal who orders what. The order itself stands behind this in the same queue into the loop."""
        body = await body_of(request)
        detail = msgspec.json.encode(masked(body), enc_hook=plain).decode()[:DETAIL_CHARS_MAX]
        who, user_id = asking(request, body)
        reason = text_of(body, "reason", "")
        fact = OperatorCommanded(who, user_id, request.path, reason, detail)
        self._desk.door.submit(lambda: self._desk.node.note(fact))

    # -- looking -------------------------------------------------------------------------------------------

    async def health(self, request: web.Request) -> web.Response:
        return _answer(await self._desk.health())

    async def readiness(self, request: web.Request) -> web.Response:
        ready, found = await self._desk.readiness()
        return _answer(found, 200 if ready else 503)

    async def metrics(self, request: web.Request) -> web.Response:
        async with self._scraping:  # one at a time, however many ask
            text = await scrape(self._registry)
        return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def status(self, request: web.Request) -> web.Response:
        if self._configuration is not None:  # it may have changed by itself, as at the end of a canary
            self._desk.facts["configuration_hash"] = self._configuration.content_hash
        return _answer(await self._desk.status())

    async def view(self, request: web.Request) -> web.Response:
        return _answer(await self._desk.view())

    async def actors(self, request: web.Request) -> web.Response:
        return _answer(await self._desk.actors())

    async def actor(self, request: web.Request) -> web.Response:
        return _answer(await self._desk.inspect(request.match_info["address"]))

    async def events(self, request: web.Request) -> web.Response:
        query = request.query
        since = number_of(query["since"], "since") if "since" in query else None
        limit = number_of(query.get("limit", str(EVENTS_DEFAULT)), "limit")
        return _answer(await self._desk.events(since, limit, query.get("actor", ""), query.get("type", "")))

    async def orders(self, request: web.Request) -> web.Response:
        closed = number_of(request.query.get("closed", str(CLOSED_DEFAULT)), "closed")
        return _answer(await self._orders.orders(request.query, closed))

    async def markets(self, request: web.Request) -> web.Response:
        return _answer(self._shelf.all())

    async def market(self, request: web.Request) -> web.Response:
        return _answer(self._shelf.one(request.match_info["name"]))

    async def generations(self, request: web.Request) -> web.Response:
        return _answer(await _aside(self._configured().generations))

    async def generation(self, request: web.Request) -> web.Response:
        number = number_of(request.match_info["number"], "generation")
        return _answer(await _aside(self._configured().whole_generation, number))

    def _configured(self) -> Any:
        if self._configuration is None:
            raise ControlError(404, "this node keeps no generations", "run it with `polytrade up`")
        return self._configuration

    # -- ordering ------------------------------------------------------------------------------------------

    async def restart(self, request: web.Request) -> web.Response:
        return _answer(await self._desk.restart(request.match_info["address"]))

    async def cancel_orders(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        scope = {name: text_of(body, name, "") for name in ("account", "symbol", "strategy")}
        order_id, who = text_of(body, "id", ""), text_of(body, "actor", "operator")
        if not order_id and not any(scope.values()) and body.get("all") is not True:
            raise ControlError(400, "no scope was given", 'name an order or a scope, or send {"all": true}')
        reason = text_of(body, "reason", "")
        return _answer(await self._orders.cancel(scope, order_id, who, reason, _seconds(body, 0.0)))

    async def resolve_order(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        order_id, state = text_of(body, "id", ""), text_of(body, "as", "")
        evidence, who = text_of(body, "evidence", ""), text_of(body, "actor", "operator")
        return _ordered(await self._orders.resolve(order_id, state, evidence, who))

    async def halt(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        level = text_of(body, "level", "no_new_risk")
        scope, who = text_of(body, "scope", "all"), text_of(body, "actor", "operator")
        return _ordered(await self._desk.halt(scope, level, who, text_of(body, "reason", "")))

    async def halt_by_hook(self, request: web.Request) -> web.Response:
        """Halt for a program elsewhere, whose signature `_let_in` has seen. No way back leads here."""
        body = await body_of(request)
        scope, level = text_of(body, "scope", "all"), text_of(body, "level", "cancel_all")
        who = "hook/" + (text_of(body, "actor", "") or "unnamed")
        reason = text_of(body, "reason", "") or "asked for by a signed request"
        return _ordered(await self._desk.halt(scope, level, who, reason))

    async def resume(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        scope, who = text_of(body, "scope", "all"), text_of(body, "actor", "operator")
        return _ordered(await self._desk.resume(scope, who, text_of(body, "reason", "")))

    async def alerts(self, request: web.Request) -> web.Response:
        return _answer(await self._alerts.show())

    async def acknowledge_alerts(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        holds = body.get("holds", True) is True
        order = AcknowledgeAlerts(*_which(body), _whole(body, "duration_ns"), holds, *_said(body))
        return _ordered(await self._alerts.acknowledge(order))

    async def silence_alerts(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        order = SilenceAlerts(*_which(body), _whole(body, "duration_ns"), *_said(body))
        return _ordered(await self._alerts.silence(order))

    async def test_routes(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        order = TestRoutes(text_of(body, "route", ""), text_of(body, "actor", "operator"))
        return _answer(await self._alerts.test(order, _seconds(body, WAIT_S)))

    async def limits(self, request: web.Request) -> web.Response:
        return _answer(await self._limits.show(request.match_info["account"]))

    async def change_limit(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        numbers = {name: _whole(body, name) for name in ("value", "until_ns")}
        change = ChangeLimit(
            *(text_of(body, "account", "main"), text_of(body, "limit", ""), numbers["value"]),
            *(body.get("loosens") is True, asking(request, body)[0], text_of(body, "reason", "")),
            *(numbers["until_ns"], body.get("approves") is True),
        )
        return _ordered(await self._limits.change(change))

    async def reconcile(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        account, dry_run = text_of(body, "account", ""), body.get("dry_run") is True
        return _answer(await self._reconcilers.reconcile(account, dry_run, _seconds(body, WAIT_S)))

    async def rotate_secrets(self, request: web.Request) -> web.Response:
        return _answer(await self._secrets.rotate(_seconds(await body_of(request), WAIT_S)))

    async def apply(self, request: web.Request) -> web.Response:
        found = await _aside(self._configured().apply, await asked(request))
        self._desk.facts["configuration_hash"] = self._configured().content_hash
        self._desk.sampler.forget()
        return _answer(found)

    async def approve(self, request: web.Request) -> web.Response:
        return _answer(await _aside(self._configured().approve, await asked(request)))

    async def canary(self, request: web.Request) -> web.Response:
        return _answer(await _aside(self._configured().canary))

    async def end_canary(self, request: web.Request) -> web.Response:
        found = await _aside(self._configured().end_canary, await asked(request))
        self._desk.facts["configuration_hash"] = self._configured().content_hash
        return _answer(found)

    async def runbook(self, request: web.Request) -> web.Response:
        """A step of a runbook was done; that is on the record by now, as every order is."""
        return _answer({"recorded": True})

    async def stop(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        return _answer(await self._desk.stop(text_of(body, "reason", "asked over the control API")), 202)


def _names_this_machine(request: web.Request) -> bool:
    """A page in a browser can make a name of its own point here; a number it cannot."""
    name = request.url.host or ""
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _aside(action: Callable[..., Any], *arguments: Any) -> Any:
    """Run in another thread what would hold this one up."""
    return await asyncio.get_running_loop().run_in_executor(None, action, *arguments)


def _seconds(body: dict[str, Any], default: float) -> float:
    value = body.get("wait_s", default)
    if not isinstance(value, int | float):
        raise ControlError(400, f"wait_s must be a number, not {value!r}", 'send {"wait_s": 30}')
    return float(value)


def _whole(body: dict[str, Any], name: str, default: int = 0) -> int:
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ControlError(400, f"{name} must be a whole number, not {value!r}", "see docs/cli.md")
    return value


def _which(body: dict[str, Any]) -> tuple[str, str, str]:
    """Return the shell patterns for name, key and source of alerts."""
    return text_of(body, "name", ""), text_of(body, "key", "*"), text_of(body, "source", "*")


def _said(body: dict[str, Any]) -> tuple[str, str]:
    return text_of(body, "actor", "operator"), text_of(body, "reason", "")


def _ordered(found: dict[str, Any]) -> web.Response:
    return _answer(found, 200 if found["accepted"] else 409)


def _answer(found: Any, status: int = 200) -> web.Response:
    body = msgspec.json.encode(found, enc_hook=plain)
    return web.Response(body=body, status=status, content_type="application/json")


def _problem(error: ControlError) -> web.Response:
    found = {"error": str(error), "remedy": error.remedy, **error.fields}
    return _answer(found, error.status)
