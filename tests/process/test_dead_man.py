"""The dead man: what the heart does at a real exchange when its node stops; and the node without a heart."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.direct.latch import latch_path, read_latches
from tests.process.live_path import CONFIG, HERE, LivePath, live_path
from tests.process.node import wait_for
from tests.process.test_halt_direct import at_the_venue, rest_orders_by_hand


@pytest.fixture
def path(tmp_path: Path) -> Iterator[LivePath]:
    with live_path(tmp_path, config=(*CONFIG, str(HERE / "dead_man.yaml"))) as found:
        found.start_exchange()
        found.start_node()
        found.await_trading()
        yield found


def latched(path: LivePath) -> list[tuple[str, str, str]]:
    lines = [one.line for one in read_latches(latch_path(path.folder / "local")) if one.line]
    return [(line.kind, line.actor, line.level) for line in lines]


def halted_since(path: LivePath, first: int) -> set[str]:
    """Return what is halted in the node that came after a process."""
    view = path.view_or_none() or {"pid": first}
    return set() if view["pid"] == first else {halt["scope"] for halt in view["halts"]}


def test_a_node_that_makes_no_progress_is_flat_at_the_venue_and_begins_again_halted(path: LivePath) -> None:
    first = path.view()["pid"]
    rest_orders_by_hand(path, 3)
    os.kill(first, signal.SIGSTOP)
    wait_for(lambda: len(latched(path)) == 2, 20.0)
    assert at_the_venue(path) == (0, {})
    assert latched(path) == [("halt", "heart", "flatten"), ("proof", "heart", "flatten")]
    # Orders of another hand may have had a symbol halted before the node was stopped.
    wait_for(lambda: "all" in halted_since(path, first))
    assert at_the_venue(path) == (0, {})
    assert "dead man: no progress" in path.said()


@pytest.mark.long
def test_a_node_whose_heart_dies_takes_its_orders_back_and_stops(path: LivePath) -> None:
    node = path.view()["pid"]
    heart = int(Path(f"/proc/{node}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(heart, signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{node}").exists(), 30.0)
    assert latched(path) == [("halt", "node", "flatten")]
    assert at_the_venue(path) == (0, {})
