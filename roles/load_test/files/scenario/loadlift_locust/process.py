"""What a load generator's process needs: descriptors, few garbage collections, quick news. And what it has."""

from __future__ import annotations

import gc
import logging
import os
import resource
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from locust import runners

LOG = logging.getLogger(__name__)
# A swarm makes and drops many short-lived objects: Python's thresholds of 700, 10, 10 stop it several times a second.
GC_THRESHOLDS = (50_000, 50, 100)
REPORT_SECONDS = 1.0  # Locust: 3
CPU_SECONDS = 5.0  # Locust: 10
# A worker without a master goes on: with 60 s, Locust's own, a swarm outlives a killed master by a minute.
MASTER_SILENT_SECONDS = 15
PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


@dataclass(frozen=True)
class Limits:
    """How many connections this process and its host can hold."""

    host: str
    open_files: int  # of this process
    ports: int  # of this host, between one of its addresses and one destination


def prepare() -> None:
    """Raise the limit of open files to the hard one, calm the garbage collector, and let Locust report more often."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.set_threshold(*GC_THRESHOLDS)
    runners.WORKER_REPORT_INTERVAL = REPORT_SECONDS
    runners.CPU_MONITOR_INTERVAL = CPU_SECONDS
    runners.MASTER_HEARTBEAT_TIMEOUT = MASTER_SILENT_SECONDS
    if os.environ.get("GEVENT_RESOLVER") != "ares":
        LOG.warning("GEVENT_RESOLVER is not 'ares': each new connection asks gevent's thread pool for its address.")


def limits() -> dict[str, str | int]:
    """Return this process's Limits as the master shows them."""
    first, last = (int(port) for port in PORT_RANGE.read_text().split()) if PORT_RANGE.exists() else (32768, 60999)
    open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return asdict(Limits(socket.gethostname(), open_files, last - first + 1))
