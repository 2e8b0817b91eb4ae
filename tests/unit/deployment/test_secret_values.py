"""Values reach the one actor whose settings refer to them, and nothing that is shown or journaled."""

from pathlib import Path

import pytest

from actors.deployment.assemble import cell_specs
from actors.deployment.loader import load
from actors.deployment.render import render
from actors.deployment.secret_values import SecretsMissing, keep_secrets
from actors.secrets.env import EnvironmentSource

LIVE = "config/live.yaml"
KEY, SECRET = "secret://polytrade/poloniex#key", "secret://polytrade/poloniex#secret"


def source(**variables: str) -> EnvironmentSource:
    return EnvironmentSource("T_", {}, variables)


def test_only_the_venue_gets_the_values_it_refers_to() -> None:
    topology = load(LIVE)
    keeper = keep_secrets(
        topology, source(T_POLYTRADE_POLONIEX_KEY="k-value", T_POLYTRADE_POLONIEX_SECRET="s-value")
    )
    made = {spec.name: spec.make() for spec in cell_specs(topology, keeper)}
    credentials = made["venue/main"].credentials  # type: ignore[attr-defined]
    assert (credentials.key, credentials.secret) == ("k-value", b"s-value")
    assert all(keeper.values_of(name) == {} for name in made if name != "venue/main")
    assert topology.actor("venue/main").place.secrets == {}


def test_the_values_are_in_no_text_that_shows_the_deployment() -> None:
    topology = load("config/local.yaml")
    keeper = keep_secrets(topology)
    venue = next(spec.make() for spec in cell_specs(topology, keeper) if spec.name == "venue/main")
    assert venue.credentials is not None  # type: ignore[attr-defined]
    shown = render(topology) + repr(topology.actors) + repr(venue.settings) + repr(keeper)  # type: ignore[attr-defined]
    assert "local-secret" not in shown
    assert "secret://local/exchange#secret" in shown


def test_each_missing_value_names_the_place_of_its_reference_and_the_remedy() -> None:
    with pytest.raises(SecretsMissing) as caught:
        keep_secrets(load(LIVE), source(T_POLYTRADE_POLONIEX_KEY="k"))
    (fault,) = caught.value.faults
    lines = Path(LIVE).read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if SECRET in text)
    assert fault.startswith(f"{LIVE}:{line}:")
    assert "T_POLYTRADE_POLONIEX_SECRET is not set" in fault


def test_without_a_keeper_a_reference_stays_one() -> None:
    venue = next(spec.make() for spec in cell_specs(load(LIVE)) if spec.name == "venue/main")
    assert venue.credentials is None  # type: ignore[attr-defined]
