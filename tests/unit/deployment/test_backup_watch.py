"""A backup that is overdue is told once, and so is the next one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actors.deployment.backup_watch import HOUR_NS, BackupWatch
from actors.deployment.backups import LAST_BACKUP
from actors.runtime.messages import AlertRaised, AlertResolved, Message

NOW_NS = 1_000_000 * HOUR_NS


class Desk:
    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.said: list[Message] = []
        self.watch = BackupWatch(journal, 24 * HOUR_NS, self.said.append)

    def back_up(self, at_ns: int) -> None:
        (self.journal / LAST_BACKUP).write_text(json.dumps({"at_ns": at_ns, "path": "x"}))

    def look(self, now_ns: int) -> list[str]:
        self.said.clear()
        self.watch.look(now_ns)
        return [one.summary if isinstance(one, AlertRaised) else type(one).__name__ for one in self.said]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_journal_without_any_backup_is_told_once(desk: Desk) -> None:
    assert "not there; one is wanted every 24 h" in desk.look(NOW_NS)[0]
    assert desk.look(NOW_NS + HOUR_NS) == []


def test_a_backup_that_grows_too_old_is_told_with_its_age_and_a_new_one_ends_it(desk: Desk) -> None:
    desk.back_up(NOW_NS)
    assert desk.look(NOW_NS + 24 * HOUR_NS) == [AlertResolved.__name__], "also ends what a dead node left"
    assert desk.look(NOW_NS + 24 * HOUR_NS) == []
    assert "is 25 h old" in desk.look(NOW_NS + 25 * HOUR_NS)[0]
    desk.back_up(NOW_NS + 25 * HOUR_NS)
    assert desk.look(NOW_NS + 26 * HOUR_NS) == [AlertResolved.__name__]


def test_a_note_that_cannot_be_read_is_no_backup(desk: Desk) -> None:
    (desk.journal / LAST_BACKUP).write_text("[]")
    assert "not there" in desk.look(NOW_NS)[0]
