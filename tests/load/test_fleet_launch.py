"""What an instance of the fleet runs: workers find the master by Parameter Store, follow it, and end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._locust.client import Locust
from moto.server import ThreadedMotoServer

from load.cluster import SCENARIO, free_port, wait_until
from load.deployment import ACCOUNT

LAUNCH = Path(__file__).parents[2] / "roles" / "load_test_fleet" / "files" / "launch.py"
PARAMETER = "/loadlift/shop/load_test_fleet/master"
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def endpoint() -> Iterator[str]:
    """An empty account."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def ports() -> dict[str, str]:
    """Free ports of a master."""
    return {"LOADLIFT_MASTER_PORT": str(free_port()), "LOADLIFT_WEB_PORT": str(free_port())}


@pytest.fixture
def start(tmp_path: Path, endpoint: str, ports: dict[str, str]) -> Iterator[Start]:
    """Start an instance's part on a loopback address of its own, from a bundle as the role makes it."""
    for file in (*SCENARIO.rglob("*.py"), LAUNCH):
        path = tmp_path / (file.relative_to(SCENARIO) if file != LAUNCH else file.name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(file.read_text())
    running: list[subprocess.Popen[bytes]] = []

    def run(part: str, address: str) -> subprocess.Popen[bytes]:
        told = {
            "LOADLIFT_PART": part,
            "LOADLIFT_PROCESSES": "2",
            "LOADLIFT_MASTER_PARAMETER": PARAMETER,
            "LOADLIFT_SCENARIO": "visitors.py",
            "LISTEN_ADDRESS": address,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        environment = os.environ | ACCOUNT | ports | told
        log = (tmp_path / f"{part}-{address}.log").open("ab")
        running.append(
            subprocess.Popen([sys.executable, str(tmp_path / "launch.py")], env=environment, stdout=log, stderr=log)
        )
        return running[-1]

    yield run
    for process in running:
        process.terminate()
        process.wait()


def connected(ports: dict[str, str], address: str) -> int:
    """Return how many workers the master on `address` has."""
    try:
        state: dict[str, Any] = Locust(f"http://{address}:{ports['LOADLIFT_WEB_PORT']}", timeout_s=2.0).state()
    except Exception:  # not there yet
        return 0
    return sum(worker["state"] != "missing" for worker in state["workers"])


def descendants(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the processes that the part runs."""
    listed = subprocess.run(
        ["ps", "--ppid", str(process.pid), "-o", "pid="], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in listed.stdout.split()]


def alive(pids: list[int]) -> list[int]:
    """Return which of them are there."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_workers_that_come_first_wait_for_the_master_and_follow_it(
    start: Start, ports: dict[str, str], endpoint: str
) -> None:
    workers = start("workers", "127.0.0.1")
    first = start("master", "127.0.0.1")
    wait_until(lambda: connected(ports, "127.0.0.1") == 2, 30, "both workers joined")
    assert (
        boto3.client("ssm", endpoint_url=endpoint, region_name="us-east-1", **keys()).get_parameter(Name=PARAMETER)[
            "Parameter"
        ]["Value"]
        == "127.0.0.1"
    )
    kept = descendants(workers)
    assert len(kept) == 2
    # A new instance takes the master's place; whoever keeps the workers' part starts it again once it has ended.
    first.kill()
    first.wait()
    start("master", "127.0.0.2")
    workers.wait(timeout=40)
    assert alive(kept) == []
    start("workers", "127.0.0.1")
    wait_until(lambda: connected(ports, "127.0.0.2") == 2, 30, "both workers joined the new master")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_its_part(start: Start, ports: dict[str, str], number: signal.Signals) -> None:
    master = start("master", "127.0.0.1")
    wait_until(lambda: descendants(master), 20, "the master runs")
    kept = descendants(master)
    master.send_signal(number)
    master.wait()
    wait_until(lambda: not alive(kept), 10, "its process has ended")


def keys() -> dict[str, str]:
    """Return the account's keys as boto3 takes them."""
    return {name.lower(): ACCOUNT[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
