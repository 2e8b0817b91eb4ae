"""The rules there are, in the order in which they are asked. A new one is a file and a row."""

from actors.risk.rule import Rule
from actors.risk.rules import (
    account_unknown,
    daily_loss,
    duplicate_intent,
    halted,
    leverage,
    margin,
    not_reconciled,
    open_orders,
    open_trades,
    order_contracts,
    order_form,
    order_notional,
    order_rate,
    position_contracts,
    position_notional,
    price_band,
    reduce_only,
    stale_data,
)

__all__ = ["RULES"]

RULES: tuple[Rule, ...] = (
    Rule("order_form", order_form.make, binds_reducing=True),
    Rule("duplicate_intent", duplicate_intent.make, binds_reducing=True),
    Rule("not_reconciled", not_reconciled.make, binds_reducing=True),
    Rule("halted", halted.make),
    Rule("reduce_only", reduce_only.make, binds_reducing=True),
    Rule("stale_data", stale_data.make),
    Rule("account_unknown", account_unknown.make),
    Rule("daily_loss", daily_loss.make),
    Rule("order_contracts", order_contracts.make, binds_reducing=True),
    Rule("order_notional", order_notional.make),
    Rule("price_band", price_band.make, binds_reducing=True),
    Rule("open_orders", open_orders.make),
    Rule("open_trades", open_trades.make),
    Rule("position_contracts", position_contracts.make),
    Rule("position_notional", position_notional.make),
    Rule("leverage", leverage.make),
    Rule("margin", margin.make),
    Rule("order_rate", order_rate.make),
)
