"""Recorded delays."""

import pytest

from actors.venue.delays import read_delays


def test_a_heading_and_empty_lines_are_left_out(tmp_path) -> None:
    path = tmp_path / "latency.csv"
    path.write_text("ms\n12.5\n\n80\n")
    assert read_delays(path, "latency.csv") == (12_500_000, 80_000_000)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("5\nfast\n", "line 2: 'fast' is no number"),
        ("-1\n", "not between"),
        ("ms\n", "holds no delays"),
        ("5\nnan\n", "line 2"),
    ],
)
def test_what_is_no_delay_is_named_with_file_and_line(tmp_path, text, told) -> None:
    path = tmp_path / "latency.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=told):
        read_delays(path, "latency.csv")


def test_a_file_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"gone\.csv cannot be read"):
        read_delays(tmp_path / "gone.csv", "gone.csv")
