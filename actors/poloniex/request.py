"""What a REST request is before it is signed and sent, and the requests for market data.

Source: docs/poloniex.md, REST.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

from actors.poloniex.rate_budget import Limit
from actors.runtime.pumps.messages import HttpRequest

__all__ = [
    "CANDLE_INTERVALS",
    "Request",
    "candles",
    "funding_history",
    "funding_rate",
    "instruments",
    "order_book",
    "price_candles",
    "query_text",
    "risk_tiers",
    "server_time",
    "tickers",
    "to_http",
    "trades",
]

UNENCODED = "~()*!'"  # what encodeURIComponent leaves alone; the venue's own clients do the same
MINUTE = 60_000_000_000

# Documented for every kind of candle, longest first.
CANDLE_INTERVALS: dict[int, str] = {
    7 * 1440 * MINUTE: "WEEK_1",
    3 * 1440 * MINUTE: "DAY_3",
    1440 * MINUTE: "DAY_1",
    720 * MINUTE: "HOUR_12",
    480 * MINUTE: "HOUR_8",
    240 * MINUTE: "HOUR_4",
    120 * MINUTE: "HOUR_2",
    60 * MINUTE: "HOUR_1",
    30 * MINUTE: "MINUTE_30",
    15 * MINUTE: "MINUTE_15",
    5 * MINUTE: "MINUTE_5",
    MINUTE: "MINUTE_1",
}

PRICE_CANDLES = {
    "mark": "/v3/market/markPriceCandlesticks",
    "index": "/v3/market/indexPriceCandlesticks",
    "premium": "/v3/market/premiumIndexCandlesticks",
}

Query = tuple[tuple[str, str], ...]


class Request(NamedTuple):
    """One REST request. `changes`: it places, cancels or sets something, so a lost answer leaves a doubt."""

    method: str
    path: str
    limit: str
    query: Query = ()
    body: str | None = None
    changes: bool = False
    signed: bool = False

    @property
    def spot(self) -> bool:
        """Answers of spot paths have no envelope."""
        return not self.path.startswith("/v3/")


def query_text(query: Query) -> str:
    """Return a query as it is sent: percent-encoded pairs in the order given."""
    return "&".join([f"{name}={quote(text, safe=UNENCODED)}" for name, text in query])


def to_http(
    request: Request, request_id: str, host: str, headers: tuple[tuple[str, str], ...], timeout_ns: int
) -> HttpRequest:
    """Return the message for the HTTP pump. `host` is `https://...` without a slash at its end."""
    url = host + request.path
    if request.query:
        url = url + "?" + query_text(request.query)
    body = b"" if request.body is None else request.body.encode()
    return HttpRequest(request_id, request.method, url, headers, body, timeout_ns)


def public(path: str, *query: tuple[str, str], limit: str = Limit.PUBLIC) -> Request:
    """Return an unsigned GET; pairs with an empty value are left out."""
    return Request("GET", path, limit, tuple([pair for pair in query if pair[1]]))


def server_time() -> Request:
    """The venue's clock."""
    return public("/timestamp", limit=Limit.SPOT_PUBLIC)


def instruments(symbol: str = "") -> Request:
    """Specification of all contracts, or of one."""
    return public("/v3/market/allInstruments", ("symbol", symbol))


def tickers(symbol: str = "") -> Request:
    """Last price, best bid and ask, mark and index of all contracts, or of one."""
    return public("/v3/market/tickers", ("symbol", symbol))


def order_book(symbol: str, levels: int = 10) -> Request:
    """The book; levels: 5, 10, 20, 100 or 150."""
    return public("/v3/market/orderBook", ("symbol", symbol), ("limit", str(levels)))


def candles(symbol: str, interval: str, from_ms: int, to_ms: int, count: int) -> Request:
    """Bars whose start lies between two instants, at most 500."""
    return public(
        "/v3/market/candles",
        ("symbol", symbol),
        ("interval", interval),
        ("sTime", str(from_ms)),
        ("eTime", str(to_ms)),
        ("limit", str(count)),
        limit=Limit.CANDLES,
    )


def price_candles(kind: str, symbol: str, interval: str, from_ms: int, to_ms: int, count: int) -> Request:
    """Bars of a price that nobody trades at: kind `mark`, `index` or `premium`; at most 500."""
    return candles(symbol, interval, from_ms, to_ms, count)._replace(path=PRICE_CANDLES[kind])


def funding_history(symbol: str, from_ms: int, to_ms: int, count: int) -> Request:
    """Settled rates between two instants, at most 100, newest first; the first at most 180 days ago."""
    return public(
        "/v3/market/fundingRate/history",
        ("symbol", symbol),
        ("sT", str(from_ms)),
        ("eT", str(to_ms)),
        ("limit", str(count)),
    )


def trades(symbol: str, count: int) -> Request:
    """The newest trades of the market, newest first, at most 1000."""
    return public("/v3/market/trades", ("symbol", symbol), ("limit", str(count)))


def funding_rate(symbol: str) -> Request:
    """The rate settled last and the one expected next."""
    return public("/v3/market/fundingRate", ("symbol", symbol))


def risk_tiers(symbol: str) -> Request:
    """Leverage and maintenance margin by size of position, for everybody."""
    return public("/v3/market/riskLimit", ("symbol", symbol))
