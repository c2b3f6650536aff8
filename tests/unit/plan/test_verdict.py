"""The verdict: every fault of the generator makes a swarm invalid, and none makes it pass."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.histogram import Figures
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_order import Order, order
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_summary import (
    Ending,
    counter_difference,
    earlier,
    is_valid,
    nothing,
    progress_line,
    summary,
    unfinished,
)

OPTIONS = {
    "run_id": "run",
    "stage": "shop_500",
    "title": "",
    "target": "http://shop.example.com/",
    "addresses": [],
    "users": 500,
    "spawn_rate": 50.0,
    "hold": 30.0,
    "objectives": ["p95 < 250ms", "failures < 1%"],
    "counters": [],
    "request_timeout": 60.0,
    "wait": "5-15",
    "lease": 20.0,
}
ORDER: Order = order(OPTIONS)
SWARM: dict[str, Any] = {
    "id": "run/shop_500",
    "host": "http://shop.example.com",
    "addresses": [],
    "spawn_rate": 50.0,
    "users": 500,
    "lease_left_s": 19.0,
    "window": 1,
    "ramp_from_users": 0,
    "ramping_s": 41.0,
    "counted_s": 30.1,
    "started_at": 1795500000.0,
    "t_s": 41.0,
    "ramp_s": 10.5,
    "measured_s": 30.1,
    "users_low": 500,
    "users_high": 500,
    "workers": ["w1", "w2"],
    "lost": [],
    "joined": [],
    "worker_peaks": {
        "w1": {"cpu_percent": 40.0, "cpu_percent_mean": 35.0, "cpu_wait_percent": 2.0, "loop_lag_ms": 3.0},
        "w2": {"cpu_percent": 45.0, "cpu_percent_mean": 36.0, "cpu_wait_percent": 1.5, "loop_lag_ms": 9.0},
    },
    "ended_by": "",
    "events": [],
    "memo": {},
}


def entry(name: str, requests: int = 1500, failures: int = 0, milliseconds: float = 20.0) -> dict[str, Any]:
    return {
        "method": "GET" if name else "",
        "name": name,
        "requests": requests,
        "failures": failures,
        "total_ms": requests * milliseconds,
        "min_ms": milliseconds,
        "max_ms": milliseconds,
        "histogram": [[milliseconds, requests]] if requests else [],
    }


def state(swarm: dict[str, Any] | None = None, error: str = "", **total: Any) -> dict[str, Any]:
    errors = [{"method": "GET", "name": "/data", "error": error, "occurrences": 1, "first_seen": 0.0}] if error else []
    window = {"total": entry("", **total), "requests": [entry("/data", **total)], "errors": errors, "ramp": None}
    return {"swarm": SWARM | (swarm or {}), "window": window}


def judged(told: dict[str, Any]) -> tuple[str, str]:
    kept = summary(ORDER, told, [], Ending())
    return kept["verdict"], kept["reason"]


def test_what_holds_passes_with_the_measured_values_beside_the_limits() -> None:
    assert judged(state()) == ("passed", "p95 20 ms, under 250 ms; no failures.")


@pytest.mark.parametrize(
    ("total", "reason"),
    [
        ({"milliseconds": 6200.0}, "p95 6.2 s, not under 250 ms."),
        ({"failures": 180}, "failures 12 %, not under 1 %."),
        ({"milliseconds": 250.0, "failures": 15}, "p95 250 ms, not under 250 ms; failures 1 %, not under 1 %."),
    ],
)
def test_what_does_not_hold_fails_and_only_that_is_said(total: dict[str, Any], reason: str) -> None:
    assert judged(state(**total)) == ("failed", reason)


def peaks(**more: float) -> dict[str, dict[str, float]]:
    """Return the figures of a worker that has time to spare, but for `more`."""
    calm = {"cpu_percent": 5.0, "cpu_percent_mean": 4.0, "cpu_wait_percent": 0.0, "loop_lag_ms": 0.0}
    return {"w1": calm | more}


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"lost": ["w1"], "events": [{"t_s": 12.4, "text": "worker w1 was lost"}]}, "", "worker w1 was lost after 12 s"),
    ({"users_low": 250}, "", "only 250 of 500 users"),
    ({"ramp_s": None, "measured_s": None, "users_high": 320}, "", "320 of 500 users were up after 41 s."),
    ({"ramp_s": None, "measured_s": None, "ended_by": "its lease ran out"}, "", "(its lease ran out)"),
    ({"ramp_s": 17.6}, "", "the spawn rate of 50 users/s was not held, 500 users took 18 s, not 10 s"),
    ({"worker_peaks": peaks(cpu_percent=91.0)}, "", "worker w1 used 91 % of its core, over 90 %"),
    (
        {"worker_peaks": peaks(cpu_percent=62.0, cpu_percent_mean=55.0, cpu_wait_percent=36.0)},
        "",
        "worker w1 used 55 % of its core and waited for one 36 % of the time, together over 90 %",
    ),
    ({"measured_s": 12.0, "ended_by": "its lease ran out"}, "", "ended 12 s into its hold of 30 s: its lease ran out"),
    ({"measured_s": 12.0}, "", "the controller was interrupted"),
    ({"ramp_from_users": 300, "ramp_s": 11.0}, "", "was not held, 200 users took 11 s, not 4 s"),
    ({"worker_peaks": peaks(loop_lag_ms=4210.0)}, "", "worker w1 stood still for 4.2 s"),
    (
        {},
        "ConnectionError(OSError(99, 'Cannot assign requested address'))",
        "1 request failed in the generator",
    ),
    ({}, "OSError(24, 'Too many open files')", "failed in the generator itself"),
    ({}, "gaierror(8, 'Name or service not known')", "failed in the generator itself"),
]


@pytest.mark.parametrize(("swarm", "error", "reason"), FAULTS)
@pytest.mark.parametrize("total", [{}, {"failures": 1500}])
def test_a_fault_of_the_generator_is_invalid_whatever_was_measured(
    swarm: dict[str, Any], error: str, reason: str, total: dict[str, Any]
) -> None:
    verdict, said = judged(state(swarm, error, **total))
    assert verdict == "invalid"
    assert reason in said


def test_a_fault_of_the_target_is_no_fault_of_the_generator() -> None:
    verdict, _ = judged(state({}, "ConnectionRefusedError(111, 'Connection refused')", failures=1500))
    assert verdict == "failed"


def test_a_swarm_that_finished_no_request_is_invalid() -> None:
    assert judged(state(requests=0)) == ("invalid", "no request was finished while all users were up.")


def test_without_objectives_a_swarm_passes_and_its_failures_are_said() -> None:
    free = order(OPTIONS | {"objectives": []})
    kept = summary(free, state(failures=15), [], Ending())
    assert (kept["verdict"], kept["reason"]) == ("passed", "1 % failures.")


def test_the_summary_holds_what_the_report_reads() -> None:
    kept = summary(ORDER, state(), [{"t_s": 1.0}], Ending({"requests": 1515.0}, finished_at=1795500041.0))
    assert kept["title"] == kept["stage"] == "shop_500"
    assert kept["target"] == "http://shop.example.com"
    assert kept["started_at"] == "2026-11-24T06:00:00Z"
    assert (kept["requests_per_s"], kept["p95_ms"], kept["mean_ms"]) == (49.83, 20.0, 20.0)
    assert kept["target_counters"] == {"requests": 1515.0, "difference_ratio": 0.01}
    assert kept["objectives"][1] == {
        "objective": "failures < 1%",
        "measured": 0.0,
        "unit": "%",
        "limit": 1.0,
        "over_s": None,
        "abort": False,
        "held": True,
    }
    assert kept["generator"] == {
        "worker_cpu_percent_max": 45.0,
        "loop_lag_ms_max": 9.0,
        "missing_workers": 0,
        "workers": [{"id": worker, **peaks} for worker, peaks in SWARM["worker_peaks"].items()],
    }
    assert kept["finished_at"] == "2026-11-24T06:00:41Z"


def test_what_is_left_behind_while_it_runs_never_passes() -> None:
    assert unfinished(ORDER, state(), [])["verdict"] == "invalid"
    assert unfinished(ORDER, state({"ramp_s": None, "measured_s": None}), [])["verdict"] == "invalid"
    assert nothing(ORDER, "why")["verdict"] == "invalid"


@pytest.mark.parametrize(
    ("counters", "requests", "difference"),
    [({"requests": 98.0}, 100, 0.02), ({}, 100, None), ({"hits": 3.0}, 100, None), ({"requests": 3.0}, 0, None)],
)
def test_counters_are_compared(counters: dict[str, float], requests: int, difference: float | None) -> None:
    assert counter_difference(counters, requests) == difference


def test_a_line_of_progress_reads_at_a_glance() -> None:
    point = {"users": 500, "requests_per_s": 41.2, "failures_per_s": 0.0, "p95_ms": 20.4}
    line = progress_line(ORDER, SWARM | {"measured_s": 12.0}, point)
    assert line == "shop_500  hold  500 of 500 users  41.2 requests/s  p95 20 ms  failures 0 %  18 s left"


def test_figures_without_time_have_no_rate() -> None:
    assert summary(ORDER, state({"counted_s": 0.0}), [], Ending())["requests_per_s"] == 0.0
    assert Figures("", "", 0, 0, 0.0, 0.0, 0.0, ()).percentile(0.5) is None


def test_what_two_objectives_say_alike_is_said_once() -> None:
    wanted = order(OPTIONS | {"objectives": ["failures < 1%", "failures = 0"]})
    assert summary(wanted, state(), [], Ending())["reason"] == "no failures."


ABORTING = order(OPTIONS | {"objectives": ["p95 < 2s over 10s, abort", "requests/s > 10 over 20s"]})


def ended_by_an_objective(swarm: dict[str, Any]) -> tuple[str, str]:
    told = state({"measured_s": 12.4, "counted_s": 12.4} | swarm)
    worst = {ABORTING.objectives[0]: 3100.0, ABORTING.objectives[1]: None}
    kept = summary(ABORTING, told, [], Ending({}, worst, "aborted 12 s into the hold", 1.0))
    return kept["verdict"], kept["reason"]


def test_an_abort_fails_with_what_broke() -> None:
    said = "p95 over any 10 s at worst 3.1 s, not under 2 s; aborted 12 s into the hold."
    assert ended_by_an_objective({}) == ("failed", said)


@pytest.mark.parametrize("fault", [{"users_low": 400}, {"lost": ["w1"]}, {"ramp_s": 40.0}])
def test_an_abort_by_the_generators_own_fault_is_invalid(fault: dict[str, Any]) -> None:
    assert ended_by_an_objective(fault)[0] == "invalid"


def test_the_ramp_is_told_apart() -> None:
    told = state()
    told["window"]["ramp"] = {"total": entry("", 200, 4), "seconds": 10.0}
    ramp = summary(ORDER, told, [], Ending())["ramp"]
    assert (ramp["seconds"], ramp["requests"], ramp["requests_per_s"], ramp["failure_ratio"]) == (10.0, 200, 20.0, 0.02)


@pytest.mark.parametrize(
    ("kept", "said", "valid"),
    [
        ({}, "an earlier attempt was interrupted before it measured anything", False),
        (
            summary(ORDER, state({"measured_s": 12.0}), [], Ending()),
            "an earlier attempt of 2026-11-24T06:00:00Z was interrupted 12 s into its hold, after 1,500 requests",
            False,
        ),
        (
            summary(ORDER, state({"ramp_s": None, "measured_s": None}), [], Ending()),
            "an earlier attempt of 2026-11-24T06:00:00Z was interrupted in its ramp, after 1,500 requests",
            False,
        ),
        (
            summary(ORDER, state(), [], Ending(finished_at=1.0)),
            "an earlier attempt was passed (p95 20 ms, under 250 ms; no failures)",
            True,
        ),
        (nothing(ORDER, "why"), "an earlier attempt was interrupted in its ramp, after 0 requests", False),
    ],
)
def test_an_earlier_attempt_is_told(kept: dict[str, Any], said: str, valid: bool) -> None:
    assert (earlier(kept), is_valid(kept)) == (said, valid)
