"""Polytrade. Chaos Toolkit looks for `discover` here."""

from actors.discovery import discover as discover

__version__ = "0.1.0"
