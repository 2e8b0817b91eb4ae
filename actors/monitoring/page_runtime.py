"""The loop by utilisation, saturation and errors; journal, actors, process."""

from __future__ import annotations

from actors.monitoring.panels import Dashboard, graph, rate_of

__all__ = ["RUNTIME"]

RUNTIME = Dashboard(
    "runtime",
    "Polytrade: loop, journal, actors",
    (
        graph(
            "The loop is busy",
            "percentunit",
            ("rate(polytrade_loop_busy_seconds_total{SEL}[$__rate_interval])", "{{instance}}"),
            says="Near 1 everything waits.",
            warn=0.7,
            bad=0.9,
        ),
        graph(
            "Since the loop came round",
            "s",
            ("time() - polytrade_loop_progress_timestamp_seconds{SEL}", "{{instance}}"),
            warn=1,
            bad=5,
        ),
        graph(
            "Messages a second",
            "ops",
            ("rate(polytrade_loop_messages_total{SEL}[$__rate_interval])", "handled"),
            (
                "rate(polytrade_loop_messages_conflated_total{SEL}[$__rate_interval])",
                "replaced by newer ones",
            ),
        ),
        graph(
            "Waiting for the loop", "none", ("polytrade_loop_inputs_waiting_messages{SEL}", "{{instance}}")
        ),
        graph(
            "Errors of the loop",
            "none",
            ("increase(polytrade_loop_failures_total{SEL}[5m])", "failures"),
            ("increase(polytrade_loop_dead_letters_total{SEL}[5m])", "dead letters"),
            ("increase(polytrade_loop_messages_refused_total{SEL}[5m])", "refused"),
            ("increase(polytrade_loop_messages_dropped_total{SEL}[5m])", "for nobody"),
            says="Within 5 minutes.",
            bad=1,
        ),
        graph(
            "Mailboxes filled",
            "percentunit",
            (
                "topk(10, polytrade_actor_mailbox_messages{SEL}"
                " / polytrade_actor_mailbox_limit_messages{SEL})",
                "{{actor}}",
            ),
            says="The ten fullest.",
            warn=0.5,
            bad=0.9,
        ),
        graph(
            "Busiest actors",
            "ops",
            ("topk(10, rate(polytrade_actor_messages_handled_total{SEL}[$__rate_interval]))", "{{actor}}"),
        ),
        graph(
            "Restarts of actors",
            "none",
            ("increase(polytrade_actor_restarts_total{SEL}[15m]) > 0", "{{actor}}"),
            says="Within 15 minutes.",
        ),
        graph(
            "Restarts left to supervisors",
            "none",
            (
                "polytrade_supervisor_restarts_limit{SEL} - polytrade_supervisor_restarts{SEL}",
                "{{supervisor}}",
            ),
            bad=1,
            lower_is_worse=True,
        ),
        graph(
            "A commit takes",
            "s",
            (
                f"{rate_of('journal_commit_seconds', by='instance')}"
                f" / {rate_of('journal_commits', by='instance')}",
                "mean",
            ),
            (
                f"{rate_of('journal_sync_seconds', by='instance')}"
                f" / {rate_of('journal_syncs', by='instance')}",
                "sync beside the loop",
            ),
            ("polytrade_journal_last_commit_seconds{SEL}", "newest"),
            warn=0.1,
            bad=0.25,
        ),
        graph(
            "Events a second",
            "ops",
            ("rate(polytrade_journal_events_total{SEL}[$__rate_interval])", "{{instance}}"),
        ),
        graph(
            "Journal",
            "bytes",
            ("polytrade_journal_used_bytes{SEL}", "used"),
            ("polytrade_journal_limit_bytes{SEL}", "limit"),
        ),
        graph("Memory", "bytes", ('process_resident_memory_bytes{job="polytrade",SEL}', "{{instance}}")),
        graph(
            "Processor",
            "percentunit",
            ('rate(process_cpu_seconds_total{job="polytrade",SEL}[$__rate_interval])', "{{instance}}"),
            says="Of one core.",
        ),
        graph(
            "Starts",
            "none",
            ("changes(polytrade_node_start_timestamp_seconds{SEL}[15m])", "within 15 minutes"),
            ("polytrade_node_recovery_seconds{SEL}", "seconds of recovery"),
            bad=3,
        ),
        graph(
            "Notifications",
            "none",
            ("polytrade_alerter_deliveries_waiting{SEL}", "waiting"),
            ("increase(polytrade_alerter_deliveries_failed_total{SEL}[15m])", "given up within 15 minutes"),
            ("increase(polytrade_alerter_alerts_dropped_total{SEL}[15m])", "alerts without room"),
            bad=1,
        ),
        graph(
            "Secrets",
            "none",
            ("polytrade_secrets_in_trouble{SEL}", "in trouble"),
            ("polytrade_secrets_waiting{SEL}", "new and not in use"),
            bad=1,
        ),
    ),
)
