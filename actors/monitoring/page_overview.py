"""The first page: how is it, in twelve numbers and six pictures."""

from __future__ import annotations

from actors.monitoring.panels import Dashboard, graph, stat, table

__all__ = ["OVERVIEW"]

OVERVIEW = Dashboard(
    "overview",
    "Polytrade: overview",
    (
        stat(
            "Ready",
            "bool_yes_no",
            "min(polytrade_node_ready{SEL})",
            "All actors have recovered and agree.",
            bad=1,
            lower_is_worse=True,
        ),
        stat("Pages", "none", "sum(polytrade_alerter_alerts_page{SEL})", "Alerts that wake somebody.", bad=1),
        stat(
            "Tickets",
            "none",
            "sum(polytrade_alerter_alerts_ticket{SEL})",
            "Alerts that wait for the morning.",
            warn=1,
        ),
        stat(
            "Halts",
            "none",
            "sum(polytrade_risk_halts{SEL})",
            "While one is in force nothing is opened in its scope.",
            warn=1,
        ),
        stat(
            "Orders unknown",
            "none",
            "sum(polytrade_oms_orders_in_doubt{SEL})",
            "They may or may not rest at the venue.",
            bad=1,
        ),
        stat(
            "Generation",
            "none",
            "max(polytrade_node_generation{SEL})",
            "Number of the configuration that runs.",
        ),
        stat("Equity", "currencyUSD", "sum(polytrade_ledger_equity_usdt{SEL})", "Of all accounts, in USDT."),
        stat(
            "Profit today",
            "currencyUSD",
            "sum(polytrade_ledger_day_profit_usdt{SEL})",
            "Since 00:00 UTC, in USDT.",
            bad=0,
            lower_is_worse=True,
        ),
        stat(
            "Drawdown",
            "currencyUSD",
            "sum(polytrade_ledger_drawdown_usdt{SEL})",
            "From the peaks of the accounts, in USDT.",
        ),
        stat(
            "Fullest limit",
            "percentunit",
            "max(polytrade_risk_limit_used_ratio{SEL})",
            "1 is the limit.",
            warn=0.8,
            bad=1,
        ),
        stat(
            "Oldest data",
            "s",
            "max(time() - (polytrade_feed_source_timestamp_seconds{SEL} > 0))",
            "Of all symbols.",
            warn=5,
            bad=30,
        ),
        stat(
            "Books agree",
            "bool_yes_no",
            "min(polytrade_reconciler_agrees{SEL})",
            "With the venue's, at the last comparison.",
            bad=1,
            lower_is_worse=True,
        ),
        graph("Equity by account", "currencyUSD", ("polytrade_ledger_equity_usdt{SEL}", "{{actor}}")),
        table(
            "Alerts that hold",
            "sum by (alert, severity) (polytrade_alerter_alerts_firing{SEL}) > 0",
            "`polytrade incident` says more; each has a runbook.",
        ),
        graph(
            "Limits used",
            "percentunit",
            ("max by (limit) (polytrade_risk_limit_used_ratio{SEL})", "{{limit}}"),
            says="The fullest of each, over all accounts.",
            warn=0.8,
            bad=1,
        ),
        graph(
            "Budget left of each promise",
            "percentunit",
            ("slo:budget_left:ratio{SEL}", "{{slo}}"),
            says="Of 30 days; below 0 the promise is broken.",
            bad=0,
            lower_is_worse=True,
        ),
        graph(
            "How fast budgets burn",
            "none",
            ("slo:errors:ratio_rate1h{SEL} / on (slo) group_left () (1 - slo:objective:ratio)", "{{slo}}"),
            says="1 uses up a budget in exactly 30 days; from 14.4 on somebody is paged.",
            warn=3,
            bad=14.4,
        ),
        table(
            "Days since each drill passed",
            "sort_desc((time() - max by (drill) (polytrade_drill_passed_timestamp_seconds{SEL})) / 86400)",
            "An older proof than 90 days is none.",
            "d",
        ),
    ),
)
