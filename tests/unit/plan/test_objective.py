"""The grammar of objectives, and how they are held against what was measured."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.histogram import Figures
from ansible_collections.loadlift.aws.plugins.module_utils._plan.objective import Measured, Objective, evaluate, parse
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from hypothesis import assume, given
from hypothesis import strategies as st


def figures(name: str, requests: int, failures: int = 0, milliseconds: float = 10.0) -> Figures:
    total = requests * milliseconds
    return Figures("GET", name, requests, failures, total, milliseconds, milliseconds, ((milliseconds, requests),))


MEASURED = Measured(
    total=Figures("", "Aggregated", 100, 2, 2800.0, 10.0, 100.0, ((10.0, 80), (100.0, 20))),
    requests=(figures("/data", 20, 2, 100.0), figures("/static/a.css", 30), figures("/static/b.js", 50)),
    seconds=10.0,
    users=500,
    counter_difference=0.01,
)


@pytest.mark.parametrize(
    ("sentence", "metric", "request_", "comparison", "limit", "unit"),
    [
        ("p95 of GET /data < 250ms", "p95", "GET /data", "<", 250.0, "ms"),
        ("p99.9 of /static/* <= 2s", "p99.9", "/static/*", "<=", 2000.0, "ms"),
        ("p50<150us", "p50", None, "<", 0.15, "ms"),
        ("  max   >=  1.5 s ", "max", None, ">=", 1500.0, "ms"),
        ("failures < 1%", "failures", None, "<", 0.01, "%"),
        ("failures = 0", "failures", None, "=", 0.0, ""),
        ("failures of POST /cart < .5 %", "failures", "POST /cart", "<", 0.005, "%"),
        ("requests/s > 2,900", "requests/s", None, ">", 2900.0, ""),
        ("requests >= 1_000", "requests", None, ">=", 1000.0, ""),
        ("users = 30000", "users", None, "=", 30000.0, ""),
        ("counter difference < 2%", "counter difference", None, "<", 0.02, "%"),
        ('p95 of "GET /search?q=a<b" < 1s', "p95", "GET /search?q=a<b", "<", 1000.0, "ms"),
        ("p95 of GET /search?q=1 < 1s", "p95", "GET /search?q=1", "<", 1000.0, "ms"),
    ],
)
def test_a_sentence_is_read(
    sentence: str, metric: str, request_: str | None, comparison: str, limit: float, unit: str
) -> None:
    assert parse(sentence) == Objective(sentence.strip(), metric, request_, comparison, pytest.approx(limit), unit)


@pytest.mark.parametrize(
    ("sentence", "wanted", "place"),
    [
        ("", "p50, p95, p99", 1),
        ("latency < 3ms", "p50, p95, p99", 1),
        ("p0 < 3ms", "a percentile over 0 and up to 100", 1),
        ("p101 < 3ms", "a percentile over 0 and up to 100", 1),
        ("p95", "one of <= >= < > =", 4),
        ("p95 250ms", "one of <= >= < > =", 5),
        ("p95 << 3ms", "a number", 6),
        ("p95 <", "a number", 6),
        ("p95 < 250", "us or ms or s for p95", 10),
        ("p95 < 3%", "us or ms or s for p95", 8),
        ("failures < 3ms", "% or no unit for failures", 13),
        ("requests/s > 3%", "no unit for requests/s", 15),
        ("counter difference < 3", "% for counter difference", 23),
        ("p95 of < 3ms", "a request such as GET /data", 8),
        ("users of /data = 3", "a comparison, since users is of the whole swarm,", 7),
        ("failures < 1% always", "nothing more, or ', abort'", 15),
        ("p95 < 2s over", "a number", 14),
        ("p95 < 2s over 30", "s, m or h", 17),
        ("p95 < 2s over 0.5s", "at least 1s", 15),
        ("users = 5 over 10s", "nothing more, since users is of the whole hold,", 11),
        ("p95 < 2s, abandon", "abort", 11),
        ("p95 < 2s, abort now", "nothing more", 17),
        ("p95 < 2s abort", "nothing more, or ', abort'", 10),
        ("requests > 10, abort", "nothing more, since requests is known at the end only,", 16),
        ("counter difference < 2%, abort", "nothing more, since counter difference is known at the end only,", 26),
    ],
)
def test_an_error_points_at_the_place(sentence: str, wanted: str, place: int) -> None:
    with pytest.raises(InputError) as error:
        parse(sentence)
    assert wanted in str(error.value)
    said, shown, caret = str(error.value).split("\n")
    assert f"at character {place};" in said
    assert (shown, caret) == (f"  {sentence}", "  " + " " * (place - 1) + "^")


@pytest.mark.parametrize(
    ("tail", "over_s", "abort", "after_s"),
    [
        ("", None, False, 0.0),
        (" over 30s", 30.0, False, 0.0),
        (" over 2m, abort", 120.0, True, 0.0),
        (" over 1h", 3600.0, False, 0.0),
        (", abort", None, True, 5.0),
        (" ,abort after 20s", None, True, 20.0),
        (" over 10s, abort after 1m", 10.0, True, 60.0),
    ],
)
def test_stretches_and_abort_are_read(tail: str, over_s: float | None, abort: bool, after_s: float) -> None:
    found = parse("p99 of GET /data < 2s" + tail)
    assert (found.request, found.limit) == ("GET /data", 2000.0)
    assert (found.over_s, found.abort, found.abort_after_s) == (over_s, abort, after_s)


def test_a_count_of_failures_that_is_passed_aborts_at_once() -> None:
    assert parse("failures = 0, abort").abort_after_s == 0.0
    assert parse("failures < 1%, abort").abort_after_s == 5.0


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(sentence: str) -> None:
    with contextlib.suppress(InputError):
        found = parse(sentence)
        assert parse(found.text) == found


@given(
    st.sampled_from(["p50", "p95", "p99.9", "min", "mean", "max"]),
    st.sampled_from(["", " of GET /data", " of /static/*"]),
    st.sampled_from(["<", "<=", ">", ">=", "="]),
    st.decimals(min_value=0, max_value=10**6, places=2),
    st.sampled_from([("us", 0.001), ("ms", 1.0), ("s", 1000.0)]),
    st.sampled_from([("", None), (" over 30s", 30.0), (" over 1.5m", 90.0)]),
    st.sampled_from([("", False), (", abort", True), (", abort after 9s", True)]),
)
def test_every_sentence_keeps_its_values(
    metric: str,
    request_: str,
    comparison: str,
    value: object,
    unit: tuple[str, float],
    over: tuple[str, float | None],
    abort: tuple[str, bool],
) -> None:
    found = parse(f"{metric}{request_} {comparison} {value}{unit[0]}{over[0]}{abort[0]}")
    assert (found.metric, found.comparison, found.unit) == (metric, comparison, "ms")
    assert found.limit == pytest.approx(float(str(value)) * unit[1])
    assert (found.over_s, found.abort) == (over[1], abort[1])


@given(st.from_regex(r"[A-Z]{3,6} /[a-z0-9/\[\]{}=?&:._-]{0,20}", fullmatch=True))
def test_a_request_is_found_by_its_own_name(name: str) -> None:
    assume(not any(sign in name for sign in "*?"))
    method, _space, path = name.partition(" ")
    objective = parse(f"requests of {name} = 3")
    assert objective.request == name
    measured = Measured(figures(path, 3), (replace(figures(path, 3), method=method),), 1.0, 0)
    assert evaluate([objective], measured)[0].held


@pytest.mark.parametrize(
    ("sentence", "measured", "held"),
    [
        ("p50 < 20ms", 10.0, True),
        ("p80 <= 10ms", 10.0, True),
        ("p95 < 100ms", 100.0, False),
        ("p95 of GET /data < 250ms", 100.0, True),
        ("mean < 28ms", 28.0, False),
        ("max = 100ms", 100.0, True),
        ("failures < 2%", 0.02, False),
        ("failures <= 2%", 0.02, True),
        ("failures of /static/* = 0", 0.0, True),
        ("failures = 2", 2.0, True),
        ("requests of /static/* = 80", 80.0, True),
        ("requests/s > 9.9", 10.0, True),
        ("failures/s < 0.2", 0.2, False),
        ("users = 500", 500.0, True),
        ("counter difference < 2%", 0.01, True),
        ("p95 of GET /nowhere < 1s", None, False),
        ("failures of /nowhere = 0", None, False),
    ],
)
def test_what_was_measured_decides(sentence: str, measured: float | None, held: bool) -> None:
    (result,) = evaluate([parse(sentence)], MEASURED)
    assert result.measured == (None if measured is None else pytest.approx(measured))
    assert result.held is held


@pytest.mark.parametrize("sentence", ["p95 < 1s", "failures < 1%", "max < 1s"])
def test_nothing_measured_holds_no_objective(sentence: str) -> None:
    nothing = Measured(Figures("", "", 0, 0, 0.0, 0.0, 0.0, ()), (), 10.0, 0)
    assert not evaluate([parse(sentence)], nothing)[0].held
