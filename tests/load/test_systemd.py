"""The role load_test on a host that systemd runs: its units start, guard themselves, come back, and go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._locust.client import Locust
from ansible_collections.loadlift.aws.plugins.module_utils._locust.web import Access
from moto.server import ThreadedMotoServer

from load.cluster import free_port, states, wait_until
from load.conftest import MakeSwarm, run
from load.deployment import Deployment, changed
from load.systemd_host import PYTHON, SystemdHost, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is systemd")
TOKEN = "a-token-of-this-test"
UNITS = ("load-test-master", "load-test-worker@1", "load-test-worker@2")


@dataclass(frozen=True)
class Deployed:
    """A host with a master and two workers on it."""

    host: SystemdHost
    deployment: Deployment
    locust: Locust


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Boot the host and deploy to it."""
    folder = tmp_path_factory.mktemp("systemd")
    host = SystemdHost(folder)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        if why := host.start():
            pytest.skip(why)
        yield deploy(host, folder, "http://{}:{}".format(*server.get_host_and_port()))
    finally:
        server.stop()
        host.close()


def deploy(host: SystemdHost, folder: Path, endpoint: str) -> Deployed:
    """Run the playbook: nothing of it is left out, the environment from hashes included."""
    deployment = Deployment(folder, endpoint, "box", {"box": host.variables()})
    port = free_port()
    deployment.variables |= {
        "load_test_system_python": PYTHON,
        "load_test_worker_processes": 2,
        "load_test_master_port": free_port(),
        "load_test_web_port": port,
        "load_test_web_token": TOKEN,
        "load_test_open_files": 20000,
    }
    deployment.deploy()
    return Deployed(host, deployment, Locust(f"http://127.0.0.1:{port}", 2.0, Access(token=TOKEN)))


def shown(host: SystemdHost, unit: str, *properties: str) -> list[str]:
    """Return what systemd tells about a unit."""
    asked = [f"--property={name}" for name in properties]
    return [line.partition("=")[2] for line in host.ssh("systemctl", "show", unit, *asked).splitlines()]


def test_units_run_as_users_of_their_own_and_a_second_run_changes_nothing(deployed: Deployed) -> None:
    for unit in UNITS:
        assert shown(deployed.host, unit, "ActiveState") == ["active"], deployed.host.ssh("journalctl", "-u", unit)
        [pid] = shown(deployed.host, unit, "MainPID")
        uid = int(deployed.host.ssh("stat", "-c", "%u", f"/proc/{pid}").strip())
        assert 61184 <= uid <= 65519, "systemd's range for DynamicUser"
        limits = deployed.host.ssh("cat", f"/proc/{pid}/limits")
        assert "20000" in next(line for line in limits.splitlines() if "open files" in line)
    assert TOKEN not in deployed.host.ssh("sh", "-c", "'cat /proc/[0-9]*/cmdline; true'")
    assert changed(deployed.deployment.deploy()) == 0


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"load_test_directory": "/home/locust"}, "load_test_directory is '/home/locust' on box; allowed are places"),
        ({"load_test_python": "/root/venv/bin/python"}, "load_test_python is '/root/venv/bin/python'"),
    ],
    ids=["directory", "python"],
)
def test_a_place_that_units_do_not_see_is_refused(deployed: Deployed, variables: dict[str, str], said: str) -> None:
    deployed.host.ssh("sh", "-c", "'mkdir -p /root/venv/bin && ln -sf /usr/bin/python3 /root/venv/bin/python'")
    ended = deployed.deployment.run(**variables)
    assert ended.returncode != 0
    assert said in " ".join(ended.stdout.split())
    assert changed(ended.stdout) == 0


def test_a_swarm_and_a_killed_worker_that_comes_back(deployed: Deployed, make_swarm: MakeSwarm) -> None:
    wait_until(lambda: states(deployed.locust) == ["ready", "ready"], 30, "both workers are ready")
    first = run(make_swarm(deployed, stage="whole"))  # type: ignore[arg-type]
    assert (first["verdict"], first["workers"], first["failures"]) == ("passed", 2, 0)
    [before] = shown(deployed.host, UNITS[1], "MainPID")
    deployed.host.ssh("systemctl", "kill", "--signal=KILL", UNITS[1])
    wait_until(lambda: shown(deployed.host, UNITS[1], "MainPID") not in (["0"], [before]), 20, "systemd has it back")
    wait_until(lambda: states(deployed.locust) == ["missing", "ready", "ready"], 30, "the master has both again")
    again = run(make_swarm(deployed, stage="again"))  # type: ignore[arg-type]
    assert again["verdict"] == "passed"


def test_absent_leaves_no_unit_and_no_process(deployed: Deployed) -> None:
    assert changed(deployed.deployment.deploy(load_test_state="absent")) > 0
    time.sleep(0.5)
    assert "load-test" not in deployed.host.ssh("systemctl", "list-units", "--all", "--type=service,target")
    assert "locust" not in deployed.host.ssh("ps", "-eo", "args")
    assert changed(deployed.deployment.deploy(load_test_state="absent")) == 0
