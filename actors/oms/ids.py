"""Names of orders: what makes a client_order_id unique, and what makes an intent new."""

from __future__ import annotations

import base64
import hashlib
import re

__all__ = ["account_mark", "client_order_id", "id_prefix", "intent_rank", "is_of_a_node"]

OF_A_NODE = re.compile(r"[a-z2-7]{6}(-[a-z2-7]{9})?-\d{1,6}-\d{1,12}", re.ASCII)
MARK_LENGTH = 6  # base32 letters: 30 bits tell accounts that share a venue apart
EPOCH_MAX = 10**6 - 1
SEQUENCE_MAX = 10**12 - 1  # 6 + 1 + 9 of the journal + 1 + 6 + 1 + 12 = 36 characters, all a venue allows


def account_mark(deployment: str, account: str) -> str:
    """Return the six letters that all order ids of one account of one deployment begin with."""
    digest = hashlib.sha256(f"{deployment}\0{account}".encode()).digest()
    return base64.b32encode(digest)[:MARK_LENGTH].decode("ascii").lower()


def id_prefix(deployment: str, account: str, journal: str, epoch: int) -> str:
    """Return what is constant in the order ids of one account while one node runs.

    `journal` is the journal's identity, "" of one that has none: it was begun by an older version, and its
    orders keep the form `k3x7aa-12-4711`. Errors: ValueError when the epoch is negative or too long.
    """
    if not 0 <= epoch <= EPOCH_MAX:
        raise ValueError(f"epoch {epoch} does not fit into a client_order_id")
    marks = (account_mark(deployment, account), journal) if journal else (account_mark(deployment, account),)
    return f"{'-'.join(marks)}-{epoch}-"


def client_order_id(deployment: str, account: str, journal: str, epoch: int, sequence: int) -> str:
    """Return the id of an account's order number `sequence`: `k3x7aa-bthq2vmk4-12-4711`.

    Only [a-z0-9-], at most 36 characters. No part holds a dash, so equal ids mean equal mark, journal, epoch
    and sequence: a journal begun anew never says the name of an order that the one before it made.
    Errors: ValueError when a number is negative or does not fit.
    """
    if not 0 <= sequence <= SEQUENCE_MAX:
        raise ValueError(f"sequence {sequence} does not fit into a client_order_id")
    return id_prefix(deployment, account, journal, epoch) + str(sequence)


def is_of_a_node(client_order_id: str) -> bool:
    """Tell whether a node of this program made an order id: of whatever deployment, account and journal."""
    return OF_A_NODE.fullmatch(client_order_id) is not None


def intent_rank(intent_id: str) -> tuple[str, int, int]:
    """Return (who, epoch, count) of an intent id `who#epoch.count`; ("", 0, 0) of any other form.

    One strategy's ids ascend by (epoch, count), so the highest one seen tells an old intent from a new one.
    """
    who, mark, tail = intent_id.rpartition("#")
    epoch, dot, count = tail.partition(".")
    if mark and dot and epoch.isdecimal() and count.isdecimal():
        return who, int(epoch), int(count)
    return "", 0, 0
