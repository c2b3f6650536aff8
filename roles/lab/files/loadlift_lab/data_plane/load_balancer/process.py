"""The running HAProxy: takes up a configuration without losing a request, and tells what it knows of its servers."""

from __future__ import annotations

import csv
import logging
import resource
import shutil
import socket
import subprocess
import time
from pathlib import Path

from loadlift_lab.data_plane.context import Context
from loadlift_lab.data_plane.load_balancer.configuration import bad_gateway, identity_in
from loadlift_lab.data_plane.load_balancer.model import Surroundings
from loadlift_lab.data_plane.load_balancer.server_state import with_new_servers
from loadlift_lab.files import write_if_different
from loadlift_lab.settings import LabSettings

LOG = logging.getLogger(__name__)
PROGRAM = "load-balancer"
# Descriptors that are no connections: listeners, checks, the old process's during a reload.
RESERVED_DESCRIPTORS = 400
TAKE_UP_SECONDS = 10.0


class HAProxyError(Exception):
    """HAProxy does not take a configuration; the text says why."""


def surroundings(settings: LabSettings) -> Surroundings:
    """Return what the configuration must know of this machine and lab."""
    _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
    folder = _folder(settings)
    return Surroundings(
        lambda_address=settings.address(),
        lambda_port=settings.lambda_port,
        socket_directory=str(settings.run_directory),
        server_state=str(folder / "server-state"),
        bad_gateway=str(folder / "502.http"),
        # A connection through HAProxy is two descriptors.
        maxconn=max(100, (min(descriptors, 100_000) - RESERVED_DESCRIPTORS) // 2),
    )


def take_up(context: Context, configuration: str) -> None:
    """Make HAProxy run with `configuration`; raises HAProxyError when it refuses, and the old one stays."""
    settings = context.settings
    file = _folder(settings) / "haproxy.cfg"
    if not file.exists() or file.read_text() != configuration:
        _write_checked(settings, file, configuration)
    _save_server_state(settings, configuration)
    command = [_binary(), "-W", "-f", str(file)]
    if context.supervisor.ensure(PROGRAM, command, {}, priority=40):
        _wait_for(settings, configuration)
    elif running_identity(settings) != identity_in(configuration):
        # The master starts a new worker, which is handed the listening sockets; the old one finishes its requests.
        context.supervisor.signal(PROGRAM, "USR2")
        _wait_for(settings, configuration)


def remove(context: Context) -> None:
    """End HAProxy: there is no load balancer any more."""
    if context.supervisor.names(PROGRAM):
        context.supervisor.remove(PROGRAM)


def running_identity(settings: LabSettings) -> str:
    """Return the name of the configuration that HAProxy runs with; empty when it does not run."""
    for line in ask(settings, "show info").splitlines():
        if line.startswith("description: "):
            return line.removeprefix("description: ").strip()
    return ""


def statistics(settings: LabSettings) -> list[dict[str, str]]:
    """Return `show stat` as one mapping a row."""
    return list(csv.DictReader(ask(settings, "show stat").removeprefix("# ").splitlines()))


def ask(settings: LabSettings, command: str) -> str:
    """Return HAProxy's answer on its statistics socket; empty while nobody answers there."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(_socket(settings)))
            client.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: client.recv(65536), b"")).decode()
    except OSError:
        return ""


def _socket(settings: LabSettings) -> Path:
    return settings.run_directory / "haproxy.sock"


def _folder(settings: LabSettings) -> Path:
    return settings.directory / "load_balancer"


def _binary() -> str:
    found = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise HAProxyError("haproxy is not installed. On Debian and Ubuntu: sudo apt-get install haproxy")
    return found


def _write_checked(settings: LabSettings, file: Path, configuration: str) -> None:
    write_if_different(_folder(settings) / "502.http", bad_gateway())
    draft = file.with_name("draft.cfg")
    write_if_different(draft, configuration)
    answer = subprocess.run([_binary(), "-c", "-q", "-f", str(draft)], capture_output=True, text=True, check=False)
    if answer.returncode:
        alerts = [line for line in answer.stderr.splitlines() if "ALERT" in line]
        raise HAProxyError("HAProxy refuses its new configuration, so the old one stays: " + " | ".join(alerts))
    draft.replace(file)


def _save_server_state(settings: LabSettings, configuration: str) -> None:
    """Keep for the next process what this one measured: a reload makes no sick target healthy."""
    if running_identity(settings) == identity_in(configuration):
        return
    known = ask(settings, "show servers state")
    write_if_different(_folder(settings) / "server-state", with_new_servers(known, configuration))


def _wait_for(settings: LabSettings, configuration: str) -> None:
    deadline = time.monotonic() + TAKE_UP_SECONDS
    while running_identity(settings) != identity_in(configuration):
        if time.monotonic() > deadline:
            raise HAProxyError(
                f"HAProxy did not take its new configuration up in {TAKE_UP_SECONDS:.0f} s; see its log."
            )
        time.sleep(0.02)
    LOG.info("load balancer: configuration %s is in place", identity_in(configuration))
