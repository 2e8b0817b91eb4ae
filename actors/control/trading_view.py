"""Markets, orders, positions and money of a node, put together from what its actors say of themselves.

Nothing here knows an actor's class: a description is read by the keys in it, which docs/cli.md lists. An
actor that says nothing of a topic is not part of it; an actor of a new kind that uses the same keys is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from actors.domain.instrument import Instrument

__all__ = ["Instruments", "trading_view"]

Instruments = Mapping[str, Instrument]
Descriptions = Mapping[str, Any]

ORDERS_SHOWN = 50  # in a view; `inspect` shows an actor's whole description
ORDER_KEYS = ("unknown_orders", "open_orders", "orders")
MARKET_KEYS = frozenset({"bid_ticks", "ask_ticks", "mark_ticks", "price_ticks"})
ORDER_FIELDS = (
    *("client_order_id", "intent_id", "strategy", "symbol", "side", "order_type", "contracts"),
    *("filled_contracts", "limit_ticks", "reduce_only", "state", "submitted_at_ns"),
)
POSITION_FIELDS = (
    *("symbol", "net_contracts", "cost_ticks", "mark_ticks", "unrealised_usdt", "realised_usdt"),
    *("fees_usdt", "funding_usdt", "fills_count"),
)
ACCOUNT_FIELDS = (
    *("account", "cash_usdt", "equity_usdt", "unrealised_usdt", "realised_usdt", "fees_usdt", "funding_usdt"),
    *("initial_usdt", "adjusted_usdt", "margin_usdt_used", "margin_usdt_maintenance"),
    *("day_start_equity_usdt", "equity_peak_usdt", "fills_count"),
)

BREADTH = ("all", "account", "symbol", "strategy")  # scopes of halts, from the widest
ALERT_FIELDS = (
    *("name", "key", "severity", "source", "summary", "raised_at", "silenced"),
    *("acknowledged_by", "acknowledged_reason", "acknowledged_until", "escalates_at", "escalates_to"),
)


def trading_view(descriptions: Descriptions, instruments: Instruments) -> dict[str, Any]:
    """Return markets, orders, positions, accounts, reconciliations, halts, alerts and counts."""
    known = {name: said for name, said in descriptions.items() if isinstance(said, dict)}
    accounts = list(_accounts(known))
    orders = list(_orders(known, instruments))
    return {
        "markets": _markets(known, instruments),
        "orders": orders[:ORDERS_SHOWN],
        "orders_live": sum(said.get("orders_live", 0) for said in known.values()) or len(orders),
        "positions": list(_positions(known, instruments)),
        "accounts": accounts,
        "reconciliations": list(_reconciliations(known)),
        "halts": sorted(_halts(known), key=_breadth),
        "alerts": [
            {key: alert.get(key, "") for key in ALERT_FIELDS}
            for said in known.values()
            for alert in _dicts(said.get("active"))
        ],
        "totals": _totals(known, accounts),
    }


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the dicts of a list, or of a dict's values with their key as `symbol`."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict):
                yield {"symbol": key, **item}
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _picked(found: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    return {name: found[name] for name in fields if name in found}


# -- markets -------------------------------------------------------------------------------------------


def _markets(known: Descriptions, instruments: Instruments) -> list[dict[str, Any]]:
    """Merge what several actors say of a symbol; who speaks first is believed (feeds are declared first)."""
    markets: dict[str, dict[str, Any]] = {}
    for address, said in known.items():
        for spoken in _spoken_markets(address, said, instruments):
            symbol = str(spoken["symbol"])
            market = markets.setdefault(symbol, {"symbol": symbol, "source": address, "state": "live"})
            for name, value in spoken.items():
                if isinstance(value, int | str | float) and name != "state":
                    market.setdefault(name, value)
    for said in known.values():
        for symbol, reason in _stale_feeds(said):
            if symbol in markets:
                markets[symbol] |= {"state": "stale", "state_reason": reason}
    return [_priced(market, instruments) for market in markets.values()]


def _spoken_markets(address: str, said: dict[str, Any], instruments: Instruments) -> Iterator[dict[str, Any]]:
    """Yield what an actor says of markets; one per symbol may leave the symbol to its address."""
    if MARKET_KEYS & said.keys():
        symbol = said.get("symbol") or address.rpartition("/")[2]
        if "symbol" in said or symbol in instruments:
            yield {**said, "symbol": symbol}
    for key in ("markets", "quotes", "symbols"):
        for market in _dicts(said.get(key)):
            if "symbol" in market and MARKET_KEYS & market.keys():
                yield market


def _stale_feeds(said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the symbols whose data nobody trades on, and why."""
    stale = said.get("feeds_stale")
    if isinstance(stale, dict):
        yield from ((symbol, str(reason)) for symbol, reason in stale.items() if reason)
    state = said.get("state", said.get("feed"))
    if "symbol" in said and state in ("late", "frozen", "silent", "stale"):
        yield str(said["symbol"]), str(said.get("state_reason", state))


