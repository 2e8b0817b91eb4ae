"""Metrics of money and safety: books, agreement with the venue, limits, halts, alerts, secrets."""

from __future__ import annotations

from actors.control.metric_table.metric import COUNTER, GAUGE, Metric, group

__all__ = ["ACCOUNT"]

MONEY = "What is the account worth, and what does it earn or lose?"
MARGIN = "How far is the account from liquidation?"
AGREES = "Do our books agree with the venue's?"
HEADROOM = "How much room is left to the limits?"
HALTED = "Is trading halted?"
TOLD = "What fires, and does it reach anybody?"
KEYS = "Are the secrets in order?"
MODEL = "Is what happens what the model says?"

ACCOUNT: tuple[Metric, ...] = (
    *group(
        MONEY,
        ("ledger",),
        [
            ("ledger_cash_usdt", GAUGE, "Cash of the account; at a spot account, the money without coins."),
            ("ledger_equity_usdt", GAUGE, "Cash and open profit."),
            ("ledger_realised_usdt", GAUGE, "Profit of what was closed, before fees and funding."),
            ("ledger_unrealised_usdt", GAUGE, "Profit of what is open, at the mark."),
            ("ledger_day_profit_usdt", GAUGE, "Equity less what it was at 00:00 UTC."),
            ("ledger_drawdown_usdt", GAUGE, "What equity has fallen from its peak."),
            ("ledger_fees_usdt", GAUGE, "Fees paid, less rebates."),
            ("ledger_funding_usdt", GAUGE, "Funding paid; negative is received."),
            ("ledger_fills", COUNTER, "Fills booked."),
            ("ledger_fills_duplicate", COUNTER, "Fills that came again and were not booked twice."),
            ("ledger_fills_set_aside", COUNTER, "Fills that could not be booked."),
            ("ledger_positions", GAUGE, "Symbols with a position."),
            ("ledger_positions_unmarked", GAUGE, "Positions without a mark, which equity leaves out."),
        ],
    ),
    *group(
        MARGIN,
        ("ledger",),
        [
            ("ledger_margin_used_usdt", GAUGE, "Initial margin of what is open."),
            ("ledger_margin_maintenance_usdt", GAUGE, "Equity below which the venue liquidates."),
        ],
    ),
    *group(
        AGREES,
        ("reconciler",),
        [
            ("reconciler_agrees", GAUGE, "1 when the last comparison found no difference."),
            (
                "reconciler_agreed_timestamp_seconds",
                GAUGE,
                "Date of the venue's last statement we agreed with.",
            ),
            ("reconciler_differences", GAUGE, "Differences in the last comparison."),
            ("reconciler_symbols_drifting", GAUGE, "Symbols whose position differs from the venue's."),
            ("reconciler_symbols_stopped", GAUGE, "Symbols halted because of a difference."),
            ("reconciler_rounds", COUNTER, "Comparisons with the venue."),
            ("reconciler_disagreements", COUNTER, "Comparisons that found a difference."),
            ("reconciler_resolutions", COUNTER, "Differences that were put right."),
        ],
    ),
    *group(
        HALTED,
        ("risk",),
        [
            ("risk_halts", GAUGE, "Halts in force, by how far they go.", "level"),
        ],
    ),
    Metric(
        "risk_limit_used_ratio",
        GAUGE,
        "How much of a limit is used; 1 is the limit, 1 less this is the room left.",
        HEADROOM,
        ("actor", "limit"),
        ("risk",),
        "for limits that are set, once the account is known",
    ),
    *group(
        HEADROOM,
        ("risk",),
        [
            ("risk_exposure_usdt", GAUGE, "Value of positions if live orders fill against us."),
            ("risk_feeds_stale", GAUGE, "Symbols in which nothing is opened because their feed is stale."),
        ],
    ),
    *group(
        HEADROOM,
        ("portfolio",),
        [
            ("portfolio_accounts_known", GAUGE, "Accounts that have told what they are worth."),
            ("portfolio_symbols_correlated", GAUGE, "Symbols whose correlation is known."),
        ],
    ),
    Metric(
        "alerter_alerts_firing",
        GAUGE,
        "Alerts that hold, by name and severity.",
        TOLD,
        ("actor", "alert", "severity"),
        ("alerter",),
        "while an alert holds",
    ),
    *group(
        TOLD,
        ("alerter",),
        [
            ("alerter_alerts_info", GAUGE, "Alerts that hold and are for information."),
            ("alerter_alerts_ticket", GAUGE, "Alerts that hold and wait for the morning."),
            ("alerter_alerts_page", GAUGE, "Alerts that hold and wake somebody."),
            ("alerter_alerts_acknowledged", GAUGE, "Alerts that hold and that somebody takes care of."),
            ("alerter_silences", GAUGE, "Silences that operators have made and that are in force."),
            ("alerter_alerts_dropped", COUNTER, "Alerts for which there was no room."),
            ("alerter_deliveries_waiting", GAUGE, "Notifications on their way to a channel."),
            ("alerter_deliveries_failed", COUNTER, "Notifications given up."),
            ("alerter_notifications", COUNTER, "Notifications sent."),
        ],
    ),
    *group(
        TOLD,
        ("alerter",),
        [
            ("alerter_route_waiting", GAUGE, "Notifications on their way on this route."),
            ("alerter_route_delivered", COUNTER, "Notifications that the far side has taken."),
            ("alerter_route_failed", COUNTER, "Notifications given up on this route."),
        ],
        labels=("route",),
    ),
    *group(
        KEYS,
        ("secrets",),
        [
            ("secrets_secrets", GAUGE, "Secrets that are watched."),
            ("secrets_in_trouble", GAUGE, "Secrets that cannot be confirmed or were refused."),
            ("secrets_waiting", GAUGE, "Secrets with a new version that is not in use yet."),
            ("secrets_adopted", COUNTER, "New versions taken into use."),
        ],
    ),
    *group(
        MODEL,
        ("parity",),
        [
            ("parity_measurements", COUNTER, "Days compared with the model."),
            ("parity_failures", COUNTER, "Comparisons that failed."),
        ],
    ),
    *(
        one._replace(appears="after the first measurement")
        for one in group(
            MODEL,
            ("parity",),
            [
                (
                    "parity_gap_usdt",
                    GAUGE,
                    "What the newest day earned more than the model; negative is less.",
                ),
                ("parity_part_usdt", GAUGE, "A part of that gap, by its cause.", "part"),
            ],
        )
    ),
)
