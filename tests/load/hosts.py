"""Hosts that are network namespaces of this machine: an address, a name and an sshd each, on a bridge."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from load.ssh_host import SSHD, SshHost, lacking, make_keys

# 198.18.0.0/15 is for benchmarks and routed nowhere (RFC 2544).
NETWORK = "198.18.47"
BRIDGE = "ll47"
BRIDGE_ADDRESS = f"{NETWORK}.1"
TOOLS = ("ip", "unshare", "sshd", "ssh", "ssh-keygen")


def why_not() -> str:
    """Return why this machine cannot have such hosts, or an empty text."""
    return lacking(TOOLS, "iproute2, openssh-server", ["--net", "--uts"])


def ip(*arguments: str, check: bool = True) -> None:
    """Run ip."""
    subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)


class Host(SshHost):
    """One namespace, number `number` on the bridge."""

    def __init__(self, folder: Path, name: str, number: int) -> None:
        super().__init__(folder, name, f"{NETWORK}.{number}")
        self.namespace, self.link = f"{BRIDGE}-{number}", f"{BRIDGE}v{number}"
        ip("netns", "add", self.namespace)
        ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        ip("link", "set", self.link, "master", BRIDGE, "up")
        for command in (
            ["link", "set", "lo", "up"],
            ["addr", "add", f"{self.address}/24", "dev", "eth0"],
            ["link", "set", "eth0", "up"],
        ):
            ip("-n", self.namespace, *command)
        configuration = folder / f"{name}.sshd"
        configuration.write_text(SSHD.format(address=self.address, folder=folder))
        start = 'hostname "$0" && exec "$1" -D -e -f "$2"'
        inside = ["ip", "netns", "exec", self.namespace, "unshare", "--uts", "sh", "-c", start]
        command = [*inside, name, str(shutil.which("sshd")), str(configuration)]
        self._sshd = subprocess.Popen(command, stderr=(folder / f"{name}.sshd.log").open("wb"))

    def set_link(self, state: str) -> None:
        """Plug the host in (`up`) or cut it off (`down`)."""
        ip("link", "set", self.link, state)

    def close(self) -> None:
        """End every process in the namespace, and the namespace."""
        inside = subprocess.run(["ip", "netns", "pids", self.namespace], capture_output=True, text=True, check=False)
        if pids := inside.stdout.split():
            subprocess.run(["kill", "-KILL", *pids], check=False, capture_output=True)
        self._sshd.wait()
        ip("netns", "del", self.namespace)


class Network:
    """A bridge and its hosts."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        remove_leftovers(len(names))
        Path("/run/sshd").mkdir(exist_ok=True)
        make_keys(folder)
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("addr", "add", f"{BRIDGE_ADDRESS}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        self.hosts = {name: Host(folder, name, number) for number, name in enumerate(names, start=10)}
        for host in self.hosts.values():
            host.wait_for_ssh()

    def close(self) -> None:
        """Remove the hosts and the bridge."""
        for host in self.hosts.values():
            host.close()
        ip("link", "del", BRIDGE)


def remove_leftovers(hosts: int) -> None:
    """Remove what an interrupted run has left."""
    for number in range(10, 10 + hosts):
        ip("netns", "del", f"{BRIDGE}-{number}", check=False)
        ip("link", "del", f"{BRIDGE}v{number}", check=False)
    ip("link", "del", BRIDGE, check=False)
