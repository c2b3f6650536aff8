"""What the report says of a ladder: tables of cases and properties of the charts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan import chart, human, report
from hypothesis import given
from hypothesis import strategies as st


def stage(name: str, users: int, verdict: str, **more: Any) -> dict[str, Any]:
    summary = {"stage": name, "users": users, "verdict": verdict, "requests_per_s": users / 10, "failure_ratio": 0.0}
    return summary | {"p50_ms": 5, "p95_ms": 20, "p99_ms": 1500, "history": [], "by_request": []} | more


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(None, "-"), (0.14, "0.14 ms"), (5, "5 ms"), (20.4, "20 ms"), (999, "999 ms"), (1000, "1 s"), (28_400, "28.4 s")],
)
def test_a_time_reads_as_people_say_it(milliseconds: float | None, text: str) -> None:
    assert human.milliseconds(milliseconds) == text


@pytest.mark.parametrize(("ratio", "text"), [(None, "-"), (0.0, "0 %"), (0.0002, "0.02 %"), (0.12, "12 %")])
def test_a_share_reads_as_percent(ratio: float | None, text: str) -> None:
    assert human.ratio(ratio) == text


def test_the_headline_names_the_first_breach_and_the_largest_swarm_that_held() -> None:
    stages = [
        stage("a", 50, "passed"),
        stage("b", 100, "failed", p95_ms=6200, failure_ratio=0.12),
        stage("c", 500, "failed"),
        stage("d", 30_000, "passed"),
        stage("e", 50_000, "invalid"),
    ]
    assert report.headline(stages) == (
        "The site broke at 100 users (b: p95 6.2 s, 12 % failures). "
        "It held 30,000 users (d: 3,000 requests/s, p95 20 ms, 0 % failures)."
    )


def test_of_several_largest_swarms_the_last_is_named() -> None:
    held = report.largest_held(
        [stage("cached", 500, "passed"), stage("serverless", 500, "passed"), stage("c", 5, "passed")]
    )
    assert held
    assert held["stage"] == "serverless"


def test_a_ladder_without_a_valid_stage_says_so() -> None:
    assert report.headline([stage("a", 50, "invalid")]) == "No stage gave a valid result."


def test_an_invalid_stage_without_figures_still_has_its_row() -> None:
    bare = {"stage": "a", "users": 5, "verdict": "invalid", "reason": "no worker"}
    assert report.row(bare) == ("a", "5", "-", "-", "-", "-", "-", "invalid")
    assert report.view({"stages": [bare]})["stages"][0]["charts"]["rate"]["lines"][0]["d"] == ""


def test_the_text_table_is_aligned() -> None:
    lines = report.text_table([stage("short", 50, "passed"), stage("a_longer_name", 30_000, "failed")])
    starts = {line.rindex(word) for line, word in zip(lines, ["verdict", "passed", "failed"], strict=True)}
    assert len(starts) == 1


POINT = st.fixed_dictionaries(
    {
        "t_s": st.floats(0.1, 600),
        "phase": st.sampled_from(["ramp", "hold"]),
        "users": st.integers(0, 100_000),
        "requests_per_s": st.floats(0, 1e5),
        "failures_per_s": st.floats(0, 1e5),
        "p50_ms": st.none() | st.floats(0, 1e6),
        "p95_ms": st.none() | st.floats(0, 1e6),
        "p99_ms": st.none() | st.floats(0, 1e6),
    }
)


@given(st.lists(POINT, max_size=20))
def test_every_line_stays_inside_its_frame(history: list[dict[str, Any]]) -> None:
    shown = report.view({"stages": [stage("a", 5, "passed", history=history)]})["stages"][0]["charts"]
    for drawn in filter(None, shown.values()):
        frame = drawn["frame"]
        for line in drawn["lines"]:
            for x, y in re.findall(r"[ML](\S+?) ([\d.]+)", line["d"]):
                assert frame["left"] <= float(x) <= frame["right"]
                assert frame["top"] <= float(y) <= frame["bottom"]


@given(st.floats(1e-3, 1e9))
def test_the_top_of_an_axis_is_never_under_the_data(value: float) -> None:
    assert chart.nice_ceiling(value) >= value


def test_a_missing_value_breaks_the_line() -> None:
    scale = chart.Scale(0, 10, 0, 10)
    assert chart.path([(0, 1), (1, None), (2, 3), (3, 4)], scale, scale) == "M0.0 1.0M2.0 3.0L3.0 4.0"


@pytest.mark.parametrize(
    ("counted", "held"), [(1000, True), (1020, True), (1021, False), (979, False), (None, None), (0, None)]
)
def test_client_and_target_agree_within_two_percent(counted: int | None, held: bool | None) -> None:
    checks = report.checks(stage("a", 5, "passed", requests=1000, target_counters={"requests": counted}))
    assert [check["held"] for check in checks] == ([] if held is None else [held])


def test_the_checks_name_objectives_generator_and_events() -> None:
    checks = report.checks(
        stage(
            "a",
            50,
            "invalid",
            objectives=[{"objective": "failures < 1%", "measured": 12.0, "unit": "%", "limit": 1.0, "held": False}],
            peak_users=40,
            workers=1,
            generator={"worker_cpu_percent_max": 93.4, "missing_workers": 1},
            events=[{"t_s": 12.3, "text": "/data moved to Lambda"}],
        )
    )
    assert [(check["what"], check["measured"], check["held"]) for check in checks] == [
        ("failures < 1%", "12 %", False),
        ("users reached", "40 of 50", False),
        ("busiest worker", "93 % of a core", None),
        ("workers", "1, 1 missing", False),
        ("/data moved to Lambda", "at 12 s", None),
    ]


def test_a_failures_chart_is_there_only_when_something_failed() -> None:
    point = {"t_s": 1.0, "phase": "hold", "users": 1, "requests_per_s": 1.0, "failures_per_s": 0.0}
    for failures in (0.0, 0.5):
        stages = [stage("a", 5, "passed", history=[point | {"failures_per_s": failures}])]
        assert bool(report.view({"stages": stages})["stages"][0]["charts"]["failures"]) == bool(failures)


def test_a_limit_outside_the_axis_is_not_drawn() -> None:
    objectives = [{"objective": "max < 9999s", "measured": 1.0, "unit": "ms", "limit": 9_999_000.0, "held": True}]
    shown = report.view({"stages": [stage("a", 5, "passed", objectives=objectives)]})["stages"][0]["charts"]
    assert shown["latency"]["limits"] == []


@given(st.lists(st.floats(0.05, 1e6), min_size=3, max_size=3))
def test_the_range_stays_inside_its_axis(values: list[float]) -> None:
    p50, p95, p99 = sorted(values)
    drawn = report.view({"stages": [stage("a", 5, "passed", p50_ms=p50, p95_ms=p95, p99_ms=p99)]})["stages"][0]["range"]
    assert 0 <= drawn["p50"] <= drawn["p95"] <= drawn["p99"] <= report.RANGE_WIDTH
