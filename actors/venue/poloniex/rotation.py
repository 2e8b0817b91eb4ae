"""A new key for an account without a restart: tried with one signed reading, then used from that turn on.

Requests that left before were signed with the old key and are good until the venue forgets it; those that
wait are signed when they leave. The private stream stays as it is: it logs in only when it is opened again.
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
    """The newest key on offer, and the reading that tries it. `adopt` is called with it when it is taken."""

    def __init__(
        self,
        key: str,
        secret: str,
        place: Place,
        probe: Request,
        adopt: Callable[[Credentials, Context], None],
    ) -> None:
        self._texts = (key, secret)
        self._place = place
        self._probe = probe
        self._adopt = adopt
        self._candidate: Credentials | None = None
        self._references: tuple[str, ...] = ()
        self.request: Request | None = None  # under way

    def credentials_for(self, request: Request, current: Credentials | None) -> Credentials | None:
        """Return what a request is signed with."""
        return self._candidate if request is self.request else current

    def call(self, message: SecretsOffered, deadline_ns: int) -> Call | None:
        """Return the reading that tries what is offered to us; None when nothing is, or one is under way."""
        mine = tuple(text for text in message.references if text.rpartition("@")[0] in self._texts)
        if not mine or self.request is not None:
            return None
        newest = {text.rpartition("@")[0]: text for text in mine}
        names = [newest.get(text, text) for text in self._texts]
        candidate = credentials_of(names[0], names[1], self._place)
        if candidate is None:
            return None
        self._candidate, self._references = candidate, mine
        # A request of its own: who it is signed by is told by which one it is.
        self.request = self._probe._replace()
        return Call(self.request, Priority.NORMAL, deadline_ns, self._answered)

    def _answered(self, call: Call, outcome: Answer | NotAnswered, context: Context) -> None:
        """Adopt, refuse, or leave it to the next offer when nobody has said either."""
        candidate, self._candidate, self.request = self._candidate, None, None
        if isinstance(outcome, NotAnswered) or candidate is None:
            return
        if outcome.code == OK:
            context.publish(SecretsAdopted(self._references))
            self._adopt(candidate, context)
        elif outcome.code in ACCESS_CODES:
            context.publish(SecretsRefused(self._references, f"the venue answered {outcome.code}"))
