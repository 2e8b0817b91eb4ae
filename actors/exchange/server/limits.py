"""Rate limits: so many requests per second and account, or address."""

from __future__ import annotations

__all__ = ["RateLimits"]

SECOND_NS = 1_000_000_000
KEYS_MAX = 20_000


class RateLimits:
    """Counts requests in windows of a second. `factor` stretches every limit; 0 switches them off."""

    def __init__(self, factor: int) -> None:
        self.factor = factor
        self._windows: dict[tuple[str, str], list[int]] = {}

    def take(self, who: str, name: str, per_second: int, now_ns: int) -> bool:
        """Count one request; return False when it is one too many."""
        if not self.factor:
            return True
        second = now_ns // SECOND_NS
        key = (who, name)
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= KEYS_MAX:
                self._windows.clear()
            window = self._windows[key] = [second, 0]
        elif window[0] != second:
            window[0], window[1] = second, 0
        window[1] += 1
        return window[1] <= per_second * self.factor
