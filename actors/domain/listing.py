"""What a venue lists today, held against what we have on file: differences, and rows as they should be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from actors.domain.catalog import HOUR_NS, INSTRUMENT_FIELDS
from actors.domain.evidence import with_evidence
from actors.domain.instrument import Instrument
from actors.domain.money import divide_half_even, format_e8, parse_e8

__all__ = [
    "DELISTED",
    "Difference",
    "Listed",
    "differences",
    "facts",
    "new_row",
    "unconfirmed",
    "updated_row",
]

DELISTED = "DELISTED"
# What Poloniex tells everybody who asks. The rest only an account, or a person, can know.
TOLD = {
    False: (
        *("tick", "contract", "contracts_min", "contracts_max_limit", "contracts_max_market"),
        *("leverage_max", "leverage_default", "price_band", "funding_interval_hours", "tiers"),
    ),
    True: ("tick", "contract", "contracts_min"),
}
FILE_FIELDS = {ours: theirs for theirs, ours in INSTRUMENT_FIELDS.items()}
FEES = {
    False: {"maker_fee": "0.0002", "taker_fee": "0.0006"},
    True: {"maker_fee": "0.002", "taker_fee": "0.002"},
}
SPOT_BAND = "0.5"
SPOT_ORDER_USDT = 5_000_000  # the largest order of a spot market whose limit nobody told


@dataclass(frozen=True, slots=True)
class Listed:
    """One symbol as a venue lists it, in the words of a markets file."""

    symbol: str
    base: str
    status: str
    values: Mapping[str, Any] = field(default_factory=dict)  # only fields that the venue told
    origins: Mapping[str, str] = field(default_factory=dict)  # field -> the path that told it
    price: str = ""  # about what it costs
    spot: bool = False
    fault: str = ""  # why what it says cannot be used


class Difference(NamedTuple):
    """One field of one symbol that is not what it was. Values are those of a markets file."""

    symbol: str
    field: str
    before: Any
    after: Any


def facts(instrument: Instrument) -> dict[str, Any]:
    """Return what an instrument is, in the words of a markets file, each number in its shortest form."""
    one = instrument
    found: dict[str, Any] = {
        "status": one.status,
        "tick": format_e8(one.tick_e8),
        "contract": format_e8(one.contract_e8),
        "contracts_min": one.contracts_min,
        "contracts_max_limit": one.contracts_max_limit,
        "contracts_max_market": one.contracts_max_market,
        "price_band": format_e8(one.price_band_e8),
        "maker_fee": format_e8(one.maker_fee_e8),
        "taker_fee": format_e8(one.taker_fee_e8),
    }
    if one.is_spot:
        return found
    tiers = [
        {
            "contracts_max": tier.contracts_max,
            "leverage_max": tier.leverage_max,
            "maintenance": format_e8(tier.maintenance_e8),
        }
        for tier in one.tiers
    ]
    return found | {
        "leverage_max": one.leverage_max,
        "leverage_default": one.leverage_default,
        "funding_interval_hours": one.funding_interval_ns // HOUR_NS,
        "tiers": tiers,
    }


def differences(symbol: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the fields of `after` that are not what they are in `before`."""
    return [
        Difference(symbol, name, before.get(name), value)
        for name, value in after.items()
        if before.get(name) != value
    ]


def unconfirmed(instrument: Instrument) -> tuple[str, ...]:
    """Return what nobody has confirmed although the venue tells it to everybody who asks."""
    assumed = {FILE_FIELDS.get(name, name) for name in instrument.assumed}
    return tuple(name for name in TOLD[instrument.is_spot] if name in assumed)


def new_row(listed: Listed) -> dict[str, Any]:
    """Return a row for a symbol that was on no file; what the venue did not tell is assumed.

    Errors: ValueError when it did not tell enough.
    """
    missing = [name for name in TOLD[listed.spot] if name not in listed.values]
    if listed.fault or missing or not listed.price:
        raise ValueError(listed.fault or f"the venue does not tell its {', '.join(missing) or 'price'}")
    row: dict[str, Any] = {"market": "spot"} if listed.spot else {}
    row |= {"symbol": listed.symbol, "base": listed.base, "source": "assumed", "tick": "", "contract": ""}
    row |= {"contracts_min": 0, "contracts_max_limit": 0, "contracts_max_market": 0}
    if listed.spot:
        step_usdt = parse_e8(listed.price) * parse_e8(listed.values["contract"])
        most = max(listed.values["contracts_min"], SPOT_ORDER_USDT * 10**16 // step_usdt)
        row |= {"contracts_max_limit": most, "contracts_max_market": most, "price_band": SPOT_BAND}
        guessed = ["contracts_max_limit", "contracts_max_market", "price_band"]
    else:
        row |= {"leverage_max": 0, "leverage_default": 0, "price_band": "", "tiers": []}
        guessed = []
    row |= FEES[listed.spot]
    row |= {} if listed.spot else {"funding_interval_hours": 0}
    assumed = [*TOLD[listed.spot], *(name for name in guessed if name not in listed.values)]
    row |= {"reference_price": "", "assumed": [*assumed, "maker_fee", "taker_fee", "reference_price"]}
    return row


def updated_row(row: Mapping[str, Any], listed: Listed, at: str, url: str, source: str) -> dict[str, Any]:
    """Return a row with what the venue says now, and where each value is from.

    `source` is `wire`, which confirms, or `local`: then what changes is assumed, and the rest is as proven as
    it was. `at` is the instant of the evidence, `url` who was asked.
    """
    told = {name: value for name, value in listed.values.items() if name in row}
    changed = [name for name, value in told.items() if row[name] != value]
    new = {name: value for name, value in row.items() if name not in ("evidence", "tiers")} | told
    new["status"] = listed.status
    if source == "wire":
        new["assumed"] = [name for name in row["assumed"] if name not in told]
        if all(name in told for name in TOLD[listed.spot]):
            new["source"] = "wire"
    else:
        new["assumed"] = [*row["assumed"], *(name for name in changed if name not in row["assumed"])]
    new["reference_price"] = _reference(new, listed)
    evidence = list(row.get("evidence", ()))
    for path, names in _by_path(told if source == "wire" else changed, listed.origins):
        evidence = with_evidence(evidence, names, source, at, url + path)
    new |= {"evidence": evidence} if evidence else {}
    tiers = new.pop("tiers", row.get("tiers"))  # long, so it comes last
    return new | ({"tiers": tiers} if tiers is not None else {})


def _by_path(names: Iterable[str], origins: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(origins.get(name, ""), []).append(name)
    return list(found.items())


def _reference(row: Mapping[str, Any], listed: Listed) -> str:
    """Return the reference price: the old one while it fits, on the grid of the tick."""
    text = row["reference_price"]
    if listed.price and (not text or "reference_price" in row["assumed"]):
        text = listed.price
    tick = parse_e8(row["tick"])
    return format_e8(max(1, divide_half_even(parse_e8(text), tick)) * tick)
