"""Runs an instance's part of Locust: the master, which tells its address, or the workers, which ask for it.

It ends when one of its processes ends, or when the master has moved; whoever started it starts it again. Its
environment: LOADLIFT_PART (master or workers), LOADLIFT_MASTER_PARAMETER, LOADLIFT_MASTER_PORT, LOADLIFT_WEB_PORT,
LOADLIFT_PROCESSES, LOADLIFT_SCENARIO (a file beside this one), AWS_REGION, and LISTEN_ADDRESS where the instance is to
listen on no other one.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
METADATA = "http://169.254.169.254/latest"
# So long the workers of a master that has been replaced wait for nothing, at most.
LOOK_S = 15.0
RETRY_S = 2.0
PR_SET_PDEATHSIG = 1


def own_address(environment: Mapping[str, str]) -> str:
    """Return this instance's private address, by version 2 of the metadata service where nothing else is told.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
    """
    if told := environment.get("LISTEN_ADDRESS"):
        return told
    token = _asked("/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"}, "PUT")
    return _asked("/meta-data/local-ipv4", {"X-aws-ec2-metadata-token": token}, "GET")


def _asked(path: str, headers: dict[str, str], method: str) -> str:
    request = urllib.request.Request(METADATA + path, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return str(answer.read().decode())


class Meeting:
    """The parameter in which the master's address stands."""

    def __init__(self, client: Any, parameter: str) -> None:
        self._client = client
        self._parameter = parameter

    def tell(self, address: str) -> None:
        """Write the master's address."""
        self._client.put_parameter(Name=self._parameter, Value=address, Type="String", Overwrite=True)

    def ask(self) -> str:
        """Return the master's address; empty while no master has told one, or AWS does not answer."""
        try:
            return str(self._client.get_parameter(Name=self._parameter)["Parameter"]["Value"])
        except Exception as error:  # whatever it is, it is asked again
            print(f"The master's address cannot be read: {error}", file=sys.stderr, flush=True)
            return ""


def master_command(environment: Mapping[str, str], address: str) -> list[str]:
    """Return the master's command. Its interface is for this instance itself, where a session's forwarded port ends."""
    return [
        *locust(environment),
        "--master",
        *("--master-bind-host", address, "--master-bind-port", environment["LOADLIFT_MASTER_PORT"]),
        *("--web-host", environment.get("LISTEN_ADDRESS", "127.0.0.1"), "--web-port", environment["LOADLIFT_WEB_PORT"]),
    ]


def worker_command(environment: Mapping[str, str], master: str) -> list[str]:
    """Return the command of one worker."""
    return [
        *locust(environment),
        "--worker",
        *("--master-host", master, "--master-port", environment["LOADLIFT_MASTER_PORT"]),
    ]


def locust(environment: Mapping[str, str]) -> list[str]:
    """Return the command that both parts have in common."""
    files = f"{HERE}/plugin.py,{HERE}/{environment['LOADLIFT_SCENARIO']}"
    return [sys.executable, "-m", "locust", "--locustfile", files]


def end_with_parent() -> None:
    """Let the kernel end this process with the one that started it: Locust leaves its session and its group."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def run(commands: Sequence[list[str]], goes_on: Callable[[], bool]) -> None:
    """Run the commands until one of them ends or `goes_on`, asked every LOOK_S, says no; then end them all."""
    environment = os.environ | {"GEVENT_RESOLVER": "ares", "PYTHONUNBUFFERED": "1"}
    started = [subprocess.Popen(command, env=environment, preexec_fn=end_with_parent) for command in commands]
    try:
        look = time.monotonic() + LOOK_S
        while all(process.poll() is None for process in started):
            time.sleep(0.5)
            if time.monotonic() > look:
                look = time.monotonic() + LOOK_S
                if not goes_on():
                    return
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=10)


def run_master(environment: Mapping[str, str], meeting: Meeting) -> None:
    """Tell this instance's address and run the master on it."""
    address = own_address(environment)
    meeting.tell(address)
    run([master_command(environment, address)], lambda: True)


def run_workers(environment: Mapping[str, str], meeting: Meeting) -> None:
    """Wait for a master and run the workers until it moves."""
    while not (master := meeting.ask()):
        time.sleep(RETRY_S)
    commands = [worker_command(environment, master)] * int(environment["LOADLIFT_PROCESSES"])
    run(commands, lambda: meeting.ask() in ("", master))


def main() -> None:
    """Run the part that the environment names; a signal ends it with its processes."""
    import boto3

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    environment = dict(os.environ)
    meeting = Meeting(boto3.client("ssm"), environment["LOADLIFT_MASTER_PARAMETER"])
    {"master": run_master, "workers": run_workers}[environment["LOADLIFT_PART"]](environment, meeting)
    sys.exit("A part of Locust has ended, or its master has moved: begin again.")


if __name__ == "__main__":
    main()
