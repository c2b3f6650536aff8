"""Scenarios told as data, and users that share connections, on a real Locust; bundled as the role does it."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.scenario import requests

from load.cluster import SCENARIO, Cluster
from load.conftest import MakeSwarm, run
from load.site import Site

Deploy = Callable[..., Cluster]

MIX = [
    {"path": "/", "weight": 6, "text": "hello"},
    {"path": "/data?page=1", "name": "/data", "weight": 3, "text": "P24"},
    {"path": "/cart", "method": "POST", "body": {"product": 7}, "status": 201, "headers": {"X-Who": "a visitor"}},
    {"path": "/gone", "status": [404, 410]},
    {"path": "/moved", "status": 302},
]


@pytest.fixture
def deploy(tmp_path: Path) -> Iterator[Deploy]:
    """Start a cluster with a scenario.json of the test's own."""
    clusters: list[Cluster] = []

    def start(file: str, **told: Any) -> Cluster:
        scenario = tmp_path / "scenario"
        shutil.copytree(SCENARIO, scenario)
        (scenario / "scenario.json").write_text(json.dumps(told))
        clusters.append(Cluster(tmp_path, scenario=scenario / file))
        return clusters[-1]

    yield start
    for cluster in clusters:
        cluster.close()


def test_a_mix_told_as_data_is_sent_weighed_and_judged(deploy: Deploy, site: Site, make_swarm: MakeSwarm) -> None:
    swarm = make_swarm(
        deploy("described.py", requests=requests(MIX)),
        users=40,
        spawn_rate=40.0,
        hold=4.0,
        counters=[],
        objectives=["failures = 0"],
    )
    summary = run(swarm)
    assert (summary["verdict"], summary["errors"]) == ("passed", [])
    counts = Counter({(one["method"], one["name"]): one["requests"] for one in summary["by_request"]})
    assert set(counts) == {("GET", "/"), ("GET", "/data"), ("POST", "/cart"), ("GET", "/gone"), ("GET", "/moved")}
    assert counts["GET", "/"] / counts.total() == pytest.approx(0.5, abs=0.15)
    assert counts["GET", "/"] > counts["GET", "/data"] > counts["POST", "/cart"]
    assert {(json.loads(body)["product"], who) for body, who in site.carts} == {(7, "a visitor")}


def test_wrong_statuses_and_texts_are_failures(deploy: Deploy, site: Site, make_swarm: MakeSwarm) -> None:
    wrong = [
        {"path": "/", "text": "goodbye"},
        {"path": "/gone"},
        {"path": "/data", "status": [204, 304]},
        {"path": "/moved", "status": 301},
    ]
    swarm = make_swarm(deploy("described.py", requests=requests(wrong)), counters=[], hold=3.0)
    summary = run(swarm)
    assert (summary["verdict"], summary["failure_ratio"]) == ("failed", 1.0)
    said = {error["name"]: error["error"] for error in summary["errors"]}
    assert "the answer lacks 'goodbye'" in said["/"]
    assert "404" in said["/gone"]
    assert "status is 200, not 204 or 304" in said["/data"]
    assert "status is 302, not 301" in said["/moved"]


def test_the_number_of_users_goes_on_as_the_table_says(whole: Cluster, make_swarm: MakeSwarm) -> None:
    table = [{"users": 60, "spawn_rate": 40, "duration": 4}, {"users": 10, "spawn_rate": 50, "duration": 4}]
    summary = run(make_swarm(whole, hold=2.0, shape=table, objectives=["failures = 0", "users = 20"]))
    assert (summary["verdict"], summary["peak_users"]) == ("passed", 60), summary["reason"]
    assert (summary["users"], summary["hold_s"]) == (20, 10)
    held = [point["users"] for point in summary["history"] if point["phase"] == "hold"]
    assert held[0] == 20
    assert max(held) == 60
    assert held[-1] == 10
    assert [event["text"] for event in summary["events"] if "goes on" in event["text"]] == [
        "goes on to 60 users at 40 users/s",
        "goes on to 10 users at 50 users/s",
    ]


def test_a_shape_larger_than_the_workers_hold_is_refused(whole: Cluster, make_swarm: MakeSwarm) -> None:
    many = 2 * whole.locust.state()["workers"][0]["open_files"] + 2
    swarm = make_swarm(whole, shape=[{"users": many, "spawn_rate": 1000, "duration": 3600}])
    with pytest.raises(InputError, match="open files"):
        swarm.begin(2, 10, take_over=False)
    assert not whole.active()


def test_users_that_share_connections_open_few(deploy: Deploy, site: Site, make_swarm: MakeSwarm) -> None:
    cluster = deploy("visitors.py", connections="shared", shared_connections=3)
    assert {worker["connections"] for worker in cluster.locust.state()["workers"]} == {3}
    summary = run(make_swarm(cluster, users=60, spawn_rate=60.0, counters=[]))
    assert summary["verdict"] == "passed"
    assert summary["requests"] > 100
    assert summary["shared_connections"] == 3
    assert site.connections <= 6
