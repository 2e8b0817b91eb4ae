"""An alert of the node itself: raised once when something is wrong, resolved once when it has been quiet."""

from __future__ import annotations

from collections.abc import Callable

from actors.runtime.messages import AlertRaised, AlertResolved, Message, Severity

__all__ = ["NODE_SOURCE", "NodeAlert"]

NODE_SOURCE = "node"


class NodeAlert:
    """Whoever watches something of the node calls `look` with what is wrong, or with nothing.

    `calm_ns`: so long nothing may have been wrong before it is over. `holds`: a node before this one raised
    it and nobody has ended it since; the first quiet look does.
    """

    def __init__(
        self,
        name: str,
        severity: Severity,
        tell: Callable[[Message], None],
        *,
        calm_ns: int = 0,
        holds: bool = False,
    ) -> None:
        self.name = name
        self.holds = holds
        self._severity = severity
        self._tell = tell
        self._calm_ns = calm_ns
        self._wrong_at_ns: int | None = None  # when it was seen last by this process

    def look(self, wrong: str, now_ns: int, reading_ns: int | None = None) -> None:
        """Take what is wrong now, "" for nothing. `now_ns` dates the alert; `reading_ns` measures the calm.

        What is wrong already is not told again, whatever the new text.
        """
        reading_ns = now_ns if reading_ns is None else reading_ns
        if wrong:
            is_news = not self.holds or self._wrong_at_ns is None
            self.holds, self._wrong_at_ns = True, reading_ns
            if is_news:
                self._tell(AlertRaised(self.name, "", self._severity, wrong, NODE_SOURCE, now_ns))
        elif self.holds and (self._wrong_at_ns is None or reading_ns - self._wrong_at_ns >= self._calm_ns):
            self.holds = False
            self._tell(AlertResolved(self.name, "", NODE_SOURCE, now_ns))
