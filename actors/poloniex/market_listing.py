"""What Poloniex lists today, over REST: the questions in order, and the answers as `Listed` values.

A reading is a generator: it yields requests and is sent their answers, so that an actor asks through its line
and the command line through a pump. Source: docs/poloniex.md, Futures market data and Spot.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from actors.domain.instrument import OPEN
from actors.domain.listing import Listed
from actors.domain.money import E8, format_e8, scaled
from actors.poloniex.answers import OK, Answer, row_of, rows_of
from actors.poloniex.decoding import Malformed, Milliseconds, Name, Row, decoder_of
from actors.poloniex.market_rows import InstrumentRow, TierRow, read_instruments, read_tickers, read_tiers
from actors.poloniex.numbers import parse_decimal, parse_e8, parse_whole
from actors.poloniex.rate_budget import Limit
from actors.poloniex.request import Request, funding_rate, instruments, public, risk_tiers, tickers

__all__ = ["Reading", "read_perpetuals", "read_spot_markets"]

T = TypeVar("T")
Reading = Generator[Request, Answer, tuple[Listed, ...]]

MS_PER_HOUR = 3_600_000
SYMBOLS_MAX = 2_000  # of one answer; the venue lists a few hundred
STATES = {OPEN, "PAUSED", "CANCEL_ONLY", "CANCEL_CLOSE_ONLY", "CLOSED"}
SPOT_STATES = {"NORMAL": OPEN, "PAUSE": "PAUSED", "POST_ONLY": "POST_ONLY"}
UNKNOWN_STATE = "PAUSED"  # a word we do not know is no permission to trade
QUOTE = "USDT"
DECIMALS = 8
MODES = ("CROSS", "ISOLATED")  # whose tiers are taken, in this order, where both are told

INSTRUMENTS_PATH = "/v3/market/allInstruments"
TIERS_PATH = "/v3/market/riskLimit?symbol="
FUNDING_PATH = "/v3/market/fundingRate?symbol="
SPOT_PATH = "/markets"


class FundingRow(Row):
    """The last settlement and the next one, in ms."""

    fT: Milliseconds
    nFT: Milliseconds


class SpotLimits(Row):
    """What orders of a spot market must be like."""

    priceScale: int
    quantityScale: int
    minQuantity: str = "0"
    minAmount: str = "0"
    maxQuantity: str = "0"


class SpotMarketRow(Row):
    """One spot market."""

    symbol: Name
    baseCurrencyName: Name
    quoteCurrencyName: Name
    symbolTradeLimit: SpotLimits
    state: str = "NORMAL"


class SpotPriceRow(Row):
    """The last price of one spot market."""

    symbol: Name
    price: str = ""


_funding: msgspec.json.Decoder[list[FundingRow]] = decoder_of(list[FundingRow])
_spot_markets: msgspec.json.Decoder[list[SpotMarketRow]] = decoder_of(list[SpotMarketRow])
_spot_prices: msgspec.json.Decoder[list[SpotPriceRow]] = decoder_of(list[SpotPriceRow])


def read_perpetuals(symbols: frozenset[str] = frozenset()) -> Reading:
    """Read all linear USDT contracts with their tiers and funding intervals; of some symbols when given.

    Errors: Malformed when an answer is a refusal, or says what cannot be.
    """
    rows = read_instruments(_accepted((yield instruments()), "instruments"))
    prices = {row.s: row.mPx or row.c for row in read_tickers(_accepted((yield tickers()), "tickers"))}
    found = []
    for row in _bounded(rows):
        if row.ctType != "LINEAR" or row.sCcy != QUOTE or (symbols and row.symbol not in symbols):
            continue
        tiers = read_tiers(_accepted((yield risk_tiers(row.symbol)), f"risk tiers of {row.symbol}"))
        funding = _accepted((yield funding_rate(row.symbol)), f"funding rate of {row.symbol}")
        found.append(_perpetual(row, tiers, funding, prices.get(row.symbol, "")))
    return tuple(found)


def read_spot_markets(prices: Mapping[str, str], symbols: frozenset[str] = frozenset()) -> Reading:
    """Read spot markets against USDT, of some symbols when given.

    `prices` are what markets are counted at already: the smallest order in USDT becomes contracts by them.
    Errors: Malformed when an answer is a refusal, or says what cannot be.
    """
    answer = yield public(SPOT_PATH, limit=Limit.SPOT_HEAVY_PUBLIC)
    rows = rows_of(_accepted(answer, "spot markets"), _spot_markets, "spot markets")
    wanted = [
        row
        for row in _bounded(rows)
        if row.quoteCurrencyName == QUOTE and (not symbols or row.symbol in symbols)
    ]
    known = dict(prices)
    if any(row.symbol not in known for row in wanted):
        answer = _accepted((yield public("/markets/price", limit=Limit.SPOT_PUBLIC)), "spot prices")
        known = {row.symbol: row.price for row in rows_of(answer, _spot_prices, "spot prices")} | known
    return tuple(_spot(row, known.get(row.symbol, "")) for row in wanted)


def _accepted(answer: Answer, what: str) -> Answer:
    if answer.code != OK:
        raise Malformed(what, f"the venue refuses: {answer.code or answer.status} {answer.text}".strip())
    if answer.is_empty:
        raise Malformed(what, "the answer is empty")
    return answer


def _bounded(rows: list[T]) -> list[T]:
    if len(rows) > SYMBOLS_MAX:
        raise Malformed("listing", f"{len(rows)} rows are more than there can be")
    return rows


def _exact_e8(text: str) -> int:
    """Return decimal text in 1e-8. Errors: Malformed when it has more decimals than we can count in."""
    value = parse_e8(text)
    if Decimal(value) != scaled(parse_decimal(text)):
        raise Malformed("number", f"{text!r} has more than {DECIMALS} decimals")
    return value


def _perpetual(row: InstrumentRow, tiers: list[TierRow], funding: Answer, price: str) -> Listed:
    status = row.status if row.status in STATES else UNKNOWN_STATE
    try:
        values = _perpetual_values(row)
        origins = dict.fromkeys(values, INSTRUMENTS_PATH)
        told = _tiers(row.symbol, tiers)
        values |= {"leverage_max": told[0]["leverage_max"], "tiers": told}
        origins |= dict.fromkeys(("leverage_max", "tiers"), TIERS_PATH + row.symbol)
        values["leverage_default"] = min(parse_whole(row.lever), told[0]["leverage_max"])
        origins["leverage_default"] = INSTRUMENTS_PATH
        values["funding_interval_hours"] = _interval_hours(funding)
        origins["funding_interval_hours"] = FUNDING_PATH + row.symbol
        _check_steps(values["tick"], values["contract"])
        shown = format_e8(parse_e8(price)) if price else ""
    except Malformed as error:
        return Listed(row.symbol, row.bCcy, status, fault=str(error))
    return Listed(row.symbol, row.bCcy, status, values, origins, shown)


def _perpetual_values(row: InstrumentRow) -> dict[str, Any]:
    return {
        "tick": format_e8(_exact_e8(row.tSz)),
        "contract": format_e8(_exact_e8(row.ctVal)),
        "contracts_min": max(1, parse_whole(row.minQty), parse_whole(row.minSz)),
        "contracts_max_limit": parse_whole(row.limitMaxQty),
        "contracts_max_market": parse_whole(row.marketMaxQty),
        "price_band": format_e8(_exact_e8(row.ordPxRange)),
    }


def _tiers(symbol: str, rows: list[TierRow]) -> list[dict[str, Any]]:
    """Return the tiers of the margin mode we take, in the order of size. Errors: Malformed without any."""
    own = [row for row in rows if row.symbol == symbol]
    mode = next((mode for mode in MODES if any(row.mgnMode == mode for row in own)), "")
    found = sorted([row for row in own if row.mgnMode == mode], key=lambda row: parse_whole(row.maxSize))
    if not found:
        raise Malformed("risk tiers", f"none is about {symbol}")
    return [
        {
            "contracts_max": parse_whole(row.maxSize),
            "leverage_max": parse_whole(row.maxLever),
            "maintenance": format_e8(_exact_e8(row.mMRatio)),
        }
        for row in found
    ]


def _interval_hours(funding: Answer) -> int:
    row = row_of(funding, _funding, "funding rate")
    hours, rest = divmod(row.nFT - row.fT, MS_PER_HOUR)
    if hours < 1 or rest:
        raise Malformed("funding rate", f"settlements {row.nFT - row.fT} ms apart")
    return hours


def _check_steps(tick: str, contract: str) -> None:
    steps = parse_e8(tick) * parse_e8(contract)
    if parse_e8(tick) <= 0 or steps <= 0 or steps % E8:
        raise Malformed(
            "instrument", f"tick {tick} times contract {contract} is no whole number of 1e-8 USDT"
        )


def _spot(row: SpotMarketRow, price: str) -> Listed:
    status = SPOT_STATES.get(row.state, UNKNOWN_STATE)
    try:
        limits = row.symbolTradeLimit
        tick_e8, contract_e8 = _spot_steps(limits)
        price_e8 = _exact_e8(price) if price else 0
        values: dict[str, Any] = {"tick": format_e8(tick_e8), "contract": format_e8(contract_e8)}
        if price_e8:
            values["contracts_min"] = _spot_least(limits, contract_e8, price_e8)
        most = parse_e8(limits.maxQuantity) // contract_e8
        if most:
            values |= {"contracts_max_limit": most, "contracts_max_market": most}
    except Malformed as error:
        return Listed(row.symbol, row.baseCurrencyName, status, spot=True, fault=str(error))
    origins = dict.fromkeys(values, SPOT_PATH)
    return Listed(row.symbol, row.baseCurrencyName, status, values, origins, price, spot=True)


def _spot_steps(limits: SpotLimits) -> tuple[int, int]:
    """Return tick and contract in 1e-8: a contract is a step of the quantity, or enough for a whole tick."""
    if not 0 <= limits.priceScale <= DECIMALS or not 0 <= limits.quantityScale <= 18:
        raise Malformed("spot market", f"scales {limits.priceScale} and {limits.quantityScale}")
    quantity_scale = min(limits.quantityScale, DECIMALS - limits.priceScale)
    return int(10 ** (DECIMALS - limits.priceScale)), int(10 ** (DECIMALS - quantity_scale))


def _spot_least(limits: SpotLimits, contract_e8: int, price_e8: int) -> int:
    by_quantity = -(-parse_e8(limits.minQuantity) // contract_e8)
    by_amount = -(-parse_e8(limits.minAmount) * E8 // (contract_e8 * price_e8))
    return max(1, by_quantity, by_amount)
