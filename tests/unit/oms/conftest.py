"""A fresh OMS for each test."""

import pytest

from tests.unit.oms.oms_bench import OmsBench


@pytest.fixture
def bench() -> OmsBench:
    return OmsBench()
