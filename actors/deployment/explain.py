"""What a kind of actor, a section of the file, or one of their fields is for: text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from actors.deployment.codes import CODES
from actors.deployment.faults import did_you_mean
from actors.deployment.quantities import format_bytes, format_duration, format_e8
from actors.deployment.registry import KINDS, Kind
from actors.deployment.schema import SECTIONS, structure_schema
from actors.deployment.sections import ActorSection, SupervisorSection
from actors.deployment.setting_types import (
    RELOADS,
    SettingField,
    choices_of,
    risk_text,
    simplified,
    walk_fields,
    written,
)

__all__ = ["NotExplained", "explain", "kinds_table", "section_name", "subjects", "type_text", "value_text"]

TYPES = {
    "IntType": "integer",
    "FloatType": "number",
    "BoolType": "true or false",
    "StrType": "text",
    "VarTupleType": "list",
    "ListType": "list",
    "TupleType": "list",
    "SetType": "list",
    "FrozenSetType": "list",
    "DictType": "map",
    "StructType": "map",
    "AnyType": "anything",
}
FORMATS = {"duration": "duration", "e8": "exact decimal, as text", "bytes": "size"}
SHOW = {"duration": format_duration, "e8": format_e8, "bytes": format_bytes}


# Keys that no settings class says: of the file, and beside a kind's settings.
TOP_KEYS = ("extends", "deployment", "mode", "seed", "catalog", "inputs", "for_each", "reads")


class NotExplained(LookupError):
    """There is no such kind, section or field; the text says what comes near."""


def subjects() -> dict[str, type[msgspec.Struct]]:
    """Return every section and kind with its settings class, sections first.

    A section with the name of a kind is there as `section NAME`.
    """
    sections: dict[str, type[msgspec.Struct]] = {
        **SECTIONS,
        "supervisors": SupervisorSection,
        "actors": ActorSection,
    }
    found = {section_name(name): section for name, section in sections.items()}
    return found | {name: kind.settings_class for name, kind in KINDS.items()}


def section_name(name: str) -> str:
    """Return what a section is called among the subjects."""
    return f"section {name}" if name in KINDS else name


def kinds_table() -> str:
    """Return one line for each kind."""
    width = max(map(len, KINDS))
    return "".join(f"{name:{width}}  {kind.summary}\n" for name, kind in KINDS.items())


def explain(subject: str) -> str:
    """Return what is to be said about `KIND`, `KIND.FIELD`, `SECTION.FIELD`, a key, a fault's code.

    An empty subject lists the kinds. Errors: NotExplained.
    """
    if not subject:
        return kinds_table()
    if subject.upper() in CODES:
        code = CODES[subject.upper()]
        return f"{subject.upper()}: {code.title}\n\n{code.explanation}\n"
    if subject in TOP_KEYS and subject not in KINDS:
        return "\n".join(_top_key(subject)) + "\n"
    name = subject if subject in (*KINDS, *SECTIONS, "supervisors", "actors") else _owner(subject)
    namesakes = [one for one in (name, section_name(name)) if one in subjects()]
    if name == subject:
        parts = [_overview(one) for one in dict.fromkeys(namesakes)]
        parts += [_top_key(name)] if name in TOP_KEYS else []
        return "\n\n".join(map("\n".join, parts)) + "\n"
    field = subject[len(name) + 1 :].removeprefix("settings.")
    fields = {path: one for of in reversed(namesakes) for path, one in walk_fields(subjects()[of])}
    if field not in fields:
        help = did_you_mean(field, fields)
        raise NotExplained(f"{name} has no setting {field!r}" + (f"; {help}" if help else ""))
    return "\n".join(_detail(name, field, fields[field])) + "\n"


def _top_key(name: str) -> Iterator[str]:
    schema = structure_schema()["properties"]
    one = schema[name] if name in schema else schema["actors"]["additionalProperties"]["properties"][name]
    yield f"{'key ' if name in KINDS else ''}{name}: {one['description']}"
    yield ""
    choices = one.get("enum") or ()
    rows = {
        "default": str(one.get("default", "")),
        "choices": ", ".join(choices),
        "form": one.get("pattern", ""),
        "a change": RELOADS.get(one.get("x-reload", ""), ""),
    }
    yield from (f"  {label:8}  {text}" for label, text in rows.items() if text)


def _owner(subject: str) -> str:
    names = [*KINDS, *SECTIONS, "supervisors", "actors"]
    fitting = [name for name in names if subject.startswith(f"{name}.")]
    if not fitting:
        help = did_you_mean(subject, names)
        raise NotExplained(f"there is no kind and no section {subject!r}" + (f"; {help}" if help else ""))
    return max(fitting, key=len)


def _overview(name: str) -> Iterator[str]:
    kind = KINDS.get(name)
    settings = subjects()[name]
    yield f"{name}: {kind.summary if kind else (settings.__doc__ or '').strip()}"
    if kind is not None:
        yield ""
        yield from _ports(kind)
    yield ""
    fields = dict(walk_fields(settings))
    if not fields:
        yield "It has no settings."
        return
    yield "Settings:"
    width = max(map(len, fields))
    for path, one in fields.items():
        default = "required" if one.required else value_text(one)
        yield f"  {path:{width}}  {type_text(one)}; {default}"
    yield ""
    yield from _reload_classes(fields)
    word = name.removeprefix("section ")
    yield f"More about one of them: polytrade explain {word}.{next(iter(fields))}"


def _reload_classes(fields: dict[str, SettingField]) -> Iterator[str]:
    """Yield a line for each way in which a change takes effect; the most common one stands for the rest."""
    by_class: dict[str, list[str]] = {}
    for path, one in fields.items():
        by_class.setdefault(one.reload, []).append(path)
    most = max(by_class, key=lambda name: len(by_class[name]))
    for name, paths in by_class.items():
        which = (
            "any setting" if len(by_class) == 1 else "any other setting" if name == most else ", ".join(paths)
        )
        yield f"A change of {which} {RELOADS[name]}."
    loose = [path for path, one in fields.items() if one.risk]
    if loose:
        yield f"Limits are {', '.join(loose)}."
    yield ""


def _ports(kind: Kind) -> Iterator[str]:
    behaviour = kind.behaviour_class
    rows = {
        "made for each": ", ".join(kind.variables) or "once",
        "accepts": ", ".join(kind.accepts),
        "publishes": ", ".join(message.__name__ for message in behaviour.EMITS),
        "answers with": ", ".join(message.__name__ for message in behaviour.REPLIES),
        "keeps state": behaviour.PERSISTENCE.value,
        "runs in": ", ".join(kind.modes),
        "stability": kind.stability,
    }
    yield from (f"  {name:13}  {text}" for name, text in rows.items() if text)


def _detail(name: str, path: str, one: SettingField) -> Iterator[str]:
    yield f"{name}.{path}: {one.description}"
    yield ""
    rows = {
        "type": type_text(one),
        "default": "none, it must be written" if one.required else value_text(one),
        "choices": ", ".join(choices_of(one.type.base) or ()),
        "bounds": bounds_text(one),
        "examples": ", ".join(str(example) for example in one.type.about.get("examples") or ()),
        "a change": RELOADS[one.reload],
        "risk": risk_text(one),
    }
    yield from (f"  {label:8}  {text}" for label, text in rows.items() if text)


def type_text(one: SettingField) -> str:
    """Return a field's type in an operator's words."""
    if one.type.format:
        return FORMATS[one.type.format]
    if choices_of(one.type.base) is not None:
        return "a choice"
    return TYPES[type(one.type.base).__name__]


def value_text(one: SettingField) -> str:
    """Return a field's default as an operator would write it."""
    value = written(one.default, one.type)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and (one.type.format == "e8" or not value):
        return f'"{value}"'
    return str(value) if isinstance(value, str | int | float) else msgspec.json.encode(value).decode()


def bounds_text(one: SettingField) -> str:
    """Return what a number may be, such as `at least 1ms, at most 1m`."""
    found = simplified(one.type.base)
    show = SHOW.get(one.type.format, str)
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    limits = {word: getattr(found.base, name, None) for name, word in words.items()}
    return ", ".join(f"{word} {show(limit)}" for word, limit in limits.items() if limit is not None)
