"""The rules there are, in the order in which they are asked. A new one is a file and a word here."""

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
    spot_inventory,
    stale_data,
)

__all__ = ["RULES"]

RULES: tuple[Rule, ...] = (
    *(order_form.RULE, duplicate_intent.RULE, not_reconciled.RULE, reduce_only.RULE),
    *(spot_inventory.RULE, halted.RULE),
    *(stale_data.RULE, account_unknown.RULE, daily_loss.RULE),
    *(order_contracts.RULE, order_notional.RULE, price_band.RULE),
    *(open_orders.RULE, open_trades.RULE, position_contracts.RULE, position_notional.RULE),
    *(leverage.RULE, margin.RULE, order_rate.RULE),
)
