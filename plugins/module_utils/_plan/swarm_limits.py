# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the load generators can hold a swarm. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# A worker's own files: its code, its sockets to the master, a few connections that close while others open.
OWN_FILES = 200


@dataclass(frozen=True)
class Worker:
    """One worker process and what it and its host can hold."""

    id: str
    host: str
    open_files: int  # the limit of its process
    ports: int  # of its host, between one of its addresses and one destination
    shared: int = 0  # connections to each address that its users share; 0: each user has its own

    def connections(self, users: int, addresses: int) -> int:
        """Return how many connections `users` on this worker open to all addresses together."""
        return min(users, self.shared * addresses) if self.shared else users


def why_too_large(users: int, workers: Sequence[Worker], addresses: int) -> str:
    """Return in one sentence why `users` do not fit; an empty text when they do.

    `addresses` is how many destination addresses (address and port) they are spread over.
    """
    if not workers:
        return "No worker is connected to the Locust master."
    return _files_short(users, workers, addresses) or _ports_short(users, workers, addresses)


def _files_short(users: int, workers: Sequence[Worker], addresses: int) -> str:
    smallest = min(workers, key=lambda worker: worker.open_files)
    each = smallest.connections(math.ceil(users / len(workers)), addresses)
    room = smallest.open_files - OWN_FILES
    if each <= room:
        return ""
    return (
        f"users is {users:,}: that is {each:,} connections a worker, and worker {smallest.id} may open only "
        f"{smallest.open_files:,} files, so {len(workers)} workers hold {len(workers) * max(room, 0):,} users; "
        "add workers or raise the limit of open files (ulimit -Hn)."
    )


def _ports_short(users: int, workers: Sequence[Worker], addresses: int) -> str:
    per_host = Counter(worker.host for worker in workers)
    for worker in workers:
        if worker.shared:
            on_host = per_host[worker.host] * worker.connections(math.ceil(users / len(workers)), addresses)
        else:
            on_host = math.ceil(users * per_host[worker.host] / len(workers))
        room = worker.ports * addresses
        if on_host > room:
            return (
                f"users is {users:,}: host {worker.host} would open {on_host:,} connections to {addresses} "
                f"address{'es' if addresses > 1 else ''}, and it has {worker.ports:,} ports for each, so {room:,} at "
                "most; give more addresses, or widen net.ipv4.ip_local_port_range."
            )
    return ""
