"""A swarm's shape in the master: how many users ought to be up, and when the next step is due."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

# A ramp may take a quarter longer than told, and some seconds for the workers' reports.
STRETCH = 1.25
SLACK_S = 5.0


@dataclass(frozen=True)
class Step:
    """From `at_s` on, in seconds since the window opened, the swarm goes to `users`."""

    at_s: float
    users: int
    spawn_rate: float

    def is_up_after(self, before: int) -> float:
        """Return when its users must be up, coming from `before`."""
        return self.at_s + STRETCH * abs(self.users - before) / self.spawn_rate + SLACK_S


@dataclass
class Shape:
    """Follows the steps; `begin` is the number of users before the first one."""

    begin: int
    steps: list[Step] = field(default_factory=list)
    taken: int = 0

    @classmethod
    def read(cls, begin: int, told: str) -> Shape:
        """Return the shape that a swarm was told, as JSON rows of seconds, users and spawn rate."""
        return cls(begin, [Step(at_s, int(users), rate) for at_s, users, rate in json.loads(told or "[]")])

    def due(self, measured_s: float) -> Step | None:
        """Return the step whose time has come, once."""
        if self.taken == len(self.steps) or measured_s < self.steps[self.taken].at_s:
            return None
        self.taken += 1
        return self.steps[self.taken - 1]

    def wanted(self, measured_s: float) -> int:
        """Return how many users must be up by now: on the way from one number to another, the smaller of both."""
        numbers = [self.begin, *(step.users for step in self.steps[: self.taken])]
        if self.taken and measured_s < self.steps[self.taken - 1].is_up_after(numbers[-2]):
            return min(numbers[-2:])
        return numbers[-1]
