"""Every test leaves pykka's registry as it found it, also when it abandons its nodes."""

from __future__ import annotations

from collections.abc import Iterator

import pykka
import pytest


@pytest.fixture(autouse=True)
def _registry_is_left_as_it_was() -> Iterator[None]:
    before = set(pykka.ActorRegistry.get_all())
    yield
    for reference in pykka.ActorRegistry.get_all():
        if reference not in before:
            pykka.ActorRegistry.unregister(reference)