def _priced(market: dict[str, Any], instruments: Instruments) -> dict[str, Any]:
    """Add prices as text beside the ticks: `bid_ticks` -> `bid`."""
    instrument = instruments.get(market["symbol"])
    if instrument is not None:
        for name in [name for name in market if name.endswith("_ticks")]:
            if isinstance(market[name], int) and market[name]:
                market[name.removesuffix("_ticks")] = instrument.price_text(market[name])
    return market


# -- orders, positions, money --------------------------------------------------------------------------


def _orders(known: Descriptions, instruments: Instruments) -> Iterator[dict[str, Any]]:
    for address, said in known.items():
        if "orders_live" not in said:  # only who owns orders says how many live
            continue
        for key in ORDER_KEYS:
            for order in _dicts(said.get(key)):
                shown = {"owner": address, **_picked(order, ORDER_FIELDS)}
                instrument = instruments.get(str(order.get("symbol")))
                if instrument is not None and order.get("limit_ticks"):
                    shown["limit"] = instrument.price_text(order["limit_ticks"])
                yield shown


def _positions(known: Descriptions, instruments: Instruments) -> Iterator[dict[str, Any]]:
    for address, said in known.items():
        if "equity_usdt" not in said or "account" not in said:
            continue
        for position in _dicts(said.get("positions")):
            if not position.get("net_contracts"):
                continue
            shown = {"account": said["account"], "owner": address, **_picked(position, POSITION_FIELDS)}
            instrument = instruments.get(str(position.get("symbol")))
            if instrument is not None:
                _value(shown, instrument)
            yield shown


def _value(position: dict[str, Any], instrument: Instrument) -> None:
    """Add the average entry price, the mark and the notional."""
    net, cost, mark = position["net_contracts"], position.get("cost_ticks", 0), position.get("mark_ticks", 0)
    if net and cost:
        position["entry"] = instrument.price_text(abs(cost) // abs(net))
    if mark:
        position["mark"] = instrument.price_text(mark)
        position["notional_usdt"] = instrument.notional(net, mark)


def _accounts(known: Descriptions) -> Iterator[dict[str, Any]]:
    """Yield what each account is worth. Profit is equity less all that was paid in, in 1e-8 USDT."""
    for address, said in known.items():
        if "equity_usdt" not in said or "account" not in said or "cash_usdt" not in said:
            continue
        if "initial_usdt" not in said:  # the exchange's own books: not ours to report
            continue
        account = {"owner": address, **_picked(said, ACCOUNT_FIELDS)}
        paid_in = said["initial_usdt"] + said.get("adjusted_usdt", 0)
        account["profit_usdt"] = said["equity_usdt"] - paid_in
        account["profit_today_usdt"] = said["equity_usdt"] - said.get("day_start_equity_usdt", paid_in)
        yield account


def _reconciliations(known: Descriptions) -> Iterator[dict[str, Any]]:
    for address, said in known.items():
        if "agrees" in said:
            fields = ("account", "agrees", "differences", "finished_at_ns", "at_ns", "reconciled_at_ns")
            yield {"actor": address, **_picked(said, fields)}


def _halts(known: Descriptions) -> Iterator[dict[str, Any]]:
    for address, said in known.items():
        halts = said.get("halts")
        if isinstance(halts, dict):  # scope -> [level, who, reason]
            for scope, told in halts.items():
                names = ("level", "by", "reason")
                found = dict(zip(names, told, strict=False)) if isinstance(told, list) else {"reason": told}
                yield {"actor": address, "scope": scope, **found}
        elif isinstance(halts, list):
            yield from ({"actor": address, **halt} for halt in halts if isinstance(halt, dict))


def _breadth(halt: dict[str, Any]) -> int:
    """Order halts by what they stop: everything first."""
    kind = str(halt["scope"]).partition("/")[0]
    return BREADTH.index(kind) if kind in BREADTH else len(BREADTH)


def _totals(known: Descriptions, accounts: list[dict[str, Any]]) -> dict[str, Any]:
    """Count over all actors since the accounts began; money in 1e-8 USDT."""

    def total(*names: str) -> int:
        found = (next((said[name] for name in names if name in said), 0) for said in known.values())
        return sum(count for count in found if isinstance(count, int))

    verdicts = [said["agrees"] for said in known.values() if "agrees" in said]
    return {
        "orders": total("orders_submitted"),
        "fills": sum(account.get("fills_count", 0) for account in accounts),
        "denials": total("denied_count"),
        "equity_usdt": sum(account.get("equity_usdt", 0) for account in accounts),
        "profit_usdt": sum(account["profit_usdt"] for account in accounts),
        "fees_usdt": sum(account.get("fees_usdt", 0) for account in accounts),
        "ledger_agrees": bool(verdicts) and all(verdicts),
    }
