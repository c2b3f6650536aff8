"""The base of a scenario's visitors: where they connect to, how long they wait, how a request is checked."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

from geventhttpclient.client import HTTPClientPool
from locust import FastHttpUser
from locust.contrib.fasthttp import insecure_ssl_context_factory
from locust.env import Environment

from loadlift_locust.options import told
from loadlift_locust.scenario import SHARED, scenario

_numbers = itertools.count()


@lru_cache
def connect_urls(host: str, addresses: str) -> tuple[str, ...]:
    """Return the base URLs that visitors of `host` are spread over: its own, or one for each of `addresses`."""
    if not addresses:
        return (host.rstrip("/"),)
    parts = urlsplit(host)
    return tuple(f"{parts.scheme}://{address}{parts.path.rstrip('/')}" for address in addresses.split(","))


@lru_cache
def wait_range(wait: str) -> tuple[float, float]:
    """Return the shortest and the longest wait of `MIN-MAX`, in seconds."""
    shortest, longest = wait.split("-")
    return float(shortest), float(longest)


@lru_cache
def shared_pool(timeout: float) -> HTTPClientPool:
    """Return the connections of this worker's users, to each address as many as the scenario says."""
    return HTTPClientPool(
        concurrency=scenario().shared_connections,
        connection_timeout=timeout,
        network_timeout=timeout,
        insecure=True,
        ssl_context_factory=insecure_ssl_context_factory,
    )


class Visitor(FastHttpUser):
    """A user with a connection of its own to the next of the swarm's addresses, or with a share of its worker's.

    The Host header names the swarm's host, whatever the address: so a CDN's edge knows the site.
    """

    abstract = True

    def __init__(self, environment: Environment) -> None:
        options = told(environment)
        site = environment.host or self.host or ""
        urls = connect_urls(site, options.swarm_addresses)
        self.host = urls[next(_numbers) % len(urls)]
        self.default_headers = {"Host": urlsplit(site).netloc}
        self.network_timeout = self.connection_timeout = options.swarm_request_timeout
        if scenario().connections == SHARED:
            self.client_pool = shared_pool(options.swarm_request_timeout)
        self.shortest_wait, self.longest_wait = wait_range(options.swarm_wait)
        super().__init__(environment)

    def wait_time(self) -> float:
        """Return how long to wait before the next request, in seconds."""
        return random.uniform(self.shortest_wait, self.longest_wait)


def get(path: str, problem: Callable[[bytes], str]) -> Callable[[Visitor], None]:
    """Return a task that GETs `path`, and fails it for a status of 400 or more or what `problem` says of the body."""

    def task(visitor: Visitor) -> None:
        with visitor.client.get(path, catch_response=True) as response:
            if not getattr(response, "error", None) and (text := problem(response.content or b"")):
                response.failure(text)

    task.__name__ = f"GET {path}"
    return task
