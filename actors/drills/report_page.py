"""All drills on one self-contained page: how soon each alert came and all was well, and what was done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from statistics import median
from typing import Any, NamedTuple

from actors.drills.experiments import Drill
from actors.drills.history import AGE_MAX_S, Entry
from actors.drills.running import Budget

__all__ = ["Row", "page"]

OWN_STYLE = """
.bars td{vertical-align:middle}.bars td:last-child,.bars td:first-child{white-space:nowrap}
.bar{position:relative;display:block;min-width:7rem;height:.7rem;
background:var(--panel);border-radius:.2rem;overflow:hidden}
.bar b{position:absolute;inset:0 auto 0 0;background:var(--main);border-radius:.2rem}
.bar b.over{background:var(--down)}
.mark{display:inline-block;min-width:4.2rem;font-weight:600}
details{border-bottom:1px solid var(--rule);padding:.35rem 0}summary{cursor:pointer}
summary .quiet{margin-left:.4rem}
.steps{margin:.5rem 0 .8rem}.steps td:first-child{white-space:nowrap}
"""


class Row(NamedTuple):
    """One drill with its last run; `record` is what that wrote, without secrets; empty when it is gone."""

    drill: Drill
    severity: str  # of its alert; empty without one
    budget: Budget
    last: Entry | None
    record: Mapping[str, Any]


def page(rows: list[Row], style: str, now_s: float) -> str:
    """Return the page. `style` is the sheet of reports; `now_s` since 1970 tells what is too old."""
    known = [row for row in rows if row.last is not None]
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>Drills</title><style>{style}{OWN_STYLE}</style></head><body>",
        f"<h1>Drills</h1><p class='quiet'>{len(rows)} drills, the last run of each. {_when(now_s)}</p>",
        _cards(rows, known),
        *_warnings(rows, now_s),
        "<h2>Times</h2>",
        "<p class='quiet'>From the fault to the alert, and from there until all is well; the bar is the part "
        "of what the alert's runbook promises.</p>",
        _times(known),
        "<h2>What was done</h2>",
        *(_story(row) for row in known),
    ]
    return "".join((*parts, "</body></html>\n"))


def _cards(rows: list[Row], known: list[Row]) -> str:
    passed = [row for row in known if row.last is not None and row.last.passed]
    pages = sorted(
        row.last.detect_s
        for row in passed
        if row.last is not None and row.severity.startswith("page") and row.last.detect_s >= 0
    )
    recover = sorted(row.last.recover_s for row in passed if row.last is not None and row.last.recover_s >= 0)
    shown = [
        (f"{len(passed)} of {len(rows)}", "passed"),
        (_seconds(median(pages)) if pages else "-", "fault to page, median"),
        (_seconds(pages[-1]) if pages else "-", "fault to page, worst"),
        (_seconds(median(recover)) if recover else "-", "until well again, median"),
    ]
    cells = (f"<div class='card'><b>{text}</b><span>{label}</span></div>" for text, label in shown)
    return f"<div class='cards'>{''.join(cells)}</div>"


def _warnings(rows: list[Row], now_s: float) -> Iterator[str]:
    failed = [row for row in rows if row.last is not None and not row.last.passed]
    for row in failed:
        reason = escape(row.last.reason if row.last is not None else "")
        yield f"<p class='warning'><b>{escape(row.drill.name)}</b> failed: {reason}</p>"
    never = [row.drill.name for row in rows if row.last is None]
    if never:
        yield f"<p class='warning'>Never run here: {escape(', '.join(never))}</p>"
    old = [
        row.drill.name for row in rows if row.last is not None and now_s - row.last.began_ns / 1e9 > AGE_MAX_S
    ]
    if old:
        yield f"<p class='warning'>Older than 90 days: {escape(', '.join(old))}</p>"


def _times(rows: list[Row]) -> str:
    head = (
        "<tr><th>drill</th><th>alert</th><th class='n'>detected</th><th></th>"
        "<th class='n'>well again</th><th></th><th>run (UTC)</th></tr>"
    )
    return f"<div class='wide'><table class='bars'>{head}{''.join(map(_time_row, rows))}</table></div>"


def _time_row(row: Row) -> str:
    last = row.last
    if last is None:
        return ""
    mark = "" if last.passed else " <span class='down'>failed</span>"
    alert = f"{escape(row.drill.about.alert) or '-'}{f' ({escape(row.severity)})' if row.severity else ''}"
    return (
        f"<tr><td><a href='#{escape(row.drill.name)}'>{escape(row.drill.name)}</a>{mark}</td><td>{alert}</td>"
        f"<td class='n'>{_seconds(last.detect_s)}</td><td>{_bar(last.detect_s, row.budget.detect_s)}</td>"
        f"<td class='n'>{_seconds(last.recover_s)}</td><td>{_bar(last.recover_s, row.budget.recover_s)}</td>"
        f"<td class='quiet'>{escape(last.began.replace('T', ' ').rstrip('Z'))}</td></tr>"
    )


def _bar(took_s: float, budget_s: float) -> str:
    if took_s < 0 or not budget_s:
        return ""
    part = min(100.0, took_s / budget_s * 100)
    kind = " class='over'" if took_s > budget_s else ""
    label = f"{took_s:.1f} s of {budget_s:g} s"
    return f"<span class='bar' title='{label}'><b{kind} style='width:{part:.1f}%'></b></span>"


def _story(row: Row) -> str:
    last, about = row.last, row.drill.about
    if last is None:
        return ""
    mark = "<span class='mark up'>passed</span>" if last.passed else "<span class='mark down'>failed</span>"
    text = escape(str(row.drill.experiment.get("description", "")).strip())
    reason = f"<p class='down'>{escape(last.reason)}</p>" if last.reason else ""
    return (
        f"<details id='{escape(row.drill.name)}'><summary>{mark} <b>{escape(row.drill.name)}</b>"
        f"<span class='quiet'>{escape(row.drill.title)}</span></summary>"
        f"<p>{text}</p><p class='quiet'>Blast radius: {escape(about.blast)}. Took {last.took_s:.0f} s on "
        f"{escape(last.deployment)} ({escape(last.mode)}), Polytrade {escape(last.version)}.</p>"
        f"{reason}{_timeline(row.record)}</details>"
    )


def _timeline(record: Mapping[str, Any]) -> str:
    """Return what the run did, with seconds since its first action."""
    states = record.get("steady_states") or {}
    runs: list[tuple[str, Mapping[str, Any]]] = [
        *_named("before", (states.get("before") or {}).get("probes") or ()),
        *_named("method", record.get("run") or ()),
        *_named("after", (states.get("after") or {}).get("probes") or ()),
        *_named("taken back", record.get("rollbacks") or ()),
    ]
    if not runs:
        return "<p class='quiet'>The record of this run is not here.</p>"
    method = record.get("run") or [runs[0][1]]
    zero = datetime.fromisoformat(method[0]["start"])
    lines = "".join(_line(part, one, zero) for part, one in runs)
    return f"<div class='wide'><table class='steps'>{lines}</table></div>"


def _named(part: str, runs: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((part, one) for one in runs)


def _line(part: str, run: Mapping[str, Any], zero: datetime) -> str:
    at_s = (datetime.fromisoformat(run["start"]) - zero).total_seconds()
    is_good = run.get("status") == "succeeded"
    said = run.get("output")
    text = "" if said in (None, True) else escape(_plain(said))
    if not is_good:
        text = escape(str((run.get("exception") or ["it failed"])[-1]).strip())
    mark = "" if is_good else " class='down'"
    took = f"{float(run.get('duration') or 0):.1f} s"
    return (
        f"<tr><td class='n'>{at_s:+.1f} s</td><td class='quiet'>{part}</td><td{mark}>"
        f"{escape(str(run['activity']['name']))}</td><td class='n'>{took}</td>"
        f"<td class='quiet long'>{text}</td></tr>"
    )


def _plain(said: Any) -> str:
    if isinstance(said, Mapping):
        return ", ".join(f"{name} {_plain(value)}" for name, value in said.items())
    return ", ".join(map(str, said)) if isinstance(said, list) else str(said)


def _seconds(value: float) -> str:
    return "-" if value < 0 else f"{value:.1f} s"


def _when(now_s: float) -> str:
    return datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
