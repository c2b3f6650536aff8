"""What breaks while a swarm runs is said, what was measured is kept, the swarm ends, and nothing passes by mistake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._locust.swarm import Swarm

from load.cluster import Cluster, wait_until
from load.conftest import MakeSwarm, run
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


def run_and_hurt(swarm: Swarm, hurt: Any) -> dict[str, Any]:
    """Drive a swarm; call `hurt` as soon as it is measured."""

    def wait_and_hurt() -> None:
        wait_until(lambda: (swarm.locust.state()["swarm"] or {}).get("ramp_s"), 15, "the window is open")
        hurt()

    hurting = threading.Thread(target=wait_and_hurt)
    hurting.start()
    summary = run(swarm)
    hurting.join()
    return summary


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


def test_a_restarted_master_is_said_and_what_was_measured_is_kept(own: Cluster, make_swarm: MakeSwarm) -> None:
    def restart() -> None:
        time.sleep(1.5)
        own.master.kill()
        own.master.wait()
        own.master = own.start_master()

    summary = run_and_hurt(make_swarm(own, hold=30.0), restart)
    assert summary["verdict"] == "invalid"
    assert "has forgotten the swarm" in summary["reason"]
    assert summary["requests"] > 0


def test_a_master_that_is_silent_for_a_while_changes_nothing(own: Cluster, make_swarm: MakeSwarm) -> None:
    def pause() -> None:
        own.master.send_signal(signal.SIGSTOP)
        time.sleep(2)
        own.master.send_signal(signal.SIGCONT)

    summary = run_and_hurt(make_swarm(own, hold=4.0, lease=10.0), pause)
    assert summary["verdict"] == "passed"


def test_a_master_that_is_gone_for_good_is_said(own: Cluster, make_swarm: MakeSwarm) -> None:
    summary = run_and_hurt(make_swarm(own, hold=30.0), own.master.kill)
    assert summary["verdict"] == "invalid"
    assert "has not answered for 5 s" in summary["reason"]


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
