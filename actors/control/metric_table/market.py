"""Metrics of market data, of the lines to the venue, and of the venue's catalog."""

from __future__ import annotations

from actors.control.metric_table.metric import COUNTER, GAUGE, Metric, group

__all__ = ["MARKET"]

FRESH = "Is market data fresh and whole?"
LINK = "Does the line to the venue work? (rate, errors, duration of each path)"
BUDGET = "How much of the venue's rate limits is left?"
TERMS = "Does the venue still list what the markets file says?"

SYNTHETIC, REPLAY = "feed.synthetic", "feed.replay"
FEEDS_LIVE = ("feed.poloniex", "feed.poloniex_spot")
FEEDS = (SYNTHETIC, REPLAY, *FEEDS_LIVE)
VENUES_LIVE = ("venue.poloniex", "venue.poloniex_spot")
STREAM = [
    ("stream_losses", COUNTER, "Times the stream broke."),
    ("stream_unknown_frames", COUNTER, "Frames of the stream that are of no kind we know."),
]
REQUESTS = [
    ("requests_answered", COUNTER, "Requests with an answer, a refusal too."),
    ("requests_refused", COUNTER, "Requests answered with an error."),
    ("requests_lost", COUNTER, "Requests that left and got no answer."),
    ("requests_not_sent", COUNTER, "Requests given up before they left."),
    ("requests_retried", COUNTER, "Requests sent once more after they had certainly not been carried out."),
    ("requests_elapsed_seconds", COUNTER, "Time until the answer, summed over answered requests."),
    ("requests_elapsed_max_seconds", GAUGE, "Longest time until an answer."),
]
PACES = [
    ("rate_budget_full_timestamp_seconds", GAUGE, "When the whole burst of the class is free again."),
    ("rate_budget_burst_seconds", GAUGE, "How long an empty burst of the class takes to fill."),
]


def _of(owner: str, kinds: tuple[str, ...]) -> list[Metric]:
    """Return what each owner of a line shows, under its own name."""

    def owned(rows: list[tuple[str, str, str]], label: str) -> list[tuple[str, ...]]:
        return [(f"{owner}_{name}", type, meaning, label) for name, type, meaning in rows]

    return [
        one._replace(appears="after the first request of its kind")
        for one in (
            *group(LINK, kinds, owned(REQUESTS, "path")),
            *group(BUDGET, kinds, owned(PACES, "limit_class")),
        )
    ]


MARKET: tuple[Metric, ...] = (
    *group(
        FRESH,
        FEEDS,
        [
            ("feed_live", GAUGE, "1 while the feed is live; 0 while it is silent, late or frozen."),
            (
                "feed_heard_timestamp_seconds",
                GAUGE,
                "When the newest market data arrived; 0 before the first.",
            ),
            ("feed_source_timestamp_seconds", GAUGE, "What the newest market data says its own time is."),
            ("feed_moved_timestamp_seconds", GAUGE, "When market data with another price arrived last."),
        ],
    ),
    *group(FRESH, (SYNTHETIC,), [("feed_trades", COUNTER, "Trades the synthetic market has made.")]),
    *group(
        FRESH,
        (REPLAY,),
        [
            ("feed_replay_rows", GAUGE, "Rows of the file that have been played."),
            ("feed_replay_progress_ratio", GAUGE, "How far the file has been played."),
        ],
    ),
    *group(
        FRESH,
        FEEDS_LIVE,
        [
            ("feed_frames", COUNTER, "Frames the stream has brought."),
            ("feed_gaps", COUNTER, "Gaps in the book's numbers; each costs a new snapshot."),
            ("feed_surprises", COUNTER, "Frames that could not be read and were set aside."),
            ("feed_stream_is_up", GAUGE, "1 while the stream is open."),
            *((f"feed_{name}", type, meaning) for name, type, meaning in STREAM),
        ],
    ),
    *_of("feed", FEEDS_LIVE),
    *group(LINK, (*VENUES_LIVE, "venue.simulated"), [("venue_is_up", GAUGE, "1 while orders can be sent.")]),
    *group(
        LINK,
        ("venue.simulated",),
        [
            ("venue_unanswered", GAUGE, "Requests under way at the simulated venue."),
            ("venue_unknown", COUNTER, "Requests whose answer did not come in time."),
        ],
    ),
    *group(
        LINK,
        VENUES_LIVE,
        [
            (
                "venue_clock_offset_seconds",
                GAUGE,
                "The venue's clock minus ours; positive when ours is behind.",
            ),
            ("venue_requests_waiting", GAUGE, "Requests that wait for their turn."),
            ("venue_requests_under_way", GAUGE, "Requests that left and have no outcome yet."),
            *((f"venue_{name}", type, meaning) for name, type, meaning in STREAM),
            ("venue_surprises", COUNTER, "Answers and frames that nobody documented, set aside."),
            ("venue_fills_heard", COUNTER, "Fills the venue has told, each once."),
            ("venue_repeats", COUNTER, "Reports of the venue that came more than once."),
        ],
    ),
    *group(BUDGET, VENUES_LIVE, [("venue_rate_limited", COUNTER, "Requests refused with 429.")]),
    *_of("venue", VENUES_LIVE),
    *group(
        TERMS,
        ("catalog",),
        [
            ("catalog_readings", COUNTER, "Times the venue's list of markets was read as a whole."),
            ("catalog_failures", COUNTER, "Times it could not be read."),
            ("catalog_changed_symbols", GAUGE, "Symbols whose terms differ from the markets file."),
        ],
    ),
    *_of("catalog", ("catalog",)),
)
