# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a swarm of so many users needs: worker processes, memory, addresses, hosts. Pure.

The coefficients are the dearest of those measured with Python 3.11 on two cores that the target shared; they stand in
benchmarks/README.md. benchmarks/clients.py tells what another machine's core does: one that is twice as fast halves
what a request costs, and `core_speed` is 2 then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .plan import InputError
from .swarm_limits import OWN_FILES
from .swarm_order import WAIT

# CPU of a worker for one request of the reference scenario, its user's waiting included: 0.23 with 2,000 users on one
# worker, 0.26 to 0.33 with 30,000 on two.
REQUEST_CPU_MS = 0.33
# Memory of a worker without users, and of one user with a connection of its own (15 kB with 1,000 users, up to 44 kB
# with 15,000) or with a share of its worker's (17 kB).
WORKER_MB = 90.0
USER_KB = {"user": 40.0, "shared": 24.0}
# The largest number of users that one worker has held with a p95 of 50 ms at the client.
USERS_A_WORKER = 19_000
# Locust warns when more users a second are spawned on a worker (locust/runners.py).
SPAWNED_A_WORKER = 100
MASTER_CORES = 1


@dataclass(frozen=True)
class Ask:
    """What is asked for, and what the hosts are like."""

    users: int
    wait: str = "5-15"  # seconds between a user's requests, MIN-MAX
    response_ms: float = 50.0  # how long the target takes to answer
    core_speed: float = 1.0  # against the cores that the coefficients were measured on
    load: float = 0.6  # share of a core that a worker may use; from 0.9 on Locust warns and times are wrong
    spawn_rate: float = 0.0  # users started a second; 0: as many as the workers start without a warning
    spawned_a_worker: float = float(SPAWNED_A_WORKER)
    open_files: int = 1_048_576  # of a process
    ports: int = 55_296  # of a host, to one address of the target (net.ipv4.ip_local_port_range 10240 65535)
    addresses: int = 0  # that the target has; 0: as many as are needed
    connections: str = "user"
    workers_a_host: int = 2
    host_memory_mb: float = 0.0  # 0: as much as is needed

    @property
    def requests_per_s(self) -> float:
        """Requests a second of all users."""
        shortest, longest = (float(one) for one in self.wait.split("-"))
        return self.users / ((shortest + longest) / 2 + self.response_ms / 1000)


