"""Response times in steps of 2 %, from 0.01 ms on.

Locust keeps whole milliseconds, so that everything under 0.5 ms is 0. Steps of 2 % (1 % to either side) keep about 116
values a decade: fine enough for percentiles, few enough for the reports from workers to master.
"""

from __future__ import annotations

import math

from locust import stats

SMALLEST_MS = 0.01
STEPS = 1 / math.log(1.02)


def bucket(milliseconds: float) -> float:
    """Return the step nearest to a time."""
    if milliseconds <= SMALLEST_MS:
        return SMALLEST_MS
    return round(math.exp(round(math.log(milliseconds) * STEPS) / STEPS), 3)


def use() -> None:
    """Let Locust keep response times in these steps (its documented hook for other buckets)."""
    stats.bucket_response_time = bucket  # type: ignore[assignment]
