"""The two emulated accounts against which modules run: our control plane, and ministack as the second opinion."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from loadlift_lab import lifecycle
from loadlift_lab.settings import LabSettings

SUBNET = os.environ.get("LOADLIFT_TEST_SUBNET", "127.0.35")
REGION = "us-east-1"
START_S = 60


@dataclass(frozen=True)
class Emulator:
    """A running emulator; `own` endpoints are those of our control plane only."""

    name: str
    endpoint: str
    access_key: str

    @property
    def environment(self) -> dict[str, str]:
        """What a module needs to reach it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": "test-secret-access-key-that-opens-nothing",
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        """Return a client that never asks twice, so that a test sees what was answered."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key="test-secret-access-key-that-opens-nothing",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def own(self, method: str, path: str, body: Any = None) -> Any:
        """Ask one of the control plane's own endpoints, such as GET calls or PUT faults."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_lab/{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")


@contextmanager
def control_plane(directory: Path) -> Iterator[Emulator]:
    """Run our control plane on a free port."""
    settings = LabSettings(directory, directory, subnet=SUBNET, control_plane_port=free_port())
    settings.save()
    packages = str(Path(lifecycle.__file__).parents[1])
    environment = {"LOADLIFT_LAB": str(directory), "PYTHONPATH": packages}
    program = [sys.executable, "-m", "loadlift_lab.control_plane"]
    with _program(program, environment, directory, f"{settings.endpoint}/_lab/health"):
        yield Emulator("control_plane", settings.endpoint, "LABACCESSKEYID000000")


@contextmanager
def ministack(directory: Path) -> Iterator[Emulator]:
    """Run ministack on a free port, with nothing that leaves loopback."""
    port = free_port()
    endpoint = f"http://{SUBNET}.1:{port}"
    # Without IOT_MTLS_ENABLED=0 it binds a port on every address.
    environment = {"BIND_HOST": f"{SUBNET}.1", "GATEWAY_PORT": str(port), "IOT_MTLS_ENABLED": "0"}
    program = Path(sys.executable).parents[1] / "ministack" / "bin" / "ministack"
    with _program([str(program)], environment, directory, f"{endpoint}/_ministack/health"):
        yield Emulator("ministack", endpoint, "TESTACCESSKEYID00000")


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind((f"{SUBNET}.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _program(command: list[str], environment: dict[str, str], directory: Path, health: str) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log, cwd=directory)
    try:
        _wait_for(health, process, directory / "log")
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(health: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(health, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{health} does not answer: {log.read_text()[-3000:]}")
