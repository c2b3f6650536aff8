"""A site, a cluster of Locusts, and swarms that are over in seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._locust.results import Results
from ansible_collections.loadlift.aws.plugins.module_utils._locust.swarm import Swarm
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_order import order

from load.cluster import Cluster, wait_until
from load.site import Site

MakeSwarm = Callable[..., Swarm]


@pytest.fixture
def site() -> Iterator[Site]:
    """A site of this test's own."""
    server = Site()
    yield server
    server.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster of the tests that leave it whole."""
    cluster = Cluster(tmp_path_factory.mktemp("shared"))
    yield cluster
    cluster.close()


@pytest.fixture
def whole(shared: Cluster) -> Iterator[Cluster]:
    """The shared cluster, nothing running on it before and after."""
    shared.locust.stop()
    yield shared
    shared.locust.stop()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that the test may break."""
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.close()


@pytest.fixture
def make_swarm(tmp_path: Path, site: Site) -> MakeSwarm:
    """Make a swarm of 20 users that asks twice a second each, for the test's own site."""

    def make(cluster: Cluster, **more: Any) -> Swarm:
        wanted = {
            "run_id": "run",
            "stage": "stage",
            "title": "",
            "target": site.url,
            "addresses": [],
            "users": 20,
            "spawn_rate": 20.0,
            "hold": 2.0,
            "objectives": ["failures = 0"],
            "counters": [f"{site.url}/counters"],
            "request_timeout": 10.0,
            "wait": "0.3-0.7",
            "lease": 5.0,
        } | more
        placed = order(wanted)
        lines: list[str] = []
        return Swarm(
            cluster.locust, placed, Results.of(str(tmp_path / "results"), placed), lines.append, say_every_s=1.0
        )

    return make


def run(swarm: Swarm) -> dict[str, Any]:
    """Drive a swarm from its start to its end; return its summary."""
    swarm.begin(workers=2, wait_for_workers_s=10, take_over=False)
    return swarm.drive()


def run_and_hurt(swarm: Swarm, hurt: Any) -> dict[str, Any]:
    """Drive a swarm; call `hurt` as soon as it is measured."""

    def measured() -> bool:
        state = swarm.locust.state()["swarm"]
        return bool(state) and state["id"] == swarm.order.swarm_id and state["ramp_s"] is not None

    def wait_and_hurt() -> None:
        wait_until(measured, 15, "the window is open")
        hurt()

    hurting = threading.Thread(target=wait_and_hurt)
    hurting.start()
    summary = run(swarm)
    hurting.join()
    return summary
