"""What a load generator's process needs: descriptors, few garbage collections, quick news. And what it has."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import resource
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from locust import runners

from loadlift_locust.scenario import SHARED, scenario

LOG = logging.getLogger(__name__)
# A swarm makes and drops many short-lived objects: Python's thresholds of 700, 10, 10 stop it several times a second.
GC_THRESHOLDS = (50_000, 50, 100)
REPORT_SECONDS = 1.0  # Locust: 3
CPU_SECONDS = 5.0  # Locust: 10
# A worker without a master goes on: with 60 s, Locust's own, a swarm outlives a killed master by a minute.
MASTER_SILENT_SECONDS = 15
# What a generator on the target's own machine needs: it must not wait for what it measures.
NICE = -10
AUTOGROUP = Path("/proc/self/autogroup")
SCHEDSTAT = Path("/proc/self/schedstat")
PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


@dataclass(frozen=True)
class Limits:
    """How many connections this process and its host can hold."""

    host: str
    open_files: int  # of this process
    ports: int  # of this host, between one of its addresses and one destination
    connections: int  # that this process's users share, to each destination; 0: each user has its own


def prepare() -> None:
    """Raise the limit of open files, go before other processes, collect garbage seldom, and report often."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    leave_session()
    go_first()
    gc.set_threshold(*GC_THRESHOLDS)
    runners.WORKER_REPORT_INTERVAL = REPORT_SECONDS
    runners.CPU_MONITOR_INTERVAL = CPU_SECONDS
    runners.MASTER_HEARTBEAT_TIMEOUT = MASTER_SILENT_SECONDS
    if os.environ.get("GEVENT_RESOLVER") != "ares":
        LOG.warning("GEVENT_RESOLVER is not 'ares': each new connection asks gevent's thread pool for its address.")


def leave_session() -> None:
    """Begin a session of this process's own.

    Linux shares the processors out among sessions first (sched_autogroup in sched(7)). A supervisor's programs are one
    session, each backend of PostgreSQL is another: 25 busy backends leave the supervisor's programs together 4 %.
    """
    with contextlib.suppress(OSError):
        if os.getpgid(0) == os.getpid():
            # The leader of a process group may not begin a session: join the supervisor's group first.
            os.setpgid(0, os.getpgid(os.getppid()))
        os.setsid()


def go_first() -> None:
    """Let this process, and its session, go before others where it may."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    with contextlib.suppress(OSError):
        AUTOGROUP.write_text(str(NICE))


def cpu_wait_s() -> float:
    """Return for how many seconds this process's main thread was ready to run and did not get a processor.

    Source: https://docs.kernel.org/scheduler/sched-stats.html, /proc/<pid>/schedstat; 0 where there is none.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(SCHEDSTAT.read_text().split()[1]) / 1e9
    return 0.0


def limits() -> dict[str, str | int]:
    """Return this process's Limits as the master shows them."""
    first, last = (int(port) for port in PORT_RANGE.read_text().split()) if PORT_RANGE.exists() else (32768, 60999)
    open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return asdict(Limits(socket.gethostname(), open_files, last - first + 1, shared_connections()))


def shared_connections() -> int:
    """Return how many connections a worker's users share, to each destination; 0 where each has its own."""
    told = scenario()
    return told.shared_connections if told.connections == SHARED else 0
