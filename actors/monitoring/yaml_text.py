"""Generated YAML as people would write it: lists indented, long queries as blocks, nothing folded."""

from __future__ import annotations

from typing import Any

import yaml

__all__ = ["Block", "yaml_text"]


class Block(str):
    """A text that keeps its lines: a query."""


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text or isinstance(text, Block) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Block, _text)


def yaml_text(head: str, document: Any) -> str:
    """Return a document with a comment of some lines above it."""
    comment = "".join(f"# {line}\n" for line in head.splitlines())
    return comment + yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
    )
