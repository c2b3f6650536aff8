"""A real Locust master with its workers, deployed as the role load_test does it, on free loopback ports."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._locust.client import Locust
from ansible_collections.loadlift.aws.plugins.module_utils._locust.web import OPEN, Access, UnreachableError

NO_CACHE = {"PYTHONDONTWRITEBYTECODE": "1"}
SCENARIO = Path(__file__).parents[2] / "roles" / "load_test" / "files" / "scenario"


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until(holds: Callable[[], Any], seconds: float, what: str) -> None:
    """Return as soon as `holds`; fail the test when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


def states(locust: Locust) -> list[str]:
    """Return the states of a master's workers, sorted."""
    return sorted(worker["state"] for worker in locust.state()["workers"])


def start(folder: Path, log: Path, scenario: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start one Locust with the plugin, the one beside the scenario where there is one."""
    bundle = scenario.parent if (scenario.parent / "plugin.py").exists() else SCENARIO
    command = [sys.executable, "-m", "locust", "--locustfile", f"{bundle}/plugin.py,{scenario}", *options]
    environment = os.environ | {"GEVENT_RESOLVER": "ares", "PYTHONPATH": str(bundle)} | NO_CACHE
    output = log.open("wb")
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, env=environment
    )


class Cluster:
    """A master and two workers, and the means to hurt them."""

    def __init__(
        self,
        folder: Path,
        workers: int = 2,
        scenario: Path = SCENARIO / "visitors.py",
        web: Sequence[str] = (),
        url: str = "http://127.0.0.1:{port}",
        access: Access = OPEN,
    ) -> None:
        """Start them; `web` are more options of the web interface, which is then reached at `url` with `access`."""
        self.folder, self.scenario, self.web = folder, scenario, web
        self.web_port, self.port = free_port(), free_port()
        self.locust = Locust(url.format(port=self.web_port), 2.0, access)
        self.master = self.start_master()
        self.workers = [self.start_worker() for _ in range(workers)]
        wait_until(lambda: self.connected() == workers, 60, "workers connected")

    def start_master(self) -> subprocess.Popen[bytes]:
        """Start the master; its web interface answers a moment later."""
        web = ["--web-host", "127.0.0.1", "--web-port", str(self.web_port), *self.web]
        return self._start("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(self.port), *web)

    def start_worker(self, port: int = 0) -> subprocess.Popen[bytes]:
        """Start one more worker; `port` is that of a line to the master, if not the master's own."""
        return self._start("--worker", "--master-host", "127.0.0.1", "--master-port", str(port or self.port))

    def _start(self, *options: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"locust-{time.monotonic_ns()}.log"
        return start(self.folder, log, self.scenario, *options)

    def connected(self) -> int:
        """Return how many workers have told the master their limits."""
        try:
            return sum("open_files" in worker for worker in self.locust.state()["workers"])
        except UnreachableError:
            return 0

    def active(self) -> bool:
        """Tell whether a swarm runs."""
        return self.locust.state()["state"] in ("spawning", "running")

    def close(self) -> None:
        """End every process."""
        for process in [*self.workers, self.master]:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
