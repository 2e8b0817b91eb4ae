"""Times on the command line, such as `--for 30m`."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["Span"]


class Span(click.ParamType):  # type: ignore[type-arg]  # generic in newer releases only
    """A duration on the command line, `30s` or `5m`; seconds as a value."""

    name = "duration"

    def convert(self, value: Any, parameter: Any, context: Any) -> float:
        """Read one."""
        from actors.runtime.clock import parse_duration

        try:
            return parse_duration(str(value)) / 1e9
        except ValueError as error:
            self.fail(str(error), parameter, context)
