"""What every test shares."""

from __future__ import annotations

from hypothesis import settings

# Machines are shared and noisy: no test may fail for its time.
settings.register_profile("loadlift", deadline=None)
settings.load_profile("loadlift")
