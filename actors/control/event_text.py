"""An event in one line for people: the few fields that say what happened, in the words of their units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors.domain.instrument import Instrument
from actors.domain.money import E8

__all__ = ["event_text"]

SIDES = {1: "buy", -1: "sell"}

# Field -> how it is said, in the order in which it is said. Fields that are not here are for `journal cat`.
SAID = {
    "action": "{}",
    "rule": "rule {}",
    "side": "{}",
    "contracts": "{:,}",
    "signed_contracts": "{:+,}",
    "order_type": "{}",
    "limit_ticks": "at {price}",
    "price_ticks": "at {price}",
    "decision_ticks": "at {price}",
    "measured": "measured {}",
    "limit": "limit {}",
    "event": "{}",
    "state": "{}",
    "agrees": "agrees {}",
    "fee_usdt": "fee {money}",
    "realised_usdt": "realised {money}",
    "payment_usdt": "paid {money}",
    "equity_usdt": "equity {money}",
    "scope": "{}",
    "level": "level {}",
    "why": "{}",
    "reason": "{}",
    "error": "{}",
    "summary": "{}",
    "name": "{}",
    "actor": "{}",
    "restarts_count": "restart {}",
    "recovery_ns": "recovered in {ms} ms",
    "client_order_id": "{}",
    "epoch": "start {}",
    "events_folded": "{} events folded",
}


def event_text(fields: Mapping[str, Any], instruments: Mapping[str, Instrument]) -> str:
    """Return what an event says, such as `buy 23 market at 86,636.87 jwnkpa-1-6`."""
    flat = dict(fields)
    for nested in ("intent", "request"):
        inner = flat.get(nested)
        if isinstance(inner, dict):
            flat = {**inner, **flat}
    symbol = str(flat.get("symbol", ""))
    instrument = instruments.get(symbol)
    parts = [symbol.removesuffix("_USDT_PERP")] if symbol else []
    for name, form in SAID.items():
        value = flat.get(name)
        if value is not None and value not in ("", 0) and not isinstance(value, dict | list):
            parts.append(_said(name, value, form, instrument))
    return " ".join(part for part in parts if part)


def _said(name: str, value: Any, form: str, instrument: Instrument | None) -> str:
    if name == "side":
        value = SIDES.get(value, value)
    if "{price}" in form:
        return form.format(price=instrument.price_text(value)) if instrument is not None else ""
    if "{money}" in form:
        return form.format(
            money=f"{'-' if value < 0 else ''}{abs(value) // E8:,}.{abs(value) % E8 // 10**6:02d}"
        )
    if "{ms}" in form:
        return form.format(ms=f"{value / 1e6:.1f}")
    if "," in form and not isinstance(value, int):
        return str(value)
    return form.format(value)
