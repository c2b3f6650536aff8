"""A sandbox: one process that runs one version of a function, one invocation at a time."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from typing import Protocol

from loadlift_lab.lambda_service.functions import Function
from loadlift_lab.lambda_service.invocations import (
    UNHANDLED,
    Failure,
    Invocation,
    exited,
    reported,
    timed_out,
    too_large,
)
from loadlift_lab.lambda_service.logs import Report, SandboxLog
from loadlift_lab.lambda_service.runtime_api import RuntimeApi
from loadlift_lab.lambda_service.runtimes import RuntimeMissingError, Runtimes
from loadlift_lab.lambda_service.usage import resident_memory

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: the init phase has 10 seconds, and after
# that the function's timeout at its first invocation.
INIT_SECONDS = 10.0
MEMORY_SECONDS = 1.0  # looking costs as much as a tenth of an invocation


class Owner(Protocol):
    """Who gives a sandbox its invocations."""

    def free(self, sandbox: Sandbox) -> None:
        """The sandbox waits for its next invocation."""

    def ended(self, sandbox: Sandbox, failure: Failure | None) -> None:
        """The sandbox is no more; `failure` says why it never started."""


class Sandbox:
    """Belongs to the event loop that it was made in."""

    def __init__(self, function: Function, address: str, runtimes: Runtimes, log: SandboxLog, owner: Owner) -> None:
        self.function = function
        self.settled = asyncio.Event()  # it has started, or will not
        self.free_since = 0.0  # of the event loop's clock
        self._runtimes = runtimes
        self._log = log
        self._owner = owner
        self._api = RuntimeApi(self, address)
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._next: asyncio.Future[Invocation] | None = None
        self._invocation: Invocation | None = None
        self._failure: Failure | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._began = self._init_seconds = 0.0  # seconds
        self._memory, self._looked = 0, -MEMORY_SECONDS  # MB, the most that was seen; when
        self._ended = False
        self._closing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process; the owner hears of it by `free`, or by `ended`."""
        self._began = time.perf_counter()
        try:
            await self._spawn()
        except RuntimeMissingError as error:
            self._end(Failure("Runtime.InvalidRuntime", str(error)))
        except Exception as error:  # whatever it is: who waits must hear of it
            self._end(Failure("Runtime.InvalidEntrypoint", f"The sandbox does not start: {error}"))

    async def _spawn(self) -> None:
        runtime = await self._runtimes.prepare(self.function)
        address = await self._api.listen()
        self._log.open(f"INIT_START Runtime Version: {runtime.version}")
        environment = {
            **runtime.environment,
            "AWS_LAMBDA_RUNTIME_API": address,
            "AWS_LAMBDA_LOG_GROUP_NAME": self.function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._log.stream,
        }
        self._process = await asyncio.create_subprocess_exec(
            *runtime.command,
            cwd=runtime.directory,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self._log.descriptor,
            stderr=self._log.descriptor,
            process_group=0,  # so that what it starts ends with it
        )
        self._log.started()
        limit = INIT_SECONDS + self.function.timeout
        self._timer = asyncio.get_running_loop().call_later(limit, self._init_timed_out, limit)
        self._watcher = asyncio.create_task(self._watch(self._process))

    def run(self, invocation: Invocation) -> None:
        """Give the sandbox, which must be free, an invocation."""
        assert self._next is not None
        waiting, self._next, self._invocation = self._next, None, invocation
        self._log.begin(invocation)
        self._began = time.perf_counter()
        timeout = self.function.timeout
        self._timer = asyncio.get_running_loop().call_later(timeout, self._timed_out, float(timeout))
        waiting.set_result(invocation)

    def end(self) -> None:
        """End the sandbox, which must be free or starting."""
        self._end(None)

    # The Runtime API asks:

    async def next_invocation(self) -> Invocation:
        waiting: asyncio.Future[Invocation] = asyncio.get_running_loop().create_future()
        self._next = waiting
        if self._ended:
            waiting.cancel()  # it asks with its last breath
            return await waiting
        self.free_since = asyncio.get_running_loop().time()
        if not self.settled.is_set():
            self._init_seconds = time.perf_counter() - self._began
            self._stop_timer()
            self.settled.set()
        self._owner.free(self)
        return await waiting

    def answered(self, request_id: str, payload: bytes) -> bool:
        return self._finish(request_id, payload)

    def failed(self, request_id: str, payload: bytes) -> bool:
        return self._finish(request_id, payload, UNHANDLED)

    def answer_too_large(self, request_id: str, size: int) -> bool:
        return self._finish(request_id, too_large(size).payload(request_id), UNHANDLED)

    def init_failed(self, payload: bytes) -> None:
        self._failure = reported(payload)

    def _finish(self, request_id: str, payload: bytes, error: str = "", status: str = "") -> bool:
        invocation = self._invocation
        if invocation is None or invocation.id != request_id:
            return False
        self._invocation = None
        self._stop_timer()
        self._look_at_memory()
        report = Report(time.perf_counter() - self._began, self._init_seconds, self._memory, status)
        tail = self._log.finish(invocation, report)
        self._init_seconds = 0.0
        invocation.end(payload, error, tail)
        return True

    def _look_at_memory(self) -> None:
        now = time.monotonic()
        if self._process and now - self._looked > MEMORY_SECONDS:
            self._looked = now
            self._memory = max(self._memory, resident_memory(self._process.pid))

    # Time and the process:

    def _timed_out(self, seconds: float) -> None:
        invocation = self._invocation
        if invocation:
            failure = timed_out(seconds)
            self._log.write(f"{invocation.id} {failure.message}")
            self._finish(invocation.id, failure.payload(invocation.id), UNHANDLED, "timeout")
        self._end(None)

    def _init_timed_out(self, seconds: float) -> None:
        self._log.write(f"INIT_REPORT Init Duration: {seconds * 1000:.2f} ms\tPhase: init\tStatus: timeout")
        self._end(timed_out(self.function.timeout))

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        if self._ended:
            return
        failure = self._failure or exited(code)
        if self._invocation:
            self._log.write(f"RequestId: {self._invocation.id} Error: {failure.message}")
            self._finish(self._invocation.id, failure.payload(self._invocation.id), UNHANDLED, "error")
        else:
            self._log.write(f"{failure.type}: {failure.message}")
        self._end(None if self.settled.is_set() else failure)

    def _end(self, failure: Failure | None) -> None:
        if self._ended:
            return
        self._ended = True
        self._stop_timer()
        self._kill()
        self.settled.set()
        if self._next and not self._next.done():
            self._next.cancel()
        self._log.close()
        self._closing = asyncio.create_task(self._api.close())
        self._owner.ended(self, failure)

    def _kill(self) -> None:
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
