"""What happens by the clock: prices, participants, funding, and what goes out at a steady rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from actors.exchange.server.market_view import MarketView
from actors.exchange.server.participants import Participants
from actors.messages.market import FundingRate, MarkPrice

if TYPE_CHECKING:
    from actors.exchange.server.core import ExchangeCore

__all__ = ["Pulses"]

SECOND_NS = 1_000_000_000
FIRST_ACTS = 8


class Pulses:
    """Knows what is due."""

    def __init__(self, core: ExchangeCore) -> None:
        self._core = core
        self._valued_at_ns = 0
        self._rated_at_ns = 0
        self._act_at_ns: dict[str, int] = {}

    def start(self, now_ns: int) -> None:
        """Give every symbol its first prices and a book."""
        core = self._core
        every = core.settings.participants_every
        for number, view in enumerate(core.views.values()):
            self._value(view, now_ns)
            self._rate(view, now_ns)
            # Not all at once: the load is spread over the time between two acts.
            self._act_at_ns[view.symbol] = now_ns + every * number // max(1, len(core.views))
            self._begin(view, core.participants, now_ns)
        for number, view in enumerate(core.spot.views.values()):
            core.spot.value(view, now_ns)
            self._act_at_ns[view.symbol] = now_ns + every * number // max(1, len(core.spot.views))
            self._begin(view, core.spot.participants, now_ns)
        self._valued_at_ns = self._rated_at_ns = now_ns

    def _begin(self, view: MarketView, participants: Participants, now_ns: int) -> None:
        """Fill a book, and let a few trades happen: nobody should meet a market without any."""
        if self._core.settings.participants and not view.is_quiet:
            for act in range(FIRST_ACTS):
                participants.step(view, now_ns + act, is_eager=True)

    def pulse(self, now_ns: int) -> None:
        """Do all that is due."""
        core = self._core
        each_second = now_ns - self._valued_at_ns >= SECOND_NS or now_ns < self._valued_at_ns
        each_minute = now_ns - self._rated_at_ns >= 60 * SECOND_NS or now_ns < self._rated_at_ns
        self._settle_statuses(now_ns)
        core.settle_fees(now_ns)
        for view in _loud(core.views):
            if each_minute:
                self._rate(view, now_ns)
            if each_second:
                self._value(view, now_ns)
            if core.settings.participants:
                self._act(view, core.participants, now_ns)
        for view in _loud(core.spot.views):
            if each_second:
                core.spot.value(view, now_ns)
            if core.settings.participants:
                self._act(view, core.spot.participants, now_ns)
        core.spot.pulse(now_ns)
        if core.hub.sessions:
            self._tell(each_second, each_minute, now_ns)
        if each_second:
            self._valued_at_ns = now_ns
            core.hub.cut_silent(now_ns)
        if each_minute:
            self._rated_at_ns = now_ns

    def _tell(self, each_second: bool, each_minute: bool, now_ns: int) -> None:
        public = self._core.futures_public
        for view in _loud(self._core.views):
            public.tell_often(view, now_ns)
            if each_second:
                public.tell_each_second(view, now_ns)
            if each_minute:
                public.tell_each_minute(view, now_ns)
        for view in _loud(self._core.spot.views):
            self._core.spot.public.tell_often(view, now_ns)

    def _act(self, view: MarketView, participants: Participants, now_ns: int) -> None:
        due = self._act_at_ns[view.symbol]
        every = self._core.settings.participants_every
        if now_ns < due and due - now_ns <= every:
            return
        self._act_at_ns[view.symbol] = now_ns + every
        if not self._core.faults.is_frozen(view.symbol):
            view.index_ticks = self._index_ticks(view, now_ns)
        participants.step(view, now_ns)

    def _value(self, view: MarketView, now_ns: int) -> None:
        """Set index and mark; the engine then liquidates and settles what is due."""
        core = self._core
        if view.mark_ticks and core.faults.is_frozen(view.symbol):
            return
        index = self._index_ticks(view, now_ns)
        interval = view.instrument.funding_interval_ns
        mark = view.value(now_ns, index, interval - now_ns % interval)
        outcomes = core.engine.mark(MarkPrice(view.symbol, now_ns, mark, index), now_ns)
        if outcomes:
            core.absorb(outcomes, now_ns)

    def _index_ticks(self, view: MarketView, now_ns: int) -> int:
        return self._core.faults.jumped_ticks(view.symbol, view.path.ticks_at(now_ns))

    def _rate(self, view: MarketView, now_ns: int) -> None:
        interval = view.instrument.funding_interval_ns
        following = now_ns - now_ns % interval + interval
        rate = FundingRate(view.symbol, now_ns, view.rate(), following)
        outcomes = self._core.engine.funding_rate(rate, now_ns)
        if outcomes:
            self._core.absorb(outcomes, now_ns)

    def _settle_statuses(self, now_ns: int) -> None:
        wanted = self._core.faults.statuses()
        for view in [*self._core.views.values(), *self._core.spot.views.values()]:
            status = wanted.get(view.symbol, "OPEN")
            if status != view.status:
                view.status = status
                if view.symbol in self._core.views:
                    self._core.futures_public.tell_symbol(view, now_ns)


def _loud(views: Mapping[str, MarketView]) -> Iterator[MarketView]:
    return (view for view in views.values() if not view.is_quiet)
