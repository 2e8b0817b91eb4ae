"""Values become settings by the settings class alone; whatever does not fit is told at its own place."""

from __future__ import annotations

import enum
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from actors.deployment.conversion import Converter
from actors.deployment.faults import FaultLog
from actors.deployment.sections import Bytes
from actors.deployment.setting_types import walk_fields, written_struct
from actors.deployment.yaml_source import parse_text
from actors.deployment.yaml_tree import Map
from actors.runtime.settings import E8, Duration, Settings, setting


class Color(enum.Enum):
    """Told by value."""

    RED = "red"
    DARK_BLUE = "dark blue"


class Side(enum.IntEnum):
    """Told by name: a number says nothing."""

    BUY = 1
    SELL = -1


class Inner(Settings, frozen=True, kw_only=True):
    """Nested."""

    name: Annotated[str, setting("Its name.", pattern="^[a-z]+$", examples=("abc",))]
    weight: Annotated[float, setting("A statistic.")] = 0.5


class Everything(Settings, frozen=True, kw_only=True):
    """One field of each type there is."""

    wait: Annotated[Duration, setting("Wait.", minimum=1_000_000, maximum=10**10)] = 10**9
    money: Annotated[E8, setting("Money.", minimum=0)] = 0
    size: Annotated[Bytes, setting("Size.")] = 1024
    count: Annotated[int, setting("Count.", minimum=1, maximum=10)] = 1
    ratio: Annotated[float, setting("Ratio.")] = 1.0
    flag: Annotated[bool, setting("Flag.")] = False
    text: Annotated[str, setting("Text.")] = ""
    word: Annotated[Literal["one", "two"], setting("Word.")] = "one"
    color: Annotated[Color, setting("Color.")] = Color.RED
    side: Annotated[Side, setting("Side.")] = Side.BUY
    inner: Annotated[Inner, setting("Nested.")] = Inner(name="x")
    inners: Annotated[tuple[Inner, ...], setting("Several.")] = ()
    waits: Annotated[tuple[Duration, ...], setting("Several waits.")] = ()
    pair: Annotated[tuple[int, str], setting("Two.")] = (1, "a")
    amounts: Annotated[dict[str, E8], setting("By name.")] = {}  # noqa: RUF012
    some: Annotated[tuple[str, ...], Meta(min_length=1, max_length=2)] = ("a",)
    maybe: Annotated[str | None, setting("Optional.")] = None

    def __post_init__(self) -> None:
        if self.flag and self.count == 10:
            raise ValueError("count cannot be 10 when flag is set")


ALL = """\
wait: 250ms
money: "12.5"
size: 2MiB
count: 7
ratio: 0.25
flag: true
text: words
word: two
color: dark blue
side: sell
inner: {name: abc, weight: 2}
inners: [{name: a}, {name: b, weight: 0.1}]
waits: [1s, 1m]
pair: [3, z]
amounts: {main: 5, spare: "0.5"}
some: [x, y]
maybe: there
"""


def converted(text: str) -> tuple[Everything | None, list[str], Converter]:
    log = FaultLog()
    tree = parse_text(text, "file.yaml", log)
    assert isinstance(tree, Map), log.sorted()
    converter = Converter(log, "actor 'x'")
    made = converter.settings(Everything, tree, missing_at=tree.span)
    return (
        made,
        [f"{fault.code} {fault.line}:{fault.column} {fault.message}" for fault in log.sorted()],
        converter,
    )


def test_every_type_is_read() -> None:
    made, faults, converter = converted(ALL)
    assert faults == []
    assert made == Everything(
        wait=250_000_000,
        money=12_50000000,
        size=2 << 20,
        count=7,
        ratio=0.25,
        flag=True,
        text="words",
        word="two",
        color=Color.DARK_BLUE,
        side=Side.SELL,
        inner=Inner(name="abc", weight=2.0),
        inners=(Inner(name="a"), Inner(name="b", weight=0.1)),
        waits=(10**9, 60 * 10**9),
        pair=(3, "z"),
        amounts={"main": 5_00000000, "spare": 50_000_000},
        some=("x", "y"),
        maybe="there",
    )
    assert str(converter.origins["inner.weight"]) == "file.yaml:11:28"
    assert str(converter.origins["inners[1].name"]) == "file.yaml:12:28"
    assert str(converter.origins["amounts.spare"]) == "file.yaml:15:27"


def test_what_is_written_back_is_what_was_read() -> None:
    made, _, _ = converted(ALL)
    assert made is not None
    shown = written_struct(made)
    assert shown["wait"] == "250ms"
    assert shown["money"] == "12.5"
    assert shown["color"] == "dark blue"
    assert shown["side"] == "sell"
    assert shown["amounts"] == {"main": "5", "spare": "0.5"}
    assert shown["inners"] == [{"name": "a", "weight": 0.5}, {"name": "b", "weight": 0.1}]


