"""What follows when a limit is met: less of the order, a warning, a halt, a close."""

from __future__ import annotations

from msgspec import structs

from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.account import AccountState, PortfolioState
from actors.messages.control import FlattenPositions, HaltLevel
from actors.messages.grants import Measures, PortfolioGrant, PortfolioUse
from actors.messages.market import FundingRate
from actors.messages.parents import ParentIntent
from actors.messages.trading import OrderIntent, OrderUpdate, StrategyHeartbeat
from actors.risk.guard_events import (
    BreachNoted,
    ExitEnded,
    ExitOrdered,
    GrantTaken,
    IntentShrunk,
    NearTold,
    PeakMoved,
    RejectsEnded,
    StrategyDayStarted,
)
from actors.risk.limit_desk import LimitDesk
from actors.risk.picture import Market
from actors.risk.rule import Denial, Rule, Scope
from actors.risk.settings import Action
from actors.risk.state import Reservation
from actors.risk.switch import LEVEL_OF
from actors.risk.table import RULE_OF
from actors.risk.tally import Others
from actors.runtime.behaviour import Context
from actors.runtime.messages import Severity

__all__ = ["Guard"]

SECOND_NS = 1_000_000_000
NEAR_TOLD_NS = 600 * SECOND_NS  # from one telling that a limit is near to the next
NEAR_CALM_NS = 3_600 * SECOND_NS  # without an order that comes near it, and it is over
INT64_MAX = 2**63 - 1
# A check that reads the account alone does not look at it.
NOBODY = OrderIntent(*("", "", "", "", Side.BUY, 0, OrderType.MARKET, 0, TimeInForce.IOC, False, 0, 0))
# Denials that tell of a strategy that does not know what it does; the others tell of the world.
SENSELESS = frozenset(
    {
        *("order_form", "duplicate_intent", "reduce_only", "spot_inventory", "order_contracts"),
        *("order_notional", "price_band", "collar", "decision_drift", "model_output"),
        *("unknown_symbol", "wrong_sender"),
    }
)


