"""What a load generator's process does to be first, and its histogram's steps."""

from __future__ import annotations

import subprocess
import sys

from load.cluster import SCENARIO

LEADER_OF_A_GROUP = """
import os
os.setpgid(0, 0)  # as a supervisor's program is
from loadlift_locust import process
process.leave_session()
assert os.getsid(0) == os.getpgid(0) == os.getpid()
process.leave_session()  # a second time changes nothing
assert os.getsid(0) == os.getpid()
"""
RAISED_LIMIT = """
import resource
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
from loadlift_locust import process
process.prepare()
assert process.limits()["open_files"] == hard
assert process.limits()["ports"] > 1000
"""
WAIT = """
import os, time
from loadlift_locust import process
cores = os.sched_getaffinity(0)
os.sched_setaffinity(0, {min(cores)})
before = process.cpu_wait_s()
others = [os.fork() for _ in range(2)]
until = time.monotonic() + 1.0
while time.monotonic() < until:
    pass
if 0 in others:
    os._exit(0)
for other in others:
    os.waitpid(other, 0)
assert process.cpu_wait_s() - before > 0.3, process.cpu_wait_s() - before
"""
STEPS = """
from loadlift_locust.fine_times import bucket
times = [0.01 * 1.007 ** step for step in range(2300)]  # up to 90 s
assert all(abs(bucket(time) / time - 1) < 0.0125 for time in times if time > 0.2)
assert [bucket(time) for time in (0.0, 0.001, 0.01)] == [0.01] * 3
assert sorted(map(bucket, times)) == list(map(bucket, times))
assert len({bucket(time) for time in times}) < 850
"""


def python(code: str) -> None:
    """Run `code` with the scenario's package."""
    environment = {"PYTHONPATH": str(SCENARIO), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_a_program_of_a_supervisor_gets_a_session_of_its_own() -> None:
    python(LEADER_OF_A_GROUP)


def test_the_limit_of_open_files_is_raised_and_told() -> None:
    python(RAISED_LIMIT)


def test_waiting_for_a_processor_is_told() -> None:
    python(WAIT)


def test_times_are_kept_in_steps_of_two_percent() -> None:
    python(STEPS)
