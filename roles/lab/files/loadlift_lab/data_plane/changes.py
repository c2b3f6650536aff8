"""Which generation the account is at, as the control plane tells it."""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from loadlift_lab.settings import LabSettings

LOG = logging.getLogger(__name__)
WAIT_SECONDS = 20
RETRY_SECONDS = 0.5
# A plain moto server counts no generations: then every look counts as a change.
UNCOUNTED_SECONDS = 2


class Changes:
    """Follows `/_lab/changes`; parts wait here. There is no generation while the control plane is away or replaying."""

    def __init__(self, settings: LabSettings) -> None:
        self._settings = settings
        self._news = threading.Condition()
        self._generation: int | None = None

    def wait(self, seen: int | None, timeout: float) -> int | None:
        """Return the generation as soon as it is not `seen`, or after `timeout` seconds; None while there is none."""
        with self._news:
            self._news.wait_for(lambda: self._generation not in (None, seen), timeout)
            return self._generation

    def follow(self, stop: threading.Event) -> None:
        """Keep the generation up to date until `stop`."""
        while not stop.is_set():
            try:
                self._tell(self._next())
            except (OSError, ValueError) as error:
                self._lose(error)
                stop.wait(RETRY_SECONDS)

    def _next(self) -> int | None:
        if self._generation is None:
            return self._ready_generation()
        try:
            return int(self._get(f"/_lab/changes?after={self._generation}&wait={WAIT_SECONDS}")["generation"])
        except urllib.error.HTTPError as error:
            return self._uncounted(error)

    def _ready_generation(self) -> int:
        try:
            health = self._get("/_lab/health")
        except urllib.error.HTTPError as error:
            return self._uncounted(error)
        if health["status"] != "ready":
            raise ValueError(f"it is {health['status']}")
        return int(health["generation"])

    def _uncounted(self, error: urllib.error.HTTPError) -> int:
        if error.code != 404:
            raise error
        if self._generation is None:
            return 0
        time.sleep(UNCOUNTED_SECONDS)
        return self._generation + 1

    def _get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(self._settings.endpoint + path, timeout=WAIT_SECONDS + 10) as answer:
            body: dict[str, Any] = json.load(answer)
        return body

    def _tell(self, generation: int | None) -> None:
        with self._news:
            self._generation = generation
            self._news.notify_all()

    def _lose(self, error: Exception) -> None:
        if self._generation is not None:
            LOG.warning("The control plane does not answer, so everything stays as it is: %s", error)
        self._tell(None)
