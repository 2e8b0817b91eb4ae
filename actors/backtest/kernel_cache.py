"""Keeps compiled kernels on disk, by a digest of all code that went into them.

The compiler's own cache looks at the time stamp of one file, and would not notice another one's change. The
key here is the hash of the whole package with the functions that are bound together: another line of code
anywhere is another folder. Files are written aside and renamed, so processes may share a folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from pickle import UnpicklingError
from types import FunctionType
from typing import Any

from actors.backtest.code_hash import code_hash

__all__ = ["keep", "use_cache"]

VERSIONS_KEPT = 4  # of the package; each takes about a megabyte for each strategy

_folder: list[Path] = []


def use_cache(folder: Path) -> None:
    """Keep what is compiled from now on below a folder of the user's own, which need not exist yet."""
    _folder[:] = [folder]


def keep(dispatcher: Any, function: Callable[..., Any]) -> Any:
    """Let a dispatcher load what was compiled before, and keep what is compiled now."""
    if not _folder or not isinstance(function, FunctionType):
        return dispatcher
    try:
        version = _folder[0] / code_hash()[:16]
        version.mkdir(parents=True, exist_ok=True, mode=0o700)
        _forget(_folder[0], version)
        dispatcher._cache = _cache_class()(dispatcher.py_func, version, _digest(function))
    except OSError:  # no room, or a home that cannot be written: then it is compiled each time
        pass
    return dispatcher


def _digest(function: FunctionType) -> str:
    """Return what tells one binding from another; the code itself is in the name of the folder."""
    bound = [cell.cell_contents for cell in function.__closure__ or ()]
    functions = [one for one in (function, *bound) if isinstance(one, FunctionType)]
    names = [f"{one.__module__}.{one.__qualname__}" for one in functions]
    return sha256("\n".join(names).encode()).hexdigest()[:16]


def _forget(folder: Path, version: Path) -> None:
    """Remove what older versions of the package left."""
    others = [path for path in folder.iterdir() if path.is_dir() and path != version]
    others.sort(key=lambda path: path.stat().st_mtime)
    for path in others[: max(0, len(others) - VERSIONS_KEPT + 1)]:
        shutil.rmtree(path, ignore_errors=True)


@cache
def _cache_class() -> Any:
    """Return the compiler's cache with our key and our place; made late, since numba takes long to import."""
    from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile

    class Locator:
        """Where one binding is kept."""

        def __init__(self, folder: Path, digest: str) -> None:
            self._folder, self._digest = folder, digest

        def get_cache_path(self) -> str:
            return str(self._folder)

        def get_source_stamp(self) -> str:
            return self._digest

        def get_disambiguator(self) -> str:
            return self._digest

        def ensure_cache_path(self) -> None:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    class Kept(FunctionCache):  # type: ignore[misc]
        """One binding's results by the types it was called with."""

        def __init__(self, function: Any, folder: Path, digest: str) -> None:
            self._name, self._py_func, self._digest = repr(function), function, digest
            self._impl = CompileResultCacheImpl.__new__(CompileResultCacheImpl)
            self._impl._lineno = function.__code__.co_firstlineno
            self._impl._locator = Locator(folder, digest)
            self._impl._filename_base = digest
            self._cache_path = str(folder)
            self._cache_file = IndexDataCacheFile(
                cache_path=self._cache_path, filename_base=digest, source_stamp=digest
            )
            self.enable()

        def load_overload(self, sig: Any, target_context: Any) -> Any:
            try:
                return super().load_overload(sig, target_context)
            except (EOFError, UnpicklingError):  # a disk that lost a part of it: compile, and write it anew
                self.flush()
                return None

        def _index_key(self, sig: Any, codegen: Any) -> Any:
            return (sig, codegen.magic_tuple(), self._digest)

    return Kept
