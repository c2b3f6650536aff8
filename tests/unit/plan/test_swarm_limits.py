"""Whether the workers' files and the hosts' ports hold a swarm."""

from __future__ import annotations

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_limits import OWN_FILES, Worker, why_too_large
from hypothesis import given
from hypothesis import strategies as st

PORTS = 28_232


def workers(count: int, hosts: int = 1, files: int = 20_000, ports: int = PORTS) -> list[Worker]:
    return [Worker(f"w{number}", f"h{number % hosts}", files, ports) for number in range(count)]


@pytest.mark.parametrize(
    ("users", "held_by", "addresses", "reason"),
    [
        (30_000, workers(2), 3, ""),
        (39_600, workers(2), 3, ""),
        (39_601, workers(2), 3, "19,801 connections a worker"),
        (30_000, workers(1), 3, "so 1 workers hold 19,800 users"),
        (30_000, workers(2), 1, "host h0 would open 30,000 connections to 1 address, and it has 28,232 ports"),
        (28_232, workers(2), 1, ""),
        (56_000, workers(4, hosts=2, files=100_000), 1, ""),
        (57_000, workers(4, hosts=2, files=100_000), 1, "28,500 connections to 1 address"),
        (1, [], 1, "No worker is connected"),
    ],
)
def test_the_first_limit_that_is_short_is_named(users: int, held_by: list[Worker], addresses: int, reason: str) -> None:
    found = why_too_large(users, held_by, addresses)
    assert reason in found
    assert bool(found) == bool(reason)


def test_users_that_share_connections_are_held_by_few() -> None:
    shared = [Worker(f"w{number}", "h0", 1_000, PORTS, shared=200) for number in range(2)]
    assert not why_too_large(50_000, shared, addresses=3)
    assert "800 connections a worker" in why_too_large(
        50_000, [*shared, Worker("w2", "h0", 900, PORTS, 200)], addresses=4
    )
    few_ports = [Worker(f"w{number}", "h0", 20_000, ports=300, shared=200) for number in range(2)]
    assert "would open 400 connections to 1 address" in why_too_large(50_000, few_ports, addresses=1)


@given(st.integers(1, 10**6), st.integers(1, 50), st.integers(1, 10), st.integers(1, 10))
def test_what_is_held_stays_held_with_more(users: int, count: int, hosts: int, addresses: int) -> None:
    if not why_too_large(users, workers(count, hosts), addresses):
        assert not why_too_large(users, workers(count * 2, hosts), addresses)
        assert not why_too_large(users, workers(count, hosts), addresses + 1)
        assert not why_too_large(users - 1, workers(count, hosts), addresses)


@given(st.integers(1, 10**6), st.integers(1, 50), st.integers(1, 10))
def test_no_worker_ever_gets_more_connections_than_files(users: int, count: int, addresses: int) -> None:
    if not why_too_large(users, workers(count), addresses):
        assert users / count <= 20_000 - OWN_FILES
        assert users <= PORTS * addresses
