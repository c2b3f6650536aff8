"""CloudWatch Logs: never endless."""

from __future__ import annotations

from typing import Any

from moto.logs.models import LogStream

from loadlift_lab.control_plane.moto_state import put

# The account lives in memory, and functions under load print all the time.
KEPT_EVENTS = 10_000  # of each log stream


def apply() -> None:
    """Keep the newest events of a stream only."""
    put_events = LogStream.put_log_events

    def put_and_trim(self: Any, log_events: list[dict[str, Any]]) -> str:
        token: str = put_events(self, log_events)
        del self.events[:-KEPT_EVENTS]
        return token

    put(LogStream, "put_log_events", put_and_trim)
