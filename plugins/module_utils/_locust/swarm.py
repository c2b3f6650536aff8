# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drives one swarm: start, ramp, hold, judge, stop. The decisions are in _plan, the calls in client."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._locust.client import Locust, read_counters
from ansible_collections.loadlift.aws.plugins.module_utils._locust.readiness import (
    ACTIVE,
    clear,
    is_active,
    refuse_too_large,
    wait_for_workers,
)
from ansible_collections.loadlift.aws.plugins.module_utils._locust.results import Results
from ansible_collections.loadlift.aws.plugins.module_utils._locust.web import RefusedError, UnreachableError
from ansible_collections.loadlift.aws.plugins.module_utils._plan import swarm_summary
from ansible_collections.loadlift.aws.plugins.module_utils._plan.objective import Result
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_order import Order
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_summary import Ending
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_watch import Watch, slice_from_json

POLL_S = 1.0


class EndedError(Exception):
    """The swarm does not run any more; the master knows why."""


class LostError(Exception):
    """The master cannot tell any more: it is gone, or has forgotten the swarm."""


class AbortedError(Exception):
    """An objective ends the swarm."""


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
    notes: list[str] = field(default_factory=list)  # what is to be known about it before its first second
    _counters: dict[str, float] = field(default_factory=dict)  # the target's, when the statistics began
    _slices: int = 0  # how many were taken up
    _said: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._watch = Watch(self.order.objectives)

    def runs(self) -> bool:
        """Tell whether this very swarm runs already, started by an earlier task."""
        return is_active(self.locust.state(), self.order.swarm_id)

    def check(self, workers: int, wait_for_workers_s: float) -> None:
        """Raise InputError when the swarm is larger than the workers can hold, or its counters cannot be read."""
        ready = wait_for_workers(self.locust, workers, wait_for_workers_s)
        refuse_too_large(self.order.peak_users, ready, len(self.order.connect_addresses))
        try:
            self._counters = read_counters(self.order.counters)
        except (UnreachableError, RefusedError) as error:
            raise InputError(f"counters cannot be read: {error}") from error

    def begin(self, workers: int, wait_for_workers_s: float, take_over: bool, resume: bool = False) -> None:
        """Start the swarm; raises InputError, before anything changes, when it may not or cannot be started."""
        clear(self.locust, take_over, self.say)
        self.check(workers, wait_for_workers_s)
        note = self.results.claim(resume)
        if note:
            self.notes.append(note)
            self.say(f"{self.order.stage}  {note}")
        self.locust.start(self.order, self._watch.wants_slices)

    def scale(self) -> bool:
        """Bring the swarm that runs to the order's users and begin to measure anew; return whether it had to change."""
        state = self.locust.state()
        if not is_active(state, self.order.swarm_id):
            raise InputError(
                f"run_id and stage are '{self.order.swarm_id}': that swarm does not run, {_what_runs(state)}."
            )
        swarm = state["swarm"]
        if swarm["users"] == self.order.users and swarm["ramp_s"] is not None:
            return False
        ready = wait_for_workers(self.locust, len(swarm["workers"]), self.locust.timeout_s)
        refuse_too_large(self.order.users, ready, max(len(swarm["addresses"]), 1))
        self._counters = swarm["memo"].get("counters", {})
        self.locust.scale(self.order, state["users"])
        try:
            self.ramp()
        except (EndedError, AbortedError) as error:
            raise LostError(
                f"The swarm {self.order.swarm_id} ended, or its {self.order.users:,} users were not up in time."
            ) from error
        return True

    def drive(self, to_the_end: bool = True) -> dict[str, Any]:
        """Bring the begun swarm up, from wherever it is, and on to its end if wanted; return its summary, or nothing.

        What was measured is kept when the master is lost, or the play interrupted.
        """
        try:
            return self._driven(to_the_end)
        except (LostError, UnreachableError, RefusedError) as error:
            summary = self.give_up(str(error), time.time())
            with contextlib.suppress(UnreachableError, RefusedError):
                self.stop()
            return summary
        except (KeyboardInterrupt, InterruptedSwarmError):
            self.give_up("the play was interrupted.", None)
            self.stop()
            raise

    def _driven(self, to_the_end: bool) -> dict[str, Any]:
        aborted = ""
        try:
            self.ramp()
            if not to_the_end:
                return {}
            self.hold()
        except EndedError:
            pass  # the master knows why, and the verdict says it
        except AbortedError as error:
            aborted = str(error)
        return self.finish(aborted)

    def ramp(self) -> None:
        """Wait until all users are up, then open the window, unless an earlier task has."""
        if self._is_measured():
            return
        before = self._poll()["swarm"]["ramp_from_users"]
        deadline = time.monotonic() + self.order.ramp_give_up_s(before)
        while not self._is_up(self._poll()):
            if time.monotonic() > deadline:
                raise EndedError
            time.sleep(POLL_S)
        counters = self._counters_or_none() if self.order.reset_statistics else self._counters
        self.locust.open_window({"counters": counters}, self.order.reset_statistics)

    def hold(self) -> None:
        """Wait until the window has been open for the hold."""
        while True:
            left_s = self.order.hold_s - (self._poll()["swarm"]["measured_s"] or 0.0)
            if left_s <= 0:
                return
            time.sleep(min(POLL_S, left_s))

    def finish(self, aborted: str = "") -> dict[str, Any]:
        """Judge what was measured, stop the swarm, keep the results; return the summary."""
        # Read before the window is closed, as before it was opened: what is counted in between cancels out.
        after = {} if aborted else self._counters_or_none()
        state = self.locust.close_window(len(self.history), self._slices)
        if aborted:
            self.stop()
        self._take(state)
        counters = swarm_summary.counters_between(state["swarm"]["memo"].get("counters", {}), after)
        ending = Ending(counters, self._watch.worst(), aborted, time.time())
        summary = self._keep(swarm_summary.summary(self.order, state, self.history, ending))
        self._keep_report()
        self.stop()
        return summary

    def give_up(self, reason: str, finished_at: float | None) -> dict[str, Any]:
        """Keep what is known of a swarm that cannot be judged; return the summary."""
        if self.snapshot:
            summary = swarm_summary.unfinished(self.order, self.snapshot, self.history)
        else:
            summary = swarm_summary.nothing(self.order, reason)
        ended = {"finished_at": swarm_summary.iso_time(finished_at)} if finished_at else {}
        return self._keep(summary | ended | {"reason": reason})

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

    def _counters_or_none(self) -> dict[str, float]:
        """Return the target's counters; none where a target under load does not tell them."""
        try:
            return read_counters(self.order.counters)
        except (UnreachableError, RefusedError) as error:
            self.say(f"{self.order.stage}  counters cannot be read: {error}")
            return {}

    def _is_measured(self) -> bool:
        swarm = self.locust.state()["swarm"]
        return bool(swarm) and swarm["id"] == self.order.swarm_id and swarm["ramp_s"] is not None

    def _is_up(self, state: dict[str, Any]) -> bool:
        return bool(state["swarm"]["spawned"]) and state["users"] == self.order.users

    def _poll(self) -> dict[str, Any]:
        """Return the state, renewing the lease.

        Raises EndedError or LostError where this swarm does not run, AbortedError where an objective ends it.
        """
        if not self.is_wanted():
            raise InterruptedSwarmError
        talk = time.monotonic() - self._said >= self.say_every_s
        state = self._patient_state(window=talk or self._watch.wants_figures)
        if not state["swarm"] or state["swarm"]["id"] != self.order.swarm_id:
            raise LostError("the Locust master has forgotten the swarm: it was restarted, or another swarm took over.")
        breach = self._take(state)
        if talk:
            self._talk(state)
        if state["state"] not in ACTIVE:
            raise EndedError
        if breach:
            raise AbortedError(swarm_summary.aborted_at(state["swarm"]))
        return state

    def _take(self, state: dict[str, Any]) -> Result | None:
        """Take up what is new in a state; return what an objective says that ends the swarm."""
        swarm = state["swarm"]
        self.history += swarm["history"]
        slices = swarm.get("slices", [])
        self._slices += len(slices)
        if swarm["ramp_s"] is None and self.order.reset_statistics:
            return None
        counted = [one for one in slices if one["window"] == swarm["window"] or not self.order.reset_statistics]
        breach = self._watch.add(slice_from_json(one) for one in counted)
        if not breach and "window" in state:
            breach = self._watch.judge(swarm_summary.measured_of(state))
        return breach

    def _patient_state(self, window: bool) -> dict[str, Any]:
        """Ask until the master answers; without an answer for as long as the lease, the swarm has stopped itself."""
        deadline = time.monotonic() + self.order.lease_s
        slices = self._slices if self._watch.wants_slices else None
        while True:
            try:
                return self.locust.state(len(self.history), window, self.order.lease_s, slices)
            except UnreachableError as error:
                if time.monotonic() > deadline:
                    raise LostError(
                        f"the Locust master has not answered for {self.order.lease_s:g} s ({error})."
                    ) from error
                time.sleep(POLL_S)

    def _talk(self, state: dict[str, Any]) -> None:
        self._said = time.monotonic()
        self.snapshot = state
        self._keep(swarm_summary.unfinished(self.order, state, self.history))
        if self.history:
            self.say(swarm_summary.progress_line(self.order, state["swarm"], self.history[-1]))

    def _keep(self, summary: dict[str, Any]) -> dict[str, Any]:
        noted = [{"t_s": 0.0, "text": note} for note in self.notes]
        kept = summary | {"events": noted + summary["events"]}
        self.results.save(kept)
        return kept

    def _keep_report(self) -> None:
        try:
            self.results.save_report(self.locust.report())
        except (UnreachableError, RefusedError) as error:
            self.say(f"{self.order.stage}  Locust's own report cannot be read: {error}")


def _what_runs(state: dict[str, Any]) -> str:
    if state["state"] not in ACTIVE or not state["swarm"]:
        return "nor does another"
    return f"but {state['swarm']['id'] or 'one that somebody started by hand'} does"
