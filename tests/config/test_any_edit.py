"""Whatever somebody does to a deployment file, they get a topology or faults with places: no traceback."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from actors.deployment import schema
from actors.deployment.faults import ConfigError, Fault, FaultLog
from actors.deployment.graph import graph
from actors.deployment.loader import load, read
from actors.deployment.render import render
from actors.deployment.report import json_report, sarif_report, text_report
from actors.deployment.topology import Topology
from actors.deployment.yaml_source import parse_text
from actors.deployment.yaml_tree import plain
from tests.config.corpus import FOLDER, cases, inside
from tests.config.corpus import given as asked_with

ROOT = FOLDER.parents[1]
PAPER = (ROOT / "config" / "paper.yaml").read_text(encoding="utf-8")
LINES = PAPER.splitlines()
PAPER_TREE = plain(parse_text(PAPER, "paper.yaml", FaultLog()))  # type: ignore[arg-type]

# Tokens that mean something to YAML, to the loader, or to a terminal.
SPICE = (
    *("$", "$symbol", "$trending", "${HOME}", "${X:-y}", "${", "$$", "*", "&a ", "*a", "<<: ", "!!str "),
    *("{", "}", "[", "]", ":", ": ", ",", "- ", "#", "'", '"', "|", ">", "\t", "  ", "\n", "---\n", "\ufeff"),
    *("null", "~", "no", "1e999", ".nan", "-1", "0.1", "9" * 30, "0x1F", "12h", "999999999d", '"0.5"'),
    *("secret://a/b#c", "secret://", "password: x", "\u202e", "\x1b[31m", "é", "🙂", "x" * 300),
    *("feed/*", "*/*", "/", "feed", "kind: oms", "actors:", "for_each: {symbol: []}", "reads: []"),
)


@st.composite
def edited(draw: st.DrawFn) -> str:
    """The paper deployment after a few edits of lines and of characters."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        edit = draw(st.sampled_from(("drop", "double", "swap", "indent", "cut", "spice", "value", "letter")))
        line = lines[at]
        column = draw(st.integers(0, len(line)))
        if edit == "drop" and len(lines) > 1:
            del lines[at]
        elif edit == "double":
            lines.insert(at, line)
        elif edit == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], line
        elif edit == "indent":
            lines[at] = " " * draw(st.integers(0, 8)) + line.strip()
        elif edit == "cut":
            lines[at] = line[:column]
        elif edit == "spice":
            lines[at] = line[:column] + draw(st.sampled_from(SPICE)) + line[column:]
        elif edit == "value":
            lines[at] = line.partition(":")[0] + ": " + draw(st.sampled_from(SPICE))
        else:
            lines[at] = line[:column] + draw(st.characters()) + line[column + 1 :]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a markets file, for edited deployments."""
    path = tmp_path_factory.mktemp("edits")
    (path / "markets").mkdir()
    shutil.copy(ROOT / "config" / "markets" / "poloniex-futures.json", path / "markets")
    return path


def outcome(path: Path, raw: bytes) -> Topology | tuple[Fault, ...]:
    path.write_bytes(raw)
    try:
        return load(path, inputs={}, environment={"HOME": "/home/nobody"})
    except ConfigError as error:
        return error.faults


def check_shown(faults: tuple[Fault, ...], path: Path) -> None:
    text = text_report(faults)
    assert "\x1b" not in text
    assert all(line.isprintable() for line in text.splitlines())
    assert len(json.loads(json_report(faults))) == len(faults)
    assert len(json.loads(sarif_report(faults))["runs"][0]["results"]) == len(faults)
    assert all(fault.file == str(path) and fault.line >= 1 and fault.column >= 1 for fault in faults)


@settings(max_examples=300)
@given(text=edited())
def test_an_edited_deployment_loads_or_says_what_is_wrong(text: str, folder: Path) -> None:
    path = folder / "edited.yaml"
    found = outcome(path, text.encode("utf-8", "surrogatepass"))
    if isinstance(found, Topology):
        check_shown(found.warnings, path)
        assert render(found)
        assert graph(found, "mermaid")
    else:
        check_shown(found, path)
        assert any(fault.is_error for fault in found)


JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        st.sampled_from(SPICE),
        st.sampled_from(
            ["feed", "main", "BTC_USDT_PERP", "risk/main", "5s", "0.5", "live", "oms", "$symbol"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["kind", "reads", "settings", "for_each", "symbol", "a", ""]), inner),
    ),
    max_leaves=5,
)


@st.composite
def rebuilt(draw: st.DrawFn) -> str:
    """The paper deployment with values replaced, added and removed anywhere in its tree; always YAML."""
    tree: Any = json.loads(json.dumps(PAPER_TREE))
    for _ in range(draw(st.integers(1, 4))):
        node, depth = tree, draw(st.integers(0, 4))
        while depth and isinstance(node, dict | list) and node:
            step = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
            if not isinstance(node[step], dict | list) or not node[step] or depth == 1:
                node[step] = draw(JUNK)
                break
            node, depth = node[step], depth - 1
        if isinstance(node, dict):
            node[draw(st.sampled_from(["settings", "kind", "reads", "extra", "supervisor"]))] = draw(JUNK)
    return json.dumps(tree, ensure_ascii=False)


@settings(max_examples=300)
@given(text=rebuilt())
def test_a_deployment_of_any_shape_loads_or_says_what_is_wrong(text: str, folder: Path) -> None:
    path = folder / "rebuilt.yaml"
    found = outcome(path, text.encode("utf-8", "surrogatepass"))
    check_shown(found.warnings if isinstance(found, Topology) else found, path)


@settings(max_examples=150)
@given(raw=st.binary(max_size=200), at=st.integers(0, len(PAPER)))
def test_bytes_thrown_into_a_deployment_load_or_are_a_fault(raw: bytes, at: int, folder: Path) -> None:
    path = folder / "thrown.yaml"
    found = outcome(path, PAPER.encode()[:at] + raw + PAPER.encode()[at:])
    check_shown(found.warnings if isinstance(found, Topology) else found, path)


@settings(max_examples=200)
@given(text=st.text(alphabet=st.sampled_from([*"{}[]:,-#&*!|>'\"%@`?<~ \n\tab1.$"]), max_size=60))
def test_any_text_is_parsed_or_is_a_fault(text: str) -> None:
    log = FaultLog()
    if parse_text(text, "any.yaml", log) is None:
        assert log.has_errors


@settings(max_examples=60)
@given(text=edited())
def test_what_loads_after_an_edit_also_fits_the_schema(text: str, folder: Path) -> None:
    path = folder / "schema.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        reading = read(path, environment={"HOME": "/home/nobody"})
    except ConfigError:
        return
    if not reading.log.has_errors:
        made = schema.deployment_schema(schema.FILLED_IN)
        assert list(Draft202012Validator(made).iter_errors(plain(reading.root))) == []


@pytest.mark.parametrize("name", cases("invalid")[::9])
def test_a_fault_is_the_same_in_every_report(name: str) -> None:
    path = f"invalid/{name}.yaml"
    inputs, environments, variables = asked_with((FOLDER / path).read_bytes())
    with inside(FOLDER), pytest.raises(ConfigError) as raised:
        load(path, environments, inputs, variables)
    faults = raised.value.faults
    text = text_report(faults)
    for record, result in zip(
        json.loads(json_report(faults)), json.loads(sarif_report(faults))["runs"][0]["results"], strict=True
    ):
        assert f"{record['severity']}[{record['code']}]: {record['message']}" in text
        assert result["ruleId"] == record["code"]
        assert result["message"]["text"].startswith(record["message"])
