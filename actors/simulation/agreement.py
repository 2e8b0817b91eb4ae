"""Whether a reconciler says that books agree while they do not: looked at from outside, every second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from actors.exchange.state import ExchangeState
from actors.exchange.terms import slot_of
from actors.runtime.node import Node

__all__ = ["AgreementWatch"]

LOOKS_MIN = 15  # so many looks in a row must show the same difference
ROUNDS_MIN = 2  # so many rounds must have ended meanwhile: then the last one has begun meanwhile, too


class Standing(NamedTuple):
    """A difference that is always the same."""

    contracts: int  # ours less theirs
    rounds_before: int  # of the reconciler, when it was seen first
    looks: int


class AgreementWatch:
    """Remembers which positions differ, by how much, and since when."""

    def __init__(self) -> None:
        self._standing: dict[tuple[str, str], Standing] = {}

    def look(self, node: Node, account: str, name: str, state: ExchangeState) -> Iterator[str]:
        """Yield every symbol whose difference a comparison has agreed over. `name`: the exchange's."""
        wallet, oms = state.wallets.get(name), _behaviour(node, f"oms/{account}")
        reconciler = _behaviour(node, f"reconciler/{account}")
        if wallet is None or oms is None or reconciler is None:
            return
        theirs: dict[str, int] = {}
        for key, holding in wallet.holdings.items():
            symbol = slot_of(key)[0]
            theirs[symbol] = theirs.get(symbol, 0) + holding.position.net_contracts
        ours = oms.state.net_contracts
        rounds = reconciler.state.rounds_count
        for symbol in sorted(theirs.keys() | ours.keys()):
            differs = ours.get(symbol, 0) - theirs.get(symbol, 0)
            known = self._standing.get((account, symbol))
            if not differs or known is None or known.contracts != differs:
                self._standing[account, symbol] = Standing(differs, rounds, 1)
                continue
            known = self._standing[account, symbol] = known._replace(looks=known.looks + 1)
            is_over = known.looks >= LOOKS_MIN and rounds >= known.rounds_before + ROUNDS_MIN
            if is_over and reconciler.state.agrees:
                held = f"ours {ours.get(symbol, 0)}, theirs {theirs.get(symbol, 0)}"
                yield f"{account} {symbol}: {held} for {known.looks} s, and the reconciler agrees"

    def forget(self) -> None:
        """The node is away: begin anew."""
        self._standing.clear()


def _behaviour(node: Node, address: str) -> Any:
    cell = node.loop.cells.get(address)
    return None if cell is None else cell.behaviour
