"""What the cells of the example bank say to each other, and what they record. Amounts are in cents."""

from __future__ import annotations

from actors.runtime.messages import Message, Overflow

# -- from outside ----------------------------------------------------------------------------------------


class TransferWanted(Message, frozen=True):
    """A customer wishes to move money. The id is the customer's, and means one transfer."""

    OVERFLOW = Overflow.REFUSE

    transfer_id: str
    source: str
    target: str  # "account/<name>", or "abroad/<name>"
    cents: int


class BalanceWanted(Message, frozen=True):
    """A customer asks how much there is."""


class Robbery(Message, frozen=True):
    """Whoever handles this falls over."""


class WireDone(Message, frozen=True):
    """The other bank has the money."""

    transfer_id: str


# -- answers ---------------------------------------------------------------------------------------------


class Accepted(Message, frozen=True):
    """The transfer will be made, or declined for want of money, once."""

    transfer_id: str
    is_new: bool


class Balance(Message, frozen=True):
    """How much an account holds."""

    account: str
    cents: int


# -- within the bank -------------------------------------------------------------------------------------


class Pay(Message, frozen=True):
    """Take money out of an account for a transfer."""

    transfer_id: str
    target: str
    cents: int


class Paid(Message, frozen=True):
    """The money has left the account."""

    transfer_id: str
    target: str
    cents: int


class Declined(Message, frozen=True):
    """There was not enough money; nothing has moved."""

    transfer_id: str


class Credit(Message, frozen=True):
    """Put money into an account."""

    transfer_id: str
    cents: int


class WireWanted(Message, frozen=True):
    """Send money to another bank."""

    transfer_id: str
    target: str
    cents: int


class BalanceMoved(Message, frozen=True):
    """An account holds more (or less) than before."""

    account: str
    cents: int


class StatementsWanted(Message, frozen=True):
    """Every account is to say what it holds."""


class Rate(Message, frozen=True):
    """What a unit of a currency costs. Only the newest of a currency matters."""

    OVERFLOW = Overflow.CONFLATE

    currency: str
    cents: int

    @property
    def conflation_key(self) -> str:
        return self.currency


# -- to the world ----------------------------------------------------------------------------------------


class Wire(Message, frozen=True):
    """An instruction to another bank, which may get it more than once and acts on it once."""

    transfer_id: str
    target: str
    cents: int


# -- timers ----------------------------------------------------------------------------------------------


class FeeDue(Message, frozen=True):
    """An account pays its keep."""


class WireOverdue(Message, frozen=True):
    """The other bank has not confirmed in time."""

    transfer_id: str


class AuditDue(Message, frozen=True):
    """Time to compare the books."""


class RatesDue(Message, frozen=True):
    """Time to draw new rates."""


# -- events ----------------------------------------------------------------------------------------------


class Withdrawn(Message, frozen=True):
    """Money left an account."""

    transfer_id: str
    cents: int


class Deposited(Message, frozen=True):
    """Money came into an account."""

    transfer_id: str
    cents: int


class WireQueued(Message, frozen=True):
    """Money is on its way to another bank."""

    transfer_id: str
    target: str
    cents: int


class WireSettled(Message, frozen=True):
    """The other bank has confirmed."""

    transfer_id: str
