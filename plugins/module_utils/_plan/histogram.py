# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was measured of requests, and the percentiles of its histogram. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class Figures:
    """What was measured of one request, or of several together; times in ms."""

    method: str
    name: str
    requests: int
    failures: int
    total_ms: float
    min_ms: float
    max_ms: float
    histogram: tuple[tuple[float, int], ...]  # (ms, count), ascending; the times are 1 % exact

    @property
    def failure_ratio(self) -> float:
        """Failures as a share of the requests, 0..1; 0 without requests."""
        return self.failures / self.requests if self.requests else 0.0

    @property
    def mean_ms(self) -> float | None:
        """The mean time, or None without requests."""
        counted = sum(count for _time, count in self.histogram)
        return self.total_ms / counted if counted else None

    def percentile(self, share: float) -> float | None:
        """Return the time in ms within which `share` (0..1) of the requests were answered; None without requests."""
        counted = sum(count for _time, count in self.histogram)
        so_far = 0
        for milliseconds, count in self.histogram:
            so_far += count
            if so_far >= share * counted:
                return min(max(milliseconds, self.min_ms), self.max_ms)
        return None


def from_json(raw: Mapping[str, Any]) -> Figures:
    """Return the figures as the master's plugin shows them."""
    times = tuple((float(milliseconds), int(count)) for milliseconds, count in raw["histogram"])
    return Figures(
        raw["method"],
        raw["name"],
        raw["requests"],
        raw["failures"],
        raw["total_ms"],
        raw["min_ms"],
        raw["max_ms"],
        times,
    )


def merged(figures: Iterable[Figures], name: str = "") -> Figures:
    """Return several requests' figures as one; without any, figures of nothing."""
    parts = list(figures)
    times: dict[float, int] = {}
    for milliseconds, count in (pair for part in parts for pair in part.histogram):
        times[milliseconds] = times.get(milliseconds, 0) + count
    return Figures(
        "",
        name,
        sum(part.requests for part in parts),
        sum(part.failures for part in parts),
        sum(part.total_ms for part in parts),
        min((part.min_ms for part in parts), default=0.0),
        max((part.max_ms for part in parts), default=0.0),
        tuple(sorted(times.items())),
    )


def matching(figures: Iterable[Figures], pattern: str) -> list[Figures]:
    """Return those whose `METHOD NAME`, or whose name alone, matches `pattern` (`*` and `?` as in file names)."""
    return [part for part in figures if is_named(part, pattern)]


def is_named(figures: Figures, pattern: str) -> bool:
    """Tell whether a request's `METHOD NAME`, or its name alone, matches `pattern`."""
    # Names such as /item/[id] are usual with Locust: brackets mean themselves.
    plain = pattern.replace("[", "[[]")
    return any(fnmatchcase(name, plain) for name in (f"{figures.method} {figures.name}", figures.name))
