"""The markets file: one row per contract in, checked `Instrument`s out.

Every fault of the file is told at once, each as `<row>.<field>: <what is wrong>`, so that whoever edits the
file reads the list once. Numbers with decimals are text in the file, because JSON numbers become floats.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from actors.domain.evidence import check_evidence
from actors.domain.instrument import OPEN, Instrument, MarketKind, RiskTier
from actors.domain.money import E8, format_e8, parse_e8

__all__ = ["CatalogError", "load_catalog", "parse_markets"]

HOUR_NS = 3_600_000_000_000
SOURCES = ("wire", "documentation", "announcement", "assumed")

COUNTS = ("contracts_min", "contracts_max_limit", "contracts_max_market", "leverage_max", "leverage_default")
DECIMALS = ("tick", "contract", "price_band", "maker_fee", "taker_fee", "reference_price")
FIELDS = ("symbol", "base", "source", *COUNTS, *DECIMALS, "funding_interval_hours", "assumed", "tiers")
MARGIN_FIELDS = ("leverage_max", "leverage_default", "funding_interval_hours", "tiers")
OPTIONAL = ("status", "evidence")
SPOT_FIELDS = ("market", *(field for field in FIELDS if field not in MARGIN_FIELDS))
QUOTE = "USDT"
POSITION_ORDERS = 100  # of the largest orders a spot holding may be: the venue has no limit of its own
# POST_ONLY is of spot markets; DELISTED is our word for a symbol that the venue does not list any more.
STATUSES = (OPEN, "PAUSED", "POST_ONLY", "CANCEL_ONLY", "CANCEL_CLOSE_ONLY", "CLOSED", "DELISTED")
# What can be assumed, or confirmed; the rest says what a row is.
CONFIRMABLE = tuple(field for field in FIELDS if field not in ("symbol", "base", "source", "assumed"))
TIER_FIELDS = ("contracts_max", "leverage_max", "maintenance")

# Field of the file -> field of Instrument, where they differ (the file has no units of 1e-8).
INSTRUMENT_FIELDS = {
    "tick": "tick_e8",
    "contract": "contract_e8",
    "price_band": "price_band_e8",
    "maker_fee": "maker_fee_e8",
    "taker_fee": "taker_fee_e8",
    "reference_price": "reference_ticks",
    "funding_interval_hours": "funding_interval_ns",
}

Report = Callable[[str, str], None]  # (field, what is wrong)


class CatalogError(ValueError):
    """The markets file cannot be used; `faults` lists everything that is wrong with it."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def load_catalog(source: str | Mapping[str, Any]) -> dict[str, Instrument]:
    """Return the instruments of a markets file (its JSON text, or that text parsed) by symbol, in its order.

    Errors: CatalogError, a ValueError, with one line per fault.
    """
    content = parse_markets(source) if isinstance(source, str) else source
    rows = content.get("markets") if isinstance(content, Mapping) else None
    if not isinstance(rows, list) or not rows:
        raise CatalogError(["markets: must be a list of at least one row"])
    faults: list[str] = []
    catalog: dict[str, Instrument] = {}
    for index, row in enumerate(rows):
        instrument = _instrument(index, row, faults)
        if instrument is None:
            continue
        if instrument.symbol in catalog:
            faults.append(f"{instrument.symbol}.symbol: appears twice, the second time in row {index}")
        catalog[instrument.symbol] = instrument
    if faults:
        raise CatalogError(faults)
    return catalog


def parse_markets(text: str) -> Any:
    """Return the JSON of a markets file, unchecked. Errors: CatalogError: it is none, or has a key twice."""

    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise CatalogError([f"{name}: appears twice in one object"])
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=without_duplicates)
    except json.JSONDecodeError as error:
        raise CatalogError([f"line {error.lineno} column {error.colno}: {error.msg}"]) from None


def _instrument(index: int, row: Any, faults: list[str]) -> Instrument | None:
    if not isinstance(row, Mapping):
        faults.append(f"row {index}: must be an object")
        return None
    symbol = row.get("symbol")
    name = symbol if isinstance(symbol, str) and symbol else f"row {index}"
    before = len(faults)

    def report(field: str, text: str) -> None:
        faults.append(f"{name}.{field}: {text}")

    if "market" in row:
        return _spot_instrument(row, faults, report)
    _check_names(row, FIELDS, report, OPTIONAL)
    _check_words(row, report)
    numbers = _numbers(row, report)
    tiers = _tiers(row.get("tiers"), report)
    if len(faults) > before:
        return None  # the checks below would only repeat it
    _check_sense(numbers, tiers, report)
    return _build(row, numbers, tiers) if len(faults) == before else None


