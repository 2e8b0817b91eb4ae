"""Market data, and the line to the venue: rate, errors and duration by path."""

from __future__ import annotations

from actors.monitoring.panels import Dashboard, budget_left, graph, mean_of_paths, ratio_of_paths

__all__ = ["FEEDS"]

FEEDS = Dashboard(
    "feeds",
    "Polytrade: feeds and the line to the venue",
    (
        graph(
            "Age of market data",
            "s",
            ("time() - (polytrade_feed_source_timestamp_seconds{SEL} > 0)", "{{actor}}"),
            says="By its own time.",
            warn=5,
            bad=30,
        ),
        graph(
            "Feeds that are live",
            "none",
            ("polytrade_feed_live{SEL}", "{{actor}}"),
            says="0: silent, late or frozen; nothing is opened in the symbol.",
            bad=1,
            lower_is_worse=True,
        ),
        graph(
            "Since prices moved",
            "s",
            ("time() - (polytrade_feed_moved_timestamp_seconds{SEL} > 0)", "{{actor}}"),
        ),
        graph(
            "Frames a second",
            "ops",
            ("rate(polytrade_feed_frames_total{SEL}[$__rate_interval])", "{{actor}}"),
        ),
        graph(
            "Gaps, losses, surprises",
            "none",
            ("increase(polytrade_feed_gaps_total{SEL}[5m])", "{{actor}} gaps"),
            ("increase(polytrade_feed_stream_losses_total{SEL}[5m])", "{{actor}} losses"),
            ("increase(polytrade_feed_surprises_total{SEL}[5m])", "{{actor}} surprises"),
        ),
        graph(
            "Venue: is up", "none", ("polytrade_venue_is_up{SEL}", "{{actor}}"), bad=1, lower_is_worse=True
        ),
        graph(
            "Venue: requests a second",
            "reqps",
            (
                "sum by (path) (rate(polytrade_venue_requests_answered_total{SEL}[$__rate_interval]))",
                "{{path}}",
            ),
        ),
        graph("Venue: refused", "percentunit", (ratio_of_paths("venue", "refused"), "{{path}}"), bad=0.05),
        graph(
            "Venue: without an answer",
            "percentunit",
            (ratio_of_paths("venue", "lost"), "{{path}}"),
            says="Of an order nobody knows then what became of it.",
            bad=0.01,
        ),
        graph("Venue: time to the answer", "s", (mean_of_paths("venue"), "{{path}}")),
        graph(
            "Venue: rate limits left",
            "percentunit",
            (budget_left("venue"), "{{actor}} {{limit_class}}"),
            says="At 0 requests wait. Cancels keep a reserve.",
            warn=0.5,
            bad=0.1,
            lower_is_worse=True,
        ),
        graph(
            "Venue: waiting and under way",
            "none",
            ("polytrade_venue_requests_waiting{SEL}", "{{actor}} waiting"),
            ("polytrade_venue_requests_under_way{SEL}", "{{actor}} under way"),
            ("increase(polytrade_venue_rate_limited_total{SEL}[5m])", "{{actor}} 429 in 5 minutes"),
        ),
        graph(
            "Clock of the venue less ours",
            "s",
            ("polytrade_venue_clock_offset_seconds{SEL}", "{{actor}}"),
            says="Beyond a second nothing can be signed.",
        ),
        graph(
            "Feeds: requests without an answer", "percentunit", (ratio_of_paths("feed", "lost"), "{{path}}")
        ),
        graph(
            "Feeds: rate limits left",
            "percentunit",
            (budget_left("feed"), "{{actor}} {{limit_class}}"),
            lower_is_worse=True,
            bad=0.1,
        ),
        graph(
            "Symbols whose terms have changed",
            "none",
            ("polytrade_catalog_changed_symbols{SEL}", "{{actor}}"),
            bad=1,
        ),
    ),
)
