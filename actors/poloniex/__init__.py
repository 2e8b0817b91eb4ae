"""Poloniex's protocol as pure functions and state machines: text in, values and text out.

No actor lives here and nothing does I/O. Our side of the venue and the feed both build on it; the far side
(the exchange server) never does: both ends agree through the reference alone. Source: docs/poloniex.md.
"""
