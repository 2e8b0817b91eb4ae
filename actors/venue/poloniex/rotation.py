"""A new key for an account without a restart: one signed reading tries it, then a private stream of its own.

Only when both are good is it used, for everything that leaves from that turn on. The key before may be
deleted at the venue once `SecretsAdopted` is told: nothing that it signed or opened is under way any more.
"""

from __future__ import annotations

from collections.abc import Callable

from actors.domain.place import Place
from actors.messages.secrets import SecretsAdopted, SecretsOffered, SecretsRefused
from actors.poloniex.answers import OK, Answer
from actors.poloniex.line import Call, NotAnswered
from actors.poloniex.rate_budget import Priority
from actors.poloniex.request import Request
from actors.runtime.behaviour import Context
from actors.venue.poloniex.credentials import Credentials, credentials_of
from actors.venue.poloniex.failures import ACCESS_CODES

__all__ = ["KeyTrial"]


class KeyTrial:
    """The newest key on offer, from the reading that tries it until the key before is out of use.

    `readable` is called when the reading was good.
    """

    def __init__(
        self, key: str, secret: str, place: Place, probe: Request, readable: Callable[[Context], None]
    ) -> None:
        self._texts = (key, secret)
        self._place = place
        self._probe = probe
        self._readable = readable
        self._references: tuple[str, ...] = ()  # on trial, or taken and not yet told
        self.candidate: Credentials | None = None
        self.request: Request | None = None  # under way

    def credentials_for(self, request: Request, current: Credentials | None) -> Credentials | None:
        """Return what a request is signed with."""
        return self.candidate if request is self.request else current

    def call(self, message: SecretsOffered, deadline_ns: int) -> Call | None:
        """Return the reading that tries what is offered to us; None when nothing is, or a trial is on."""
        mine = tuple(text for text in message.references if text.rpartition("@")[0] in self._texts)
        if not mine or self._references:
            return None
        newest = {text.rpartition("@")[0]: text for text in mine}
        names = [newest.get(text, text) for text in self._texts]
        candidate = credentials_of(names[0], names[1], self._place)
        if candidate is None:
            return None
        self.candidate, self._references = candidate, mine
        # A request of its own: who it is signed by is told by which one it is.
        self.request = self._probe._replace()
        return Call(self.request, Priority.NORMAL, deadline_ns, self._answered)

    def take(self) -> Credentials | None:
        """Return the key on trial, which is in use from now on."""
        candidate, self.candidate = self.candidate, None
        return candidate

    def adopted(self, context: Context) -> None:
        """The key before is out of use."""
        context.publish(SecretsAdopted(self._references))
        self.drop()

    def refuse(self, reason: str, context: Context) -> None:
        """The venue does not take it; the one before stays in use."""
        context.publish(SecretsRefused(self._references, reason))
        self.drop()

    def drop(self) -> None:
        """Nobody has said either: leave it to the next offer."""
        self.candidate, self.request, self._references = None, None, ()

    def _answered(self, call: Call, outcome: Answer | NotAnswered, context: Context) -> None:
        self.request = None
        code = "" if isinstance(outcome, NotAnswered) else outcome.code
        if code == OK:
            self._readable(context)
        elif code in ACCESS_CODES:
            self.refuse(f"the venue answered {code}", context)
        else:
            self.drop()
