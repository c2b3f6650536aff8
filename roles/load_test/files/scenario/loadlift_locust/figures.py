"""Locust's statistics as JSON: totals, histograms, and one point of history a second."""

from __future__ import annotations

import json
from copy import copy
from typing import Any

from locust.stats import (
    RequestStats,
    StatsEntry,
    StatsError,
    calculate_response_time_percentile,
    diff_response_time_dicts,
)

PERCENTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}


def entry(found: StatsEntry) -> dict[str, Any]:
    """Return what was measured of one request; `histogram` is a list of [milliseconds, count]."""
    return {
        "method": found.method or "",
        "name": found.name,
        "requests": found.num_requests,
        "failures": found.num_failures,
        "total_ms": round(found.total_response_time, 3),
        "min_ms": round(found.min_response_time or 0.0, 3),
        "max_ms": round(found.max_response_time, 3),
        "histogram": sorted(found.response_times.items()),
    }


def window(stats: RequestStats) -> dict[str, Any]:
    """Return all that was measured since the statistics were last reset."""
    entries = sorted(stats.entries.values(), key=lambda found: (found.method or "", found.name))
    return {
        "total": entry(stats.total),
        "requests": [entry(found) for found in entries if found.num_requests or found.num_failures],
        "errors": [StatsError.to_dict(error) for error in stats.errors.values()],
    }


class Slices:
    """What came in each tick, each request apart, as text: that of an hour stays in memory."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._last: dict[Any, StatsEntry] = {}
        self._last_t = 0.0

    def add(self, t: float, window: int, stats: RequestStats) -> None:
        """Add what came since the last tick; `window` is the number of the window that is open, or 0."""
        came = [self._came(key, found) for key, found in stats.entries.items()]
        part = {
            "window": window,
            "seconds": round(t - self._last_t, 3),
            "requests": [one for one in came if one["requests"] or one["failures"]],
        }
        self._texts.append(json.dumps(part, separators=(",", ":")))
        self._last = {key: _kept(found) for key, found in stats.entries.items()}
        self._last_t = t

    def since(self, number: int) -> list[dict[str, Any]]:
        """Return the slices from that number on."""
        return [json.loads(text) for text in self._texts[number:]]

    def forget(self, t: float) -> None:
        """Begin to count from zero: the statistics were reset at `t`."""
        self._last, self._last_t = {}, t

    def _came(self, key: Any, now: StatsEntry) -> dict[str, Any]:
        before = self._last.get(key)
        if before is None:
            return entry(now)
        times = diff_response_time_dicts(now.response_times, before.response_times)
        came = sorted((time, count) for time, count in times.items() if count)
        return {
            "method": now.method or "",
            "name": now.name,
            "requests": now.num_requests - before.num_requests,
            "failures": now.num_failures - before.num_failures,
            "total_ms": round(now.total_response_time - before.total_response_time, 3),
            "min_ms": came[0][0] if came else 0.0,
            "max_ms": came[-1][0] if came else 0.0,
            "histogram": came,
        }


def _kept(found: StatsEntry) -> StatsEntry:
    kept = copy(found)
    kept.response_times = dict(found.response_times)
    return kept


class History:
    """One point a tick, made of what came since the last one."""

    def __init__(self) -> None:
        self.points: list[dict[str, Any]] = []
        self._last: tuple[float, int, int, dict[Any, int]] = (0.0, 0, 0, {})

    def add(self, t: float, phase: str, users: int, total: StatsEntry) -> None:
        """Add the point of time `t`, in seconds since the swarm's start."""
        last_t, last_requests, last_failures, last_times = self._last
        times = diff_response_time_dicts(total.response_times, last_times)
        count = sum(times.values())
        seconds = max(t - last_t, 1e-3)
        point = {
            "t_s": round(t, 1),
            "phase": phase,
            "users": users,
            "requests_per_s": round((total.num_requests - last_requests) / seconds, 1),
            "failures_per_s": round((total.num_failures - last_failures) / seconds, 1),
        }
        shares = PERCENTILES.items()
        percentiles = {
            n: calculate_response_time_percentile(times, count, share) if count else None for n, share in shares
        }
        self.points.append(point | percentiles)
        self._last = (t, total.num_requests, total.num_failures, dict(total.response_times))

    def forget(self, t: float) -> None:
        """Begin to count from zero: the statistics were reset at `t`."""
        self._last = (t, 0, 0, {})
