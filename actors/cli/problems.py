"""What a command tells when it cannot do its work: one sentence, and what to do about it."""

from __future__ import annotations

from typing import Any

from actors.cli.exit_codes import ExitCode

__all__ = ["Problem"]


class Problem(Exception):
    """A command cannot go on."""

    def __init__(self, code: ExitCode, text: str, remedy: str = "", **fields: Any) -> None:
        super().__init__(text)
        self.code = code
        self.remedy = remedy
        self.fields = fields
