"""What replies look like, field by field, as the reference lists them: a small language of shapes.

A shape is a function that says what is wrong with a value ("" for nothing), a dict of shapes (these fields,
no others), a list of one shape (a list that is not empty, all of that shape), or a tuple (an array of these).
"""

import re
from collections.abc import Iterator

DECIMAL = re.compile(r"-?\d+(\.\d+)?")
MS = re.compile(r"1\d{12}")


def text(value) -> str:
    return "" if isinstance(value, str) else "is no text"


def word(value) -> str:
    return "" if isinstance(value, str) and value else "is no word"


def decimal(value) -> str:
    return "" if isinstance(value, str) and DECIMAL.fullmatch(value) else "is no decimal text"


def whole(value) -> str:
    return "" if isinstance(value, str) and value.lstrip("-").isdigit() else "is no whole number as text"


def number(value) -> str:
    return "" if isinstance(value, int | float) and not isinstance(value, bool) else "is no JSON number"


def count(value) -> str:
    return "" if type(value) is int else "is no JSON integer"


def flag(value) -> str:
    return "" if isinstance(value, bool) else "is no JSON bool"


def ms(value) -> str:
    return "" if type(value) is int and MS.fullmatch(str(value)) else "is no time in ms"


def ms_text(value) -> str:
    return "" if isinstance(value, str) and MS.fullmatch(value) else "is no time in ms as text"


def either(*words):
    return lambda value: "" if value in words else f"is none of {words}"


def of(**shapes) -> dict:
    return shapes


def found(value, shape) -> list[str]:
    """Return what is wrong with a value."""
    return list(faults(value, shape))


def faults(value, shape, place="") -> Iterator[str]:
    """Yield what is wrong with a value, each with its place."""
    if callable(shape):
        if wrong := shape(value):
            yield f"{place or 'it'} {wrong}: {value!r}"
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{place or 'it'} is no object: {value!r}"
            return
        yield from (f"{place}.{name} is missing" for name in shape if name not in value)
        yield from (f"{place}.{name} is not in the reference" for name in value if name not in shape)
        for name in shape.keys() & value.keys():
            yield from faults(value[name], shape[name], f"{place}.{name}")
    elif not isinstance(value, list):
        yield f"{place or 'it'} is no list: {value!r}"
    elif isinstance(shape, tuple):
        if len(value) != len(shape):
            yield f"{place} has {len(value)} elements, not {len(shape)}"
        for index, (one, wanted) in enumerate(zip(value, shape, strict=False)):
            yield from faults(one, wanted, f"{place}[{index}]")
    else:
        if not value:
            yield f"{place or 'it'} is empty"
        for index, one in enumerate(value):
            yield from faults(one, shape[0], f"{place}[{index}]")
