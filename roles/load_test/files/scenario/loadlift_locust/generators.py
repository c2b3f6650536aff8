"""How each worker fares: its limits, its CPU and its standstills, from what it tells in every report."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from loadlift_locust.process import CPU_SECONDS

# Over less than this a process's CPU time says little.
LEAST_SECONDS = 2.0


@dataclass(frozen=True)
class Times:
    """A worker's own clock, its CPU time, and how long it waited for a processor; in seconds."""

    clock_s: float
    cpu_s: float
    wait_s: float


NO_TIME = Times(0.0, 0.0, 0.0)


@dataclass
class Usage:
    """One worker since `begin`: CPU of one core in percent, and how long its event loop stood still."""

    report: dict[str, Any] = field(default_factory=dict)
    lag_ms: float = 0.0
    peak_percent: float = 0.0
    _first: Times | None = None
    _recent: deque[Times] = field(default_factory=deque)

    def begin(self) -> None:
        """Forget what came before the last report."""
        self._recent = deque([self._recent[-1]] if self._recent else [])
        self._first = self._recent[0] if self._recent else None
        self.lag_ms = self.peak_percent = 0.0

    def add(self, report: dict[str, Any]) -> None:
        """Take up a report."""
        self.report = report
        self.lag_ms = max(self.lag_ms, report["loop_lag_ms"])
        now = Times(report["clock_s"], report["cpu_s"], report["wait_s"])
        self._first = self._first or now
        self._recent.append(now)
        while len(self._recent) > 2 and self._recent[1].clock_s <= now.clock_s - CPU_SECONDS:
            self._recent.popleft()
        if now.clock_s - self._recent[0].clock_s >= LEAST_SECONDS:
            self.peak_percent = max(self.peak_percent, cpu_percent(self._recent[0], now))

    def told(self) -> dict[str, float]:
        """Return the figures since `begin`; `cpu_percent` is the highest of any CPU_SECONDS, the others are means."""
        first, last = self._first or NO_TIME, self._recent[-1] if self._recent else NO_TIME
        mean = cpu_percent(first, last)
        return {
            "cpu_percent": round(max(self.peak_percent, mean), 1),
            "cpu_percent_mean": round(mean, 1),
            "cpu_wait_percent": round(wait_percent(first, last), 1),
            "loop_lag_ms": self.lag_ms,
        }


def cpu_percent(before: Times, after: Times) -> float:
    """Return the CPU time between two reports as a share of one core, in percent."""
    return _share(before, after, after.cpu_s - before.cpu_s)


def wait_percent(before: Times, after: Times) -> float:
    """Return for how much of the time between two reports the worker had to wait for a processor, in percent."""
    return _share(before, after, after.wait_s - before.wait_s)


def _share(before: Times, after: Times, seconds: float) -> float:
    passed = after.clock_s - before.clock_s
    return 100 * seconds / passed if passed > 0 else 0.0


class Generators:
    """All workers that have told something."""

    def __init__(self) -> None:
        self._usages: dict[str, Usage] = {}

    def add(self, worker: str, report: dict[str, Any]) -> None:
        """Take up a worker's report."""
        self._usages.setdefault(worker, Usage()).add(report)

    def begin(self) -> None:
        """Forget what came before now."""
        for usage in self._usages.values():
            usage.begin()

    def report(self, worker: str) -> dict[str, Any]:
        """Return a worker's last report, empty before the first."""
        usage = self._usages.get(worker)
        return dict(usage.report) if usage else {}

    def peaks(self, workers: tuple[str, ...]) -> dict[str, dict[str, float]]:
        """Return the figures of these workers."""
        return {worker: self._usages[worker].told() for worker in workers if worker in self._usages}
