"""The rule that docs/add-a-rule.md shows is code that runs, and its test passes."""

import re
import sys
import textwrap
from types import ModuleType
from typing import Any

import pytest

from actors.risk import limit_desk
from actors.risk import settings as risk_settings
from actors.risk.picture import Picture
from actors.risk.rules import RULES
from tests.unit.risk import risk_bench
from tests.unit.risk.conftest import Benches

MODULE = "actors.risk.rules.spread"


def blocks() -> list[str]:
    text = (risk_bench.ROOT / "docs/add-a-rule.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_page_s_own_test_passes(monkeypatch: pytest.MonkeyPatch, risk: Benches) -> None:
    setting, rule, test = blocks()
    names: dict[str, Any] = dict(vars(risk_settings))
    head = "class Wider(RiskSettings, frozen=True, kw_only=True):\n"
    exec(compile(head + textwrap.indent(setting, "    "), "the page", "exec"), names)
    monkeypatch.setattr(risk_bench, "RiskSettings", names["Wider"])

    module = ModuleType(MODULE)
    monkeypatch.setitem(sys.modules, MODULE, module)
    exec(compile(rule, MODULE, "exec"), module.__dict__)
    monkeypatch.setattr(limit_desk, "RULES", (*RULES, module.RULE))

    exec(compile(test, "the page", "exec"), names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 1
    tests[0](risk)


def test_the_page_s_rule_is_off_without_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType(MODULE)
    monkeypatch.setitem(sys.modules, MODULE, module)
    exec(compile(blocks()[1], MODULE, "exec"), module.__dict__)

    class Without:
        max_spread = 0

    assert module.make(Without()) is None


def test_the_page_names_what_the_picture_has() -> None:
    text = (risk_bench.ROOT / "docs/add-a-rule.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    named = [name for row in table for name in re.findall(r"`(\w+)`", row)]
    assert len(named) > 10
    assert [name for name in named if name not in Picture.__slots__] == []
