"""Halts by silence: a venue that stays unreachable, a feed that stays stale. Off unless written."""

from __future__ import annotations

from actors.domain.place import Place
from actors.messages.control import HaltLevel
from actors.messages.venue import VenueConnection
from actors.risk.settings import RiskSettings
from actors.risk.switch import KillSwitch
from actors.runtime.behaviour import Context
from actors.runtime.messages import Message

__all__ = ["Heartbeats", "SilenceDue"]


class SilenceDue(Message, frozen=True):
    """Somebody may have been silent for too long."""

    symbol: str  # whose feed; empty: the venue


class Heartbeats(KillSwitch):
    """Counts silences from when they are heard of, anew after a restart; what was latched stays."""

    def __init__(self, settings: RiskSettings, place: Place) -> None:
        super().__init__(settings, place)
        self._silent_since_ns: dict[str, int] = {}  # by symbol; "" is the venue

    def recall_silences(self, context: Context) -> None:
        """Until it is heard the venue is silent: a deployment that does not read it halts, for all to see."""
        self.note_silence("", True, context)
        for symbol in self.state.feeds_stale:  # so they were when this actor went away
            self.note_silence(symbol, True, context)

    def on_venue_connection(self, message: VenueConnection, context: Context) -> None:
        if message.account == self._account:
            self.note_silence("", not message.up, context)

    def note_silence(self, symbol: str, silent: bool, context: Context) -> None:
        """A feed, or the venue, fell silent or is heard again."""
        if not silent:
            self._silent_since_ns.pop(symbol, None)
        elif symbol not in self._silent_since_ns:
            self._silent_since_ns[symbol] = context.now_ns
            limit_ns = self._silence_max_ns(symbol)
            if limit_ns:
                context.schedule(limit_ns, SilenceDue(symbol), key="silence/" + symbol)

    def on_silence_due(self, due: SilenceDue, context: Context) -> None:
        since_ns = self._silent_since_ns.get(due.symbol)
        limit_ns = self._silence_max_ns(due.symbol)
        if since_ns is None or not limit_ns:
            return
        left_ns = since_ns + limit_ns - context.now_ns
        if left_ns > 0:  # it was heard meanwhile
            context.schedule(left_ns, due, key="silence/" + due.symbol)
            return
        who = f"the feed of {due.symbol}" if due.symbol else "the venue"
        scope = "symbol/" + due.symbol if due.symbol else "account/" + self._account
        reason = f"nothing was heard of {who} for {limit_ns / 1e9:g} s"
        level = HaltLevel[self.settings.silence_level.upper()]
        self._latch(scope, level, "rule/silence", reason, context)

    def _silence_max_ns(self, symbol: str) -> int:
        return self.settings.feed_silence_max if symbol else self.settings.venue_silence_max
