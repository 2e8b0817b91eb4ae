"""The steps of a test against the deployment it is about: actors, symbols, messages must be there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from actors.deployment.config_tests.form import STEPS, SUBJECTS, Expect, FaultStep, OrderStep, Send
from actors.deployment.config_tests.notation import MessageConverter
from actors.deployment.config_tests.steps import (
    Advance,
    Deed,
    Expectation,
    Restart,
    SendMessage,
    SetMarket,
    Step,
    Strike,
    WishOrder,
)
from actors.deployment.config_tests.vocabulary import event_types, fields_named, message_types
from actors.deployment.config_tests.where import Where, typed_where, untyped_where
from actors.deployment.conversion import Converter
from actors.deployment.faults import FaultLog, did_you_mean
from actors.deployment.places import Span
from actors.deployment.quantities import format_e8, parse_decimal, parse_duration
from actors.deployment.registry import KINDS
from actors.deployment.topology import ActorPlan, Topology
from actors.deployment.yaml_tree import List, Map, Node, Scalar, described
from actors.domain.orders import OrderType, Side, TimeInForce

__all__ = ["Understanding"]

HUNDRED = 100  # 1e-8 in a millionth


@dataclass
class Understanding:
    """Understands one test's steps. `given` is where faults about what is given are told."""

    topology: Topology
    log: FaultLog
    given: Node
    fault_kinds: Collection[str]

    def __post_init__(self) -> None:
        self._plans: dict[str, ActorPlan] = {plan.address: plan for plan in self.topology.actors}

    def step(self, node: Node) -> Step | None:
        """Return one step; None when it was faulty, and told."""
        if not isinstance(node, Map) or len(node.values) != 1:
            what = f"{len(node.values)} of them" if isinstance(node, Map) else described(node)
            self.log.add("E503", node.span, f"a step is one of {', '.join(STEPS)}, and this is {what}")
            return None
        word, value = next(iter(node.values.items()))
        key = node.keys[word]
        make = getattr(self, f"_{word}", None) if word in STEPS else None
        if make is None:
            help = did_you_mean(word, STEPS) or f"there are {', '.join(STEPS)}"
            self.log.add("E503", key.span, f"there is no step {word!r}", help)
            return None
        deed: Deed | None = make(key, value)
        return None if deed is None else Step(word, key.span, deed)

    # -- what is given -------------------------------------------------------------------------------

    def prices(self, market: Mapping[str, int]) -> dict[str, int]:
        """Return prices in ticks, from 1e-8 USDT; those that are none are told."""
        found = {}
        for symbol, price_e8 in market.items():
            ticks = self._ticks(symbol, format_e8(price_e8), self._span_of_price(symbol))
            if ticks:
                found[symbol] = ticks
        return found

    def check_addresses(self, patterns: Iterable[str]) -> None:
        """Note patterns that no actor's address matches."""
        node = self.given.get("suspended") if isinstance(self.given, Map) else None
        items = node.items if isinstance(node, List) else []
        for number, pattern in enumerate(patterns):
            self._actors(pattern, items[number].span if number < len(items) else self.given.span)

    def _span_of_price(self, symbol: str) -> Span:
        market = self.given.get("market") if isinstance(self.given, Map) else None
        return (
            market.keys[symbol].span if isinstance(market, Map) and symbol in market.keys else self.given.span
        )

    def _ticks(self, symbol: str, price: str, span: Span) -> int:
        if not self._is_traded(symbol, span):
            return 0
        instrument = self.topology.instruments[symbol]
        try:
            ticks = instrument.price_ticks(price)
        except (ValueError, ArithmeticError):
            ticks = 0
        if ticks > 0:
            return ticks
        help = f"prices are in steps of {instrument.price_text(1)}, and more than 0"
        self.log.add("E106", span, f"{price} is no price of {symbol}", help)
        return 0

    def _traded(self) -> list[str]:
        return sorted({plan.place.variables.get("symbol", "") for plan in self.topology.actors} - {""})

    def _is_traded(self, symbol: str, span: Span) -> bool:
        traded = self._traded()
        if symbol in traded and symbol in self.topology.instruments:
            return True
        help = did_you_mean(symbol, traded)
        self.log.add("E504", span, f"the deployment has no symbol {symbol!r}", help)
        return False

    def _actors(self, pattern: str, span: Span) -> list[str]:
        found = [address for address in self._plans if fnmatchcase(address, pattern)]
        if not found:
            help = did_you_mean(pattern, self._plans)
            self.log.add("E504", span, f"the deployment has no actor {pattern!r}", help)
        return found

    # -- steps ---------------------------------------------------------------------------------------

    def _read(self, kind: type[Any], key: Scalar, node: Node, ignore: tuple[str, ...] = ()) -> Any:
        if not isinstance(node, Map):
            self.log.add("E102", node.span, f"{key.text!r} takes a map, not {described(node)}")
            return None
        return Converter(self.log, key.text).settings(kind, node, missing_at=key.span, ignore=ignore)

    def _advance(self, key: Scalar, node: Node) -> Deed | None:
        text = node.text if isinstance(node, Scalar) else ""
        try:
            return Advance(parse_duration(text))
        except ValueError:
            help = "a whole number and a unit: 250ms, 5s, 1m, 8h, 1d"
            self.log.add("E107", node.span, f"'advance' must be a duration, not {described(node)}", help)
            return None

    def _restart(self, key: Scalar, node: Node) -> Deed | None:
        address = node.text if isinstance(node, Scalar) else ""
        return Restart(address) if self._is_there(address, node.span) else None

    def _is_there(self, address: str, span: Span) -> bool:
        if address not in self._plans:
            help = did_you_mean(address, self._plans)
            self.log.add("E504", span, f"the deployment has no actor {address!r}", help)
        return address in self._plans

    def _market(self, key: Scalar, node: Node) -> Deed | None:
        found: dict[str, int] = {}
        prices = list(node.items()) if isinstance(node, Map) else []
        if not prices:
            self.log.add("E102", node.span, "'market' takes a map of symbols and prices")
        for name, value in prices:
            try:
                price = format_e8(parse_decimal(value.value if isinstance(value, Scalar) else ""))  # type: ignore[arg-type]
            except ValueError:
                help = 'a number as text with at most 8 decimals: "60000.5"'
                self.log.add(
                    "E108", value.span, f"a price must be an exact number, not {described(value)}", help
                )
                continue
            found[name.text] = self._ticks(name.text, price, name.span)
        return SetMarket(found) if found and all(found.values()) else None

    def _fault(self, key: Scalar, node: Node) -> Deed | None:
        form: FaultStep | None = self._read(FaultStep, key, node)
        if form is not None and isinstance(node, Map) and form.kind not in self.fault_kinds:
            help = did_you_mean(form.kind, self.fault_kinds) or "docs/simulation.md lists them"
            self.log.add("E104", node.values["kind"].span, f"there is no fault {form.kind!r}", help)
            return None
        return (
            None
            if form is None
            else Strike(form.kind, form.lasts, form.target, form.value, form.share // HUNDRED)
        )

    def _send(self, key: Scalar, node: Node) -> Deed | None:
        form: Send | None = self._read(Send, key, node, ("fields",))
        if form is None or not isinstance(node, Map):
            return None
        span = node.values["message"].span
        places = {name: node.values[name].span for name in ("to", "by") if getattr(form, name)}
        if not form.to and not form.by:
            self.log.add("E103", key.span, "'send' says neither 'to' nor 'by'", "name the actor that gets it")
            return None
        if not all(self._is_there(getattr(form, name), place) for name, place in places.items()):
            return None
        kind = self._carried(form, span)
        fields = node.get("fields")
        if fields is not None and not isinstance(fields, Map):
            self.log.add("E102", fields.span, f"'fields' must be a map, not {described(fields)}")
            return None
        if kind is None:
            return None
        converter = MessageConverter(self.log, form.message, self.topology.instruments)
        address = form.by or form.to
        converter.symbol = self._plans[address].place.variables.get("symbol", "")
        message = converter.message(kind, fields or Map(span), span)
        return None if message is None else SendMessage(message, form.to, form.by)

    def _carried(self, form: Send, span: Span) -> type[Any] | None:
        """Return the message's type, when the one takes it and the other sends it."""
        known: dict[str, type[Any]] = {}
        if form.to:
            plan = self._plans[form.to]
            known = KINDS[plan.kind].accepts
            if form.message in message_types() and form.message not in known:
                help = did_you_mean(form.message, known) or f"it takes {', '.join(known)}"
                self.log.add("E502", span, f"{form.to!r} takes no {form.message}", help)
                return None
        elif form.by:
            known = KINDS[self._plans[form.by].kind].sends
        if form.message not in known:
            help = did_you_mean(form.message, known)
            self.log.add("E501", span, f"there is no message {form.message!r} that can be sent here", help)
            return None
        return known[form.message]

    def _order(self, key: Scalar, node: Node) -> Deed | None:
        form: OrderStep | None = self._read(OrderStep, key, node)
        if form is None or not isinstance(node, Map):
            return None
        strategy = form.strategy or self._strategy_of(form.symbol)
        if form.strategy and not self._is_there(strategy, node.values["strategy"].span):
            return None
        plan = self._plans.get(strategy)
        account = form.account or (getattr(plan.settings, "account", "") if plan else "") or "main"
        risks = [
            one.address
            for one in self.topology.actors
            if KINDS[one.kind].vets_orders and one.place.variables.get("account") == account
        ]
        if not risks:
            self.log.add("E504", key.span, f"no risk actor looks after the account {account!r}")
            return None
        if bool(form.contracts) == bool(form.usdt):
            self.log.add("E111", key.span, "an order has either 'contracts' or 'usdt'")
            return None
        limit_ticks = 0
        if form.limit:
            limit_ticks = self._ticks(form.symbol, format_e8(form.limit), node.values["limit"].span)
        if (form.limit and not limit_ticks) or not self._is_traded(form.symbol, node.values["symbol"].span):
            return None
        resting = OrderType.POST_ONLY if form.post_only else OrderType.LIMIT
        return WishOrder(
            risk=risks[0],
            strategy=strategy or "test",
            account=account,
            symbol=form.symbol,
            side=Side[form.side.upper()],
            contracts=form.contracts,
            usdt=form.usdt,
            order_type=resting if form.limit else OrderType.MARKET,
            limit_ticks=limit_ticks,
            time_in_force=TimeInForce(form.time_in_force) if form.limit else TimeInForce.IOC,
            reduce_only=form.reduce_only,
            intent_id=form.id,
        )

    def _strategy_of(self, symbol: str) -> str:
        for plan in self.topology.actors:
            if plan.kind.startswith("strategy.") and plan.place.variables.get("symbol") == symbol:
                return plan.address
        return ""

    # -- expectations --------------------------------------------------------------------------------

    def _expect(self, key: Scalar, node: Node) -> Deed | None:
        return self._expectation(key, node, False)

    def _expect_not(self, key: Scalar, node: Node) -> Deed | None:
        return self._expectation(key, node, True)

    def _expectation(self, key: Scalar, node: Node, is_absence: bool) -> Deed | None:
        form: Expect | None = self._read(Expect, key, node, ("where",))
        if form is None or not isinstance(node, Map):
            return None
        subjects = [name for name in SUBJECTS if getattr(form, name)]
        if len(subjects) != 1:
            what = f"{' and '.join(subjects)} together" if subjects else "none of them"
            help = f"write one of {', '.join(SUBJECTS)}"
            self.log.add("E503", key.span, f"{key.text!r} is about one thing, and this says {what}", help)
            return None
        subject = subjects[0]
        name, span = getattr(form, subject), node.values[subject].span
        if is_absence and form.times:
            self.log.add("E111", node.keys["times"].span, "'expect_not' counts nothing: take 'times' away")
            return None
        if not self._is_known(subject, name, span) or not self._are_known(form, node):
            return None
        asked = node.get("where")
        if asked is not None and not isinstance(asked, Map):
            self.log.add("E102", asked.span, f"'where' must be a map, not {described(asked)}")
            return None
        return Expectation(subject, name, form, self._where(subject, name, asked), is_absence)

    def _where(self, subject: str, name: str, asked: Map | None) -> Where:
        if subject in ("state", "request", "position"):
            return untyped_where(asked, self.log)
        converter = MessageConverter(self.log, subject, self.topology.instruments)
        return typed_where(asked, fields_named(subject, name), converter, self.log, f"{subject} {name}")

    def _are_known(self, form: Expect, node: Map) -> bool:
        places = {name: node.values[name].span for name in ("by", "to") if getattr(form, name)}
        found = [self._actors(getattr(form, name), span) for name, span in places.items()]
        return all(found)

    def _is_known(self, subject: str, name: str, span: Span) -> bool:
        """Note a name that nothing of this deployment has: it would never come, whatever happens."""
        known: Mapping[str, Any] | None = None
        if subject in ("message", "event"):
            known = message_types() if subject == "message" else event_types()
            code, text = "E501", f"there is no {subject} {name!r}"
        elif subject == "position":
            known = {symbol: symbol for symbol in self._traded()}
            code, text = "E504", f"the deployment has no symbol {name!r}"
        elif subject == "state":
            known, code, text = self._plans, "E504", f"the deployment has no actor {name!r}"
        elif subject in ("alert", "resolved"):
            known = alerts() if "*" not in name else None
            code, text = "E501", f"no actor raises an alert {name!r}"
        if known is not None and name not in known:
            self.log.add(code, span, text, did_you_mean(name, known))
            return False
        return True


def alerts() -> Mapping[str, Any]:
    """Return the alerts that the actors' documents list."""
    from actors.deployment.alert_policy import listed

    return listed()
