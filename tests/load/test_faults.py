"""What breaks while a swarm runs is said, what was measured is kept, the swarm ends, and nothing passes by mistake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from load.cluster import Cluster, states, wait_until
from load.conftest import MakeSwarm, run, run_and_hurt
from load.line import Line
from load.site import Site

DRIVE = """
import sys
from pathlib import Path
from ansible_collections.loadlift.aws.plugins.module_utils._locust.client import Locust
from ansible_collections.loadlift.aws.plugins.module_utils._locust.results import Results
from ansible_collections.loadlift.aws.plugins.module_utils._locust.swarm import Swarm
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_order import order
url, target, results = sys.argv[1:]
wanted = order(dict(run_id="run", stage="stage", title="", target=target, addresses=[], users=20, spawn_rate=20.0,
    hold=60.0, objectives=[], counters=[], request_timeout=5.0, wait="0.3-0.7", lease=5.0))
swarm = Swarm(Locust(url), wanted, Results.of(results, wanted), print, say_every_s=0.5)
swarm.begin(2, 10, False)
swarm.drive()
"""


def test_a_killed_worker_is_named_and_its_successor_does_not_hide_the_loss(own: Cluster, make_swarm: MakeSwarm) -> None:
    def kill_and_start() -> None:
        own.workers[0].kill()
        own.workers.append(own.start_worker())

    summary = run_and_hurt(make_swarm(own, hold=6.0), kill_and_start)
    assert summary["verdict"] == "invalid"
    assert summary["reason"].startswith("generator-bound: worker ")
    assert "was lost after" in summary["reason"]
    assert any("joined" in event["text"] for event in summary["events"])
    assert summary["generator"]["missing_workers"] == 1
    assert summary["requests"] > 0


def test_without_any_worker_the_swarm_ends_early(own: Cluster, make_swarm: MakeSwarm) -> None:
    started = time.monotonic()
    summary = run_and_hurt(make_swarm(own, hold=60.0), lambda: [worker.kill() for worker in own.workers])
    assert time.monotonic() - started < 30
    assert summary["verdict"] == "invalid"
    assert summary["generator"]["missing_workers"] == 2


def falls_silent(site: Site, seconds: float) -> None:
    """Return when nobody has asked the site for 2 s; fail the test when that is not so within `seconds`."""
    deadline = time.monotonic() + seconds
    before = -1
    while before != site.answered:
        assert time.monotonic() < deadline, f"the site was still asked after {seconds} s"
        before = site.answered
        time.sleep(2)


def test_a_restarted_master_is_said_and_what_was_measured_is_kept(
    own: Cluster, site: Site, make_swarm: MakeSwarm
) -> None:
    def restart() -> None:
        time.sleep(1.5)
        own.master.kill()
        own.master.wait()
        own.master = own.start_master()

    summary = run_and_hurt(make_swarm(own, hold=30.0), restart)
    assert summary["verdict"] == "invalid"
    assert "has forgotten the swarm" in summary["reason"]
    assert summary["requests"] > 0
    falls_silent(site, 30)


def stand_still(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Stop a process and let it go on."""
    process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    process.send_signal(signal.SIGCONT)


def test_a_master_that_is_silent_for_10_seconds_changes_nothing(
    own: Cluster, site: Site, make_swarm: MakeSwarm
) -> None:
    wanted = {"hold": 13.0, "lease": 20.0, "objectives": ["failures = 0", "counter difference < 4%", "requests/s > 20"]}
    summary = run_and_hurt(make_swarm(own, **wanted), lambda: stand_still(own.master, 10))
    assert (summary["verdict"], summary["measured_s"]) == ("passed", pytest.approx(13.0, abs=1.5))


def test_a_master_that_is_gone_for_good_is_said_and_the_swarm_ends(
    own: Cluster, site: Site, make_swarm: MakeSwarm
) -> None:
    summary = run_and_hurt(make_swarm(own, hold=30.0), own.master.kill)
    assert summary["verdict"] == "invalid"
    assert "has not answered for 5 s" in summary["reason"]
    assert summary["finished_at"]
    falls_silent(site, 30)


def test_a_worker_that_stands_still_is_named(own: Cluster, make_swarm: MakeSwarm) -> None:
    # Not long enough for the master to miss it: three heartbeats.
    summary = run_and_hurt(make_swarm(own, hold=8.0), lambda: stand_still(own.workers[0], 3.3))
    assert summary["verdict"] == "invalid"
    assert "generator-bound" in summary["reason"]
    assert "stood still for 3." in summary["reason"] or "was lost after" in summary["reason"]


@pytest.fixture
def line(own: Cluster) -> Iterator[Line]:
    """The line between the master of `own` and a third worker."""
    line = Line(own.port)
    own.workers.append(own.start_worker(line.port))
    wait_until(lambda: own.connected() == 3, 30, "the third worker is connected")
    yield line
    line.close()


