"""Where the answer to `/data` comes from: the database, or the cache in front of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from shop.configuration import Endpoint
from shop.database import CONNECTION_WAIT_S, STATEMENT_TIMEOUT_MS, Product
from shop.settings import Settings

LOG = logging.getLogger(__name__)
KEY = "top-products"
LOCK = "top-products:lock"
CACHE_TIMEOUT_S = 1.0
# As long as asking the database may take: a process that dies with the lock holds up the others no longer.
LOCK_LEASE_S = CONNECTION_WAIT_S + STATEMENT_TIMEOUT_MS / 1000
LOCK_POLL_S = 0.05


@dataclass(frozen=True)
class Answer:
    """The body of an answer, and where it came from: `database` or `cache`."""

    body: bytes
    source: str


def rendered(products: Sequence[Product]) -> bytes:
    """Return the body that tells of `products`."""
    return json.dumps({"products": products}, separators=(",", ":")).encode()


class Products:
    """Answers with the products that `ask` returns, through the cache where the settings say so."""

    def __init__(
        self, ask: Callable[[], Sequence[Product]], cache: redis.Redis | None, settings: Callable[[], Settings]
    ) -> None:
        self._ask = ask
        self._cache = cache
        self._settings = settings

    def answer(self) -> Answer:
        """Return the answer; raises DatabaseUnavailableError. A cache that fails is done without."""
        settings = self._settings()
        if self._cache is None or not settings.query_cache:
            return self._from_database()
        try:
            return self._through(self._cache, settings.query_cache_seconds)
        except redis.RedisError as error:
            LOG.warning("The cache is done without: %s", error)
            return self._from_database()

    def _through(self, cache: redis.Redis, seconds: int) -> Answer:
        """Return what is kept, or ask once and keep it: of all who find it gone one asks, the others wait for that."""
        if body := kept(cache):
            return Answer(body, "cache")
        with cache.lock(
            LOCK,
            timeout=LOCK_LEASE_S,
            sleep=LOCK_POLL_S,
            blocking_timeout=CONNECTION_WAIT_S,
            raise_on_release_error=False,
        ):
            if body := kept(cache):
                return Answer(body, "cache")
            answer = self._from_database()
            keep(cache, answer.body, seconds)
            return answer

    def _from_database(self) -> Answer:
        return Answer(rendered(self._ask()), "database")


def kept(cache: redis.Redis) -> bytes | None:
    """Return the body that is kept, or None; raises redis.RedisError."""
    return cast("bytes | None", cache.get(KEY))  # the client was not told to decode


def keep(cache: redis.Redis, body: bytes, seconds: int) -> None:
    """Keep `body` for `seconds`; where that fails, the answer is still good."""
    try:
        cache.set(KEY, body, ex=seconds)
    except redis.RedisError as error:
        LOG.warning("The result is not kept: %s", error)


def connect(endpoint: Endpoint) -> redis.Redis:
    """Return a client of the cache; it connects when it is first used."""
    return redis.Redis(
        host=endpoint.host,
        port=endpoint.port,
        socket_timeout=CACHE_TIMEOUT_S,
        socket_connect_timeout=CACHE_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),  # once: a kept connection may have been closed meanwhile
    )
