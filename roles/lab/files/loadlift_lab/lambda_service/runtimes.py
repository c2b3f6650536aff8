"""How a function's process is started: AWS's own runtime client for Python, the lab's small one for Node.js."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadlift_lab.data_plane.context import aws_environment
from loadlift_lab.lambda_service import bundles
from loadlift_lab.lambda_service.functions import Function
from loadlift_lab.lambda_service.node import BOOTSTRAP, Node, NodeError
from loadlift_lab.settings import LabSettings

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
STALE_SECONDS, RETRY_SECONDS = 5.0, 0.2
# A sandbox ends with this program, however that ends.
ENDS_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")


class RuntimeMissingError(Exception):
    """The lab cannot run this function; the text says why."""


@dataclass(frozen=True)
class Start:
    """What to start."""

    version: str  # of the interpreter, for example "python:3.11.7"
    command: Sequence[str]
    directory: Path
    environment: Mapping[str, str]


class Runtimes:
    """The interpreters of one lab, and the code that they run."""

    def __init__(self, settings: LabSettings) -> None:
        self._settings = settings
        self._node = Node(settings.directory / "node")
        self._python_code = settings.directory / "functions"
        self._unpacking = asyncio.Lock()  # two sandboxes of one function start at the same time

    async def prepare(self, function: Function) -> Start:
        """Return how to start `function`; raises RuntimeMissingError, or OSError when its code cannot be had."""
        if function.package_type == "Zip" and function.runtime.startswith("python3."):
            return await self._python(function)
        if function.package_type == "Zip" and function.runtime.startswith("nodejs"):
            return await self._nodejs(function)
        what = function.runtime or f"the package type {function.package_type}"
        raise RuntimeMissingError(f"The lab runs python3.x and nodejs functions from zip files, not {what}.")

    def expect(self, function: Function) -> None:
        """Get ready what takes long: the SDK that Lambda has for Node.js."""
        if function.runtime.startswith("nodejs"):
            self._node.expect()

    async def remove_old_code(self, name: str, kept: set[str]) -> None:
        """Remove code of function `name` other than `kept` (CodeSha256)."""
        for parent in (self._python_code, self._node.code):
            await asyncio.to_thread(bundles.remove_others, parent, name, kept)

    async def _python(self, function: Function) -> Start:
        folder = await self._unpacked(function, self._python_code)
        # What really runs: with the name of another version, awslambdaric would choose that version's way of polling.
        version = ".".join(platform.python_version_tuple()[:2])
        command = [sys.executable, "-m", "awslambdaric", function.handler]
        return self._start(function, folder, f"python{version}", platform.python_version(), command)

    async def _nodejs(self, function: Function) -> Start:
        try:
            program, version = await self._node.ready()
        except NodeError as error:
            raise RuntimeMissingError(str(error)) from None
        folder = await self._unpacked(function, self._node.code)
        major = version.partition(".")[0]
        return self._start(function, folder, f"nodejs{major}.x", version, [program, str(BOOTSTRAP)])

    async def _unpacked(self, function: Function, parent: Path) -> Path:
        deadline = time.monotonic() + STALE_SECONDS
        while True:
            try:
                async with self._unpacking:
                    return await asyncio.to_thread(bundles.unpacked, self._settings, function, parent)
            except bundles.StaleBundleError:
                # The news is on its way; then another sandbox takes this one's place.
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    def _start(self, function: Function, folder: Path, name: str, version: str, command: Sequence[str]) -> Start:
        language = name.rstrip("x.0123456789")
        limits = ENDS_WITH_PARENT if shutil.which(ENDS_WITH_PARENT[0]) else ()
        environment = environment_of(function, folder, name, aws_environment(self._settings))
        return Start(f"{language}:{version}", [*limits, *command], folder, environment)


def environment_of(function: Function, folder: Path, runtime: str, aws: Mapping[str, str]) -> dict[str, str]:
    """Return what a function finds in its environment; its own variables cannot replace Lambda's."""
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html: defined runtime environment variables
    defaults = {
        "LANG": "en_US.UTF-8",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), SYSTEM_PATH]),
        "TZ": ":UTC",
        "PYTHONPATH": str(folder),
    }
    reserved = {
        "_HANDLER": function.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_RUNTIME_DIR": str(BOOTSTRAP.parent),
        "LAMBDA_TASK_ROOT": str(folder),
    }
    endpoint = {"AWS_ENDPOINT_URL": aws["AWS_ENDPOINT_URL"]}
    rest = {name: value for name, value in aws.items() if name not in endpoint}
    return defaults | endpoint | dict(function.environment) | rest | reserved