def test_defaults_hold_and_have_no_origin() -> None:
    made, _, converter = converted("count: 2")
    assert made == Everything(count=2)
    assert list(converter.origins) == ["count"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("wait: 5", "E107 1:7 actor 'x': 'wait' must be a duration, not the integer 5"),
        ("wait: 1us", "E105 1:7 actor 'x': 'wait' must be at least 1ms, not 1us"),
        ("wait: 1m", "E105 1:7 actor 'x': 'wait' must be at most 10s, not 1m"),
        (
            "money: 0.1",
            "E108 1:8 actor 'x': 'money' must be an exact decimal number, "
            "not the number with a decimal point 0.1",
        ),
        ('money: "-1"', "E105 1:8 actor 'x': 'money' must be at least 0, not -1"),
        ("money: true", "E102 1:8 actor 'x': 'money' must be an exact decimal number, not the boolean true"),
        ("size: 5 MB", "E113 1:7 actor 'x': 'size' must be a size, not the text '5 MB'"),
        (
            "count: 1.0",
            "E102 1:8 actor 'x': 'count' must be an integer, not the number with a decimal point 1.0",
        ),
        ("count: true", "E102 1:8 actor 'x': 'count' must be an integer, not the boolean true"),
        ("count: 11", "E105 1:8 actor 'x': 'count' must be at most 10, not 11"),
        ("ratio: x", "E102 1:8 actor 'x': 'ratio' must be a number, not the text 'x'"),
        ("flag: on", "E102 1:7 actor 'x': 'flag' must be true or false, not the text 'on'"),
        ("text: 5", "E102 1:7 actor 'x': 'text' must be text, not the integer 5"),
        ("word: three", "E104 1:7 actor 'x': 'word' must be one or two, not 'three'"),
        ("color: [red]", "E102 1:8 actor 'x': 'color' must be red or dark blue, not a list"),
        ("side: 1", "E102 1:7 actor 'x': 'side' must be buy or sell, not the integer 1"),
        ("inner: {name: ABC}", "E106 1:15 actor 'x': 'inner.name' cannot be 'ABC'"),
        ("inner: {}", "E103 1:8 actor 'x': 'inner.name' is missing"),
        ("inner: {name: a, wieght: 1}", "E101 1:18 actor 'x': 'inner' has no key 'wieght'"),
        ("inners: {name: a}", "E102 1:9 actor 'x': 'inners' must be a list, not a map"),
        ("waits: [1s, 2]", "E107 1:13 actor 'x': 'waits[1]' must be a duration, not the integer 2"),
        ("pair: [1]", "E112 1:7 actor 'x': 'pair' must have 2 entries, and has 1"),
        ("pair: [a, a]", "E102 1:8 actor 'x': 'pair[0]' must be an integer, not the text 'a'"),
        (
            "amounts: {main: x}",
            "E109 1:17 actor 'x': 'amounts.main' must be an exact decimal number, not the text 'x'",
        ),
        ("some: []", "E112 1:7 actor 'x': 'some' must have 1 to 2 entries, and has 0"),
        ("some: [a, b, c]", "E112 1:7 actor 'x': 'some' must have 1 to 2 entries, and has 3"),
        ("maybe: 5", "E102 1:8 actor 'x': 'maybe' must be text, not the integer 5"),
        ("flag: true\ncount: 10", "E111 2:1 actor 'x': count cannot be 10 when flag is set"),
        ("cuont: 1", "E101 1:1 actor 'x': there is no key 'cuont'"),
    ],
)
def test_a_value_that_does_not_fit_is_told_at_its_place(text: str, fault: str) -> None:
    made, faults, _ = converted(text)
    assert made is None
    assert faults == [fault]


def test_every_fault_is_told_not_only_the_first() -> None:
    made, faults, _ = converted("wait: x\nmoney: x\ninners: [{name: 1}, {name: a, weight: x}, {}]\nnope: 1\n")
    assert made is None
    assert [fault.split()[0] for fault in faults] == ["E107", "E109", "E102", "E102", "E103", "E101"]


def test_fields_are_walked_through_maps_and_lists() -> None:
    paths = [path for path, _ in walk_fields(Everything)]
    assert "inner.weight" in paths
    assert "inners[].name" in paths


def test_a_setting_says_how_it_reloads_and_what_loosens_it() -> None:
    class Limits(Settings, frozen=True, kw_only=True):
        most: Annotated[int, setting("Most.", reload="live", risk="raise")] = 1

    found: Any = dict(walk_fields(Limits))["most"]
    assert (found.reload, found.risk, found.description) == ("live", "raise", "Most.")
