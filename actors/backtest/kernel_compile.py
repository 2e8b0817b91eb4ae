"""Compiles a plain function and the plain functions it calls; nothing of them is written for the compiler."""

from __future__ import annotations

import dis
from collections.abc import Callable
from functools import cache
from types import CellType, FunctionType
from typing import Any

from actors.backtest.kernel_cache import keep

__all__ = ["KernelUnavailable", "compiled", "is_available"]

# What may be compiled: our own. Functions of other packages are the compiler's own business.
OURS = "actors."


class KernelUnavailable(Exception):
    """Numba is not installed. Remedy: pip install 'polytrade[kernel]'."""


@cache
def is_available() -> bool:
    """Tell whether functions can be compiled here."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the compiled form of a function that runs without the interpreter's lock.

    Plain functions of ours that it names, or holds in its closure, are compiled with it; the result is kept
    on disk when somebody has said where (`kernel_cache.use_cache`). Errors: KernelUnavailable without numba;
    TypeError for functions that call each other in a circle; the compiler's own, with the line, when it does
    not understand something.
    """
    if not is_available():
        raise KernelUnavailable("compiled kernels need numba: pip install 'polytrade[kernel]'")
    return keep(_dispatcher(function, ()), function)


def _dispatcher(function: Callable[..., Any], above: tuple[Callable[..., Any], ...]) -> Any:
    """Return what the compiler makes of a function; `above` are those that call it."""
    import numba

    if not isinstance(function, FunctionType):
        raise TypeError(f"{function!r} is not a plain function")
    if function in above:
        raise TypeError(f"{function.__qualname__} calls itself, directly or through others")
    made = _MADE.get(function)
    if made is not None:
        return made
    within = (*above, function)
    names = {
        name: _inner(function.__globals__[name], within)
        for name in globals_of(function)
        if name in function.__globals__
    }
    cells = tuple(CellType(_inner(cell.cell_contents, within)) for cell in function.__closure__ or ())
    scope = {**function.__globals__, **names}
    copy = FunctionType(function.__code__, scope, function.__name__, function.__defaults__, cells or None)
    copy.__module__ = function.__module__
    made = numba.njit(nogil=True, inline="never", error_model="numpy")(copy)
    _MADE[function] = made
    return made


_MADE: dict[Callable[..., Any], Any] = {}


def globals_of(function: FunctionType) -> set[str]:
    """Return the names that a function looks up globally; a field of the same name is none of them."""
    return {
        str(step.argval)
        for step in dis.get_instructions(function.__code__)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }


def _inner(value: Any, above: tuple[Callable[..., Any], ...]) -> Any:
    is_ours = isinstance(value, FunctionType) and value.__module__.startswith(OURS)
    return _dispatcher(value, above) if is_ours else value
