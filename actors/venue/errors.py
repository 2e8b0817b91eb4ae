"""What a venue's failure means for whoever asked: try again, do not, or find out first."""

from __future__ import annotations

__all__ = ["OutcomeUnknownError", "RefusedError", "UnavailableError", "VenueError"]


class VenueError(Exception):
    """A request did not succeed. `code` is the venue's own, or a word of ours when it gave none."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text


class UnavailableError(VenueError):
    """Nothing happened at the venue; the same request may succeed later."""


class RefusedError(VenueError):
    """The venue said no; the same request will be refused again."""


class OutcomeUnknownError(VenueError):
    """The request may have been carried out. Only the venue's evidence tells."""
