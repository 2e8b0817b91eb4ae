"""What the venue charges by VIP level: (maker, taker) in 1e-8 of notional, levels 0 to 9.

Two public tables disagree (docs/poloniex.md): the published page, which is the dearer one, and the table of
ranks, which an account of 2025 was charged by.
"""

from __future__ import annotations

__all__ = ["PUBLISHED", "RANKS", "SCHEDULES"]

PUBLISHED = (
    (20_000, 60_000),
    (18_000, 55_000),
    (16_000, 50_000),
    (14_000, 45_000),
    (12_000, 40_000),
    (10_000, 35_000),
    (8_000, 30_000),
    (5_000, 25_000),
    (3_000, 23_000),
    (0, 21_000),
)
RANKS = (
    (15_000, 50_000),
    (13_000, 48_000),
    (10_000, 45_000),
    (8_000, 42_000),
    (5_000, 38_000),
    (0, 34_000),
    (-15_000, 30_000),
    (-15_000, 25_000),
    (-15_000, 23_000),
    (-15_000, 21_000),
)
SCHEDULES = {"published": PUBLISHED, "ranks": RANKS}
