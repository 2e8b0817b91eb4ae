"""Compiles a plain function and the plain functions it calls; nothing of them is written for the compiler."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import CellType, FunctionType
from typing import Any

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

    Plain functions of ours that it names, or holds in its closure, are compiled with it. Errors:
    KernelUnavailable without numba; the compiler's own, with the line, when it does not understand something.
    """
    if not is_available():
        raise KernelUnavailable("compiled kernels need numba: pip install 'polytrade[kernel]'")
    import numba

    if not isinstance(function, FunctionType):
        raise TypeError(f"{function!r} is not a plain function")
    names = {
        name: _inner(value)
        for name, value in function.__globals__.items()
        if name in function.__code__.co_names
    }
    cells = tuple(CellType(_inner(cell.cell_contents)) for cell in function.__closure__ or ())
    scope = {**function.__globals__, **names}
    copy = FunctionType(function.__code__, scope, function.__name__, function.__defaults__, cells or None)
    copy.__module__ = function.__module__
    return numba.njit(nogil=True, inline="never", error_model="numpy")(copy)  # type: ignore[no-any-return]


def _inner(value: Any) -> Any:
    is_ours = isinstance(value, FunctionType) and value.__module__.startswith(OURS)
    return compiled(value) if is_ours else value
