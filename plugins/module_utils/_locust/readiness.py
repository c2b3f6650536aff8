# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a Locust can take a swarm: no other one runs there, and its workers hold that many users."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._locust.client import PLUGIN_VERSION, Locust
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_limits import Worker, why_too_large

LOOK_S = 0.5
LEASE_LOOK_S = 2.5  # a controller renews each second
ACTIVE = ("spawning", "running")
CONNECTED = ("ready", *ACTIVE)

Say = Callable[[str], None]


def is_active(state: dict[str, Any], swarm_id: str) -> bool:
    """Tell whether the swarm of that id runs."""
    return state["state"] in ACTIVE and bool(state["swarm"]) and state["swarm"]["id"] == swarm_id


def clear(locust: Locust, take_over: bool, say: Say) -> None:
    """Return when no swarm runs; raises InputError where one does that is not to be stopped."""
    state = locust.state()
    _refuse_another_version(locust, state)
    if state["state"] not in ACTIVE:
        return
    if take_over:
        say(f"The swarm {_owner(state)} is taken over: it is stopped.")
        locust.stop()
    elif _is_watched(locust, state, say):
        raise InputError(
            f"url is '{locust.url}': a swarm runs there already ({_owner(state)}); wait for its end, or set take_over."
        )


def _owner(state: dict[str, Any]) -> str:
    return str(state["swarm"]["id"] or "somebody started it by hand")


def _refuse_another_version(locust: Locust, state: dict[str, Any]) -> None:
    if state.get("version") != PLUGIN_VERSION:
        raise InputError(f"url is '{locust.url}': its plugin is of another version; deploy it again (load_test).")


def _is_watched(locust: Locust, state: dict[str, Any], say: Say) -> bool:
    """Tell whether somebody wants the swarm that runs; wait for the end of one whose lease nobody renews."""
    while state["state"] in ACTIVE:
        left_s = state["swarm"]["lease_left_s"]
        if left_s is None:
            return True
        say(f"The swarm {_owner(state)} of an interrupted run ends in {max(left_s, 0):.0f} s.")
        time.sleep(LEASE_LOOK_S)
        state = locust.state()
        if state["state"] in ACTIVE and state["swarm"]["lease_left_s"] > left_s - LEASE_LOOK_S / 2:
            return True
    return False


def wait_for_workers(locust: Locust, wanted: int, wait_s: float) -> list[Worker]:
    """Return the workers once as many are connected; raises InputError when they do not come."""
    deadline = time.monotonic() + wait_s
    while True:
        state = locust.state()
        _refuse_another_version(locust, state)
        raw = [worker for worker in state["workers"] if worker["state"] in CONNECTED]
        # A worker that has just connected has not told its limits yet.
        known = [worker for worker in raw if "open_files" in worker]
        if known and len(known) == len(raw) >= wanted:
            return [Worker(w["id"], w["host"], w["open_files"], w["ports"], w["connections"]) for w in known]
        if time.monotonic() > deadline:
            raise InputError(f"workers is {wanted}: {len(raw)} were connected to {locust.url} after {wait_s:g} s.")
        time.sleep(LOOK_S)


def refuse_too_large(users: int, workers: list[Worker], addresses: int) -> None:
    """Raise InputError where the workers' files or ports do not hold as many users."""
    problem = why_too_large(users, workers, addresses)
    if problem:
        raise InputError(problem)
