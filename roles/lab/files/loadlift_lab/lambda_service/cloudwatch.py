"""CloudWatch Logs: log events in batches, some each second, so that logging never takes the account's time.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from loadlift_lab.data_plane.context import Clients
from loadlift_lab.lambda_service.functions import Function

LOG = logging.getLogger(__name__)
# Of one function: the rest is in its log file only.
EVENTS_EACH_TIME = 100
Place = tuple[str, str]  # log group, log stream


class CloudWatch:
    """Log events on their way."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._waiting: dict[Place, list[dict[str, Any]]] = defaultdict(list)
        self._counts: Counter[str] = Counter()
        self._left_out: Counter[Place] = Counter()
        self._known: set[Place] = set()
        self._groups: frozenset[str] = frozenset()

    def serve(self, groups: frozenset[str]) -> None:
        """Take lines for these log groups only: a function that is gone must not make its group again."""
        self._groups = groups

    def add(self, function: Function, stream: str, at: float, text: str) -> None:
        """Take a line of `function`, printed `at` (seconds since 1970)."""
        place = (function.log_group, stream)
        if function.log_group not in self._groups:
            return
        self._counts[function.log_group] += 1
        if self._counts[function.log_group] > EVENTS_EACH_TIME:
            self._left_out[place] += 1
            return
        self._waiting[place].append({"timestamp": int(at * 1000), "message": text})

    def take(self) -> dict[Place, list[dict[str, Any]]]:
        """Return what is to be sent now, and begin to count anew."""
        batch, self._waiting = self._waiting, defaultdict(list)
        for place, count in self._left_out.items():
            if batch[place]:
                note = f"[loadlift lab] {count} more lines are only in the function's log file."
                batch[place].append({"timestamp": batch[place][-1]["timestamp"], "message": note})
        self._counts.clear()
        self._left_out.clear()
        return {place: events for place, events in batch.items() if events and place[0] in self._groups}

    def send(self, batch: dict[Place, list[dict[str, Any]]]) -> None:
        """Send what `take` returned; what the account does not take is lost, and said. It blocks."""
        for place, events in batch.items():
            try:
                self._put(place, events)
            except (ClientError, BotoCoreError) as error:
                LOG.warning("%d log events of %s are lost: %s", len(events), place[0], error)

    def _put(self, place: Place, events: list[dict[str, Any]]) -> None:
        group, stream = place
        logs = self._clients.get("logs")
        if place not in self._known:
            self._make(logs, group, stream)
        try:
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
        except logs.exceptions.ResourceNotFoundException:  # somebody has removed it
            self._make(logs, group, stream)
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def _make(self, logs: Any, group: str, stream: str) -> None:
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=group)
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        self._known.add((group, stream))
