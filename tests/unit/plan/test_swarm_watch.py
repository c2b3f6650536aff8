"""Sliding stretches and aborts, against a plain way to compute them."""

from __future__ import annotations

from ansible_collections.loadlift.aws.plugins.module_utils._plan.histogram import Figures, merged
from ansible_collections.loadlift.aws.plugins.module_utils._plan.objective import Measured, Objective, parse, value_of
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_watch import Slice, Watch
from hypothesis import given
from hypothesis import strategies as st

SENTENCES = ("p95 < 50ms", "p50 of /a < 5ms", "max < 1s", "min > 1ms", "failures < 10%", "failures of GET /a = 0")
RATES = ("requests/s > 3", "requests of /a >= 2", "failures/s < 1", "mean of /* <= 20ms", "requests = 10")


def figures(name: str, times: list[float], failures: int = 0) -> Figures:
    counted = {time: times.count(time) for time in times}
    low, high = (min(times), max(times)) if times else (0.0, 0.0)
    return Figures("GET", name, len(times), failures, sum(times), low, high, tuple(sorted(counted.items())))


def second(a: list[float], b: list[float], failures: int) -> Slice:
    return Slice(1.0, (figures("/a", a, min(failures, len(a))), figures("/b", b)))


TIMES = st.lists(st.sampled_from([0.5, 1.0, 3.0, 20.0, 80.0, 900.0]), max_size=4)
SECONDS = st.lists(st.builds(second, TIMES, TIMES, st.integers(0, 2)), min_size=1, max_size=15)


def plainly(objective: Objective, seconds: list[Slice]) -> list[float | None]:
    """Compute the value of each whole stretch from nothing but its seconds."""
    length = int(objective.over_s or 0)
    values = []
    for end in range(length, len(seconds) + 1):
        requests = [one for part in seconds[end - length : end] for one in part.requests]
        by_name = tuple(
            Figures("GET", name, *_rest(merged(one for one in requests if one.name == name))) for name in ("/a", "/b")
        )
        values.append(value_of(objective, Measured(merged(requests), by_name, float(length), 0)))
    return values


def _rest(found: Figures) -> tuple[object, ...]:
    return (found.requests, found.failures, found.total_ms, found.min_ms, found.max_ms, found.histogram)


def close(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and abs(one - other) < 1e-6)


@given(st.sampled_from(SENTENCES + RATES), st.integers(1, 6), SECONDS)
def test_the_worst_stretch_is_the_worst_of_all(sentence: str, length: int, seconds: list[Slice]) -> None:
    objective = parse(f"{sentence} over {length}s")
    watch = Watch([objective])
    assert watch.wants_slices
    watch.add(seconds)
    values = plainly(objective, seconds)
    worst = watch.worst()[objective]
    assert any(close(worst, value) for value in values) or (worst is None and not values)
    assert all(objective.badness(value) <= objective.badness(worst) + 1e-6 for value in values)
    assert objective.holds(worst) == (bool(values) and all(objective.holds(value) for value in values))


@given(st.sampled_from(SENTENCES), st.integers(1, 6), SECONDS)
def test_it_aborts_at_the_first_stretch_that_breaks_and_never_else(
    sentence: str, length: int, seconds: list[Slice]
) -> None:
    objective = parse(f"{sentence} over {length}s, abort")
    watch = Watch([objective])
    first = next((number for number, part in enumerate(seconds) if watch.add([part])), None)
    broken = [number for number, value in enumerate(plainly(objective, seconds)) if not objective.holds(value)]
    assert first == (broken[0] + length - 1 if broken else None)


@given(SECONDS, st.integers(1, 5))
def test_how_many_slices_come_at_once_does_not_matter(seconds: list[Slice], some: int) -> None:
    objective = parse("p95 < 50ms over 3s")
    at_once, by_and_by = Watch([objective]), Watch([objective])
    at_once.add(seconds)
    for start in range(0, len(seconds), some):
        by_and_by.add(seconds[start : start + some])
    assert at_once.worst() == by_and_by.worst()


def test_what_was_measured_so_far_aborts_once_there_is_enough() -> None:
    watch = Watch([parse("p95 < 50ms, abort"), parse("failures = 0, abort"), parse("p99 < 1ms")])
    slow = figures("/a", [80.0] * 3)
    assert not watch.wants_slices
    assert watch.wants_figures
    assert watch.judge(Measured(slow, (slow,), 4.0, 0)) is None
    breach = watch.judge(Measured(slow, (slow,), 5.0, 0))
    assert breach
    assert breach.measured == 80.0
    failing = figures("/a", [1.0], failures=1)
    breach = watch.judge(Measured(failing, (failing,), 0.5, 0))
    assert breach
    assert breach.objective.metric == "failures"


def test_a_request_that_never_came_holds_nothing() -> None:
    objective = parse("failures of /typo = 0 over 2s")
    watch = Watch([objective])
    watch.add([second([1.0], [], 0)] * 4)
    assert watch.worst() == {objective: None}


def test_a_stretch_that_never_was_whole_holds_nothing() -> None:
    objective = parse("p95 < 1s over 10s")
    watch = Watch([objective])
    watch.add([second([1.0], [], 0)] * 4)
    assert not objective.holds(watch.worst()[objective])
