"""What a benchmark is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Figure"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: how it is called, what is wanted of it, and what measures it, and the bare machine, once.

    `run` and `bare` are "module:function"; each takes nothing and returns a number in `unit`.
    """

    name: str
    title: str
    unit: str
    at_least: str
    aim: str
    run: str
    bare: str
    bare_title: str
    rounds: int = 3
    peer: str = (
        ""  # a script of --peers and what it prints: "nautilus_ticks.py 50000 quote 1: orders_per_cpu_s"
    )
