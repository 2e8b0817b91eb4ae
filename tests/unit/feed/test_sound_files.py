"""A file that was read to its end without a fault is not read again to know so; one that changed is."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actors.backtest.data_check import examine
from actors.feed.files import CHUNK_ROWS, CsvTable, DataError
from actors.feed.replay_file import ReplayFile
from actors.feed.rows import Units
from actors.feed.settings import ReplaySettings
from tests.unit.feed.feeds_on_bench import instrument

T = 1_760_000_040_000  # a full minute, in milliseconds
ROWS = 2 * CHUNK_ROWS + 3


def written(directory: Path, *, first_price: str = "100") -> Path:
    path = directory / "data.csv"
    rows = (f"{T + i * 60_000},{first_price if not i else '100'},110,90,105.25,2.0005" for i in range(ROWS))
    path.write_text("ts_ms,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    return path


def looks(path: Path, **settings: Any) -> tuple[list[int], int, int, int]:
    file = ReplayFile(ReplaySettings(path=str(path), **settings), ".", instrument())
    return list(file.check()), file.rows_count, file.first_ns, file.last_ns


@pytest.mark.parametrize("ends_after", [0, 1, CHUNK_ROWS - 1, CHUNK_ROWS, CHUNK_ROWS + 1, ROWS, ROWS + 1])
def test_a_second_look_says_what_the_first_said_in_as_many_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends_after: int
) -> None:
    settings: dict[str, Any] = {"ends_at_ms": T + ends_after * 60_000} if ends_after else {}
    read = looks(written(tmp_path), **settings)
    path = written(tmp_path)  # another time of change: nothing is known of it
    examine(str(path), instrument(), ReplaySettings(path=str(path), **settings))
    chunks = CsvTable.chunks
    monkeypatch.setattr(CsvTable, "chunks", lambda table, names: only_first(chunks, table, names))
    assert looks(path, **settings) == read


def only_first(chunks: Any, table: CsvTable, names: Any) -> Iterator[Any]:
    """The interval is still found in the first rows; all others must not be read."""
    yield next(chunks(table, names))
    raise AssertionError("the file was read again")


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path)
    looks(path)
    written(tmp_path, first_price="-100")
    with pytest.raises(DataError, match="row 1, column 'open'"):
        looks(path)


def test_a_file_with_a_fault_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path, first_price="nan")
    assert examine(str(path), instrument(), ReplaySettings(path=str(path))).faults
    with pytest.raises(DataError, match="row 1, column 'open'"):
        looks(path)


def test_other_settings_are_another_question(tmp_path: Path) -> None:
    path = written(tmp_path)
    looks(path)
    with pytest.raises(DataError, match="row 1, column 'ts_ms'"):
        looks(path, interval=5 * 60_000_000_000)


prices = st.decimals(min_value=Decimal("0.06"), max_value=Decimal("1e11"), places=None, allow_nan=False)


@example(Decimal("100.05"))
@example(Decimal("100.15"))
@example(Decimal("100.150000000000000001"))
@example(Decimal("100.049999999999999999"))
@given(prices)
def test_the_quick_way_rounds_as_decimals_do(price: Decimal) -> None:
    spec = instrument()
    assert Units("a", spec, "ms", "base").ticks(str(price), 1, "open") == spec.nearest_ticks(str(price))
    number = float(price)
    assert Units("a", spec, "ms", "base").ticks(number, 1, "open") == spec.nearest_ticks(repr(number))


@given(st.integers(min_value=1, max_value=10**9))
def test_a_quantity_at_half_a_contract_goes_to_the_even_one(count: int) -> None:
    text = str(Decimal(count) * Decimal("0.001") + Decimal("0.0005"))
    even = count + count % 2
    assert Units("a", instrument(), "ms", "base").contracts(text, 0, 1, "qty") == even
    assert Units("a", instrument(), "ms", "contracts").contracts(f"{count}.5", 0, 1, "qty") == even
