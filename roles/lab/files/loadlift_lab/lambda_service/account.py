"""Follows the account: which functions there are, as the control plane tells it."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import urllib.request
from collections.abc import Callable
from typing import Any

from loadlift_lab.data_plane.changes import Changes
from loadlift_lab.lambda_service.functions import Catalogue, catalogue_of
from loadlift_lab.settings import LabSettings

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
ANSWER_SECONDS = 15.0


class Account:
    """What the program knows of the account. Belongs to the event loop that it was made in."""

    def __init__(self, settings: LabSettings) -> None:
        self._settings = settings
        self._changes = Changes(settings)
        self._generation: int | None = None
        self._news = asyncio.Condition()
        self._stop = threading.Event()

    async def follow(self, take_up: Callable[[Catalogue], None]) -> None:
        """Hand the functions to `take_up` whenever the account has changed; never returns."""
        threading.Thread(target=self._changes.follow, args=(self._stop,), name="changes", daemon=True).start()
        while True:
            generation = await asyncio.to_thread(self._changes.wait, self._generation, LOOK_SECONDS)
            if generation in (None, self._generation):
                continue
            try:
                listing = await asyncio.to_thread(self._listing)
                take_up(catalogue_of(listing))
            except (OSError, ValueError, KeyError) as error:
                LOG.error("The functions cannot be read: %s: %s", type(error).__name__, error)
                await asyncio.sleep(LOOK_SECONDS)
                continue
            async with self._news:
                self._generation = generation
                self._news.notify_all()

    async def catch_up(self, generation: int, seconds: float) -> None:
        """Return when the functions are those of `generation` or a later one, or when `seconds` are over."""
        if self._generation is not None and self._generation >= generation:
            return
        async with self._news:
            reached = self._news.wait_for(lambda: self._generation is not None and self._generation >= generation)
            try:
                await asyncio.wait_for(reached, seconds)
            except TimeoutError:
                LOG.warning("The account is at generation %s, not yet at %s", self._generation, generation)

    async def report_allocated(self, counts: list[dict[str, str | int]]) -> None:
        """Tell the control plane how many sandboxes there are; raises OSError while it is away."""
        await asyncio.to_thread(self._put, "/_lab/provisioned-concurrency", counts)

    def close(self) -> None:
        """Stop following."""
        self._stop.set()

    def _listing(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self._settings.endpoint}/_lab/functions", timeout=ANSWER_SECONDS) as answer:
            listing: list[dict[str, Any]] = json.load(answer)
        return listing

    def _put(self, path: str, body: object) -> None:
        request = urllib.request.Request(self._settings.endpoint + path, json.dumps(body).encode(), method="PUT")
        request.add_header("Content-Type", "application/json")
        urllib.request.urlopen(request, timeout=ANSWER_SECONDS).close()
