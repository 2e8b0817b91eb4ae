"""A world in which everything has happened that replies tell of."""

from tests.unit.exchange.server.served_world import ETH, SECOND_NS, ServedWorld, settings_for


def busy_world() -> ServedWorld:
    """Return it: trades, a liquidation, funding, a closed position and a transfer lie behind it."""
    settings = {"participants": True, "accounts": settings_for().accounts, "funding_interval": 30 * SECOND_NS}
    world = ServedWorld(**settings)
    world.place("BUY", 5)
    world.place("BUY", 1, 79_000, clOrdId="rests")
    canceled = world.place("BUY", 1, 79_100)
    world.cancel(canceled["ordId"])
    world.place("SELL", 2, timeInForce="IOC", px=79_900)
    world.place("BUY", 1, key="bob")
    world.place("SELL", 1, key="bob")
    world.data("POST", "/accounts/transfer", body=transfer("SPOT", "FUTURES"))
    spot = {"symbol": "BTC_USDT", "side": "BUY"}
    world.data("POST", "/orders", body={**spot, "type": "MARKET", "amount": "100"})
    rests = {"type": "LIMIT", "quantity": "0.01", "price": "79000", "clientOrderId": "s-rests"}
    world.data("POST", "/orders", body={**spot, **rests})
    world.advance(31)
    fall(world)
    return world


def transfer(origin: str, destination: str) -> dict:
    return {"currency": "USDT", "amount": "10", "fromAccount": origin, "toAccount": destination}


def fall(world: ServedWorld) -> None:
    """Liquidate an isolated position of ann, and close one of hers in time."""
    isolated = {"mgnMode": "ISOLATED", "posSide": "BOTH"}
    world.data("POST", "/v3/position/leverage", body={"symbol": ETH, "lever": 50, "mgnMode": "ISOLATED"})
    world.place("BUY", 3, symbol=ETH, **isolated)
    world.price(1_900, ETH)
    world.advance(1)  # the price band follows the mark, and the participants the band
    world.place("BUY", 1, symbol=ETH, **isolated)
    world.data("POST", "/v3/trade/position", body={"symbol": ETH, "mgnMode": "ISOLATED"})
    world.advance(1)
