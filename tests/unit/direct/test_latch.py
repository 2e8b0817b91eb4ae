"""The latch: lines that stay, in order, and show when somebody touched them."""

from pathlib import Path

import pytest

from actors.direct.latch import HALT, Latched, LatchLine, append, latch_path, read_latches


def line(scope: str = "all", level: str = "cancel_all") -> LatchLine:
    return LatchLine(
        kind=HALT, deployment="d", scope=scope, level=level, actor="ann", reason="drill", at_ns=1
    )


def written(folder: Path, count: int) -> Path:
    path = latch_path(folder / "new" / "journal")
    for number in range(count):
        assert append(path, line(f"symbol/{number}")).number == number + 1
    return path


def test_lines_come_back_in_order_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    path = written(tmp_path, 3)
    found = read_latches(path)
    assert [one.line.scope for one in found if one.line] == ["symbol/0", "symbol/1", "symbol/2"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert read_latches(latch_path(tmp_path)) == []


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_line_that_was_changed_makes_its_follower_unbelievable(tmp_path: Path, number: int) -> None:
    path = written(tmp_path, 4)
    lines = path.read_bytes().split(b"\n")
    lines[number - 1] = lines[number - 1].replace(b"cancel_all", b"no_new_risk")
    path.write_bytes(b"\n".join(lines))
    assert [one.number for one in read_latches(path) if one.fault] == [number + 1]


def test_a_line_that_was_taken_out_shows(tmp_path: Path) -> None:
    path = written(tmp_path, 3)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(lines[1:]))
    assert [one.fault for one in read_latches(path)] == ["it does not follow the line before it", ""]


def test_a_torn_line_is_waited_for_and_then_cannot_be_believed(tmp_path: Path) -> None:
    path = written(tmp_path, 2)
    path.write_bytes(path.read_bytes()[:-20])
    assert len(read_latches(path)) == 1
    assert append(path, line()).number == 3
    found = read_latches(path)
    assert [bool(one.fault) for one in found] == [False, True, False]
    assert found[2] == Latched(3, found[2].digest, found[2].line)
