"""Every metric there is, in one table: the node writes with it, schemas/metrics.yaml is made from it."""

from actors.control.metric_table.account import ACCOUNT
from actors.control.metric_table.market import MARKET
from actors.control.metric_table.metric import LABELS, PREFIX, Metric
from actors.control.metric_table.node import NODE
from actors.control.metric_table.orders import ORDERS

__all__ = ["LABELS", "PREFIX", "TABLE", "Metric"]

TABLE: dict[str, Metric] = {one.name: one for one in (*NODE, *MARKET, *ORDERS, *ACCOUNT)}
