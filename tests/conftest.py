"""Settings every test shares: how Hypothesis searches."""

import os

from hypothesis import HealthCheck, settings

# A shared machine pauses for longer than any deadline worth having; pytest-timeout catches real hangs.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# CI must give the same answer twice for the same commit.
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True, print_blob=True)
# `HYPOTHESIS_PROFILE=deep make test-long` for a night.
settings.register_profile("deep", parent=settings.get_profile("local"), max_examples=5_000)

settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "local"))
