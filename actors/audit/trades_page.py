"""The trade journal as a page that stands alone: a table that can be read without colour, and its sums."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["page"]

STYLE = """
:root{color-scheme:light dark;--ground:#fff;--text:#1c2128;--rule:#d8dde3}
@media (prefers-color-scheme:dark){:root{--ground:#14171b;--text:#e6e9ed;--rule:#343b44}}
body{margin:0 auto;max-width:90rem;padding:1rem;background:var(--ground);color:var(--text);
font:15px/1.45 system-ui,sans-serif}h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:1.6rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem}
th,td{padding:.3rem .55rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.id{font-family:ui-monospace,monospace;font-size:.75rem}tr.sum td{font-weight:600}
.quiet{opacity:.7}
"""

Table = tuple[str, Sequence[tuple[str, bool]], Sequence[Sequence[str]]]


def page(title: str, said: str, tables: Sequence[Table]) -> str:
    """Return the page. A table is its heading, its columns (name, is a number), and its rows as text."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f'<h1>{escape(title)}</h1><p class="quiet">{escape(said)}</p>'
    ]
    for heading, columns, rows in tables:
        head = "".join(f"<th{' class=n' if number else ''}>{escape(name)}</th>" for name, number in columns)
        parts.append(f"<h2>{escape(heading)}</h2>")
        if not rows:
            parts.append('<p class="quiet">None.</p>')
            continue
        body = "".join(f"<tr>{_cells(columns, row)}</tr>" for row in rows)
        parts.append(f'<div class="wide"><table><thead><tr>{head}</tr></thead>{body}</table></div>')
    return "".join([*parts, "</body></html>\n"])


def _cells(columns: Sequence[tuple[str, bool]], row: Sequence[str]) -> str:
    shown = []
    for (name, number), value in zip(columns, row, strict=True):
        kind = ' class="n"' if number else ' class="id"' if name.endswith("ORDER") else ""
        shown.append(f"<td{kind}>{escape(value)}</td>")
    return "".join(shown)
