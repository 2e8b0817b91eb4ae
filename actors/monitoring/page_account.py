"""Money, limits and orders of the accounts."""

from __future__ import annotations

from actors.monitoring.panels import Dashboard, graph, rate_of, stage_quantile

__all__ = ["ACCOUNT"]

ACCOUNT = Dashboard(
    "account",
    "Polytrade: account and orders",
    (
        graph(
            "What the account is worth",
            "currencyUSD",
            ("polytrade_ledger_equity_usdt{SEL}", "{{actor}} equity"),
            ("polytrade_ledger_cash_usdt{SEL}", "{{actor}} cash"),
        ),
        graph(
            "Profit and loss",
            "currencyUSD",
            ("polytrade_ledger_realised_usdt{SEL}", "{{actor}} realised"),
            ("polytrade_ledger_unrealised_usdt{SEL}", "{{actor}} open"),
            ("polytrade_ledger_day_profit_usdt{SEL}", "{{actor}} today"),
        ),
        graph(
            "Fees and funding",
            "currencyUSD",
            ("polytrade_ledger_fees_usdt{SEL}", "{{actor}} fees"),
            ("polytrade_ledger_funding_usdt{SEL}", "{{actor}} funding"),
            says="Paid is positive.",
        ),
        graph(
            "Margin",
            "currencyUSD",
            ("polytrade_ledger_margin_used_usdt{SEL}", "{{actor}} used"),
            ("polytrade_ledger_margin_maintenance_usdt{SEL}", "{{actor}} maintenance"),
            ("polytrade_ledger_equity_usdt{SEL}", "{{actor}} equity"),
            says="The venue liquidates when equity falls below maintenance.",
        ),
        graph(
            "Limits used",
            "percentunit",
            ("polytrade_risk_limit_used_ratio{SEL}", "{{actor}} {{limit}}"),
            says="1 less this is the room left.",
            warn=0.8,
            bad=1,
        ),
        graph(
            "Exposure and drawdown",
            "currencyUSD",
            ("polytrade_risk_exposure_usdt{SEL}", "{{actor}} exposure"),
            ("polytrade_ledger_drawdown_usdt{SEL}", "{{actor}} drawdown"),
        ),
        graph(
            "Halts",
            "none",
            ("sum by (actor, level) (polytrade_risk_halts{SEL})", "{{actor}} {{level}}"),
            bad=1,
        ),
        graph(
            "Positions by strategy",
            "none",
            ("polytrade_strategy_net_contracts{SEL}", "{{actor}}"),
            says="In contracts; positive is long.",
        ),
        graph(
            "Orders a second",
            "ops",
            (
                rate_of("oms_orders_submitted"),
                "{{actor}} sent",
            ),
            (rate_of("oms_fills"), "{{actor}} fills"),
        ),
        graph(
            "Orders live and unknown",
            "none",
            ("polytrade_oms_orders_live{SEL}", "{{actor}} live"),
            ("polytrade_oms_parents_live{SEL}", "{{actor}} parents"),
            ("polytrade_oms_orders_in_doubt{SEL}", "{{actor}} unknown"),
        ),
        graph(
            "Refused by us, refused by the venue",
            "percentunit",
            (
                f"{rate_of('risk_denied')} / {rate_of('risk_denied', 'risk_allowed')}",
                "{{actor}} denied",
            ),
            (
                f"{rate_of('risk_rejects')} / {rate_of('risk_allowed')}",
                "{{actor}} rejected",
            ),
            bad=0.5,
        ),
        graph("Stages of an order, half of them", "s", (stage_quantile(0.5), "{{stage}}")),
        graph(
            "Stages of an order, 99 in 100",
            "s",
            (stage_quantile(0.99), "{{stage}}"),
            says="`polytrade tca` splits it by strategy and symbol.",
        ),
        graph(
            "What fills cost",
            "currencyUSD",
            ("polytrade_oms_cost_arrival_usdt{SEL}", "{{actor}} against arrival"),
            ("polytrade_oms_cost_decision_usdt{SEL}", "{{actor}} against decision"),
            says="Positive is paid, since the node started.",
        ),
        graph(
            "Differences to the venue",
            "none",
            ("polytrade_reconciler_differences{SEL}", "{{actor}} differences"),
            ("polytrade_reconciler_symbols_drifting{SEL}", "{{actor}} positions"),
            bad=1,
        ),
        graph(
            "Since books agreed last",
            "s",
            ("time() - (polytrade_reconciler_agreed_timestamp_seconds{SEL} > 0)", "{{actor}}"),
        ),
        graph(
            "Fills that came twice or fit nowhere",
            "none",
            ("polytrade_ledger_fills_duplicate_total{SEL}", "{{actor}} twice"),
            ("polytrade_ledger_fills_set_aside_total{SEL}", "{{actor}} set aside"),
            ("polytrade_oms_anomalies{SEL}", "{{actor}} odd reports"),
        ),
    ),
)
