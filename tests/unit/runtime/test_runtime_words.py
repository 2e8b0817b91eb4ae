"""The runtime could run a chat server: it knows nothing of trading."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

RUNTIME = Path(__file__).resolve().parents[3] / "actors" / "runtime"

TRADING = (
    *("trade", "trading", "trader", "venue", "exchange", "broker", "poloniex", "symbol", "ticker", "quote"),
    *("fill", "fills", "filled", "position", "positions", "leverage", "margin", "liquidation", "funding"),
    *("candle", "bid", "price", "pnl", "usdt", "btc", "strategy_", "hedge", "oms", "ledger", "reconciler"),
)
# In these the word has its everyday meaning; each must still be there.
EVERYDAY = {
    "_exchange": "the HTTP pump exchanges a request for an answer",
    "_grow_if_filling": "how full the map is",
    "position": "in a list",
    "_position": "in a list",
    "MAP_FILL_LIMIT": "how full the map is",
    "DiskFilling": "the alert of a disk that fills",
}


def words(name: str) -> set[str]:
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower().split("_")
    return set(parts)


def names_and_texts(tree: ast.AST) -> set[str]:
    """Return every identifier and every text that is not a docstring."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        for field in ("id", "attr", "name", "arg", "module"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                found.add(value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            found.update(re.findall(r"\w+", node.value))
    return found


def trading_names(source: str) -> set[str]:
    names = names_and_texts(ast.parse(source))
    return {name for name in names if words(name) & set(TRADING) and name not in EVERYDAY}


@pytest.mark.parametrize("path", sorted(RUNTIME.rglob("*.py")), ids=lambda path: path.stem)
def test_the_runtime_does_not_name_anything_of_trading(path: Path) -> None:
    assert trading_names(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "source",
    [
        "def order_filled(): ...; fill = 1",
        "class VenueDown: ...",
        "action = 'flatten positions'",
        "x.last_price",
    ],
)
def test_a_word_of_trading_is_found(source: str) -> None:
    assert trading_names(source)


def test_the_order_of_things_is_not_an_order() -> None:
    assert trading_names("start_order = sorted(x); 'in order'") == set()


def test_no_class_or_message_of_the_runtime_is_an_order() -> None:
    for path in RUNTIME.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                assert not words(node.name) & {"order", "orders", *TRADING} or node.name in EVERYDAY
