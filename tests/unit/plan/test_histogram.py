"""Percentiles of a histogram, and of several together."""

from __future__ import annotations

import math

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan import histogram
from ansible_collections.loadlift.aws.plugins.module_utils._plan.histogram import Figures
from hypothesis import given
from hypothesis import strategies as st

TIMES = st.lists(st.floats(0.01, 60_000), min_size=1, max_size=200)


def figures(times: list[float], name: str = "/") -> Figures:
    counted: dict[float, int] = {}
    for time in times:
        counted[time] = counted.get(time, 0) + 1
    pairs = tuple(sorted(counted.items()))
    return Figures("GET", name, len(times), 0, sum(times), min(times, default=0.0), max(times, default=0.0), pairs)


@given(TIMES, st.floats(0.001, 1))
def test_a_percentile_is_the_time_that_so_many_did_not_exceed(times: list[float], share: float) -> None:
    found = figures(times).percentile(share)
    assert found == sorted(times)[math.ceil(share * len(times)) - 1]


@given(TIMES, TIMES, st.floats(0.001, 1))
def test_several_together_are_as_one(first: list[float], second: list[float], share: float) -> None:
    together = histogram.merged([figures(first), figures(second)])
    alone = figures(first + second)
    assert together.percentile(share) == alone.percentile(share)
    assert together.mean_ms == pytest.approx(alone.mean_ms)
    assert (together.requests, together.min_ms, together.max_ms) == (alone.requests, alone.min_ms, alone.max_ms)


def test_without_requests_there_is_no_time() -> None:
    nothing = histogram.merged([])
    assert (nothing.percentile(0.5), nothing.mean_ms, nothing.failure_ratio) == (None, None, 0.0)


def test_a_step_of_the_histogram_never_exceeds_what_was_measured() -> None:
    coarse = Figures("GET", "/", 2, 0, 20.1, 10.0, 10.1, ((9.9, 1), (10.2, 1)))
    assert (coarse.percentile(0.5), coarse.percentile(1.0)) == (10.0, 10.1)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("/data", ["/data"]),
        ("GET /data", ["/data"]),
        ("POST /data", []),
        ("/static/*", ["/static/a", "/static/b"]),
        ("GET *", ["/data", "/static/a", "/static/b"]),
    ],
)
def test_a_pattern_chooses_requests(pattern: str, names: list[str]) -> None:
    found = histogram.matching([figures([1.0], name) for name in ("/data", "/static/a", "/static/b")], pattern)
    assert [part.name for part in found] == names
