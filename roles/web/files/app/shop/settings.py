"""Settings that may change while the application runs: a JSON object in SSM Parameter Store, read every few seconds."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LOG = logging.getLogger(__name__)
INTERVAL_S = 5.0
LONGEST_S = 86_400


@dataclass(frozen=True)
class Settings:
    """Whether `/data` goes through the cache, and for how many seconds a result is kept there."""

    query_cache: bool = False
    query_cache_seconds: int = 60


def parse(text: str) -> Settings:
    """Return the settings in a JSON object; what it does not name is as shipped. Raises ValueError."""
    told = json.loads(text)
    if not isinstance(told, dict):
        raise ValueError("the settings are no JSON object")
    settings = Settings(**{name: told[name] for name in ("query_cache", "query_cache_seconds") if name in told})
    seconds = settings.query_cache_seconds
    if type(settings.query_cache) is not bool:
        raise ValueError(f"query_cache is {settings.query_cache!r}; allowed are true and false")
    if type(seconds) is not int or not 1 <= seconds <= LONGEST_S:
        raise ValueError(f"query_cache_seconds is {seconds!r}; allowed are 1 to {LONGEST_S}")
    return settings


class WatchedSettings:
    """The settings as they were when `read` last answered well; read again by a thread of its own."""

    def __init__(self, read: Callable[[], str], interval_s: float = INTERVAL_S) -> None:
        self._read = read
        self._interval_s = interval_s
        self._ended = threading.Event()
        self.current = Settings()

    def watch(self) -> None:
        """Read now and from then on."""
        self.refresh()
        threading.Thread(target=self._keep_reading, name="settings", daemon=True).start()

    def refresh(self) -> None:
        """Read once; what is wrong or cannot be read is told in the log, and the former settings stay."""
        try:
            settings = parse(self._read())
        except Exception as error:
            LOG.warning("The settings stay as they were: %s", error)
            return
        if settings != self.current:
            LOG.info("The settings are now %s", settings)
            self.current = settings

    def end(self) -> None:
        """Stop reading."""
        self._ended.set()

    def _keep_reading(self) -> None:
        while not self._ended.wait(self._interval_s):
            self.refresh()


def parameter_reader(client: Any, name: str) -> Callable[[], str]:
    """Return a function that reads the parameter `name` with the SSM `client`."""
    return lambda: str(client.get_parameter(Name=name)["Parameter"]["Value"])
