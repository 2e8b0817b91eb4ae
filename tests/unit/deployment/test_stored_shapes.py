"""A change of a stored shape that journals of before do not survive is found before it is shipped."""

from __future__ import annotations

import copy
import enum
import json
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from actors.deployment import schema
from actors.deployment.stored_shapes import _shape, broken, shapes, text_of

ROOT = Path(__file__).parents[3]


def test_what_shipped_journals_hold_is_still_read() -> None:
    assert schema.unreadable(ROOT / "schemas") == [], "docs/upgrade.md says what to do"


def test_every_kind_that_keeps_something_is_written_down() -> None:
    found = shapes()
    assert {"ledger", "oms", "risk", "reconciler", "secrets"} <= set(found["states"])
    assert any(name.startswith("risk ") for name in found["events"])
    assert json.loads(text_of(found)) == json.loads(json.dumps(found))


class Colour(enum.Enum):
    RED = "red"


class Colours(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Pair(NamedTuple):
    left: int
    right: int


def one(*fields: Any, **options: Any) -> type[msgspec.Struct]:
    return msgspec.defstruct("Thing", list(fields), **options)


INT = one(("a", int))
HOLDS_PAIR = msgspec.defstruct("Inner", [("x", Pair)])
HOLDS_INT = msgspec.defstruct("Inner", [("x", INT)])
READ = [
    ("a new field with a default", INT, one(("a", int), ("b", str, ""))),
    ("fields in another order", one(("a", int), ("b", str)), one(("b", str), ("a", int))),
    ("a field that is gone", one(("a", int), ("b", str)), INT),
    ("a whole number becomes any number", INT, one(("a", float))),
    ("one more choice", one(("a", Colour)), one(("a", Colours))),
    ("nothing is allowed too", INT, one(("a", int | None))),
    ("anything goes", INT, one(("a", Any))),
    (
        "a last field of an array",
        one(("a", int), array_like=True),
        one(("a", int), ("b", str, ""), array_like=True),
    ),
    ("a tuple becomes a list", one(("a", list[int])), one(("a", tuple[int, ...]))),
]
BROKEN = [
    ("another type", INT, one(("a", str)), "it.a was int and is str"),
    ("a new field without a default", INT, one(("a", int), ("b", str)), "it.b is new and has no default"),
    (
        "a list becomes a map",
        one(("a", list[str])),
        one(("a", dict[str, int])),
        "was list of str and is dict",
    ),
    ("inside a container", one(("a", dict[str, int])), one(("a", dict[str, str])), "it.a[2] was int"),
    ("a choice that is gone", one(("a", Colours)), one(("a", Colour)), "may not be 'blue' any more"),
    ("nothing is not allowed any more", one(("a", int | None)), INT, "it.a was union"),
    ("another form", INT, one(("a", int), array_like=True), "another form"),
    ("another name", one(("a", int), tag="x"), one(("a", int), tag="y"), "another name"),
    (
        "an array's field in the middle",
        one(("a", int), ("b", str), array_like=True),
        one(("a", int), ("c", int), ("b", str), array_like=True),
        "it.c was str and is int",
    ),
    ("a tuple that is longer", one(("a", tuple[int, int])), one(("a", tuple[int, int, int])), "had 2 items"),
    (
        "deep inside",
        one(("a", list[HOLDS_PAIR])),
        one(("a", list[HOLDS_INT])),
        "it.a[1].x is written in another form",
    ),
]


def as_shapes(kind: type, version: int = 1, upgrades: bool = False) -> Any:
    types: dict[str, Any] = {}
    shape = _shape(msgspec.inspect.type_info(kind), types)
    state = {"shape": shape, "version": version, "upgrades": upgrades}
    return {
        "states": {"thing": state},
        "events": {"thing Thing": {"shape": shape, "version": 1}},
        "types": types,
    }


def decodes(old: type, new: type, value: Any) -> bool:
    try:
        msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=new)
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize(("what", "old", "new"), READ, ids=[case[0] for case in READ])
def test_a_change_that_old_bytes_survive_is_let_through(what: str, old: type, new: type) -> None:
    assert broken(as_shapes(old), as_shapes(new)) == []


@pytest.mark.parametrize(("what", "old", "new", "said"), BROKEN, ids=[case[0] for case in BROKEN])
def test_a_change_that_old_bytes_do_not_survive_is_found(what: str, old: type, new: type, said: str) -> None:
    faults = broken(as_shapes(old), as_shapes(new))
    for place, remedy in (("state of thing", "raise STATE_VERSION"), ("event Thing of thing", "go last")):
        assert any(fault.startswith(place) and said in fault and remedy in fault for fault in faults), faults


def test_the_verdicts_are_those_of_the_decoder() -> None:
    """A sample of the tables above against the bytes themselves."""
    for old, new, values, is_read in (
        (INT, one(("a", float)), {"a": 1}, True),
        (INT, one(("a", str)), {"a": 1}, False),
        (INT, one(("a", int), ("b", str)), {"a": 1}, False),
        (one(("a", int), ("b", str)), INT, {"a": 1, "b": ""}, True),
        (one(("a", list[str])), one(("a", dict[str, int])), {"a": ["x"]}, False),
    ):
        assert decodes(old, new, old(**values)) is is_read
        assert (not broken(as_shapes(old), as_shapes(new))) is is_read


def test_a_raised_version_stands_for_a_change_when_there_is_an_upgrade() -> None:
    changed = one(("a", str))
    old = as_shapes(INT)
    old["events"] = {}
    assert broken(old, as_shapes(changed, 2, upgrades=True)) == []
    assert "has no `upgrade`" in broken(old, as_shapes(changed, 2))[0]
    assert "version 2 became 1" in broken(as_shapes(INT, 2), as_shapes(INT, 1))[0]


def test_an_event_that_is_gone_is_found_and_a_kind_that_is_gone_is_not() -> None:
    old, new = as_shapes(INT), as_shapes(INT)
    new["events"] = {}
    assert "is gone" in broken(old, new)[0]
    new["states"] = {}
    assert broken(old, new) == []


def test_writing_refuses_what_would_break_journals(tmp_path: Path) -> None:
    schema.write(tmp_path)
    held = json.loads((tmp_path / "journal.json").read_text())
    damaged = copy.deepcopy(held)
    name = held["states"]["ledger"]["shape"][1]
    damaged["types"][name]["fields"][0][1] = "bytes"
    (tmp_path / "journal.json").write_text(json.dumps(damaged))
    with pytest.raises(ValueError, match="state of ledger: it"):
        schema.write(tmp_path)
    assert json.loads((tmp_path / "journal.json").read_text()) == damaged