def lose_worker(cluster: Cluster, line_fails: Callable[[], None]) -> None:
    """Let a line fail until the master misses the worker behind it, and stop the swarm."""
    line_fails()
    wait_until(lambda: "missing" in states(cluster.locust), 10, "the master misses the worker")
    cluster.locust.stop()


def test_late_reports_of_a_worker_do_not_count_in_the_next_swarm(
    own: Cluster, line: Line, make_swarm: MakeSwarm
) -> None:
    refused = make_swarm(own, target="http://127.0.0.1:9", counters=[], hold=30.0, run_id="before")
    before = run_and_hurt(refused, lambda: lose_worker(own, line.silence))
    assert (before["verdict"], before["failure_ratio"]) == ("invalid", 1.0)
    summary = run_and_hurt(make_swarm(own, hold=6.0, run_id="after"), line.mend)
    assert any("joined" in event["text"] for event in summary["events"])
    assert (summary["failures"], summary["requests"] > 0) == (0, True)


def test_a_worker_that_did_not_hear_the_stop_is_stopped_once_it_is_back(
    own: Cluster, site: Site, line: Line, make_swarm: MakeSwarm
) -> None:
    run_and_hurt(make_swarm(own, hold=30.0), lambda: lose_worker(own, line.cut))
    line.mend()
    wait_until(lambda: own.connected() == 3, 10, "the worker is back")
    falls_silent(site, 6)
    assert all(worker.poll() is None for worker in own.workers)


def test_late_messages_of_a_worker_that_has_ended_bring_back_neither_it_nor_its_users(
    own: Cluster, line: Line, make_swarm: MakeSwarm
) -> None:
    run_and_hurt(make_swarm(own, hold=30.0), lambda: lose_worker(own, line.silence))
    own.workers[-1].kill()
    own.workers[-1].wait()
    line.mend()
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        assert (states(own.locust), own.locust.state()["users"]) == (["missing", "ready", "ready"], 0)


BUSY = """
from locust import task
from loadlift_locust.visitor import Visitor

class Busy(Visitor):
    @task
    def burn(self):
        self.client.get("/", name="/")
        sum(range(6_000_000))
"""
HOARDING = """
import os
from visitors import WebVisitor

class Hoarder(WebVisitor):
    def on_start(self):
        try:
            while True:
                os.dup(0)
        except OSError:
            pass

del WebVisitor
"""


def run_alone(folder: Path, scenario: str, make_swarm: MakeSwarm, **wanted: Any) -> dict[str, Any]:
    """Run a swarm with a scenario of its own on a cluster of one worker; return its summary."""
    file = folder / "scenario.py"
    file.write_text(scenario)
    cluster = Cluster(folder, workers=1, scenario=file)
    try:
        swarm = make_swarm(cluster, users=4, spawn_rate=4.0, hold=3.0, objectives=[], **wanted)
        swarm.begin(1, 10, False)
        return swarm.drive()
    finally:
        cluster.close()


def test_a_worker_without_a_core_to_spare_is_named(tmp_path: Path, make_swarm: MakeSwarm) -> None:
    summary = run_alone(tmp_path, BUSY, make_swarm, wait="0-0")
    assert summary["verdict"] == "invalid"
    # On a machine that others use, too, it waits for a core where it does not get one.
    assert "over 90 %" in summary["reason"]


def test_a_generator_without_descriptors_is_no_fault_of_the_target(tmp_path: Path, make_swarm: MakeSwarm) -> None:
    summary = run_alone(tmp_path, HOARDING, make_swarm)
    assert summary["verdict"] == "invalid"
    assert "failed in the generator itself" in summary["reason"]


def test_after_a_killed_controller_the_swarm_ends_and_the_next_one_waits_for_it(
    whole: Cluster, site: Site, tmp_path: Path, make_swarm: MakeSwarm
) -> None:
    command = [sys.executable, "-c", DRIVE, whole.locust.url, site.url, str(tmp_path / "results")]
    controller = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    kept = tmp_path / "results" / "run" / "stage" / "summary.json"
    wait_until(lambda: kept.exists() and json.loads(kept.read_text())["requests"], 20, "something was measured")
    os.killpg(controller.pid, signal.SIGKILL)
    controller.wait()
    following = make_swarm(whole, run_id="next", hold=1.0)
    following.begin(2, 10, take_over=False)
    wait_until(lambda: whole.locust.state()["swarm"]["id"] == "next/stage", 5, "the next swarm runs")
    assert following.drive()["verdict"] == "passed"
    summary = json.loads(kept.read_text())
    assert summary["verdict"] == "invalid"
    assert "its controller was interrupted" in summary["reason"]


def test_a_target_that_refuses_connections_fails_and_is_no_fault_of_the_generator(
    whole: Cluster, make_swarm: MakeSwarm
) -> None:
    summary = run(make_swarm(whole, target="http://127.0.0.1:9", counters=[], hold=1.0, objectives=["failures < 1%"]))
    assert summary["verdict"] == "failed"
    assert summary["failure_ratio"] == pytest.approx(1.0)
