"""When a row of the past plays, and which time its messages carry.

Three ways, chosen by the deployment's mode and the settings `speed` and `clock`:

lockstep   backtest and simulation: the virtual clock is the data's time. A row plays when the clock reaches
           its time, and carries it. Speed has no meaning.
paced      a real clock: the first row plays at the start, the others in proportion, `speed` times as fast.
           With `clock: loop` messages carry the instant they play at, and candles are shorter by the speed:
           at speed 60 a candle of 1m is a bar of 1s in a market that lives sixty times as fast. Ages, bars
           and liveness agree with the node's clock. With `clock: data` they carry the file's time.
unpaced    speed max on a real clock: as fast as the loop takes it, with the file's time.

A restart goes on where the market would be by now; only an unpaced replay counts its rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from actors.domain.bars import check_interval
from actors.feed.settings import ReplaySettings

__all__ = ["LOCKSTEP_MODES", "ReplayClock"]

LOCKSTEP_MODES = ("backtest", "simulation")


@dataclass(frozen=True, slots=True)
class ReplayClock:
    """The mapping between the file's time and the loop's. All instants are nanoseconds UTC."""

    lockstep: bool
    speed: int  # 0 is unpaced
    carries_data_time: bool

    @staticmethod
    def of(settings: ReplaySettings, mode: str) -> ReplayClock:
        """Return the clock that settings and mode of the deployment ask for."""
        if mode in LOCKSTEP_MODES:
            return ReplayClock(True, 1, True)
        if settings.speed == "max":
            return ReplayClock(False, 0, True)
        return ReplayClock(False, int(settings.speed), settings.clock == "data")

    def interval_ns(self, interval_ns: int) -> int:
        """Return how long a candle lasts in the messages' time; 0 stays 0.

        Errors: ValueError when that is no bar, such as 0.5 s.
        """
        if self.carries_data_time or not interval_ns:
            return interval_ns
        scaled = interval_ns // self.speed
        try:
            check_interval(scaled)
        except ValueError as error:
            raise ValueError(
                f"at speed {self.speed} a candle of {interval_ns / 1e9:g} s is no bar any more: {error}; "
                "take another speed, or set clock to data"
            ) from None
        return scaled

    def origin_ns(self, now_ns: int, interval_ns: int) -> int:
        """Return when the first row plays: now, or the next start of a bar so that bars stay aligned."""
        scaled = self.interval_ns(interval_ns)
        if self.carries_data_time or not scaled:
            return now_ns
        return -(-now_ns // scaled) * scaled

    def due_ns(self, data_ns: int, first_ns: int, origin_ns: int) -> int:
        """Return when something of the file plays, by the loop's clock; unpaced it is always due."""
        if self.lockstep:
            return data_ns
        return origin_ns + (data_ns - first_ns) // self.speed if self.speed else 0

    def stamp_ns(self, data_ns: int, due_ns: int) -> int:
        """Return the time its messages carry."""
        return data_ns if self.carries_data_time else due_ns
