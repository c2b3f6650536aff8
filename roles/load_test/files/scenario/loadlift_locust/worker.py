"""A worker's side: its limits and its lag in each report, its figures when the master asks, calm garbage collection."""

from __future__ import annotations

import gc
import time
from typing import Any

import gevent
from locust.env import Environment
from locust.rpc import Message
from locust.runners import WorkerRunner

from loadlift_locust import process
from loadlift_locust.options import swarm_key

LAG_LOOK_SECONDS = 0.1


class Lag:
    """How late this process's event loop is: what it adds to every time that it measures."""

    def __init__(self) -> None:
        self._worst = 0.0

    def watch(self) -> None:
        """Sleep and see how late it wakes, for good."""
        while True:
            due = time.perf_counter() + LAG_LOOK_SECONDS
            gevent.sleep(LAG_LOOK_SECONDS)
            self._worst = max(self._worst, time.perf_counter() - due)

    def take_ms(self) -> float:
        """Return the worst lag since the last call, in ms."""
        worst, self._worst = self._worst, 0.0
        return round(1000 * worst, 1)


class Belonging:
    """Whose figures this worker holds: a report that arrives late must not count in the next swarm."""

    def __init__(self) -> None:
        self._key = ""

    def begin(self, environment: Environment, **_kwargs: Any) -> None:
        """Note that a swarm starts here, with empty statistics."""
        self._key = swarm_key(environment)

    def take(self, environment: Environment) -> str:
        """Return the key of the swarm that was measured since the last call."""
        # A worker that did not hear its swarm's stop goes on into the next one, with what it measured of the first.
        taken, self._key = self._key, swarm_key(environment)
        return taken


def attach(environment: Environment, runner: WorkerRunner) -> None:
    """Hook the plugin into a worker."""
    lag, limits, belonging = Lag(), process.limits(), Belonging()
    gevent.spawn(lag.watch)

    def report(client_id: str, data: dict[str, Any], **_kwargs: Any) -> None:
        used = {"clock_s": time.monotonic(), "cpu_s": time.process_time(), "wait_s": process.cpu_wait_s()}
        data["loadlift"] = {**limits, **used, "loop_lag_ms": lag.take_ms()}
        data["swarm_key"] = belonging.take(environment)

    def flush(environment: Environment, msg: Message, **_kwargs: Any) -> None:
        # Messages of one worker arrive in order: once the master has the answer, it has the figures.
        runner._send_stats()
        runner.send_message("loadlift_flushed", msg.data)

    environment.events.test_start.add_listener(belonging.begin)
    environment.events.report_to_master.add_listener(report)
    environment.events.spawning_complete.add_listener(keep_users)
    environment.events.test_stop.add_listener(drop_users)
    runner.register_message("loadlift_flush", flush)


def keep_users(**_kwargs: Any) -> None:
    """Take what all users are made of out of the garbage collector's sight until the swarm ends."""
    gc.freeze()


def drop_users(**_kwargs: Any) -> None:
    """Free what the users were made of."""
    gc.unfreeze()
    gc.collect()