def _spot_instrument(row: Mapping[str, Any], faults: list[str], report: Report) -> Instrument | None:
    """Return a spot market: one contract is one step of the coin; nothing is borrowed and nothing funded."""
    before = len(faults)
    if row["market"] != MarketKind.SPOT.value:
        report("market", f"must be spot, or be left out for a perpetual, not {row['market']!r}")
    _check_names(row, SPOT_FIELDS, report, OPTIONAL)
    _check_words(row, report)
    numbers = _numbers(row, report)
    if len(faults) > before:
        return None
    if row["symbol"] != f"{row['base']}_{QUOTE}":
        report("symbol", f"must be {row['base']}_{QUOTE}: only markets against {QUOTE} can be counted")
    if numbers["maker_fee"] < 0:
        report("maker_fee", "must not be a rebate at a spot market")
    most = max(numbers["contracts_max_limit"], numbers["contracts_max_market"])
    tier = RiskTier(most * POSITION_ORDERS, 1, 0)
    numbers |= {"leverage_max": 1, "leverage_default": 1, "funding_interval_hours": 24}
    _check_prices(numbers, report)
    _check_fees_and_sizes(numbers, report)
    if len(faults) > before:
        return None
    return replace(_build(row, numbers, (tier,)), market=MarketKind.SPOT)


def _check_names(
    row: Mapping[str, Any], fields: tuple[str, ...], report: Report, optional: tuple[str, ...] = ()
) -> None:
    for field in fields:
        if field not in row:
            report(field, "is missing")
    for field in row:
        if field not in fields and field not in optional:
            report(field, f"is not a field; the fields are {', '.join(fields)}")


def _check_words(row: Mapping[str, Any], report: Report) -> None:
    for field in ("symbol", "base"):
        if field in row and (not isinstance(row[field], str) or not row[field]):
            report(field, f"must be text, not {row[field]!r}")
    if "source" in row and row["source"] not in SOURCES:
        report("source", f"must be one of {', '.join(SOURCES)}, not {row['source']!r}")
    if row.get("status", OPEN) not in STATUSES:
        report("status", f"must be one of {', '.join(STATUSES)}, not {row['status']!r}")
    if "evidence" in row:
        check_evidence(row["evidence"], CONFIRMABLE, report)
    assumed = row.get("assumed", [])
    if not isinstance(assumed, list):
        report("assumed", f"must be a list of field names, not {assumed!r}")
        return
    for field in assumed:
        if field not in CONFIRMABLE:
            report("assumed", f"{field!r} is not a field that can be assumed")


def _numbers(row: Mapping[str, Any], report: Report) -> dict[str, int]:
    counts = [field for field in (*COUNTS, "funding_interval_hours") if field in row]
    numbers = {field: _count(row[field], field, report) for field in counts}
    numbers |= {field: _decimal(row[field], field, report) for field in DECIMALS if field in row}
    return numbers


def _count(value: Any, field: str, report: Report) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        report(field, f"must be a whole number above 0, not {value!r}")
        return 1
    return value


def _decimal(value: Any, field: str, report: Report) -> int:
    if not isinstance(value, str):
        report(field, f"must be a decimal number as text, not {value!r}")
        return E8
    try:
        return parse_e8(value)
    except ValueError as error:
        report(field, str(error))
        return E8


def _tiers(rows: Any, report: Report) -> tuple[RiskTier, ...]:
    if rows is None:
        return ()  # told as missing
    if not isinstance(rows, list) or not rows:
        report("tiers", "must be a list of at least one tier")
        return ()
    return tuple(tier for index, row in enumerate(rows) if (tier := _tier(index, row, report)) is not None)


def _tier(index: int, row: Any, report: Report) -> RiskTier | None:
    place = f"tiers[{index}]"
    if not isinstance(row, Mapping):
        report(place, "must be an object")
        return None

    def report_here(field: str, text: str) -> None:
        report(f"{place}.{field}", text)

    _check_names(row, TIER_FIELDS, report_here)
    if not all(field in row for field in TIER_FIELDS):
        return None
    return RiskTier(
        contracts_max=_count(row["contracts_max"], "contracts_max", report_here),
        leverage_max=_count(row["leverage_max"], "leverage_max", report_here),
        maintenance_e8=_decimal(row["maintenance"], "maintenance", report_here),
    )


