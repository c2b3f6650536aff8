# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the number of users goes on after a swarm's hold: a table of stages. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .plan import InputError

FIELDS = ("users", "spawn_rate", "duration")


@dataclass(frozen=True)
class Step:
    """From `at_s` on, in seconds since all users were up, the swarm goes to `users`, `spawn_rate` of them a second."""

    at_s: float
    users: int
    spawn_rate: float


@dataclass(frozen=True)
class Shape:
    """The steps, and how long they take together."""

    steps: tuple[Step, ...]
    duration_s: float

    @property
    def peak_users(self) -> int:
        """The largest number of users; 0 without steps."""
        return max((step.users for step in self.steps), default=0)

    def rows(self) -> list[list[float]]:
        """Return the steps as the plugin takes them."""
        return [[step.at_s, step.users, step.spawn_rate] for step in self.steps]


def shape(told: Sequence[Mapping[str, Any]], users: int, hold_s: float) -> Shape:
    """Return the shape of a swarm that has held `users` for `hold_s`; raises InputError for the first wrong row.

    Each row has `users`, `spawn_rate` (users a second, up or down) and `duration` (seconds, its own ramp included).
    """
    steps, at_s, before = [], hold_s, users
    for number, raw in enumerate(told):
        where = f"shape[{number}]"
        step, duration_s = _step(raw, at_s, where)
        ramp_s = abs(step.users - before) / step.spawn_rate
        if ramp_s > duration_s:
            raise InputError(
                f"{where}: from {before:,} to {step.users:,} users at {step.spawn_rate:g} a second takes {ramp_s:g} s, "
                f"and its duration is {duration_s:g} s."
            )
        steps.append(step)
        at_s, before = at_s + duration_s, step.users
    return Shape(tuple(steps), at_s - hold_s)


def _step(raw: Mapping[str, Any], at_s: float, where: str) -> tuple[Step, float]:
    if not isinstance(raw, Mapping) or set(raw) != set(FIELDS):
        raise InputError(f"{where} is '{raw}'; it needs {', '.join(FIELDS)}, and nothing else.")
    users, spawn_rate, duration_s = (_number(raw, name, where) for name in FIELDS)
    if users != int(users):
        raise InputError(f"{where}: users is {users:g}; a whole number is needed.")
    return Step(at_s, int(users), spawn_rate), duration_s


def _number(raw: Mapping[str, Any], name: str, where: str) -> float:
    try:
        number = float(raw[name])
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < float("inf"):
        raise InputError(f"{where}: {name} is '{raw[name]}'; a number over 0 is needed.")
    return number
