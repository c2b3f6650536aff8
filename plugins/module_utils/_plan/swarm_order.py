# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a task asks of a swarm, checked before anything starts. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .objective import Objective, parse
from .plan import InputError
from .swarm_shape import Shape, shape

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
ADDRESS = re.compile(r"[A-Za-z0-9.-]+:\d{1,5}")
WAIT = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")
# A ramp may take a quarter longer than told, and some seconds for the workers' reports.
RAMP_STRETCH = 1.25
RAMP_SLACK_S = 5.0
# After this much longer the ramp is given up.
RAMP_GIVE_UP_S = 30.0
# Locust's own run time ends a swarm that nobody else ends.
RUN_TIME_SLACK_S = 60.0


@dataclass(frozen=True)
class Order:
    """One swarm as it is wanted; times in seconds."""

    run_id: str
    stage: str
    title: str
    target: str
    addresses: tuple[str, ...]
    users: int
    spawn_rate: float
    hold_s: float
    objectives: tuple[Objective, ...]
    counters: tuple[str, ...]
    request_timeout_s: float
    wait: str
    lease_s: float
    reset_statistics: bool = True  # when all users are up
    shape: Shape = Shape((), 0.0)  # its time is part of hold_s

    @property
    def swarm_id(self) -> str:
        """How the master tells this swarm from others."""
        return f"{self.run_id}/{self.stage}"

    def ramp_wanted_s(self, from_users: int = 0) -> float:
        """Return how long the ramp takes at the spawn rate, from as many users as there were."""
        return abs(self.users - from_users) / self.spawn_rate

    def ramp_limit_s(self, from_users: int = 0) -> float:
        """Return the longest ramp at which the spawn rate counts as held."""
        return RAMP_STRETCH * self.ramp_wanted_s(from_users) + RAMP_SLACK_S

    def ramp_give_up_s(self, from_users: int = 0) -> float:
        """Return when a ramp that does not end is given up."""
        return self.ramp_limit_s(from_users) + RAMP_GIVE_UP_S

    def run_time_s(self, from_users: int = 0) -> int:
        """Return when Locust ends the swarm by itself, whatever happens to the controller."""
        return round(self.ramp_give_up_s(from_users) + self.hold_s + RUN_TIME_SLACK_S)

    @property
    def peak_users(self) -> int:
        """The largest number of users, with those of the shape."""
        return max(self.users, self.shape.peak_users)

    @property
    def connect_addresses(self) -> tuple[str, ...]:
        """Where the users connect to: the addresses, or the target's own host and port."""
        parts = urlsplit(self.target)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return self.addresses or (f"{parts.hostname}:{port}",)


def order(options: Mapping[str, Any]) -> Order:
    """Return the order that a task's options make; raises InputError naming the first wrong one."""
    for check in (_check_names, _check_target, _check_numbers, _check_wait):
        check(options)
    objectives = tuple(parse(sentence) for sentence in options["objectives"])
    then = shape(options.get("shape") or [], options["users"], options["hold"])
    _check_stretches(objectives, options["hold"] + then.duration_s)
    return Order(
        options["run_id"],
        options["stage"],
        options["title"] or options["stage"],
        options["target"].rstrip("/"),
        tuple(options["addresses"]),
        options["users"],
        options["spawn_rate"],
        options["hold"] + then.duration_s,
        objectives,
        tuple(options["counters"]),
        options["request_timeout"],
        options["wait"],
        options["lease"],
        options.get("reset_statistics", True),
        then,
    )


def _check_stretches(objectives: Sequence[Objective], hold: float) -> None:
    for objective in objectives:
        if objective.over_s and objective.over_s > hold:
            raise InputError(
                f"hold is {hold:g}: the objective '{objective.text}' wants at least {objective.over_s:g} seconds."
            )


def _check_names(options: Mapping[str, Any]) -> None:
    for name in ("run_id", "stage"):
        if not NAME.fullmatch(options[name]):
            raise InputError(
                f"{name} is '{options[name]}': it names a folder, so letters, digits, '.', '_' and '-' are allowed, "
                "100 at most, the first a letter or a digit."
            )


def _check_target(options: Mapping[str, Any]) -> None:
    target, addresses = options["target"], options["addresses"]
    if urlsplit(target).scheme not in ("http", "https") or not urlsplit(target).hostname:
        raise InputError(f"target is '{target}': an address such as http://shop.example.com is needed.")
    _check_addresses(addresses)
    if addresses and urlsplit(target).scheme == "https":
        raise InputError(
            f"addresses is {', '.join(addresses)}: with an https target the name decides, so it must be empty."
        )


def _check_addresses(addresses: Sequence[str]) -> None:
    for address in addresses:
        if not ADDRESS.fullmatch(address):
            raise InputError(f"addresses has '{address}': each is HOST:PORT, such as 192.0.2.1:80.")
    if len(set(addresses)) < len(addresses):
        raise InputError(f"addresses is {', '.join(addresses)}: each may be named once only.")


def _check_numbers(options: Mapping[str, Any]) -> None:
    for name in ("users", "spawn_rate", "hold", "request_timeout"):
        if not options[name] > 0:
            raise InputError(f"{name} is {options[name]}: a number over 0 is needed.")
    if options["lease"] < 5:
        raise InputError(
            f"lease is {options['lease']}: at least 5 seconds are needed, since it is renewed every second."
        )


def _check_wait(options: Mapping[str, Any]) -> None:
    found = WAIT.fullmatch(options["wait"])
    if not found or float(found[1]) > float(found[2]):
        raise InputError(f"wait is '{options['wait']}': MIN-MAX in seconds is needed, such as 5-15.")
