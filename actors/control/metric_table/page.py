"""The table of metrics as a file that people read: schemas/metrics.yaml, written by `polytrade schema`."""

from __future__ import annotations

from actors.control.metric_table import LABELS, TABLE, Metric

__all__ = ["METRICS_FILE", "metrics_page"]

METRICS_FILE = "metrics.yaml"
HEAD = """\
# Every metric of a node, by the question that it answers. Made from actors/control/metric_table/ by
# `polytrade schema`; a test scrapes deployments and compares both ways. docs/monitoring.md: how to use them.
#
# type: counter (only grows; ask for its rate), gauge, histogram, info. kinds: the actors that show it;
# without, the node does. appears: when it is there, if it is not always. unit: where there is none, it is a
# plain number. labels: see their bounds above; every metric also gets job and instance from Prometheus.
# Beside these there are the usual metrics of a process: process_cpu_seconds_total and so on.
"""


def metrics_page() -> str:
    """Return the file."""
    lines = [HEAD, "labels:"]
    for name, bound in LABELS.items():
        lines.append(f"  {name}: {{values: {_text(bound.values)}, most: {bound.most}}}")
    lines += ["", "metrics:"]
    asked = ""
    for metric in sorted(TABLE.values(), key=lambda one: list(_questions()).index(one.answers)):
        if metric.answers != asked:
            asked = metric.answers
            lines.append(f"\n  # {asked}")
        lines += _entry(metric)
    return "\n".join(lines) + "\n"


def _questions() -> dict[str, None]:
    return dict.fromkeys(metric.answers for metric in TABLE.values())


def _entry(metric: Metric) -> list[str]:
    lines = [f"  {metric.full_name}:", f"    type: {metric.type}"]
    if metric.unit:
        lines.append(f"    unit: {_text(metric.unit)}")
    if metric.labels:
        lines.append(f"    labels: [{', '.join(metric.labels)}]")
    if metric.kinds:
        lines.append(
            f"    kinds: [{', '.join(_text(kind) if '*' in kind else kind for kind in metric.kinds)}]"
        )
    lines.append(f"    meaning: {_text(metric.meaning)}")
    lines.append(f"    answers: {_text(metric.answers)}")
    if metric.appears:
        lines.append(f"    appears: {_text(metric.appears)}")
    return lines


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
