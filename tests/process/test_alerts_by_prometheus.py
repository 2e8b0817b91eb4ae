"""From a node by Prometheus, a rule and Alertmanager to whoever is told: all of it real, on this machine."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from actors.control.metric_table import TABLE
from tests.process.desk import Desk
from tests.process.live_path import free_port
from tests.process.monitoring import watched
from tests.process.node import wait_for


def test_a_halt_and_a_death_are_told_once_and_end(tmp_path: Path) -> None:
    desk, port, out = Desk(tmp_path), free_port(), tmp_path / "out"
    with watched(out) as (monitoring, told):
        target, web = f"127.0.0.1:{port}", f"http://127.0.0.1:{told.port}"
        sections = (
            f"control: {{http: {{port: {port}}}}}\n"
            f"monitoring: {{targets: ['{target}'], alertmanagers: ['127.0.0.1:{monitoring.alertmanager}'], "
            f"page_url: '{web}/page', ticket_url: '{web}/ticket', heartbeat_url: '{web}/heartbeat'}}\n"
        )
        desk.edit("seed: 7\n\ninputs:", f"seed: 7\n{sections}\ninputs:")
        code, said = desk.run("monitoring", str(desk.file), "--out", str(out))
        assert code == 0, said
        monitoring.hurry()
        try:
            desk.up()
            monitoring.start()
            wait_for(lambda: monitoring.ask("polytrade_node_ready == 1"), 30)
            # Prometheus looks for the first time after five seconds: until then the node may seem dead to it.
            wait_for(lambda: not monitoring.ask('ALERTS{alertname="NodeDead"}'), 30)
            wait_for(lambda: told.is_over("/page", "NodeDead"), 30)
            seemed_dead = told.heard("/page", "firing", "NodeDead")

            # A halt is a ticket that the node raises itself; it ends when the halt does.
            assert desk.run("halt", str(desk.file), "--reason", "a drill")[0] == 0
            (halted, *_) = wait_for(lambda: told.heard("/ticket", "firing", "TradingHalted"), 30)
            assert halted["labels"]["deployment"] == "paper"
            assert halted["annotations"]["impact"].startswith("nothing is opened in the scope")
            assert halted["annotations"]["runbook_url"].endswith("/TradingHalted.md")
            assert desk.run("resume", str(desk.file), "--reason", "over")[0] == 0
            wait_for(lambda: told.heard("/ticket", "resolved", "TradingHalted"), 30)
            assert told.heard("/heartbeat", "firing", "Watchdog")
            assert told.heard("/page", "firing", "NodeDead") == seemed_dead
            unknown = [
                one["metric"]["__name__"]
                for one in monitoring.ask('count by (__name__) ({__name__=~"polytrade_.*"})')
                if not any(one["metric"]["__name__"].startswith(m.full_name) for m in TABLE.values())
            ]
            assert unknown == []

            # A death pages; the promise that breaks with it is hidden behind it.
            heart = desk.node
            assert heart is not None
            node = desk.status()["pid"]
            heart.kill()
            os.kill(node, signal.SIGKILL)
            heart.wait()
            wait_for(lambda: told.heard("/page", "firing", "NodeDead") != seemed_dead, 30)
            (burning, *_) = wait_for(lambda: monitoring.hidden("SloBurnFast"), 30)
            assert burning["labels"]["slo"] == "availability"
            assert burning["status"]["inhibitedBy"]
            assert told.heard("/page", "firing", "SloBurnFast") == []

            # And it ends when somebody starts the node again.
            desk.up()
            wait_for(lambda: told.is_over("/page", "NodeDead"), 30)
        finally:
            desk.close()
