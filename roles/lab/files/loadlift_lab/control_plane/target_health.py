"""What the data plane measured of the targets, as it reported it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Literal, get_args

State = Literal["initial", "healthy", "unhealthy", "unused", "draining", "unavailable"]
STATES: tuple[str, ...] = get_args(State)


@dataclass(frozen=True)
class TargetHealth:
    """One target's health, in the words of DescribeTargetHealth."""

    state: State
    reason: str | None = None
    description: str | None = None


class TargetHealthReports:
    """The newest report of each target."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reports: dict[tuple[str, str, int | None], TargetHealth] = {}

    def put(self, reports: list[dict[str, Any]]) -> None:
        """Take over `reports`, the body of PUT /_lab/target-health; ValueError or KeyError if one is malformed."""
        told = {_key(report): _health(report) for report in reports}
        with self._lock:
            self._reports.update(told)

    def of(self, target_group_arn: str, target: str, port: int | None) -> TargetHealth | None:
        """Return what was last measured of a target, None if nothing was."""
        with self._lock:
            return self._reports.get((target_group_arn, target, port))

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._reports.clear()


REPORTS = TargetHealthReports()


def _key(report: dict[str, Any]) -> tuple[str, str, int | None]:
    port = report.get("port")
    return report["target_group_arn"], report["id"], None if port is None else int(port)


def _health(report: dict[str, Any]) -> TargetHealth:
    if report["state"] not in STATES:
        raise ValueError(f"state is one of {', '.join(STATES)}, not {report['state']!r}")
    return TargetHealth(report["state"], report.get("reason"), report.get("description"))
