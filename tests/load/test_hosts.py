"""The role load_test on three hosts over SSH: a master, two workers, a swarm, and a host that is cut off under it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._locust.client import Locust
from moto.server import ThreadedMotoServer

from load.cluster import states, wait_until
from load.conftest import MakeSwarm, run
from load.deployment import Deployment, changed, supervised, write_supervisor
from load.hosts import BRIDGE_ADDRESS, Host, Network, why_not
from load.site import Site

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there are namespaces")
WEB_PORT = 8089
PORTS = "20000 60000"


@dataclass(frozen=True)
class Deployed:
    """Three hosts with Locust on them."""

    network: Network
    deployment: Deployment
    locust: Locust
    said: str


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Make the hosts and deploy to them."""
    folder = tmp_path_factory.mktemp("hosts")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    network = Network(folder, ["master", "worker-1", "worker-2"])
    try:
        yield deploy(network, folder, "http://{}:{}".format(*server.get_host_and_port()))
    finally:
        network.close()
        server.stop()


def deploy(network: Network, folder: Path, endpoint: str) -> Deployed:
    """Start a supervisor on each host, and run the playbook."""
    hosts = {}
    for name, host in network.hosts.items():
        place = folder / name
        host.ssh(*write_supervisor(place))
        hosts[name] = host.variables() | supervised(place) | {"ansible_python_interpreter": sys.executable}
    master = hosts.pop("master")
    deployment = Deployment(folder, endpoint, "master", hosts, master)
    deployment.variables |= {
        "load_test_python": sys.executable,
        "load_test_worker_processes": 1,
        "load_test_web_host": network.hosts["master"].address,
        "load_test_kernel_settings": "set",
        "load_test_sysctls": {"net.ipv4.ip_local_port_range": PORTS},
        # The hosts share this machine's files.
        "load_test_sysctl_file": str(folder / "sysctl.conf"),
    }
    said = deployment.deploy()
    return Deployed(network, deployment, Locust(f"http://{network.hosts['master'].address}:{WEB_PORT}", 2.0), said)


@pytest.fixture
def site() -> Iterator[Site]:
    """A site that the hosts reach."""
    server = Site(BRIDGE_ADDRESS)
    yield server
    server.close()


def test_the_hosts_have_no_way_out_and_keep_the_kernels_settings(deployed: Deployed) -> None:
    worker = deployed.network.hosts["worker-1"]
    assert worker.ssh("ip", "route").splitlines() == [
        "198.18.47.0/24 dev eth0 proto kernel scope link src 198.18.47.11 "
    ]
    assert worker.ssh("cat", "/proc/sys/net/ipv4/ip_local_port_range").split() == PORTS.split()
    assert "worker-1: 1 workers, each may open " in deployed.said
    assert "40001 source ports to each address of the target." in deployed.said
    assert changed(deployed.deployment.deploy()) == 0


def test_nothing_but_the_masters_own_address_listens(deployed: Deployed) -> None:
    listening = deployed.network.hosts["master"].ssh("cat", "/proc/net/tcp").splitlines()[1:]
    addresses = {line.split()[1].split(":")[0] for line in listening if line.split()[3] == "0A"}
    assert addresses == {"0A2F12C6"}, "198.18.47.10 as the kernel writes it"


def test_a_swarm_over_ssh_hosts_and_one_of_them_cut_off(deployed: Deployed, site: Site, make_swarm: MakeSwarm) -> None:
    fifty = {"users": 50, "spawn_rate": 50.0}
    first = run(make_swarm(deployed, stage="whole", hold=3.0, **fifty))  # type: ignore[arg-type]
    assert (first["verdict"], first["workers"], first["failures"]) == ("passed", 2, 0)
    assert {"198.18.47.11", "198.18.47.12"} <= site.clients

    before = locusts(deployed.network.hosts["worker-2"])
    cut = threading.Timer(3.0, deployed.network.hosts["worker-2"].set_link, ["down"])
    cut.start()
    second = run(make_swarm(deployed, stage="cut", hold=25.0, counters=[], **fifty))  # type: ignore[arg-type]
    cut.join()
    assert second["verdict"] == "invalid"
    assert "worker-2" in second["reason"], second["reason"]
    assert second["generator"]["missing_workers"] == 1
    assert second["requests"] > 0

    # Its worker leaves the silent master with its users, and the supervisor starts it anew; then it is plugged in.
    wait_until(lambda: locusts(deployed.network.hosts["worker-2"]).isdisjoint(before), 40, "the cut worker has ended")
    deployed.network.hosts["worker-2"].set_link("up")
    deployed.network.hosts["worker-2"].wait_for_ssh()  # by then it has found its way to the site's address again
    wait_until(lambda: states(deployed.locust).count("ready") == 2, 60, "both workers are ready")
    third = run(make_swarm(deployed, stage="again", **fifty))  # type: ignore[arg-type]
    assert third["verdict"] == "passed", (third["reason"], third["errors"], third["events"])


def locusts(host: Host) -> set[str]:
    """Return the processes of Locust on a host."""
    listed = subprocess.run(["ip", "netns", "pids", host.namespace], capture_output=True, text=True, check=True)
    return {pid for pid in listed.stdout.split() if b"locust" in command(pid)}


def command(pid: str) -> bytes:
    """Return a process's command; empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_absent_leaves_no_process_on_any_host(deployed: Deployed) -> None:
    assert changed(deployed.deployment.deploy(load_test_state="absent")) > 0
    assert changed(deployed.deployment.deploy(load_test_state="absent")) == 0
    assert not set.union(*(locusts(host) for host in deployed.network.hosts.values()))
