"""A story drawn: time runs down, every actor has a lane, an arrow leads from each event to what it led to.

What an event is shows by its shape and its words, so that nothing needs colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["page", "svg"]

ROW, LANE, LEFT, TOP = 44, 26, 86, 30
TEXT_WIDTH = 760
LINE_CHARS = 112
SHAPES = (  # first word that is in the type's name -> path around (0, 0), and what the key says of it
    (("Denied", "Rejected", "Halt", "Failed", "Anomaly"), "M-6 -6L6 6M6 -6L-6 6", "refused, halted, failed"),
    (("Fill", "Funding"), "M0 -7L7 0L0 7L-7 0Z", "filled or booked"),
    (("Submitted", "Order", "Amend", "Cancel", "Parent"), "M-6 -6H6V6H-6Z", "an order moves"),
    (("Decided", "Allowed", "Intent"), "M0 -7L7 6H-7Z", "decided or allowed"),
)
OTHER = ("M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z", "anything else")
STYLE = """
svg{font:13px system-ui,sans-serif}svg text{fill:currentColor}svg .quiet{opacity:.65;font-size:12px}
svg .lane{stroke:currentColor;opacity:.25}svg .link{stroke:currentColor;fill:none;opacity:.6}
svg .mark{stroke:currentColor;stroke-width:2;fill:var(--ground,#fff)}
svg .asked .mark{fill:currentColor}svg .asked text.name{text-decoration:underline}
"""
PAGE_STYLE = """
:root{color-scheme:light dark;--ground:#fff;--text:#1c2128}
@media (prefers-color-scheme:dark){:root{--ground:#14171b;--text:#e6e9ed}}
body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--ground);color:var(--text);
font:16px/1.45 system-ui,sans-serif}h1{font-size:1.2rem;overflow-wrap:anywhere}
.wide{overflow-x:auto}details{margin:1rem 0}pre{overflow-x:auto;font-size:.8rem}
"""


def svg(events: Sequence[Mapping[str, Any]], details: Mapping[int, str], title: str) -> str:
    """Return the drawing of events in the order of time. `details`: one line of text by sequence."""
    lanes = list(dict.fromkeys(str(event["actor"]) for event in events))
    rows = {event["sequence"]: index for index, event in enumerate(events)}
    text_x = LEFT + LANE * len(lanes) + 10
    top = TOP + 14 * len(lanes)
    height = top + ROW * len(events) + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{text_x + TEXT_WIDTH}" height="{height}" '
        f'viewBox="0 0 {text_x + TEXT_WIDTH} {height}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
    ]
    for number, lane in enumerate(lanes):
        x, y = _lane_x(number), TOP + 14 * number
        parts.append(f'<path class="lane" d="M{x} {y + 4}V{top + ROW * len(events) - ROW // 2}"/>')
        parts.append(f'<text x="{x - 4}" y="{y}">{escape(lane)}</text>')
    places = {event["sequence"]: _lane_x(lanes.index(str(event["actor"]))) for event in events}
    for event in events:
        if event["cause"] in rows:
            parts.append(_link(event, rows, places, top))
    began = events[0]["at_ns"] if events else 0
    for event in events:
        parts.append(_event(event, rows, places, top, text_x, began, details.get(event["sequence"], "")))
    parts += [_key(top + ROW * len(events) + 20), "</svg>"]
    return "".join(parts)


def page(events: Sequence[Mapping[str, Any]], details: Mapping[int, str], title: str, text: str) -> str:
    """Return a page that stands alone: the drawing, and the same story in text."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{PAGE_STYLE}</style></head><body>"
        f'<h1>{escape(title)}</h1><div class="wide">{svg(events, details, title)}</div>'
        f"<details><summary>The same in text</summary><pre>{escape(text)}</pre></details></body></html>\n"
    )


def _lane_x(number: int) -> int:
    return LEFT + LANE * number + LANE // 2


def _link(event: Mapping[str, Any], rows: Mapping[int, int], places: Mapping[int, int], top: int) -> str:
    """An arrow from the cause, down to the row of its effect and across to its lane."""
    x0, y0 = places[event["cause"]], top + ROW * rows[event["cause"]]
    x1, y1 = places[event["sequence"]], top + ROW * rows[event["sequence"]]
    if x0 == x1:
        return f'<path class="link" d="M{x0} {y0 + 8}V{y1 - 9}m-3 -5l3 5l3 -5"/>'
    side = 1 if x1 > x0 else -1
    end = x1 - side * 9
    turn, tip = f"Q{x0} {y1} {x0 + side * 8} {y1}", f"m{-5 * side} -3l{5 * side} 3l{-5 * side} 3"
    return f'<path class="link" d="M{x0} {y0 + 8}V{y1 - 8}{turn}H{end}{tip}"/>'


def _event(
    event: Mapping[str, Any],
    rows: Mapping[int, int],
    places: Mapping[int, int],
    top: int,
    text_x: int,
    began: int,
    detail: str,
) -> str:
    y, x = top + ROW * rows[event["sequence"]], places[event["sequence"]]
    later = f"+{(event['at_ns'] - began) / 1e6:,.1f} ms"
    shape = _shape(str(event["type"]))[0]
    asked = "asked" if event.get("why") in ("names the order", "asked for") else "around"
    shown = detail if len(detail) <= LINE_CHARS else detail[: LINE_CHARS - 1] + "…"
    return (
        f'<g class="{asked}"><title>{escape(detail)}</title>'
        f'<text class="quiet" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{later}</text>'
        f'<path class="mark" transform="translate({x} {y})" d="{shape}"/>'
        f'<text class="name" x="{text_x}" y="{y}">{escape(str(event["type"]))} #{event["sequence"]}</text>'
        f'<text class="quiet" x="{text_x}" y="{y + 16}">{escape(shown)}</text></g>'
    )


def _shape(kind: str) -> tuple[str, str]:
    for words, path, said in SHAPES:
        if any(word in kind for word in words):
            return path, said
    return OTHER


def _key(y: int) -> str:
    parts, x = [], LEFT
    for path, said in [*((path, said) for _, path, said in SHAPES), OTHER]:
        parts.append(f'<path class="mark" transform="translate({x} {y})" d="{path}"/>')
        parts.append(f'<text class="quiet" x="{x + 14}" y="{y + 4}">{said}</text>')
        x += 30 + 7 * len(said)
    parts.append(f'<text class="quiet" x="{LEFT - 8}" y="{y + 26}">Filled marks name what was asked for; ')
    parts.append("the others led to it or followed from it.</text>")
    return "".join(parts)
