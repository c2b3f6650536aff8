"""A host that is reached over SSH, whatever it is made of."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# The key that opens the host, and the one that it shows.
KEYS = ("key", "host_key")
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
OPTIONS = (
    *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
    *("-o", "ConnectTimeout=5"),
)


def lacking(tools: Sequence[str], packages: str, namespaces: Sequence[str]) -> str:
    """Return what this machine lacks of the tools of Debian's `packages` and of unshare's `namespaces`, or ''."""
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        return f"{', '.join(missing)} is missing (Debian: {packages})"
    probe = subprocess.run(["unshare", *namespaces, "true"], capture_output=True, text=True, check=False)
    return "" if probe.returncode == 0 else f"no namespaces can be made here: {probe.stderr.strip()}"


def make_keys(folder: Path) -> None:
    """Write the keys."""
    for key in KEYS:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True)


class SshHost:
    """Takes in root with the key in `folder`."""

    def __init__(self, folder: Path, name: str, address: str, port: int = 22) -> None:
        self.folder, self.name, self.address, self.port = folder, name, address, port

    def ssh(self, *command: str) -> str:
        """Run a command on the host over SSH; return what it prints."""
        options = [*OPTIONS, "-p", str(self.port), "-i", str(self.folder / "key")]
        whole = ["ssh", *options, f"root@{self.address}", *command]
        ended = subprocess.run(whole, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise RuntimeError(f"{self.name}: {command}: {ended.stderr}")
        return ended.stdout

    def wait_for_ssh(self) -> None:
        """Return as soon as the host answers."""
        for attempt in range(50):
            try:
                self.ssh("true")
                return
            except RuntimeError:
                if attempt == 49:
                    raise
                time.sleep(0.2)

    def variables(self) -> dict[str, Any]:
        """Return how Ansible reaches the host."""
        return {
            "ansible_host": self.address,
            "ansible_port": self.port,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.folder / "key"),
            "ansible_ssh_common_args": " ".join(OPTIONS),
        }