class Guard(LimitDesk):
    """Acts on what the rules find."""

    # -- an order that a rule speaks against -------------------------------------------------------

    def action_of(self, rule: Rule) -> Action:
        """Return what follows when a rule says no."""
        return self.settings.actions.get(rule.name, rule.actions[0])

    def shrunk(self, intent: OrderIntent, name: str, denied: Denial, context: Context) -> OrderIntent | None:
        """Return as much of an order as passes every rule, None when that is nothing or not wanted."""
        rule = RULE_OF.get(name)
        if rule is None or self.action_of(rule) is not Action.SHRINK:
            return None
        market = self._markets[intent.symbol]
        low, high = market.instrument.contracts_min - 1, intent.contracts
        while high - low > 1:  # low passes (or is nothing), high does not
            middle = (low + high) // 2
            if self._passes(structs.replace(intent, contracts=middle), market, context.now_ns):
                low = middle
            else:
                high = middle
        smaller = structs.replace(intent, contracts=low)
        if low < market.instrument.contracts_min or not self._passes(smaller, market, context.now_ns):
            self._picture.look(intent, market, context.now_ns)
            return None
        measured, limit = storable(denied.measured), storable(denied.limit)
        context.record(
            IntentShrunk(*(intent.intent_id, name, intent.contracts, low, measured, limit, context.now_ns))
        )
        return smaller

    def _passes(self, intent: OrderIntent, market: Market, now_ns: int) -> bool:
        picture = self._picture
        picture.look(intent, market, now_ns)
        checks = market.checks_reducing if picture.reduces else market.checks
        return all(check(intent, picture) is None for _, check in checks)

    def follow_denial(
        self, intent: OrderIntent | ParentIntent, name: str, denied: Denial, context: Context
    ) -> None:
        """Do what the settings want done after a no."""
        if self._tallied and name in SENSELESS:
            denials = self._picture.tally.denials
            denials[intent.strategy] = denials.get(intent.strategy, 0) + 1
        rule = RULE_OF.get(name)
        if rule is None or (action := self.action_of(rule)) not in LEVEL_OF or rule.name == "daily_loss":
            return
        if rule.watched:
            self._breach(rule, denied, context)
            return
        scope = self._scope_of(rule, action, intent.symbol, intent.strategy)
        level = LEVEL_OF[action]
        current = self.state.halts.get(scope)
        if current is None or current.level < level:
            self._latch(scope, level, "rule/" + name, _numbers(denied), context)

    def _scope_of(self, rule: Rule, action: Action, symbol: str, strategy: str) -> str:
        if rule.scope is Scope.ACCOUNT or action is Action.HALT:
            return "account/" + self._account
        return f"symbol/{symbol}" if rule.scope is Scope.SYMBOL else f"strategy/{strategy}"

    def warn(self, intent: OrderIntent, context: Context) -> None:
        """An order has passed: tell somebody about limits that it comes near to."""
        for name, check in self._near_checks.get(intent.symbol, ()):
            found, told = check(intent, self._picture), self.state.near.get(name)
            if found is None and told is None:
                continue
            scope = self._scope_of(RULE_OF[name], Action.DENY, intent.symbol, intent.strategy)
            if found is None and told is not None and told.scope == scope:  # another's may be far at any time
                self.end_warning(name, context)
            elif found is not None and (told is None or context.now_ns >= told.at_ns + NEAR_TOLD_NS):
                key, now_ns = f"{self._account}:{name}", context.now_ns
                context.record(NearTold(name, scope, now_ns))
                text = f"Account {self._account} comes near its limit {name}: {_numbers(found)}"
                context.alert("LimitNear", Severity.TICKET, text, key=key, ends_after_ns=NEAR_CALM_NS)

    # -- the account ------------------------------------------------------------------------------

    def take_account(self, account: AccountState, context: Context) -> None:
        """Take over what is measured from days, weeks and peaks, and hold it against the limits."""
        picture = self._picture
        picture.day_start_ns, picture.week_start_ns = account.day_start_ns, account.week_start_ns
        if account.week_start_ns:
            picture.week_loss_usdt = account.week_start_equity_usdt - account.equity_usdt
        picture.peak_usdt = self._peak_of(account, context)
        picture.now_ns = context.now_ns
        if self.settings.strategies:
            self._start_strategy_days(account, context)
        if self._watched:
            self.watch(context)

    def _peak_of(self, account: AccountState, context: Context) -> int:
        state, equity = self.state, account.equity_usdt
        self._ledger_peak_usdt = account.equity_peak_usdt
        if not state.peak_ledger_usdt or account.equity_peak_usdt > state.peak_ledger_usdt:
            return account.equity_peak_usdt
        if equity > state.peak_own_usdt:
            context.record(PeakMoved(state.peak_ledger_usdt, equity, context.now_ns))
        return state.peak_own_usdt

    def resumed(self, scope: str, context: Context) -> None:
        """A person looked: what led to the halt is counted anew."""
        tally, state = self._picture.tally, self.state
        kind, _, name = scope.partition("/")
        if kind == "strategy":
            tally.denials.pop(name, None)
            tally.slippage_e8.pop(name, None)
        elif kind in ("account", "all"):
            tally.denials.clear()
            tally.slippage_e8.clear()
            if state.rejects_in_row:
                context.record(RejectsEnded(context.now_ns))
            if self.settings.max_drawdown and self._picture.account_known:
                equity = self._picture.equity_usdt
                context.record(PeakMoved(self._ledger_peak_usdt, equity, context.now_ns))
                self._picture.peak_usdt = equity

    def watch(self, context: Context) -> None:
        """Ask the rules that are about the account itself."""
        for name, check in self._watched:
            found = check(NOBODY, self._picture)
            if found is not None:
                self._breach(RULE_OF[name], found, context)

    def _breach(self, rule: Rule, found: Denial, context: Context) -> None:
        """Note that a limit of the account is met, and do what follows, once in each of its periods."""
        period = rule.period(self._picture) if rule.period is not None else 0
        if self.state.breaches.get(rule.name) == period:
            return
        action, now_ns = self.action_of(rule), context.now_ns
        measured, limit = storable(found.measured), storable(found.limit)
        context.record(BreachNoted(rule.name, period, action.value, measured, limit, now_ns))
        if action in LEVEL_OF:
            scope = "account/" + self._account
            self._latch(scope, LEVEL_OF[action], "rule/" + rule.name, _numbers(found), context)

    def _start_strategy_days(self, account: AccountState, context: Context) -> None:
        """Note where each strategy with a limit stands when the day begins, once its prices are known."""
        state, picture = self.state, self._picture
        for strategy, limits in self.settings.strategies.items():
            begun = state.strategy_days.get(strategy)
            if not limits.daily_loss_usdt or (begun and begun.day_start_ns == account.day_start_ns):
                continue
            held = state.attributed.get(strategy, {})
            known = [s for s, one in held.items() if s in self._markets and one.net_contracts]
            if all(self._markets[symbol].price_ticks for symbol in known):
                profit = picture.strategy_profit_usdt(strategy)
                context.record(StrategyDayStarted(strategy, account.day_start_ns, profit, context.now_ns))

    # -- positions --------------------------------------------------------------------------------

    def look_at_position(self, market: Market, context: Context) -> None:
        """Close a position that has met its stop, its goal or its end."""
        symbol, now_ns, state = market.symbol, context.now_ns, self.state
        picture, book = self._picture, self.peek(symbol)
        exited_ns = state.exits.get(symbol)
        if exited_ns is not None and book.opened_ns <= exited_ns:
            if not book.net_contracts and now_ns - exited_ns >= self.settings.exit_pause:
                context.record(ExitEnded(symbol, now_ns))
            return
        if not market.ledger_known or not market.ledger_contracts or not market.price_ticks:
            return
        picture.market, picture.book, picture.now_ns = market, book, now_ns
        for name, check in market.exits:
            found = check(NOBODY, picture)
            if found is None:
                continue
            measured, limit = storable(found.measured), storable(found.limit)
            context.record(ExitOrdered(symbol, name, market.ledger_contracts, measured, limit, now_ns))
            if self.action_of(RULE_OF[name]) is Action.HALT:
                self._latch("symbol/" + symbol, HaltLevel.FLATTEN, "rule/" + name, _numbers(found), context)
            else:
                context.publish(FlattenPositions(self._account, symbol, f"{name}: {_numbers(found)}"))
            return

    # -- what is heard ----------------------------------------------------------------------------

    def note_update(self, order: Reservation, update: OrderUpdate, before: int, ended: bool) -> None:
        """Keep the tally while an order goes on. before: what had filled already."""
        tally, news = self._picture.tally, update.filled_contracts - before
        left = order.contracts - before
        if news > 0:
            ticks = update.filled_ticks - order.filled_ticks if update.filled_ticks else 0
            tally.filled(update.intent_id, order.strategy, order.side, news, ticks)
        gone = left if ended else max(0, min(left, news))
        tally.add(order.strategy, order.symbol, order.side, -gone, -1 if ended else 0)
        if ended:
            tally.decisions.pop(update.intent_id, None)

    def on_funding_rate(self, rate: FundingRate, context: Context) -> None:
        market = self._markets.get(rate.symbol)
        if market is not None:
            market.funding_e8 = rate.rate_e8

    def on_portfolio_state(self, portfolio: PortfolioState, context: Context) -> None:
        self._picture.others = Others.of(portfolio, self._account)
        self._picture.now_ns = context.now_ns
        if self._watched and self._picture.account_known:
            self.watch(context)
        self._tell_use(context)

    def on_portfolio_grant(self, grant: PortfolioGrant, context: Context) -> None:
        if grant.account == self._account and grant.number > self.state.grant.number:
            context.record(GrantTaken(grant.number, grant.own, grant.together, context.now_ns))
            self._tell_use(context)

    def _tell_use(self, context: Context) -> None:
        settings, picture = self.settings, self._picture
        limits = Measures(
            settings.portfolio_gross_usdt, settings.portfolio_net_usdt, settings.portfolio_correlated_usdt
        )
        number, known = self.state.grant.number, picture.priced()
        context.publish(PortfolioUse(self._account, number, known, picture.used(), limits, context.now_ns))

    def shown_grant(self) -> dict[str, int]:
        """Return this account's part in the limits on all accounts; empty before there is one."""
        grant = self.state.grant
        return {name: getattr(grant, name) for name in grant.__struct_fields__} if grant.number else {}

    def on_strategy_heartbeat(self, heartbeat: StrategyHeartbeat, context: Context) -> None:
        if heartbeat.account == self._account:
            self._picture.tally.alive_ns[heartbeat.strategy] = context.now_ns


def _numbers(found: Denial) -> str:
    return f"{found.text} ({found.measured} of {found.limit})"


def storable(number: int) -> int:
    """Return the number, or the nearest one that fits into 64 bits: what is denied may be any nonsense."""
    return max(-INT64_MAX, min(INT64_MAX, number))