def _check_sense(numbers: dict[str, int], tiers: tuple[RiskTier, ...], report: Report) -> None:
    """Report numbers that are well formed and cannot be true."""
    _check_prices(numbers, report)
    _check_fees_and_sizes(numbers, report)
    if numbers["leverage_default"] > numbers["leverage_max"]:
        report("leverage_default", f"must be at most leverage_max, which is {numbers['leverage_max']}")
    if 24 % numbers["funding_interval_hours"]:
        report("funding_interval_hours", "must divide a day")
    if tiers[0].leverage_max != numbers["leverage_max"]:
        report("tiers[0].leverage_max", f"must be leverage_max, which is {numbers['leverage_max']}")
    _check_tiers(tiers, report)


def _check_fees_and_sizes(numbers: dict[str, int], report: Report) -> None:
    for field in ("maker_fee", "taker_fee"):
        if abs(numbers[field]) >= E8 // 100:
            report(field, f"must be below 1 % of notional, not {format_e8(numbers[field])}")
    if numbers["taker_fee"] < max(numbers["maker_fee"], 0):
        report("taker_fee", "must be at least the maker fee, and no rebate")
    for field in ("contracts_max_limit", "contracts_max_market"):
        if numbers[field] < numbers["contracts_min"]:
            report(field, f"must be at least contracts_min, which is {numbers['contracts_min']}")


def _check_prices(numbers: dict[str, int], report: Report) -> None:
    tick, contract = numbers["tick"], numbers["contract"]
    for field in ("tick", "contract", "reference_price"):
        if numbers[field] <= 0:
            report(field, f"must be above 0, not {format_e8(numbers[field])}")
    if not 0 < numbers["price_band"] < E8:
        report("price_band", f"must lie between 0 and 1, not {format_e8(numbers['price_band'])}")
    if tick > 0 and contract > 0 and tick * contract % E8:
        report("tick", f"times contract {format_e8(contract)} must be a whole number of 1e-8 USDT")
    if tick > 0 and numbers["reference_price"] % tick:
        report("reference_price", f"must be a multiple of the tick, which is {format_e8(tick)}")


def _check_tiers(tiers: tuple[RiskTier, ...], report: Report) -> None:
    for index, tier in enumerate(tiers):
        place = f"tiers[{index}]"
        if tier.maintenance_e8 <= 0 or tier.maintenance_e8 * tier.leverage_max > E8:
            report(f"{place}.maintenance", f"must be above 0 and at most 1/{tier.leverage_max}")
        if index == 0:
            continue
        above = tiers[index - 1]
        if tier.contracts_max <= above.contracts_max:
            report(f"{place}.contracts_max", f"must ascend, but follows {above.contracts_max}")
        if tier.leverage_max > above.leverage_max:
            report(f"{place}.leverage_max", f"must not rise, but follows {above.leverage_max}")
        if tier.maintenance_e8 <= above.maintenance_e8:
            report(f"{place}.maintenance", f"must ascend, but follows {format_e8(above.maintenance_e8)}")


def _build(row: Mapping[str, Any], numbers: dict[str, int], tiers: tuple[RiskTier, ...]) -> Instrument:
    return Instrument(
        symbol=row["symbol"],
        base=row["base"],
        tick_e8=numbers["tick"],
        contract_e8=numbers["contract"],
        contracts_min=numbers["contracts_min"],
        contracts_max_limit=numbers["contracts_max_limit"],
        contracts_max_market=numbers["contracts_max_market"],
        leverage_max=numbers["leverage_max"],
        leverage_default=numbers["leverage_default"],
        price_band_e8=numbers["price_band"],
        maker_fee_e8=numbers["maker_fee"],
        taker_fee_e8=numbers["taker_fee"],
        funding_interval_ns=numbers["funding_interval_hours"] * HOUR_NS,
        tiers=tiers,
        reference_ticks=numbers["reference_price"] // numbers["tick"],
        assumed=frozenset(INSTRUMENT_FIELDS.get(field, field) for field in row["assumed"]),
        status=row.get("status", OPEN),
    )
