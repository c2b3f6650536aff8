"""What a swarm needs, and that more of anything never needs less."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_limits import Worker, why_too_large
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_size import swarm_size
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("users", "options", "expected"),
    [
        (30_000, {}, {"workers": 2, "hosts": 1, "addresses": 1, "spawn_rate": 200, "ramp_s": 150}),
        (30_000, {"ports": 28_232}, {"workers": 2, "hosts": 1, "addresses": 2}),
        (30_000, {"spawn_rate": 1000}, {"workers": 10, "limited_by": "spawn_rate", "ramp_s": 30, "warnings": []}),
        (30_000, {"spawn_rate": 1000, "spawned_a_worker": 500}, {"workers": 2, "ramp_s": 30}),
        (30_000, {"open_files": 10_200}, {"workers": 3, "limited_by": "open_files"}),
        (30_000, {"wait": "1-1"}, {"workers": 16, "limited_by": "cpu"}),
        (30_000, {"wait": "1-1", "core_speed": 2}, {"workers": 8, "limited_by": "cpu"}),
        (
            60_000,
            {"addresses": 1, "workers_a_host": 8, "ports": 20_000},
            {"workers": 17, "limited_by": "ports", "hosts": 3},
        ),
        (30_000, {"host_memory_mb": 1024}, {"workers": 3, "limited_by": "memory", "hosts": 2}),
        (300_000, {}, {"workers": 17, "hosts": 9, "limited_by": "cpu"}),
        (3_000_000, {}, {"workers": 165, "hosts": 83, "limited_by": "cpu"}),
        (3_000_000, {"workers_a_host": 16}, {"workers": 165, "hosts": 11, "addresses": 5}),
        (1, {}, {"workers": 1, "hosts": 1, "spawn_rate": 1, "ramp_s": 1}),
    ],
)
def test_what_a_swarm_needs(users: int, options: dict[str, Any], expected: dict[str, Any]) -> None:
    size = swarm_size(users, options)
    assert {name: size[name] for name in expected} == expected


def test_locusts_warning_is_told() -> None:
    (warning,) = swarm_size(30_000, {"spawn_rate": 1000, "spawned_a_worker": 500})["warnings"]
    assert warning.startswith("1000 users/s on 2 workers are more than 100 a worker")


@pytest.mark.parametrize(
    ("users", "options", "sentence"),
    [
        (0, {}, "users is 0; allowed are 1 to"),
        ("many", {}, "users is 'many'; a number is needed."),
        (1, {"wait": "5"}, "wait is '5'; MIN-MAX"),
        (1, {"wait": "15-5"}, "wait is '15-5'"),
        (1, {"wait": "0-0"}, "wait is '0-0'"),
        (1, {"load": 1}, "load is 1; allowed are 0.05 to 0.9."),
        (1, {"core_speed": 0}, "core_speed is 0; allowed"),
        (1, {"open_files": 200}, "open_files is 200; allowed are 201"),
        (1, {"connections": "none"}, "connections is 'none'; allowed are user, shared."),
        (1, {"host_memory_mb": 180}, "host_memory_mb is 180; 2 workers need"),
        (1, {"cores": 4}, "swarm_size has no option 'cores'; allowed are wait"),
    ],
)
def test_wrong_options_are_refused(users: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        swarm_size(users, options)
    assert sentence in str(refused.value)


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "wait": st.sampled_from(["1-1", "1-3", "5-15", "10-60"]),
        "response_ms": st.floats(0, 5000),
        "core_speed": st.floats(0.2, 4),
        "load": st.floats(0.1, 0.9),
        "spawn_rate": st.floats(0, 5000),
        "open_files": st.integers(1000, 1_048_576),
        "ports": st.integers(1000, 60_000),
        "addresses": st.integers(0, 8),
        "connections": st.sampled_from(["user", "shared"]),
        "workers_a_host": st.integers(1, 64),
        "host_memory_mb": st.sampled_from([0, 8_000, 64_000]),
    },
)
TOTALS = ("workers", "hosts", "memory_mb", "requests_per_s")


@given(st.integers(1, 3_000_000), st.integers(0, 1_000_000), OPTIONS)
def test_more_users_never_need_less(users: int, more: int, options: dict[str, Any]) -> None:
    small, large = swarm_size(users, options), swarm_size(users + more, options)
    assert all(small[name] <= large[name] + 0.1 for name in TOTALS if name != "memory_mb")
    # A worker more spreads the same users and adds its own memory; rounding is to whole MB a worker.
    assert small["memory_mb"] <= large["memory_mb"] + large["workers"]


@given(st.integers(1, 3_000_000), OPTIONS, st.floats(1, 4))
def test_faster_cores_never_need_more(users: int, options: dict[str, Any], faster: float) -> None:
    speed = options.get("core_speed", 1.0)
    fast = swarm_size(users, options | {"core_speed": speed * faster})
    assert fast["workers"] <= swarm_size(users, options)["workers"]


@given(st.integers(1, 3_000_000), OPTIONS)
def test_what_is_told_is_enough(users: int, options: dict[str, Any]) -> None:
    size = swarm_size(users, options)
    assert size["cpu_percent_per_worker"] <= 100 * options.get("load", 0.6) + 0.1
    assert size["users_per_worker"] * size["workers"] >= users
    if not options.get("host_memory_mb"):
        return
    assert size["memory_mb_per_host"] <= options["host_memory_mb"] + options.get("workers_a_host", 2)


@given(st.integers(1, 200_000), OPTIONS)
def test_the_master_does_not_refuse_what_is_told_as_enough(users: int, options: dict[str, Any]) -> None:
    size = swarm_size(users, options)
    a_host, files = options.get("workers_a_host", 2), options.get("open_files", 1_048_576)
    ports, shared = options.get("ports", 55_296), 200 if options.get("connections") == "shared" else 0
    # Full hosts, as a fleet has them.
    workers = [
        Worker(f"w{number}", f"h{number // a_host}", files, ports, shared) for number in range(size["hosts"] * a_host)
    ]
    refusal = why_too_large(users, workers, size["addresses"])
    if not shared:
        assert refusal == ""
