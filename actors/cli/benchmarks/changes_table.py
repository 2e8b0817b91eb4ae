"""The benchmarks of what happens to a node that runs: configuration and keys change, and it is scraped."""

from __future__ import annotations

from actors.cli.benchmarks.figure import Figure

__all__ = ["CHANGES"]

CHANGES: tuple[Figure, ...] = (
    Figure(
        name="plan_1000_actors",
        title="polytrade plan of 1,009 actors, 774 of them changed",
        unit="CPU s",
        at_least="2",
        aim="1",
        run="actors.cli.benchmarks.changing:plan_thousand_s",
        bare="actors.cli.benchmarks.whole:bare_python_s",
        bare_title="start and stop of Python, s",
    ),
    Figure(
        name="apply_other_p99",
        title="apply of one setting: others' acknowledgement p99 moves by",
        unit="%",
        at_least="20",
        aim="5",
        run="actors.cli.benchmarks.changing:apply_other_p99_percent",
        bare="actors.cli.benchmarks.changing:bare_p99_percent",
        bare_title="the same where nothing is changed, %",
    ),
    Figure(
        name="rotation_under_load",
        title="keys of 50 accounts rotated, 1,000 orders/s: failed or over 100 ms (virtual time)",
        unit="%",
        at_least="0.1",
        aim="0",
        run="actors.cli.benchmarks.rotation:rotation_percent",
        bare="actors.cli.benchmarks.rotation:steady_percent",
        bare_title="the same without a rotation, %",
        rounds=1,
    ),
    Figure(
        name="rotation_over_sockets",
        title="the same over sockets, 200 orders/s, old keys deleted: failed or late beyond a window without",
        unit="%",
        at_least="0.1",
        aim="0",
        run="actors.cli.benchmarks.rotation_sockets:added_percent",
        bare="actors.cli.benchmarks.rotation_sockets:bare_percent",
        bare_title="the same where no key changes, %",
        rounds=1,
    ),
    Figure(
        name="scrape_pumps_late",
        title="a scrape of 1,009 actors: the pumps stand still for at most",
        unit="ms",
        at_least="20",
        aim="5",
        run="actors.cli.benchmarks.scraping:pumps_late_ms",
        bare="actors.cli.benchmarks.scraping:pumps_late_steady_ms",
        bare_title="the same where nobody scrapes, ms",
        rounds=1,
    ),
    Figure(
        name="scrape_loop_late",
        title="a scrape of 1,009 actors: the loop comes round after at most",
        unit="ms",
        at_least="20",
        aim="5",
        run="actors.cli.benchmarks.scraping:loop_late_ms",
        bare="actors.cli.benchmarks.scraping:loop_late_steady_ms",
        bare_title="the same where nobody scrapes, ms",
        rounds=1,
    ),
)
