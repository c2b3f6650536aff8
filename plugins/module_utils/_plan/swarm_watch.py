# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Holds a running swarm against its objectives: sliding stretches, and whether to abort. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .histogram import Figures, from_json, is_named, merged
from .objective import Measured, Objective, Result, value_of

# A stretch is whole when it lacks less than this: slices are cut once a second, not exactly so.
SLACK_S = 0.5


@dataclass(frozen=True)
class Slice:
    """What came in one second, each request apart."""

    seconds: float
    requests: tuple[Figures, ...]


def slice_from_json(raw: Mapping[str, Any]) -> Slice:
    """Return a slice as the master's plugin shows it."""
    return Slice(raw["seconds"], tuple(from_json(figures) for figures in raw["requests"]))


@dataclass
class Stretch:
    """The last `objective.over_s` seconds of what an objective is about, and the worst value so far."""

    objective: Objective
    worst: float | None = None
    seen: bool = False  # whether a whole stretch has been seen
    _parts: deque[tuple[float, Figures]] = field(default_factory=deque)
    _seconds: float = 0.0
    _times: Counter[float] = field(default_factory=Counter)

    def add(self, part: Slice) -> Result | None:
        """Move on by one slice; return what the objective says of the stretch that ends with it, once it is whole."""
        request = self.objective.request
        figures = merged(one for one in part.requests if request is None or is_named(one, request))
        self._parts.append((part.seconds, figures))
        self._seconds += part.seconds
        self._times.update(dict(figures.histogram))
        self._drop_what_is_too_old()
        if self._seconds < self._wanted_s:
            return None
        result = Result(self.objective, self._value())
        self._keep_the_worst(result.measured)
        return result

    @property
    def _wanted_s(self) -> float:
        return (self.objective.over_s or 0.0) - SLACK_S

    def _drop_what_is_too_old(self) -> None:
        while self._parts and self._seconds - self._parts[0][0] >= self._wanted_s:
            seconds, figures = self._parts.popleft()
            self._seconds -= seconds
            self._times.subtract(dict(figures.histogram))

    def _value(self) -> float | None:
        parts = [figures for _seconds, figures in self._parts if figures.requests]
        if self.objective.request and not parts:
            return None
        # The histogram is kept up to date slice by slice: to merge those of all parts each second would cost too much.
        times = tuple(sorted((time, count) for time, count in self._times.items() if count))
        figures = replace(merged(replace(part, histogram=()) for part in parts), histogram=times)
        return value_of(replace(self.objective, request=None), Measured(figures, (), self._seconds, 0))

    def _keep_the_worst(self, measured: float | None) -> None:
        if not self.seen or self.objective.badness(measured) > self.objective.badness(self.worst):
            self.worst = measured
        self.seen = True


class Watch:
    """Holds objectives against what a swarm's polls tell."""

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self._on_all = [one for one in objectives if one.abort and not one.over_s]
        self._stretches = [Stretch(one) for one in objectives if one.over_s]

    @property
    def wants_slices(self) -> bool:
        """Whether the master is to tell what came in each second."""
        return bool(self._stretches)

    @property
    def wants_figures(self) -> bool:
        """Whether each poll is to tell all that was measured so far."""
        return bool(self._on_all)

    def add(self, slices: Iterable[Slice]) -> Result | None:
        """Take up new slices; return the first result that aborts the swarm."""
        aborting = None
        for part in slices:
            for stretch in self._stretches:
                result = stretch.add(part)
                if result and stretch.objective.abort and not result.held:
                    aborting = aborting or result
        return aborting

    def judge(self, measured: Measured) -> Result | None:
        """Return the first objective on all that was measured so far that aborts the swarm."""
        for objective in self._on_all:
            result = Result(objective, value_of(objective, measured))
            if measured.seconds >= objective.abort_after_s and result.measured is not None and not result.held:
                return result
        return None

    def worst(self) -> dict[Objective, float | None]:
        """Return the worst stretch of each sliding objective; None where there was no whole one, or nothing in it."""
        return {stretch.objective: stretch.worst for stretch in self._stretches}
