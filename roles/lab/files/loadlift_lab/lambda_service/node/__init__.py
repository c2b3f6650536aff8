"""Node.js for functions: the interpreter of this machine, and AWS's SDK, which Lambda has beside every function."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import shutil
from pathlib import Path

LOG = logging.getLogger(__name__)
HERE = Path(__file__).parent
BOOTSTRAP = HERE / "bootstrap.mjs"
PACKAGES = ("package.json", "package-lock.json")
INSTALL_SECONDS = 300.0


class NodeError(Exception):
    """Node.js or AWS's SDK for it cannot be had; the text says why."""


class Node:
    """Node.js in one lab. `folder/node_modules` is found by whatever lies in `folder/code`."""

    def __init__(self, folder: Path) -> None:
        self.code = folder / "code"
        self._folder = folder
        self._install: asyncio.Task[None] | None = None

    def expect(self) -> None:
        """Begin to install the SDK, if it is not there."""
        if self._install is None:
            self._install = asyncio.create_task(self._installed())

    async def ready(self) -> tuple[str, str]:
        """Return the interpreter and its version, once the SDK is there; raises NodeError."""
        self.expect()
        assert self._install is not None
        try:
            await asyncio.shield(self._install)
        except NodeError:
            self._install = None  # the next function tries again
            raise
        program = _program("node")
        return program, (await _run([program, "--version"], self._folder)).strip().removeprefix("v")

    async def _installed(self) -> None:
        stamp = self._folder / "node_modules" / f".loadlift-{_digest()}"
        if stamp.exists():
            return
        npm = _program("npm")
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in PACKAGES:
            shutil.copy(HERE / name, self._folder / name)
        LOG.info("Installing AWS's SDK for Node.js into %s ...", self._folder)
        await _run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], self._folder)
        stamp.touch()
        LOG.info("AWS's SDK for Node.js is there.")


def _digest() -> str:
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in PACKAGES)).hexdigest()[:16]


def _program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        LOG.error("A nodejs function needs %s, which is not in PATH.", name)
        raise NodeError(
            f"A nodejs function needs {name}, which is not in PATH. On Debian and Ubuntu: apt-get install npm"
        )
    return found


async def _run(command: list[str], folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=dict(os.environ), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), INSTALL_SECONDS)
    except TimeoutError:
        process.kill()
        raise NodeError(f"`{' '.join(command)}` took more than {INSTALL_SECONDS:.0f} s.") from None
    if process.returncode:
        problem = " | ".join(err.decode(errors="replace").strip().splitlines()[-3:])
        LOG.error("`%s` failed: %s", " ".join(command), problem)
        raise NodeError(f"`{' '.join(command)}` failed: {problem}")
    return out.decode(errors="replace")
