"""One random factor of the synthetic market: the returns of each minute of each session, known from a key.

A market is the common factor and each symbol's own one, weighted. A factor has no level and no memory beyond
its session of four hours, so every actor can compute any session of it alone. Returns are floats in units of
the daily standard deviation: statistics, not prices.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import NamedTuple

from actors.feed.noise import WORD_COUNT, normals, words

__all__ = [
    "MINUTE_SECONDS",
    "QUIET_MINUTE",
    "SESSION_MINUTES",
    "Jump",
    "Regime",
    "Session",
    "make_session",
    "seconds_of",
]

SESSION_MINUTES = 240
MINUTE_SECONDS = 60


class Regime(enum.IntEnum):
    """What kind of market a factor makes for a while."""

    TREND_UP = 0
    TREND_DOWN = 1
    RANGE = 2
    STORM = 3


class Character(NamedTuple):
    """The numbers of one regime, in standard deviations of a quiet minute."""

    weight: int  # how often it is drawn, out of 100
    minutes_min: int
    minutes_max: int
    drift: float  # per minute, before the strength of the single stretch
    noise: float
    pull: float  # share of the distance from the range's centre that a minute takes back
    jump_words: int  # chance of a jump per minute, in 1/65536


# Balanced so that a trend follower earns in trends and pays in ranges, and one who bets on reversion the
# other way round; neither earns every day after fees.
CHARACTERS: dict[Regime, Character] = {
    Regime.TREND_UP: Character(26, 45, 115, 0.23, 0.95, 0.0, 60),
    Regime.TREND_DOWN: Character(26, 45, 115, -0.23, 0.95, 0.0, 60),
    Regime.RANGE: Character(37, 45, 115, 0.0, 1.3, 0.20, 40),
    Regime.STORM: Character(11, 8, 25, 0.0, 2.4, 0.0, 1600),
}

OPPOSITE = {Regime.TREND_UP: Regime.TREND_DOWN, Regime.TREND_DOWN: Regime.TREND_UP}
TREND_AGAINST = WORD_COUNT // 3  # chance that a symbol's own trend runs against the market's, in 1/65536

# One quiet minute in units of a day's deviation: 1/sqrt(1440), less what trends, storms and jumps add.
# Measured over 4,000 sessions of a market with correlation 0.6; a test holds a day's deviation near 1.
QUIET_MINUTE = 0.505 / math.sqrt(1440)

# Volatility clusters: its logarithm is pulled from one session's level to the next one's, and wanders about
# that line with a half-life of 17 minutes.
CLUSTER_SESSION = 0.30
CLUSTER_MEMORY = 0.96
CLUSTER_STEP = 0.11

JUMP_MIN, JUMP_SPAN = 4.0, 10.0  # size of a jump in quiet minutes: 4 .. 14, small ones more often


class Jump(NamedTuple):
    """A move without prices in between."""

    second: int  # of its minute, 0 .. 59
    size: float


@dataclass(frozen=True, slots=True)
class Session:
    """Four hours of a factor. The lists have one entry per minute."""

    returns: list[float]  # jumps included
    sigmas: list[float]  # deviation the minute was drawn with
    regimes: list[Regime]
    jumps: dict[int, Jump]  # by minute


def make_session(key: str, index: int, regime_key: str) -> Session:
    """Return session `index` (counted from 1970) of the factor named by the key.

    Regimes change at the same time for all factors of one regime_key; a trend of this factor may run against
    that of the others.
    """
    name = f"{key}/{index}"
    regimes, drifts = _stretches(f"{regime_key}/{index}", name)
    shocks = normals(name + "/shocks", SESSION_MINUTES)
    sigmas = _sigmas(key, index, regimes)
    jumps = _jumps(name, regimes)
    returns = []
    distance = 0.0  # from the centre of the range we are in
    last = None
    for minute, regime in enumerate(regimes):
        distance = distance if regime is last else 0.0
        last = regime
        move = drifts[minute] + sigmas[minute] * shocks[minute] - CHARACTERS[regime].pull * distance
        distance += move
        jump = jumps.get(minute)
        returns.append(move + jump.size if jump else move)
    return Session(returns, sigmas, regimes, jumps)


def seconds_of(key: str, minute: int, session: Session) -> list[float]:
    """Return the 60 second-returns of one minute; they sum to the minute's return.

    `minute` counts from 1970, so that every minute has noise of its own.
    """
    inside = minute % SESSION_MINUTES
    jump = session.jumps.get(inside)
    smooth = session.returns[inside] - (jump.size if jump else 0.0)
    scale = session.sigmas[inside] / math.sqrt(MINUTE_SECONDS)
    moves = [scale * z for z in normals(f"{key}/m{minute}", MINUTE_SECONDS)]
    correction = (smooth - sum(moves)) / MINUTE_SECONDS
    moves = [move + correction for move in moves]
    if jump:
        moves[jump.second] += jump.size
    return moves


def _stretches(schedule: str, name: str) -> tuple[list[Regime], list[float]]:
    """Return regime and drift of each minute; a stretch that would be cut too short fills up the session."""
    draws = iter(words(schedule + "/regimes", 2 * SESSION_MINUTES))
    turns = iter(words(name + "/turns", 2 * SESSION_MINUTES))
    against = 0 if name == schedule else TREND_AGAINST
    regimes: list[Regime] = []
    drifts: list[float] = []
    while len(regimes) < SESSION_MINUTES:
        regime = _pick(next(draws))
        character = CHARACTERS[regime]
        spread = character.minutes_max - character.minutes_min + 1
        minutes = character.minutes_min + next(draws) * spread // WORD_COUNT
        minutes = min(minutes, SESSION_MINUTES - len(regimes))
        if next(turns) < against:
            regime = OPPOSITE.get(regime, regime)
        strength = 0.6 + 0.8 * next(turns) / WORD_COUNT
        regimes += [regime] * minutes
        drifts += [CHARACTERS[regime].drift * strength * QUIET_MINUTE] * minutes
    return regimes, drifts


def _pick(word: int) -> Regime:
    mark = word * 100 // WORD_COUNT
    for regime, character in CHARACTERS.items():
        mark -= character.weight
        if mark < 0:
            return regime
    return Regime.RANGE


def _sigmas(key: str, index: int, regimes: list[Regime]) -> list[float]:
    start = CLUSTER_SESSION * normals(f"{key}/{index}/level", 1)[0]
    end = CLUSTER_SESSION * normals(f"{key}/{index + 1}/level", 1)[0]
    steps = normals(f"{key}/{index}/cluster", SESSION_MINUTES)
    slope = (end - start) / SESSION_MINUTES
    wander = 0.0
    sigmas = []
    for minute, regime in enumerate(regimes):
        wander = CLUSTER_MEMORY * wander + CLUSTER_STEP * steps[minute]
        level = math.exp(start + slope * minute + wander)
        sigmas.append(QUIET_MINUTE * CHARACTERS[regime].noise * level)
    return sigmas


def _jumps(name: str, regimes: list[Regime]) -> dict[int, Jump]:
    chances = words(name + "/jumps", SESSION_MINUTES)
    found = {}
    for minute, chance in enumerate(chances):
        if chance < CHARACTERS[regimes[minute]].jump_words:
            second, size, side = words(f"{name}/jump{minute}", 3)
            reach = JUMP_MIN + JUMP_SPAN * (size / WORD_COUNT) ** 2
            sign = 1.0 if side & 1 else -1.0
            found[minute] = Jump(second * MINUTE_SECONDS // WORD_COUNT, sign * reach * QUIET_MINUTE)
    return found
