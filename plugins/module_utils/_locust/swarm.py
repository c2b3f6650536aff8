# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drives one swarm: start, ramp, hold, judge, stop. The decisions are in _plan, the calls in client."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._locust.client import (
    PLUGIN_VERSION,
    Locust,
    RefusedError,
    UnreachableError,
    read_counters,
)
from ansible_collections.loadlift.aws.plugins.module_utils._locust.results import Results
from ansible_collections.loadlift.aws.plugins.module_utils._plan import swarm_summary
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_limits import Worker, why_too_large
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_order import Order

POLL_S = 1.0
LEASE_LOOK_S = 2.5  # a controller renews each second
ACTIVE = ("spawning", "running")
CONNECTED = ("ready", *ACTIVE)


class EndedError(Exception):
    """The swarm does not run any more; the master knows why."""


class LostError(Exception):
    """The master cannot tell any more: it is gone, or has forgotten the swarm."""


class InterruptedSwarmError(Exception):
    """Nobody wants the swarm any more: the play was interrupted or killed."""


@dataclass
class Swarm:
    """One swarm under way. `say` shows a line of progress each `say_every_s` seconds."""

    locust: Locust
    order: Order
    results: Results
    say: Callable[[str], None]
    say_every_s: float = 10.0
    is_wanted: Callable[[], bool] = lambda: True
    history: list[dict[str, Any]] = field(default_factory=list)
    snapshot: dict[str, Any] = field(default_factory=dict)  # the last state with what was measured
    _said: float = field(default_factory=time.monotonic)

    def runs(self) -> bool:
        """Tell whether this very swarm runs already, started by an earlier task."""
        return is_active(self.locust.state(since=0), self.order.swarm_id)

    def check(self, workers: int, wait_for_workers_s: float) -> None:
        """Raise InputError when the swarm is larger than the workers can hold, or its counters cannot be read."""
        self._refuse_too_large(self._wait_for_workers(workers, wait_for_workers_s))
        try:
            read_counters(self.order.counters)
        except (UnreachableError, RefusedError) as error:
            raise InputError(f"counters cannot be read: {error}") from error

    def begin(self, workers: int, wait_for_workers_s: float, take_over: bool) -> None:
        """Start the swarm; raises InputError, before anything changes, when it may not or cannot be started."""
        self._refuse_a_foreign_one(take_over)
        self.check(workers, wait_for_workers_s)
        self.results.claim()
        self.locust.start(self.order)

    def drive(self, to_the_end: bool = True) -> dict[str, Any]:
        """Bring the begun swarm up, from wherever it is, and on to its end if wanted; return its summary, or nothing.

        What was measured is kept when the master is lost, or the play interrupted.
        """
        try:
            return self._driven(to_the_end)
        except (LostError, UnreachableError, RefusedError) as error:
            return self.give_up(str(error))
        except (KeyboardInterrupt, InterruptedSwarmError):
            self.give_up("the play was interrupted.")
            self.stop()
            raise

    def _driven(self, to_the_end: bool) -> dict[str, Any]:
        try:
            self.ramp()
            if not to_the_end:
                return {}
            self.hold()
        except EndedError:
            pass  # the master knows why, and the verdict says it
        return self.finish()

    def ramp(self) -> None:
        """Wait until all users are up, then open the window, unless an earlier task has."""
        if self._is_measured():
            return
        deadline = time.monotonic() + self.order.ramp_give_up_s
        while not self._is_up(self._poll(self.order.ramp_wanted_s)):
            if time.monotonic() > deadline:
                raise EndedError
            time.sleep(POLL_S)
        self.locust.open_window({"counters": self._counters_or_none()})

    def hold(self) -> None:
        """Wait until the window has been open for the hold."""
        while True:
            swarm = self._poll(self.order.hold_s)["swarm"]
            left_s = self.order.hold_s - (swarm["measured_s"] or 0.0)
            if left_s <= 0:
                return
            time.sleep(min(POLL_S, left_s))

    def finish(self) -> dict[str, Any]:
        """Judge what was measured, stop the swarm, keep the results; return the summary."""
        # Read before the window is closed, as before it was opened: what is counted in between cancels out.
        after = self._counters_or_none()
        state = self.locust.close_window(len(self.history))
        counters = swarm_summary.counters_between(state["swarm"]["memo"].get("counters", {}), after)
        self.history += state["swarm"]["history"]
        summary = swarm_summary.summary(self.order, state, self.history, counters)
        self.results.save(summary)
        self.stop()
        return summary

    def give_up(self, reason: str) -> dict[str, Any]:
        """Keep what is known of a swarm that cannot be judged; return the summary."""
        if self.snapshot:
            summary = swarm_summary.unfinished(self.order, self.snapshot, self.history)
        else:
            summary = swarm_summary.nothing(self.order, reason)
        summary |= {"reason": reason}
        self.results.save(summary)
        return summary

    def stop(self) -> bool:
        """Stop the swarm if it is this one that runs; return whether it was."""
        mine = self.runs()
        if mine:
            self.locust.stop()
        return mine

    def stop_any(self) -> bool:
        """Stop whatever swarm runs; return whether one did."""
        active = self.locust.state()["state"] in ACTIVE
        if active:
            self.locust.stop()
        return active

    def _refuse_a_foreign_one(self, take_over: bool) -> None:
        state = self.locust.state()
        if state["version"] != PLUGIN_VERSION:
            raise InputError(
                f"url is '{self.locust.url}': its plugin is of another version; deploy it again (load_test)."
            )
        if state["state"] not in ACTIVE:
            return
        if take_over:
            self.locust.stop()
        elif self._is_watched(state):
            owner = state["swarm"]["id"] or "somebody started it by hand"
            raise InputError(
                f"url is '{self.locust.url}': a swarm runs there already ({owner}); wait for its end, or set take_over."
            )

    def _is_watched(self, state: dict[str, Any]) -> bool:
        """Tell whether somebody wants the swarm that runs; wait for the end of one whose lease nobody renews."""
        while state["state"] in ACTIVE:
            left_s = state["swarm"]["lease_left_s"]
            if left_s is None:
                return True
            self.say(f"The swarm {state['swarm']['id']} of an interrupted run ends in {max(left_s, 0):.0f} s.")
            time.sleep(LEASE_LOOK_S)
            state = self.locust.state()
            if state["state"] in ACTIVE and state["swarm"]["lease_left_s"] > left_s - LEASE_LOOK_S / 2:
                return True
        return False

    def _wait_for_workers(self, wanted: int, wait_s: float) -> list[Worker]:
        deadline = time.monotonic() + wait_s
        while True:
            raw = [worker for worker in self.locust.state()["workers"] if worker["state"] in CONNECTED]
            # A worker that has just connected has not told its limits yet.
            known = [worker for worker in raw if "open_files" in worker]
            if known and len(known) == len(raw) >= wanted:
                return [Worker(w["id"], w["host"], w["open_files"], w["ports"]) for w in known]
            if time.monotonic() > deadline:
                raise InputError(
                    f"workers is {wanted}: {len(raw)} were connected to {self.locust.url} after {wait_s:g} s."
                )
            time.sleep(POLL_S / 2)

    def _refuse_too_large(self, workers: list[Worker]) -> None:
        problem = why_too_large(self.order.users, workers, len(self.order.connect_addresses))
        if problem:
            raise InputError(problem)

    def _counters_or_none(self) -> dict[str, float]:
        """Return the target's counters; none where a target under load does not tell them."""
        try:
            return read_counters(self.order.counters)
        except (UnreachableError, RefusedError) as error:
            self.say(f"{self.order.stage}  counters cannot be read: {error}")
            return {}

    def _is_measured(self) -> bool:
        swarm = self.locust.state(since=0)["swarm"]
        return bool(swarm) and swarm["id"] == self.order.swarm_id and swarm["ramp_s"] is not None

    def _is_up(self, state: dict[str, Any]) -> bool:
        return bool(state["swarm"]["spawned"]) and state["users"] == self.order.users

    def _poll(self, phase_s: float) -> dict[str, Any]:
        """Return the state, renewing the lease; raises EndedError or LostError where this swarm does not run."""
        if not self.is_wanted():
            raise InterruptedSwarmError
        talk = time.monotonic() - self._said >= self.say_every_s
        state = self._patient_state(window=talk)
        if not state["swarm"] or state["swarm"]["id"] != self.order.swarm_id:
            raise LostError("the Locust master has forgotten the swarm: it was restarted, or another swarm took over.")
        self.history += state["swarm"]["history"]
        if talk:
            self._talk(state, phase_s)
        if state["state"] not in ACTIVE:
            raise EndedError
        return state

    def _patient_state(self, window: bool) -> dict[str, Any]:
        """Ask until the master answers; without an answer for as long as the lease, the swarm has stopped itself."""
        deadline = time.monotonic() + self.order.lease_s
        while True:
            try:
                return self.locust.state(len(self.history), window, self.order.lease_s)
            except UnreachableError as error:
                if time.monotonic() > deadline:
                    raise LostError(
                        f"the Locust master has not answered for {self.order.lease_s:g} s ({error})."
                    ) from error
                time.sleep(POLL_S)

    def _talk(self, state: dict[str, Any], phase_s: float) -> None:
        self._said = time.monotonic()
        self.snapshot = state
        self.results.save(swarm_summary.unfinished(self.order, state, self.history))
        if self.history:
            swarm = state["swarm"]
            passed_s = swarm["t_s"] if swarm["ramp_s"] is None else swarm["measured_s"]
            self.say(swarm_summary.progress_line(self.order, swarm, self.history[-1], phase_s - passed_s))


def is_active(state: dict[str, Any], swarm_id: str) -> bool:
    """Tell whether the swarm of that id runs."""
    return state["state"] in ACTIVE and bool(state["swarm"]) and state["swarm"]["id"] == swarm_id
