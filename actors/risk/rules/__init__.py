"""The rules: one file each, listed in table.py."""

from actors.risk.rules.table import RULES

__all__ = ["RULES"]
