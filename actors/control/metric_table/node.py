"""Metrics of the node itself: loop, journal, mailboxes, supervisors, configuration, drills."""

from __future__ import annotations

from actors.control.metric_table.metric import COUNTER, GAUGE, INFO, Metric, group

__all__ = ["NODE"]

THERE = "Is the node there, recovered, and which configuration does it run?"
LOOP = "Does the loop keep up? (utilisation, saturation, errors)"
JOURNAL = "Is what happened written down in time, and is there room for more?"
ACTORS = "Which actor is busy, behind, or failing?"
REHEARSED = "When did the answers to trouble last work?"

NODE: tuple[Metric, ...] = (
    Metric(
        "build",
        INFO,
        "Which code and deployment runs.",
        THERE,
        ("version", "deployment", "mode", "configuration_hash"),
    ),
    *group(
        THERE,
        (),
        [
            ("node_ready", GAUGE, "1 when all actors have recovered and agree."),
            ("node_start_timestamp_seconds", GAUGE, "When this node started; moves with each restart."),
            ("node_recovery_seconds", GAUGE, "How long recovery took at start."),
            ("node_epoch", GAUGE, "How often this journal has been opened by a node."),
        ],
    ),
    Metric(
        "node_generation",
        GAUGE,
        "Number of the configuration that runs, see `polytrade generations`.",
        THERE,
        appears="in a node of `polytrade up`",
    ),
    Metric(
        "canary_left_seconds",
        GAUGE,
        "How long a canary has still to do well before the rest of its change follows; 0 without one.",
        THERE,
        appears="in a node of `polytrade up`",
    ),
    *group(
        LOOP,
        (),
        [
            (
                "loop_progress_timestamp_seconds",
                GAUGE,
                "When the loop came round last; idle, four times a second.",
            ),
            ("loop_turns", COUNTER, "Turns the loop has run."),
            ("loop_busy_seconds", COUNTER, "Time the loop has spent in turns; its rate is the utilisation."),
            ("loop_inputs", COUNTER, "Messages from outside and timers taken into turns."),
            ("loop_messages", COUNTER, "Messages handled by all actors."),
            ("loop_inputs_waiting_messages", GAUGE, "Messages from outside that wait for a turn."),
            ("loop_failures", COUNTER, "Messages whose handling raised an error."),
            ("loop_messages_conflated", COUNTER, "Messages dropped because a newer one replaced them."),
            ("loop_messages_refused", COUNTER, "Messages refused because a mailbox was full."),
            ("loop_messages_dropped", COUNTER, "Messages for actors that had left the node."),
            ("loop_dead_letters", COUNTER, "Messages put aside because their reader failed on them."),
        ],
    ),
    *group(
        JOURNAL,
        (),
        [
            ("journal_commits", COUNTER, "Transactions written to the journal."),
            ("journal_events", COUNTER, "Events written to the journal."),
            (
                "journal_commit_seconds",
                COUNTER,
                "Time spent waiting for the journal's disk; per commit, it is the journal's lag.",
            ),
            (
                "journal_syncs",
                COUNTER,
                "Syncs of the disk beside the loop; 0 where each commit syncs (`durability: disk`).",
            ),
            (
                "journal_sync_seconds",
                COUNTER,
                "Time these syncs took; the loop does not wait for them, but JournalLag counts them.",
            ),
            ("journal_last_commit_seconds", GAUGE, "How long the newest commit took."),
            ("journal_written_timestamp_seconds", GAUGE, "When the newest record of the journal was made."),
            ("journal_sequence", GAUGE, "Number of the newest event."),
            ("journal_used_bytes", GAUGE, "Bytes the journal uses."),
            ("journal_limit_bytes", GAUGE, "Bytes the journal may use."),
        ],
    ),
    *group(
        ACTORS,
        (),
        [
            ("actor_running", GAUGE, "1 while the actor runs."),
            ("actor_messages_handled", COUNTER, "Messages the actor has handled."),
            ("actor_failures", COUNTER, "Times the actor's code raised an error."),
            ("actor_restarts", COUNTER, "Times the actor was rebuilt from the journal."),
            ("actor_messages_refused", COUNTER, "Messages refused because the actor's mailbox was full."),
            ("actor_mailbox_messages", GAUGE, "Messages waiting in the actor's mailbox."),
            ("actor_mailbox_limit_messages", GAUGE, "Messages the actor's mailbox may hold."),
        ],
        labels=("actor",),
    ),
    *group(
        ACTORS,
        (),
        [
            ("supervisor_restarts", GAUGE, "Restarts within the supervisor's period."),
            ("supervisor_restarts_limit", GAUGE, "Restarts the supervisor allows within its period."),
            ("supervisor_exhausted", GAUGE, "1 when the supervisor has given up."),
        ],
        labels=("supervisor",),
    ),
    Metric(
        "drill_passed_timestamp_seconds",
        GAUGE,
        "When the drill was last run and passed; from `var/drills/history.jsonl` where the node was started.",
        REHEARSED,
        ("drill",),
        appears="once a drill has passed",
    ),
)
