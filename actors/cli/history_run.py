"""Carries a backtest out: reads the deployment, looks the data through, runs, keeps what is to be kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem
from actors.cli.progress import Progress

__all__ = ["run_history"]

UNFINISHED = ".unfinished"


def run_history(
    files: Sequence[str],
    environments: Sequence[str],
    inputs: Mapping[str, str],
    wish: Any,
    out: Path | None = None,
    *,
    quiet: bool = False,
) -> Any:
    """Return the record of one run. Errors: Problem, ConfigError.

    With `out` the folder appears when the run has ended, with journal and record; never half of it.
    """
    from actors.deployment.backtest import BacktestFailed, BacktestRun
    from actors.feed.files import DataError

    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        text = f"--out {out}: is there already, and not empty"
        raise Problem(ExitCode.USAGE, text, "name a new folder, or remove this one")
    try:
        topology, data, wish = _prepared(files, environments, inputs, wish)
        with _Kept(topology, out) as kept:
            run = BacktestRun(topology, wish, data, kept.store)
            progress = Progress(quiet=quiet)
            record = run.run(lambda part, at_ns: progress(part, _day(at_ns)))
            kept.keep(record)
    except DataError as error:
        raise Problem(ExitCode.DATA, str(error).partition(". Remedy: ")[0], error.remedy) from None
    except BacktestFailed as error:
        text = f"the run did not come to its end: {error}"
        raise Problem(ExitCode.FAILURE, text, "see the actor's README, or look with --out") from None
    return record


def _prepared(
    files: Sequence[str], environments: Sequence[str], inputs: Mapping[str, str], wish: Any
) -> tuple[Any, Any, Any]:
    """Return the checked deployment and what its data holds; the clock begins where the data does."""
    from actors.backtest.scan import scan
    from actors.deployment.history import load_history
    from actors.feed.settings import ReplaySettings

    topology = load_history(files, environments, inputs, os.environ, wish)
    feeds = {
        plan.place.symbol: plan.settings
        for plan in topology.actors
        if isinstance(plan.settings, ReplaySettings)
    }
    if not feeds:
        raise Problem(ExitCode.CONFIGURATION, "the deployment has no feed", "declare one per symbol")
    unknown = [symbol for symbol in wish.files if symbol not in feeds]
    if unknown:
        traded = ", ".join(feeds)
        remedy = f"leave it out, or trade it: this deployment trades {traded}"
        absent = [symbol for symbol in unknown if symbol not in topology.instruments]
        more = f"; the markets file has no {', '.join(absent)}" if absent else ""
        raise Problem(ExitCode.DATA, f"nobody reads the history of {', '.join(unknown)}{more}", remedy)
    missing = [symbol for symbol, settings in feeds.items() if not settings.path]
    if missing:
        remedy = "add --data " + " --data ".join(f"{symbol}=FILE" for symbol in missing)
        raise Problem(ExitCode.DATA, f"there is no history for {', '.join(missing)}", remedy)
    data = scan(feeds, wish, topology.instruments)
    return topology, data, replace(wish, from_ns=data.from_ns, to_ns=data.to_ns)


class _Kept:
    """The folder of a run: written beside its name, and renamed when the run has come to its end."""

    def __init__(self, topology: Any, out: Path | None) -> None:
        self._topology = topology
        self._out = out
        self._aside = out.with_name(out.name + UNFINISHED) if out is not None else None
        self.store: Any = None

    def __enter__(self) -> _Kept:
        if self._aside is not None:
            from actors.runtime.store_lmdb import Durability, LmdbStore

            shutil.rmtree(self._aside, ignore_errors=True)
            self.store = LmdbStore(self._aside / "journal", Durability.PROCESS)
        return self

    def keep(self, record: Any) -> None:
        """Write the record beside the journal, and give the folder its name."""
        if self._aside is None or self._out is None:
            return
        import msgspec

        (self._aside / "record.msgpack").write_bytes(msgspec.msgpack.encode(record))
        manifest = msgspec.json.format(msgspec.json.encode(record.manifest))
        (self._aside / "manifest.json").write_bytes(manifest + b"\n")
        from actors.backtest.report import write_report

        write_report(record, self._aside)
        self.store.close()
        self.store = None
        if self._out.exists():
            self._out.rmdir()
        self._aside.rename(self._out)

    def __exit__(self, *_: object) -> None:
        if self.store is not None:
            self.store.close()
        if self._aside is not None:
            shutil.rmtree(self._aside, ignore_errors=True)


def _day(at_ns: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M")