def swarm_size(users: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `users` need; raises InputError for the first option that is wrong.

    `workers` is the largest of what CPU, users, open files, spawn rate, the host's ports and its memory ask for, and
    `limited_by` names which that is.
    """
    ask = _checked(users, options)
    needs = _needs(ask)
    workers = max(needs.values())
    limited_by = next(name for name, need in needs.items() if need == workers)
    hosts = math.ceil(workers / ask.workers_a_host)
    spawn_rate = ask.spawn_rate or min(workers * ask.spawned_a_worker, float(ask.users))
    return {
        "users": ask.users,
        "requests_per_s": round(ask.requests_per_s, 1),
        "workers": workers,
        "limited_by": limited_by,
        "users_per_worker": math.ceil(ask.users / workers),
        "cpu_percent_per_worker": round(100 * _cores(ask) / workers, 1),
        "memory_mb_per_worker": round(_worker_mb(ask, workers)),
        "memory_mb": round(workers * _worker_mb(ask, workers)),
        "hosts": hosts,
        "memory_mb_per_host": round(ask.workers_a_host * _worker_mb(ask, workers)),
        "addresses": _addresses(ask, hosts),
        "spawn_rate": round(spawn_rate, 1),
        "ramp_s": round(ask.users / spawn_rate, 1),
        "master_cores": MASTER_CORES,
        "warnings": _warnings(ask, workers, spawn_rate),
    }


def _needs(ask: Ask) -> dict[str, int]:
    """Return how many workers each limit asks for."""
    shared = ask.connections == "shared"
    return {
        "users": math.ceil(ask.users / USERS_A_WORKER),
        "cpu": math.ceil(_cores(ask) / ask.load),
        "open_files": 1 if shared else math.ceil(ask.users / (ask.open_files - OWN_FILES)),
        "spawn_rate": max(1, math.ceil(ask.spawn_rate / ask.spawned_a_worker)),
        "ports": 1 if shared or not ask.addresses else _hosts_to_workers(ask, ask.users / (ask.addresses * ask.ports)),
        "memory": _by_memory(ask),
    }


def _hosts_to_workers(ask: Ask, hosts: float) -> int:
    # The last host need not be full: one worker on it is enough to bring it in.
    return (math.ceil(hosts) - 1) * ask.workers_a_host + 1


def _by_memory(ask: Ask) -> int:
    if not ask.host_memory_mb:
        return 1
    room_mb = ask.host_memory_mb / ask.workers_a_host - WORKER_MB
    return math.ceil(ask.users * USER_KB[ask.connections] / 1024 / room_mb)


def _cores(ask: Ask) -> float:
    return ask.requests_per_s * REQUEST_CPU_MS / 1000 / ask.core_speed


def _worker_mb(ask: Ask, workers: int) -> float:
    return WORKER_MB + math.ceil(ask.users / workers) * USER_KB[ask.connections] / 1024


def _addresses(ask: Ask, hosts: int) -> int:
    """Return how many addresses the target needs, so that no host runs out of ports."""
    if ask.connections == "shared":
        return ask.addresses or 1
    return ask.addresses or math.ceil(ask.users / hosts / ask.ports)


def _warnings(ask: Ask, workers: int, spawn_rate: float) -> list[str]:
    said = []
    if spawn_rate / workers > SPAWNED_A_WORKER:
        said.append(
            f"{spawn_rate:g} users/s on {workers} workers are more than {SPAWNED_A_WORKER} a worker: Locust warns, and "
            "a ramp that is too fast measures itself."
        )
    if ask.connections == "shared":
        said.append(
            "Users that share connections wait for one when the target is slow, and their times hold that wait."
        )
    return said


def _checked(users: int, options: Mapping[str, Any]) -> Ask:
    kinds = {field.name: type(field.default) for field in fields(Ask) if field.name != "users"}
    unknown = sorted(set(options) - set(kinds))
    if unknown:
        raise InputError(f"swarm_size has no option '{unknown[0]}'; allowed are {', '.join(kinds)}.")
    ask = Ask(_number("users", users, int), **{name: _number(name, options[name], kinds[name]) for name in options})
    wait = WAIT.fullmatch(ask.wait)
    if not wait or float(wait[1]) > float(wait[2]) or float(wait[2]) <= 0:
        raise InputError(f"wait is '{ask.wait}'; MIN-MAX in seconds is needed, such as 5-15.")
    for name, smallest, largest in BOUNDS:
        value = getattr(ask, name)
        if not smallest <= value <= largest:
            raise InputError(f"{name} is {value:g}; allowed are {smallest:g} to {largest:g}.")
    return _refuse_contradictions(ask)


def _refuse_contradictions(ask: Ask) -> Ask:
    if ask.connections not in USER_KB:
        raise InputError(f"connections is '{ask.connections}'; allowed are {', '.join(USER_KB)}.")
    if ask.host_memory_mb and ask.host_memory_mb / ask.workers_a_host <= WORKER_MB:
        raise InputError(
            f"host_memory_mb is {ask.host_memory_mb:g}; {ask.workers_a_host} workers need {WORKER_MB:g} MB each before "
            "their first user."
        )
    return ask


BOUNDS: tuple[tuple[str, float, float], ...] = (
    ("users", 1, 100_000_000),
    ("response_ms", 0, 600_000),
    ("core_speed", 0.05, 20),
    ("load", 0.05, 0.9),
    ("spawn_rate", 0, 1_000_000),
    ("spawned_a_worker", 1, 10_000),
    ("open_files", OWN_FILES + 1, 1_073_741_816),
    ("ports", 1, 65_535),
    ("addresses", 0, 1_000_000),
    ("workers_a_host", 1, 1_024),
    ("host_memory_mb", 0, 100_000_000),
)


def _number(name: str, value: Any, kind: type) -> Any:
    try:
        return kind(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is '{value}'; a number is needed.") from error
