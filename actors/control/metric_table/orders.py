"""Metrics of orders: from the wish of a strategy to the last fill, and the exchange that paper trades at."""

from __future__ import annotations

from actors.control.metric_table.metric import COUNTER, GAUGE, HISTOGRAM, Metric, group

__all__ = ["ORDERS"]

DECIDES = "What do strategies want, and do they get it?"
ALLOWED = "How many wishes pass risk, and how many orders does the venue refuse?"
THROUGH = "Do orders get through, and is the fate of each known?"
SPEED = "How long does each stage of an order take, and what does it cost?"
FAR_SIDE = "What does the exchange of a rehearsal do?"

STRATEGIES = ("strategy.*",)

ORDERS: tuple[Metric, ...] = (
    *group(
        DECIDES,
        STRATEGIES,
        [
            ("strategy_net_contracts", GAUGE, "Position that the strategy's own fills have left."),
            ("strategy_bars", COUNTER, "Bars the strategy has seen."),
            ("strategy_intents", COUNTER, "Orders the strategy has wished for."),
            ("strategy_denials", COUNTER, "Wishes that risk denied, since the strategy started."),
            ("strategy_orders_unresolved", GAUGE, "Orders of the strategy that have no end yet."),
        ],
    ),
    *group(
        ALLOWED,
        ("risk",),
        [
            ("risk_allowed", COUNTER, "Intents that risk allowed."),
            ("risk_denied", COUNTER, "Intents that risk denied."),
            ("risk_rejects", COUNTER, "Orders that the venue refused."),
            ("risk_orders_reserved", GAUGE, "Live orders that limits are reserved for."),
        ],
    ),
    *group(
        THROUGH,
        ("oms",),
        [
            ("oms_orders_live", GAUGE, "Orders at the venue, or on their way there or back."),
            ("oms_parents_live", GAUGE, "Parent orders that are not over."),
            ("oms_orders_in_doubt", GAUGE, "Orders whose outcome is not known."),
            ("oms_orders_submitted", COUNTER, "Orders sent to the venue since the journal began."),
            ("oms_fills", COUNTER, "Fills booked since the journal began."),
            ("oms_anomalies", GAUGE, "Reports that fit no order's state and wait for the reconciler."),
            ("oms_repeats", COUNTER, "Reports that came more than once."),
            ("oms_strangers", COUNTER, "Reports of orders that are not ours."),
        ],
    ),
    Metric(
        "oms_stage_latency_seconds",
        HISTOGRAM,
        "Time each stage of an order took, since the node started.",
        SPEED,
        ("actor", "stage"),
        ("oms",),
        "after the first order",
    ),
    Metric(
        "oms_stage_latency_max_seconds",
        GAUGE,
        "Longest time a stage took since the node started.",
        SPEED,
        ("actor", "stage"),
        ("oms",),
        "after the first order",
    ),
    *group(
        SPEED,
        ("oms",),
        [
            ("oms_cost_decision_usdt", GAUGE, "What fills cost against the middle when they were decided."),
            ("oms_cost_arrival_usdt", GAUGE, "What fills cost against the middle when the order left."),
            ("oms_fills_measured", COUNTER, "Fills in these costs, since the node started."),
        ],
    ),
    *group(
        FAR_SIDE,
        ("exchange", "exchange.spot"),
        [
            ("exchange_open_orders", GAUGE, "Orders that rest in the exchange's books."),
            ("exchange_orders", COUNTER, "Orders the exchange has taken."),
            ("exchange_trades", COUNTER, "Trades the exchange has made."),
        ],
    ),
    *group(
        FAR_SIDE,
        ("exchange",),
        [
            ("exchange_fees_usdt", GAUGE, "Fees the exchange has taken, less rebates."),
            ("exchange_insurance_usdt", GAUGE, "What the exchange's insurance fund holds."),
        ],
    ),
)
