"""Neither our decoder nor the exchange falls over what comes in: a sample here, millions by the program."""

import random

import pytest

from tests.property.wire_fuzz import TARGETS, mutated, wire


@pytest.mark.parametrize("name", TARGETS)
def test_a_sample_brings_nothing_down(name) -> None:
    count = 2_000
    found = TARGETS[name][0](7, 0, count)
    assert sum(found.values()) >= count


@pytest.mark.long
@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("seed", range(2, 6))
def test_a_hundred_thousand_bring_nothing_down(name, seed) -> None:
    found = TARGETS[name][0](seed, 0, 100_000)
    assert sum(found.values()) >= 100_000


def test_the_inputs_reach_beyond_the_first_check() -> None:
    """A fuzzer whose inputs are all refused at the door proves nothing."""
    decoder = TARGETS["decoder"][0](7, 0, 2_000)
    assert min(decoder["decoded"], decoder["malformed"]) > 400
    requests = TARGETS["requests"][0](7, 0, 1_000)
    assert requests["HTTP 200"] > 400
    assert requests["HTTP 401"] < 300


def test_the_same_seed_gives_the_same_inputs_and_they_differ() -> None:
    frames, _ = wire()
    first, again = ([mutated(random.Random(seed), frames) for seed in range(500)] for _ in range(2))
    assert first == again
    assert len(set(first)) > 400
