"""All accounts of the deployment together: what they hold, what they lost, and how their symbols move."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.domain.correlation import correlated_exposure
from actors.domain.place import Place
from actors.messages.account import AccountState, PortfolioShare, PortfolioState, PositionState
from actors.messages.grants import PortfolioGrant, PortfolioUse
from actors.messages.market import MarkPrice
from actors.portfolio.correlation import correlations_of
from actors.portfolio.grants import AccountGrants, all_young, grant_of, regrant, take_use
from actors.portfolio.settings import PortfolioSettings
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import Message

__all__ = ["PortfolioActor", "PortfolioTick", "SampleTick"]

E8 = 100_000_000


class PortfolioTick(Message, frozen=True):
    """Tell how things stand."""


class SampleTick(Message, frozen=True):
    """Take the prices of this moment."""


class PortfolioMemory(msgspec.Struct):
    """What outlives a restart: positions, so that none is missing before its ledger speaks, and prices."""

    net_contracts: dict[str, dict[str, int]] = {}  # by account and symbol; flat ones left out
    prices: dict[str, list[int]] = {}  # by symbol, oldest first; 0 where none was known
    sampled_at_ns: int = 0
    grants: dict[str, AccountGrants] = {}  # by account; what may still be held somewhere


class PortfolioActor(Behaviour):
    """Adds up the accounts, and shares out the limits on all of them. To keep to its part is each risk's."""

    ACCEPTS = (AccountState, PositionState, MarkPrice, PortfolioUse, PortfolioTick, SampleTick)
    EMITS = (PortfolioState, PortfolioGrant)
    STATE = PortfolioMemory
    PERSISTENCE = Persistence.SAVED
    PHASE = Phase.STATE

    state: PortfolioMemory

    def __init__(self, settings: PortfolioSettings, place: Place) -> None:
        self.settings = settings
        self._tick_values = {symbol: one.tick_value for symbol, one in place.instruments.items()}
        self._accounts: dict[str, AccountState] = {}
        self._marks: dict[str, MarkPrice] = {}
        self._uses: dict[str, PortfolioUse] = {}
        self._symbols: tuple[str, ...] = ()
        self._correlations: tuple[tuple[float, ...], ...] = ()

    def started(self, context: Context) -> None:
        self._compute()
        context.schedule(self.settings.tell_every, PortfolioTick(), key="tell")
        context.schedule(self.settings.sample, SampleTick(), key="sample")

    # -- what is heard ------------------------------------------------------------------------------

    def on_account_state(self, account: AccountState, context: Context) -> None:
        if account.account in self.settings.accounts:
            self._accounts[account.account] = account

    def on_position_state(self, position: PositionState, context: Context) -> None:
        if position.account not in self.settings.accounts:
            return
        held = self.state.net_contracts.setdefault(position.account, {})
        if held.get(position.symbol, 0) == position.net_contracts:
            return
        if position.net_contracts:
            held[position.symbol] = position.net_contracts
        else:
            held.pop(position.symbol, None)
        context.save()
        self._tell(context)

    def on_mark_price(self, mark: MarkPrice, context: Context) -> None:
        if mark.mark_ticks > 0:
            self._marks[mark.symbol] = mark

    def on_portfolio_use(self, use: PortfolioUse, context: Context) -> None:
        if use.account in self.settings.accounts:
            take_use(self.state.grants.setdefault(use.account, AccountGrants()), use)
            self._uses[use.account] = use
            self._grant(context)

    # -- what is told -------------------------------------------------------------------------------

    def on_portfolio_tick(self, _: PortfolioTick, context: Context) -> None:
        context.schedule(self.settings.tell_every, PortfolioTick(), key="tell")
        self._tell(context)
        for name, use in self._uses.items():  # what got lost on the way is sent again
            grants = self.state.grants[name]
            if grants.number > use.number:
                context.publish(grant_of(name, grants))

    def _grant(self, context: Context) -> None:
        """Share the limits out anew. While an account or a price is not known, what was granted holds."""
        names, grants = self.settings.accounts, self.state.grants
        if not all_young(self._uses, names, context.now_ns - self.settings.age_max):
            return
        numbers = {name: grants[name].number for name in names}
        if regrant(grants, {name: self._uses[name] for name in names}, self.settings.reserve):
            context.save()
            for name in names:
                if grants[name].number != numbers[name]:
                    context.publish(grant_of(name, grants[name]))

    def _tell(self, context: Context) -> None:
        shares, complete = [], True
        oldest_ns = context.now_ns - self.settings.age_max
        for name in self.settings.accounts:
            account = self._accounts.get(name)
            if account is None:
                complete = False
                continue
            complete = complete and account.at_ns >= oldest_ns
            values = []
            for symbol, net in self.state.net_contracts.get(name, {}).items():
                mark = self._marks.get(symbol)
                if mark is None or symbol not in self._tick_values or mark.at_ns < oldest_ns:
                    complete = False
                if mark is not None and symbol in self._tick_values:
                    values.append((symbol, net * mark.mark_ticks * self._tick_values[symbol]))
            loss = account.day_start_equity_usdt - account.equity_usdt
            shares.append(PortfolioShare(name, account.equity_usdt, loss, tuple(values)))
        context.publish(
            PortfolioState(
                *(tuple(shares), complete, self._symbols, self._correlations),
                *(self.settings.shrinkage, context.now_ns),
            )
        )

    # -- how symbols move ---------------------------------------------------------------------------

    def on_sample_tick(self, _: SampleTick, context: Context) -> None:
        state, now_ns, sample_ns = self.state, context.now_ns, self.settings.sample
        context.schedule(sample_ns, SampleTick(), key="sample")
        gap = state.sampled_at_ns and now_ns - state.sampled_at_ns > 2 * sample_ns
        count = max((len(found) for found in state.prices.values()), default=0)
        for symbol in self._tick_values:
            mark = self._marks.get(symbol)
            young = mark is not None and now_ns - mark.at_ns <= sample_ns
            found = state.prices.get(symbol)
            if found is None:
                if not young:
                    continue
                found = state.prices[symbol] = [0] * count
            if gap:
                found.append(0)  # a return over the gap would be one of another length
            found.append(mark.mark_ticks if mark is not None and young else 0)
            del found[: -self.settings.window - 1]
        state.sampled_at_ns = now_ns
        self._compute()
        context.save()

    def _compute(self) -> None:
        longest = max((len(found) for found in self.state.prices.values()), default=0)
        aligned = {
            symbol: [0] * (longest - len(found)) + found for symbol, found in self.state.prices.items()
        }
        self._symbols, self._correlations = correlations_of(aligned, self.settings.samples_min)

    def describe(self) -> Any:
        """Return the sums and the correlations that are known; amounts in 1e-8 USDT."""
        weights: dict[str, int] = {}
        for held in self.state.net_contracts.values():
            for symbol, net in held.items():
                mark = self._marks.get(symbol)
                if mark is not None:
                    value = net * mark.mark_ticks * self._tick_values.get(symbol, 0)
                    weights[symbol] = weights.get(symbol, 0) + value
        return {
            "accounts": {name: one.equity_usdt for name, one in self._accounts.items()},
            "silent": [name for name in self.settings.accounts if name not in self._accounts],
            "net_usdt_e8": weights,
            "correlated_usdt_e8": correlated_exposure(
                weights, self._symbols, self._correlations, self.settings.shrinkage / E8
            ),
            "grants": {
                name: msgspec.to_builtins(grant_of(name, one)) for name, one in self.state.grants.items()
            },
            "symbols": list(self._symbols),
            "correlations": [[round(one, 4) for one in row] for row in self._correlations],
        }

    def gauges(self) -> dict[str, int | float]:
        return {"accounts_known_count": len(self._accounts), "symbols_correlated_count": len(self._symbols)}
