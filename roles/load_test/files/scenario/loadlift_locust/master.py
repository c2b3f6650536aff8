"""The master's side: whose swarm runs and until when, which workers it has lost, its window and its history."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_MISSING, STATE_RUNNING, STATE_SPAWNING, MasterRunner

from loadlift_locust import VERSION, figures, process
from loadlift_locust.generators import Generators
from loadlift_locust.options import tell_key, told
from loadlift_locust.returns import Returns
from loadlift_locust.shape import Shape

LOG = logging.getLogger(__name__)
TICK_SECONDS = 1.0
FLUSH_SECONDS = 5.0
# A stop that was only held up arrives within them: a second one could meet the next swarm.
BACK_TICKS = 3
ACTIVE = (STATE_SPAWNING, STATE_RUNNING)


@dataclass
class Swarm:
    """One swarm, from its start on."""

    id: str
    users: int
    spawn_rate: float
    lease_s: float
    workers: tuple[str, ...]  # those it was started on
    host: str
    addresses: tuple[str, ...]
    key: str = field(default_factory=lambda: uuid4().hex)  # of this start: workers name it in their reports
    started: float = field(default_factory=time.monotonic)
    started_at: float = field(default_factory=time.time)
    history: figures.History = field(default_factory=figures.History)
    slices: figures.Slices | None = None
    shape: Shape = field(default_factory=lambda: Shape(0))
    events: list[dict[str, Any]] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    joined: set[str] = field(default_factory=set)
    unheard: dict[str, int] = field(default_factory=dict)  # workers missing at its stop: ticks that they run again
    ramp_from_users: int = 0  # as many as ran when the last ramp began
    users_low: int | None = None  # fewest users since the window opened
    users_high: int = 0
    ramp: dict[str, Any] | None = None  # what was measured before the window opened
    windows: int = 0  # how many were opened; scaling opens another one
    window_opened: float | None = None
    window_closed: float | None = None
    memo: dict[str, Any] = field(default_factory=dict)  # the controller's own notes
    ended_by: str = ""

    def __post_init__(self) -> None:
        self.lease_ends = self.started + self.lease_s
        self.ramp_started = self.counted_since = self.started

    @property
    def window(self) -> int:
        """The number of the window that is open, or 0."""
        return self.windows if self.window_opened and not self.window_closed else 0

    @property
    def t(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def saw(self, users: int) -> None:
        """Note how many users run now."""
        self.users_high = max(self.users_high, users)

    def tell(self, text: str) -> None:
        """Note what happened, for the results."""
        LOG.warning("swarm %s: %s", self.id or "(no id)", text)
        self.events.append({"t_s": round(self.t, 1), "text": text})


class Master:
    """Watches the master runner once a second, and answers the plugin's routes (loadlift_locust.web)."""

    def __init__(self, environment: Environment, runner: MasterRunner) -> None:
        self._environment = environment
        self._runner = runner
        self._generators = Generators()
        self._returns = Returns(runner)
        self._flushed: set[str] = set()
        self._flush_number = 0
        self._flush_done = Event()
        self._going_on: gevent.Greenlet | None = None  # to the shape's next number of users
        self.swarm: Swarm | None = None
        events = environment.events
        events.test_start.add_listener(self._on_start)
        events.test_stopping.add_listener(self._on_stopping)
        events.worker_report.add_listener(self._on_report)
        runner.register_message("loadlift_flushed", self._on_flushed)
        self._take = runner.handle_message
        setattr(runner, "handle_message", self._on_message)  # noqa: B010 - mypy takes no assignment to a method
        gevent.spawn(self._watch)

    @property
    def active(self) -> bool:
        """Whether a swarm runs."""
        return self._runner.state in ACTIVE

    def renew(self, seconds: float | None = None) -> None:
        """Let the lease run for `seconds`, or for the time that the swarm was started with, from now on."""
        if self.swarm and self.swarm.lease_s:
            self.swarm.lease_ends = time.monotonic() + (seconds or self.swarm.lease_s)

    def open_window(self, memo: dict[str, Any], reset: bool = True) -> None:
        """Begin to measure: what came before is kept apart as the ramp, and still counts unless `reset`."""
        if not self.swarm:
            return
        self.flush()
        swarm = self.swarm
        now = time.monotonic()
        swarm.ramp = figures.window(self._runner.stats) | {"seconds": round(now - swarm.counted_since, 3)}
        if reset:
            self._runner.stats.reset_all()
            swarm.counted_since = now
            swarm.history.forget(swarm.t)
            if swarm.slices:
                swarm.slices.forget(swarm.t)
        swarm.windows += 1
        swarm.window_opened = now
        swarm.users_low = self._runner.user_count
        swarm.memo = memo
        self._generators.begin()

    def rescale(self, users: int, spawn_rate: float) -> None:
        """Note that the swarm that runs ramps to another number of users: its window is over."""
        swarm = self.swarm
        if not swarm:
            return
        swarm.tell(f"scaled from {swarm.users:,} to {users:,} users at {spawn_rate:g} users/s")
        swarm.saw(self._runner.user_count)  # a number that ran for less than a tick ran all the same
        swarm.ramp_from_users, swarm.ramp_started = self._runner.user_count, time.monotonic()
        swarm.users, swarm.spawn_rate = users, spawn_rate
        swarm.shape = Shape(users)
        swarm.window_opened = swarm.users_low = None
        self._runner.spawning_completed = False  # Locust notes it a moment later

    def close_window(self) -> dict[str, Any]:
        """Return what was measured up to now, each worker's last figures included."""
        self.flush()
        swarm = self.swarm
        if swarm and not swarm.window_closed:
            self._slice(swarm)
            swarm.window_closed = time.monotonic()
        return self.window()

    def window(self) -> dict[str, Any]:
        """Return all that was measured, and the ramp apart once it is over."""
        ramp = self.swarm.ramp if self.swarm and self.swarm.window_opened else None
        return figures.window(self._runner.stats) | {"ramp": ramp}

    def flush(self) -> None:
        """Fetch what each worker has measured since its last report."""
        if not self._present():
            return
        self._flush_number += 1
        self._flushed = set()
        self._flush_done.clear()
        self._runner.send_message("loadlift_flush", {"number": self._flush_number})
        if not self._flush_done.wait(FLUSH_SECONDS):
            LOG.warning("Not every worker sent its figures within %s s.", FLUSH_SECONDS)

    def stop(self, why: str) -> None:
        """End the swarm."""
        if self.active and self.swarm:
            self.swarm.ended_by = why
            self._runner.stop()

    def state(self, since: int, slices: int | None = None) -> dict[str, Any]:
        """Return the swarm as JSON, its history from point `since` on, its slices from number `slices` on if told."""
        return {
            "version": VERSION,
            "state": self._runner.state,
            "now": time.time(),
            "users": self._runner.user_count,
            "workers": [self._worker(client) for client in self._runner.clients.all],
            "swarm": self._swarm_state(self.swarm, since) | _slices(self.swarm, slices) if self.swarm else None,
        }

    def _swarm_state(self, swarm: Swarm, since: int) -> dict[str, Any]:
        closed = swarm.window_closed or time.monotonic()
        measured = closed - swarm.window_opened if swarm.window_opened else None
        ramp = swarm.window_opened - swarm.ramp_started if swarm.window_opened else None
        return {
            "id": swarm.id,
            "users": swarm.users,
            "spawn_rate": swarm.spawn_rate,
            "started_at": swarm.started_at,
            "t_s": round(swarm.t, 3),
            "host": swarm.host,
            "addresses": list(swarm.addresses),
            "ramp_from_users": swarm.ramp_from_users,
            "ramping_s": round(time.monotonic() - swarm.ramp_started, 3),
            "ramp_s": round(ramp, 3) if ramp is not None else None,
            "measured_s": round(measured, 3) if measured is not None else None,
            "counted_s": round(closed - swarm.counted_since, 3),
            "window": swarm.windows,
            "spawned": bool(self._runner.spawning_completed),
            "users_low": swarm.users_low,
            "users_high": swarm.users_high,
            "workers": list(swarm.workers),
            "shared_connections": process.shared_connections(),
            "lost": sorted(swarm.lost),
            "joined": sorted(swarm.joined),
            "worker_peaks": self._generators.peaks(swarm.workers + tuple(sorted(swarm.joined))),
            "lease_left_s": round(swarm.lease_ends - time.monotonic(), 1) if swarm.lease_s else None,
            "ended_by": swarm.ended_by,
            "events": swarm.events,
            "memo": swarm.memo,
            "history": swarm.history.points[since:],
        }

    def _worker(self, client: Any) -> dict[str, Any]:
        return {
            "id": client.id,
            "index": self._runner.get_worker_index(client.id),
            "state": client.state,
            "users": client.user_count,
            "cpu_percent": client.cpu_usage,
            "memory_bytes": client.memory_usage,
            **self._generators.report(client.id),
        }

    def _on_start(self, **_kwargs: Any) -> None:
        options = told(self._environment)
        workers = self._runner.clients.ready + self._runner.clients.running + self._runner.clients.spawning
        self.swarm = Swarm(
            options.swarm_id,
            self._runner.target_user_count,
            self._runner.spawn_rate,
            options.swarm_lease,
            tuple(client.id for client in workers),
            self._environment.host or "",
            tuple(address for address in options.swarm_addresses.split(",") if address),
            slices=figures.Slices() if options.swarm_slices else None,
            shape=Shape.read(self._runner.target_user_count, options.swarm_shape),
        )
        tell_key(self._environment, self.swarm.key)
        self._generators.begin()

    def _on_stopping(self, **_kwargs: Any) -> None:
        if not self.swarm:
            return
        if self._going_on:
            self._going_on.kill(block=False)
        self._look_for_losses(self.swarm)
        if not self.swarm.ended_by:
            everyone = len(self.swarm.lost) == len(self.swarm.workers)
            self.swarm.ended_by = "every worker was lost" if everyone else "its run time was over"
        if self.swarm.window_opened and not self.swarm.window_closed:
            self.swarm.window_closed = time.monotonic()
        self.swarm.unheard = {client.id: 0 for client in self._runner.clients.missing}
        self.swarm.tell(f"stopped: {self.swarm.ended_by}")

    def _on_message(self, client_id: str, msg: Message) -> None:
        """Let Locust take up a worker's message, unless it comes too late."""
        if self._returns.must_wait(msg):
            return
        if msg.type != "stats" or not self._is_late(msg.data):
            self._take(client_id, msg)
            return
        self._on_report(msg.node_id, msg.data)  # how the worker fares is news all the same
        if msg.data["stats"]:
            LOG.warning("Worker %s sent figures of another swarm; they do not count.", msg.node_id)

    def _is_late(self, report: dict[str, Any]) -> bool:
        return bool(self.swarm and report.get("swarm_key", self.swarm.key) != self.swarm.key)

    def _on_report(self, client_id: str, data: dict[str, Any], **_kwargs: Any) -> None:
        self._returns.forget_users(client_id)
        if "loadlift" in data:
            self._generators.add(client_id, data["loadlift"])

    def _on_flushed(self, environment: Environment, msg: Message, **_kwargs: Any) -> None:
        if msg.data["number"] != self._flush_number:
            return
        self._flushed.add(msg.node_id)
        if self._flushed >= self._present():
            self._flush_done.set()

    def _present(self) -> set[str]:
        return {client.id for client in self._runner.clients.all if client.state != STATE_MISSING}

    def _watch(self) -> None:
        due = time.monotonic()
        while True:
            due = max(due + TICK_SECONDS, time.monotonic())
            gevent.sleep(due - time.monotonic())
            try:
                self._tick()
            except Exception:  # one bad second must not end the lease's watch
                LOG.exception("The watch over the swarm stumbled.")

    def _tick(self) -> None:
        swarm = self.swarm
        if not swarm:
            return
        if not self.active:
            self._stop_left_over(swarm)
            return
        self._look_for_losses(swarm)
        self._note(swarm)
        self._follow_shape(swarm)
        if swarm.lease_s and time.monotonic() > swarm.lease_ends:
            swarm.tell(f"nobody renewed its lease of {swarm.lease_s:g} s")
            self.stop("its lease ran out")

    def _stop_left_over(self, swarm: Swarm) -> None:
        """Stop the workers that were missing when the swarm was stopped, and run on now that they are back."""
        for client in self._runner.clients.running:
            if client.id not in swarm.unheard:
                continue
            swarm.unheard[client.id] += 1
            if swarm.unheard[client.id] == BACK_TICKS:
                LOG.warning("Worker %s runs on without a swarm: stopping it.", client.id)
                self._runner.server.send_to_client(Message("stop", None, client.id))

    def _note(self, swarm: Swarm) -> None:
        users = self._runner.user_count
        swarm.saw(users)
        if swarm.users_low is not None and swarm.window_opened:
            # Counted against the number that the shape wants by now, so that only users who are missing make it less.
            missing = swarm.shape.wanted(time.monotonic() - swarm.window_opened) - users
            swarm.users_low = min(swarm.users_low, swarm.users - missing)
        swarm.history.add(swarm.t, "hold" if swarm.window_opened else "ramp", users, self._runner.stats.total)
        self._slice(swarm)

    def _follow_shape(self, swarm: Swarm) -> None:
        if not swarm.window_opened or swarm.window_closed:
            return
        if step := swarm.shape.due(time.monotonic() - swarm.window_opened):
            swarm.tell(f"goes on to {step.users:,} users at {step.spawn_rate:g} users/s")
            self._going_on = gevent.spawn(self._runner.start, step.users, step.spawn_rate)

    def _slice(self, swarm: Swarm) -> None:
        if swarm.slices:
            swarm.slices.add(swarm.t, swarm.window, self._runner.stats)

    def _look_for_losses(self, swarm: Swarm) -> None:
        present = self._present()
        for worker in set(swarm.workers) - present - swarm.lost:
            swarm.lost.add(worker)
            swarm.tell(f"worker {worker} was lost")
        for worker in present - set(swarm.workers) - swarm.joined:
            swarm.joined.add(worker)
            swarm.tell(f"worker {worker} joined")


def _slices(swarm: Swarm, since: int | None) -> dict[str, Any]:
    return {"slices": swarm.slices.since(since)} if swarm.slices and since is not None else {}
