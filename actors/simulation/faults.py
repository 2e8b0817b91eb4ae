"""The faults of a run: an explicit list, drawn from a seed, so that it can be kept, read and made shorter."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import msgspec

from actors.deployment.fault_kinds import EXCHANGE_KINDS, HAND_KINDS, NODE_KINDS
from actors.deployment.fault_kinds import FAULT_KINDS as KINDS
from actors.runtime.wire_faults import LINE_KINDS

__all__ = ["BY_HAND", "KINDS", "Fault", "Ground", "draw", "read_faults", "write_faults"]

SECOND_MS = 1_000
CALM_MS = 60_000  # at the beginning: a deployment comes up before anything happens to it
MILLION = 1_000_000
BY_HAND = "polo"  # begins the name that the exchange gives to orders of its web page
CHANNELS = ("orders", "trade", "positions", "account", "book_lv2", "trades", "mark_price")


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fault. `number` decides its chances, so it keeps them when others are left out."""

    number: int
    kind: str
    at_ms: int
    for_ms: int = 0
    share_ppm: int = MILLION
    value: int = 0
    target: str = ""

    def __str__(self) -> str:
        words = [f"{self.kind} at {self.at_ms / SECOND_MS:.1f}s"]
        if self.for_ms:
            words.append(f"for {self.for_ms / SECOND_MS:.1f}s")
        if self.share_ppm != MILLION:
            words.append(f"{self.share_ppm / 10_000:.0f}%")
        if self.value:
            words.append(str(self.value))
        return " ".join([*words, self.target]).strip()


class Ground(NamedTuple):
    """What a deployment offers to faults."""

    addresses: tuple[str, ...]
    has_line: bool  # bytes leave the node for an exchange
    can_lose_power: bool = True  # and keep what it told the exchange


def draw(seed: int, duration_ms: int, ground: Ground) -> list[Fault]:
    """Return a seed's faults, in order of time: about one in 40 seconds, more in a short run."""
    chance = Random(f"faults/{seed}")
    kinds = [kind for kind in NODE_KINDS if ground.can_lose_power or kind != "power_cut"]
    kinds += [*LINE_KINDS, *EXCHANGE_KINDS, *HAND_KINDS] if ground.has_line else []
    first, last = min(CALM_MS, duration_ms // 4), max(duration_ms * 9 // 10, 1)
    count = chance.randint(2, 5) + chance.randrange(1 + duration_ms // 40_000)
    moments = sorted(chance.randrange(first, last) for _ in range(count))
    return [_fault(number, chance, at_ms, kinds, ground) for number, at_ms in enumerate(moments)]


def _fault(number: int, chance: Random, at_ms: int, kinds: Sequence[str], ground: Ground) -> Fault:
    kind = chance.choice(kinds)
    share = MILLION if chance.random() < 0.4 else chance.randrange(MILLION // 20, MILLION)
    for_ms = int(SECOND_MS * 10 ** chance.uniform(-0.5, 1.6))
    value, target = 0, ""
    if kind in ("delay", "reorder_frame"):
        value = int(10 ** chance.uniform(1.5, 3.9))
    elif kind.endswith("_write"):
        value, for_ms = chance.randint(1, 60), chance.choice((0, 300, 3_000))
    elif kind == "disk_fail":
        value = chance.randint(1, 2)
    elif kind == "disk_slow":
        value = chance.choice((5, 50, 500))
    elif kind == "clock_step":
        value = chance.choice((-1, 1)) * int(10 ** chance.uniform(1.5, 4.5))
    elif kind == "clock_drift":
        value = chance.randint(-20_000, 20_000)
    elif kind == "venue_skew":
        value = chance.choice((-1, 1)) * int(10 ** chance.uniform(1.5, 4.5))
    elif kind == "venue_lag":
        value = int(10 ** chance.uniform(2.5, 4.3))
    elif kind == "hand_close_untold":
        for_ms = int(SECOND_MS * chance.uniform(25, 120))
    elif kind == "hand_trade":
        value = chance.choice((-2, -1, 1, 2))
    elif kind == "hand_leverage":
        value = chance.choice((1, 2, 5))
    elif kind == "hand_transfer":
        value = chance.choice((-1, 1)) * chance.randint(1, 50)
    elif kind == "disk_filling":
        for_ms = max(for_ms, 8 * SECOND_MS)
    elif kind == "halt":
        for_ms = max(for_ms, 10 * SECOND_MS)
        value = chance.choice((0, 1)) * chance.randrange(1, for_ms // 2)
    elif kind == "crash_cell":
        target = chance.choice(ground.addresses)
    elif kind == "venue_mute":
        target = chance.choice(CHANNELS)
    return Fault(
        number=number,
        kind=kind,
        at_ms=at_ms,
        for_ms=for_ms,
        share_ppm=share if kind in LINE_KINDS or kind.startswith("venue_") else MILLION,
        value=value,
        target=target,
    )


def write_faults(faults: Sequence[Fault]) -> bytes:
    """Return a list of faults as JSON, one a line."""
    rows = [msgspec.json.encode(fault) for fault in faults]
    return b"[\n" + b",\n".join(rows) + b"\n]\n"


def read_faults(text: bytes) -> list[Fault]:
    """Return a list of faults. Errors: ValueError that names the place."""
    try:
        found = msgspec.json.decode(text, type=list[Fault])
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    for fault in found:
        if fault.kind not in KINDS:
            raise ValueError(f"{fault.kind!r} is no fault; there are {', '.join(KINDS)}")
    return found
