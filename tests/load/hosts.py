"""Hosts that are network namespaces of this machine: an address, a name and an sshd each, on a bridge."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

# 198.18.0.0/15 is for benchmarks and routed nowhere (RFC 2544).
NETWORK = "198.18.47"
BRIDGE = "ll47"
BRIDGE_ADDRESS = f"{NETWORK}.1"
TOOLS = ("ip", "unshare", "sshd", "ssh", "ssh-keygen")
SSHD = """
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PidFile {folder}/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
StrictModes no
UsePAM no
"""


def why_not() -> str:
    """Return why this machine cannot have such hosts, or an empty text."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        return f"{', '.join(missing)} is missing (Debian: iproute2, openssh-server)"
    probe = subprocess.run(["unshare", "--net", "--uts", "true"], capture_output=True, text=True, check=False)
    return "" if probe.returncode == 0 else f"no network namespace can be made here: {probe.stderr.strip()}"


def ip(*arguments: str, check: bool = True) -> None:
    """Run ip."""
    subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)


class Host:
    """One namespace, number `number` on the bridge."""

    def __init__(self, folder: Path, name: str, number: int) -> None:
        self.name, self.address, self.folder = name, f"{NETWORK}.{number}", folder
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

    def ssh(self, *command: str) -> str:
        """Run a command on the host over SSH; return what it prints."""
        options = [*SSH_OPTIONS, "-i", str(self.folder / "key")]
        ended = subprocess.run(
            ["ssh", *options, f"root@{self.address}", *command], capture_output=True, text=True, check=False
        )
        if ended.returncode:
            raise RuntimeError(f"{self.name}: {command}: {ended.stderr}")
        return ended.stdout

    def variables(self) -> dict[str, Any]:
        """Return how Ansible reaches the host."""
        return {
            "ansible_host": self.address,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.folder / "key"),
            "ansible_ssh_common_args": " ".join(SSH_OPTIONS),
        }

    def close(self) -> None:
        """End every process in the namespace, and the namespace."""
        inside = subprocess.run(["ip", "netns", "pids", self.namespace], capture_output=True, text=True, check=False)
        if pids := inside.stdout.split():
            subprocess.run(["kill", "-KILL", *pids], check=False, capture_output=True)
        self._sshd.wait()
        ip("netns", "del", self.namespace)


SSH_OPTIONS = (
    *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
    *("-o", "ConnectTimeout=5"),
)


class Network:
    """A bridge and its hosts."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        remove_leftovers(len(names))
        Path("/run/sshd").mkdir(exist_ok=True)
        for key in ("key", "host_key"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
            subprocess.run(command, check=True)
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("addr", "add", f"{BRIDGE_ADDRESS}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        self.hosts = {name: Host(folder, name, number) for number, name in enumerate(names, start=10)}
        for host in self.hosts.values():
            wait_for_ssh(host)

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


def wait_for_ssh(host: Host) -> None:
    """Return as soon as the host answers."""
    for attempt in range(50):
        try:
            host.ssh("true")
            return
        except RuntimeError:
            if attempt == 49:
                raise
            time.sleep(0.2)
