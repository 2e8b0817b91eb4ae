"""The address of a webhook is a secret, whether it is written as a reference or as text: nothing shows it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from actors.cli.plan_shown import plan_lines
from actors.cli.plans import compared
from actors.cli.targets import Target
from actors.control.desk import ControlError
from actors.deployment.changes import compare
from actors.deployment.configuring import ConfigurationDesk
from actors.deployment.faults import ConfigError
from actors.deployment.generations import CanaryTerms, Generation, Generations
from actors.deployment.loader import load
from actors.deployment.masking import masked_generation
from actors.deployment.render import render
from actors.deployment.report import json_report, text_report
from actors.deployment.resolved import resolved
from actors.deployment.stored import keep_markets, stored_topology
from actors.deployment.topology import Topology

TOKEN, OTHER = "hook-4711-of-the-team", "hook-4712-of-the-team"
ROUTES = """
      routes:
        - {name: log, channel: log}
        - {name: team, channel: webhook, url: "https://chat.example/in/%s"}
        - {name: kept, channel: slack, url: "secret://polytrade/alerts#slack_url"}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    shutil.copytree("config", tmp_path / "config")
    return tmp_path / "config" / "paper.yaml"


def with_routes(config: Path, routes: str) -> Topology:
    """Return the shipped paper deployment with other routes of its alerter."""
    text = Path("config/paper.yaml").read_text()
    begin = text.index("  alerter:")
    config.write_text(f"{text[:begin]}  alerter:\n    kind: alerter\n    settings:{routes}")
    return load(str(config), environment={"POLYTRADE_STATE": str(config.parent / "var")})


def test_render_shows_that_there_is_an_address_and_which_reference_but_no_address(config: Path) -> None:
    for origins in (True, False):
        text = render(with_routes(config, ROUTES % TOKEN), origins=origins)
        assert TOKEN not in text
        assert 'url: "https://***"' in text
        assert "secret://polytrade/alerts#slack_url" in text


def test_a_plan_says_that_an_address_changes_but_neither_of_both(config: Path) -> None:
    before, after = (with_routes(config, ROUTES % token) for token in (TOKEN, OTHER))
    (change,) = compare(before, after).actors
    (field,) = change.fields
    urls = [[route["url"] for route in value] for value in (field.before, field.after)]
    kept = "secret://polytrade/alerts#slack_url"
    assert urls == [["", "https://***", kept], ["", "https://*** (another)", kept]]
    generation = Generation(1, 1, "ann", "first", before.content_hash, before.files, resolved(before))
    target = Target("paper", config.parent / "var", config.parent / "none.sock")
    plan = compared(target, generation, resolved(after), after)
    shown = "\n".join(plan_lines(plan)) + json.dumps({**plan, "document": None})
    assert "https://*** (another)" in shown
    assert TOKEN not in shown
    assert OTHER not in shown


def kept_generation(topology: Topology) -> Generation:
    document = resolved(topology)
    terms = CanaryTerms("main", 1, 1, document)
    return Generation(1, 1, "ann", "first", topology.content_hash, topology.files, document, canary=terms)


def test_the_node_tells_no_address_of_a_generation_and_keeps_it(config: Path) -> None:
    topology = with_routes(config, ROUTES % TOKEN)
    generations = Generations(config.parent / "var")
    generations.add(kept_generation(topology))
    desk: Any = ConfigurationDesk(SimpleNamespace(generations=generations), None)  # type: ignore[arg-type]
    assert TOKEN not in json.dumps(desk.whole_generation(1))
    assert TOKEN.encode() in generations.path(1).read_bytes()  # a node starts with what it says
    with pytest.raises(ControlError):
        desk.whole_generation(2)


def test_a_masked_generation_still_makes_the_deployment_that_ran(config: Path) -> None:
    topology = with_routes(config, ROUTES % TOKEN)
    generations = Generations(config.parent / "bundle")
    generations.add(masked_generation(kept_generation(topology)))
    keep_markets(generations, topology)
    raw = generations.path(1).read_bytes()
    assert TOKEN.encode() not in raw
    found = stored_topology(config.parent / "bundle")
    assert found.content_hash == topology.content_hash
    others = [[one for one in each.actors if one.name != "alerter"] for each in (found, topology)]
    assert [one.settings for one in others[0]] == [one.settings for one in others[1]]
    assert msgspec.json.decode(raw, type=Generation).canary is not None


def test_a_fault_beside_an_address_shows_none_of_it(config: Path) -> None:
    with pytest.raises(ConfigError) as error:
        with_routes(config, (ROUTES % TOKEN).replace("webhook, url", "webhook, sevrity_min: page, url"))
    faults = error.value.faults
    shown = text_report(faults) + json_report(faults)
    assert "sevrity_min" in shown
    assert TOKEN not in shown


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T012AB3CD/B012AB3CD/XXXXXXXXXXXXXXXXXXXXXXXX",
        "https://discord.com/api/webhooks/1234567890/abcdefghij-KLMNOPQRST_uvwxyz",
        "https://mattermost.example/hooks/abcdefghijklmnopqrstuvwxyz",
        "https://team.webhook.office.com/webhookb2/0123abcd-0000@0123abcd/IncomingWebhook/x/y",
        "https://chat.googleapis.com/v1/spaces/A/messages?key=AIzaSyD0123456789abcdef&x=1",
        "https://prod.logic.azure.com/workflows/0/triggers/manual?sv=1.0&sig=abcdefghijklmnop%2B12",
        "https://api.telegram.org/bot123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "https://user:password@alerts.example/hook",
    ],
)
def test_an_address_that_is_plainly_a_secret_is_refused_as_text(config: Path, url: str) -> None:
    routes = (ROUTES % TOKEN).replace(f"https://chat.example/in/{TOKEN}", url)
    with pytest.raises(ConfigError) as error:
        with_routes(config, routes)
    (fault,) = error.value.faults
    assert (fault.code, "secret://" in fault.help) == ("E304", True)
    assert url not in text_report(error.value.faults)
