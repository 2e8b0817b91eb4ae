"""Runs one drill through Chaos Toolkit and judges it: was the alert in time, and is all well again?"""

from __future__ import annotations

import contextlib
import copy
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from actors import __version__
from actors.drills import controls
from actors.drills.experiments import Drill
from actors.drills.history import Entry
from actors.drills.masks import Masks
from actors.drills.stage import Stage

__all__ = ["INTERRUPTED", "Budget", "Measured", "judged", "measured", "run_drill"]

LOGGER = "chaostoolkit"
INTERRUPTED = "the experiment was interrupted"
NOT_MEASURED = -1.0


class Budget(NamedTuple):
    """How long it may take, by the alert's runbook; 0: as long as it likes."""

    detect_s: float = 0.0
    recover_s: float = 0.0


class Measured(NamedTuple):
    """What a record says about time; -1: nothing."""

    detect_s: float = NOT_MEASURED
    recover_s: float = NOT_MEASURED


def run_drill(
    drill: Drill,
    stage: Stage,
    stage_file: Path,
    journal: Path,
    environment: Mapping[str, str],
    budget: Budget,
    *,
    is_proven: bool = False,
) -> Entry:
    """Run a drill on a stage, write its record, and return what goes to the history.

    Rollbacks are always played, whatever failed. `environment` is searched for secrets to keep out of it.
    `is_proven`: the steady state has just been seen, after another drill on this stage.
    """
    from chaoslib.experiment import run_experiment
    from chaoslib.types import Strategy

    experiment = copy.deepcopy(drill.experiment)
    experiment.setdefault("configuration", {})["stage"] = str(stage_file)
    if controls.CONTROL not in experiment.setdefault("controls", []):
        experiment["controls"].append(controls.CONTROL)
    settings = {"runtime": {"rollbacks": {"strategy": "always"}}}
    masks = controls.MASKS
    masks.learn(experiment["configuration"], (), environment)
    with _logged(journal.with_suffix(".log"), masks):
        strategy = Strategy.AFTER_METHOD if is_proven else Strategy.DEFAULT
        found = run_experiment(experiment, settings=settings, strategy=strategy)
    record = masks.cleaned(msgspec.to_builtins(found, enc_hook=str))
    record["experiment"] = masks.cleaned(drill.experiment)
    journal.write_bytes(msgspec.json.format(msgspec.json.encode(record)))
    return _entry(drill, stage, journal, record, budget)


def _entry(drill: Drill, stage: Stage, journal: Path, record: dict[str, Any], budget: Budget) -> Entry:
    times = measured(record, drill.about.alert)
    reason = judged(record, drill.about.alert, times, budget)
    began = _instant(record["start"])
    return Entry(
        drill=drill.name,
        began_ns=int(began.timestamp() * 1e9),
        began=began.strftime("%Y-%m-%dT%H:%M:%SZ"),
        passed=not reason,
        alert=drill.about.alert,
        detect_s=round(times.detect_s, 2),
        recover_s=round(times.recover_s, 2),
        took_s=round(float(record.get("duration") or 0.0), 1),
        reason=reason,
        deployment=stage.deployment,
        mode=stage.mode,
        version=__version__,
        journal=journal.name,
    )


def measured(record: Mapping[str, Any], alert: str) -> Measured:
    """Return the times of a record: the fault is the last action before the first sight of the alert.

    Without an alert, recovery is from the first action until the hypothesis after the method is met.
    """
    runs = record.get("run") or []
    if not alert:
        first = next((one for one in runs if one["activity"]["type"] == "action"), None)
        after = (record.get("steady_states") or {}).get("after") or {}
        last = [one for one in (*runs, *after.get("probes", ())) if one.get("status") == "succeeded"]
        if first is None or not last:
            return Measured()
        return Measured(recover_s=_seconds(first["start"], last[-1]["end"]))
    seen = next(
        (one for one in runs if _is(one, "alert_fires", alert) and one["status"] == "succeeded"), None
    )
    if seen is None:
        return Measured()
    before = [one for one in runs[: runs.index(seen)] if one["activity"]["type"] == "action"]
    detect = _seconds(before[-1]["start"], seen["end"]) if before else NOT_MEASURED
    ended = [one for one in runs if _is(one, "alert_ends", alert) and one["status"] == "succeeded"]
    recover = _seconds(seen["end"], ended[-1]["end"]) if ended else NOT_MEASURED
    return Measured(detect, recover)


def judged(record: Mapping[str, Any], alert: str, times: Measured, budget: Budget) -> str:
    """Return why a drill did not pass; "" when it did."""
    before = (record.get("steady_states") or {}).get("before") or {}
    if before and not before.get("steady_state_met"):
        return f"before it began: {_first_fault(before.get('probes', ()))}"
    runs = record.get("run") or ()
    if record.get("status") == "interrupted" and not any(one.get("status") == "failed" for one in runs):
        return INTERRUPTED
    if fault := _first_fault(runs):
        return fault
    after = (record.get("steady_states") or {}).get("after") or {}
    if record.get("deviated") or (after and not after.get("steady_state_met")):
        return f"afterwards: {_first_fault(after.get('probes', ())) or 'the steady state is not met'}"
    if fault := _first_fault(record.get("rollbacks") or ()):
        return f"rolling back: {fault}"
    if record.get("status") != "completed":
        return f"the experiment was {record.get('status')}"
    if alert and times.detect_s < 0:
        return f"nobody looked whether {alert} fires: the method has no alert_fires of it"
    for what, took_s, at_most_s in (
        ("to detect", times.detect_s, budget.detect_s),
        ("to recover", times.recover_s, budget.recover_s),
    ):
        if at_most_s and took_s > at_most_s:
            return f"it took {took_s:.1f} s {what}, more than the runbook's {at_most_s:g} s"
    return ""


def _first_fault(runs: Any) -> str:
    for one in runs:
        if one.get("status") != "succeeded":
            said = one.get("exception") or ["it failed"]
            text = said[-1].strip() if isinstance(said, list) else str(said)
            return f"{one['activity']['name']}: {text.rpartition('Failed: ')[2] or text}"
        if one.get("tolerance_met") is False:
            return f"{one['activity']['name']}: {one.get('output')!r}"
    return ""


def _is(run: Mapping[str, Any], function: str, alert: str) -> bool:
    provider = run["activity"].get("provider", {})
    return bool(provider.get("func") == function and provider.get("arguments", {}).get("name") == alert)


def _seconds(begin: str, end: str) -> float:
    return (_instant(end) - _instant(begin)).total_seconds()


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class _Handler(logging.FileHandler):
    """Chaos Toolkit's own log, without secrets."""

    def __init__(self, path: Path, masks: Masks) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._masks = masks

    def format(self, record: logging.LogRecord) -> str:
        return str(self._masks.cleaned(super().format(record)))


@contextlib.contextmanager
def _logged(path: Path, masks: Masks) -> Iterator[None]:
    """Let Chaos Toolkit write to a file instead of the terminal while the block lasts."""
    handler, logger = _Handler(path, masks), logging.getLogger(LOGGER)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    before, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
        handler.close()
