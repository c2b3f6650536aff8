"""A host that systemd runs: namespaces of this machine, its files under an overlay, an sshd on a loopback address."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

from load.cluster import free_port
from load.ssh_host import SSHD, SshHost, lacking, make_keys

PYTHON = "/usr/bin/python3"  # the host's own: it sees the root file system alone
SYSTEMD = "/lib/systemd/systemd"
TOOLS = (PYTHON, SYSTEMD, "unshare", "nsenter", "mount", "sshd", "ssh", "ssh-keygen")
NAMESPACES = ("--pid", "--mount", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child", "--propagation=private")
START_SECONDS = 30
ADDRESS = "127.0.0.1"
# What systemd asks of a container: https://systemd.io/CONTAINER_INTERFACE/
BOOT = r"""
set -e
box=$1 root=$1/root
mount -t tmpfs tmpfs "$box"
mkdir "$box/changed" "$box/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$box/changed,workdir=$box/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp" # systemd empties it when it starts
mount -t tmpfs -o mode=700 tmpfs "$root/root" # what this machine's root does at a login is not the host's
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" "$root/run/sshd"
ln -s /proc/self/fd "$root/dev/fd"
rm -f "$root"/etc/systemd/system/*.wants/*
hostname systemd-host
cd "$root"
mkdir -p before
pivot_root . before
umount -l /before
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin "$2" --system --unit=multi-user.target
"""


def why_not() -> str:
    """Return why this machine cannot have such a host, or an empty text."""
    return lacking(TOOLS, "openssh-server, systemd", NAMESPACES) or _lacking_inside()


def _lacking_inside() -> str:
    if not _cgroups():
        return "no cgroup2 is mounted here"
    if subprocess.run([PYTHON, "-c", "import ensurepip"], capture_output=True, check=False).returncode:
        return f"{PYTHON} has no ensurepip (Debian: python3-venv)"
    return ""


def _cgroups() -> Path | None:
    """Return where the cgroup2 file system is."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return next((Path(fields[1]) for fields in mounts if fields[2] == "cgroup2"), None)


class SystemdHost(SshHost):
    """Runs until close(); what is written on it goes with it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "systemd-host", ADDRESS, free_port())
        self._cgroup = (_cgroups() or folder) / f"loadlift-{self.port}"
        self._cgroup.mkdir()
        (folder / "box").mkdir()
        boot = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
        command = ["unshare", *NAMESPACES, "sh", "-c", BOOT, "boot", str(folder / "box"), SYSTEMD]
        with (folder / "systemd.log").open("wb") as log:
            self._unshare = subprocess.Popen(
                ["sh", "-c", boot, str(self._cgroup), *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def start(self) -> str:
        """Wait until systemd runs, and start sshd; return why that cannot be, or an empty text."""
        deadline = time.monotonic() + START_SECONDS
        state = "systemd has not begun"
        while state not in ("running", "degraded"):
            if time.monotonic() > deadline or self._unshare.poll() is not None:
                return f"systemd does not run: {state} {(self.folder / 'systemd.log').read_text()[-300:]}"
            time.sleep(0.2)
            state = self._inside("systemctl", "is-system-running").strip() or state
        self._start_sshd()
        return ""

    def _start_sshd(self) -> None:
        make_keys(self.folder)
        configuration = SSHD.format(address=f"{ADDRESS}:{self.port}", folder="/etc/loadlift")
        for name in ("key.pub", "host_key"):
            self._write(f"/etc/loadlift/{name}", (self.folder / name).read_text())
        self._write("/etc/loadlift/sshd", configuration)
        self._inside("chmod", "600", "/etc/loadlift/host_key")
        sshd = str(shutil.which("sshd"))
        self._inside("systemd-run", "--unit=test-sshd", sshd, "-D", "-e", "-f", "/etc/loadlift/sshd")
        self.wait_for_ssh()

    def _write(self, path: str, text: str) -> None:
        self._inside("sh", "-c", 'mkdir -p "$(dirname "$0")" && cat > "$0"', path, text=text)

    def _inside(self, *command: str, text: str = "") -> str:
        """Run a command beside systemd; return what it prints."""
        children = psutil.Process(self._unshare.pid).children()
        if not children:
            return ""
        enter = ["nsenter", "-t", str(children[0].pid), "-m", "-u", "-i", "-p", "-C"]
        return subprocess.run([*enter, *command], input=text, capture_output=True, text=True, check=False).stdout

    def variables(self) -> dict[str, Any]:
        """Return how Ansible reaches the host."""
        return super().variables() | {"ansible_python_interpreter": PYTHON}

    def close(self) -> None:
        """End systemd and all that it runs."""
        for systemd in psutil.Process(self._unshare.pid).children() if self._unshare.poll() is None else []:
            systemd.send_signal(signal.SIGKILL)
        self._unshare.wait()
        deadline = time.monotonic() + 10
        while self._cgroup.exists() and time.monotonic() < deadline:
            for folder in sorted((path for path in self._cgroup.rglob("*") if path.is_dir()), reverse=True):
                with contextlib.suppress(OSError):
                    folder.rmdir()
            with contextlib.suppress(OSError):
                self._cgroup.rmdir()
            time.sleep(0.1)
