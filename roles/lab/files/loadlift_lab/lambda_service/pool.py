"""The sandboxes of one version of a function, and the invocations that wait for one."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from loadlift_lab.lambda_service.functions import Function
from loadlift_lab.lambda_service.invocations import UNHANDLED, Failure, Invocation, Outcome, ThrottledError
from loadlift_lab.lambda_service.sandbox import Owner, Sandbox

LOG = logging.getLogger(__name__)
# Nobody waits longer for a sandbox: with one machine's sandboxes, a queue takes the place of AWS's many machines.
LONGEST_WAIT = 30.0  # seconds
# A version that does not start is not started again and again for its provisioned concurrency alone.
REST_SECONDS = 10.0


@dataclass(frozen=True)
class Size:
    """How many sandboxes a pool may and must have."""

    most: int
    warm: int = 0  # provisioned: kept, whether or not there is work
    idle_seconds: float = 300.0  # after which another one ends


class Pool:
    """Gives invocations to sandboxes: a waiting sandbox first, else a new one, else the first that gets free."""

    def __init__(
        self, function: Function, size: Size, make: Callable[[Function, Owner], Sandbox], places: asyncio.Semaphore
    ) -> None:
        self.function = function
        self._size = size
        self._make = make
        self._places = places  # of sandboxes that start at once
        self._waiting: deque[Invocation] = deque()
        self._free: list[Sandbox] = []  # the last one was used last
        self._starting: dict[Sandbox, asyncio.Task[None]] = {}
        self._busy: set[Sandbox] = set()
        self._under_way = 0  # invocations, those that wait among them
        self._rest_until = 0.0
        self._retired = False

    @property
    def allocated(self) -> int:
        """How many sandboxes of the newest code are there."""
        return sum(sandbox.function is self.function for sandbox in (*self._free, *self._busy))

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Give `invocation` to a sandbox and return how it ended; raises ThrottledError when there is none in time."""
        limit = asyncio.get_running_loop().call_later(LONGEST_WAIT, self._give_up, invocation)
        self._under_way += 1
        self._waiting.append(invocation)
        self._match()
        try:
            return await invocation.outcome
        finally:
            self._under_way -= 1
            limit.cancel()

    def update(self, function: Function, size: Size) -> None:
        """Take new code or settings up: sandboxes with the old ones end after what they do."""
        if function != self.function:
            self.function, self._rest_until = function, 0.0
            for sandbox in [one for one in self._free if one.function is not function]:
                sandbox.end()
        self._size = size
        self._match()

    def retire(self) -> None:
        """End everything but what is being done: the version is no more."""
        self._retired = True
        while self._waiting:
            self._give_up(self._waiting[0])
        for sandbox in list(self._free):
            sandbox.end()

    def close(self) -> None:
        """End everything: the program ends."""
        self.retire()
        for task in self._starting.values():
            task.cancel()
        for sandbox in [*self._busy, *self._starting]:
            sandbox.end()

    def look_after(self) -> None:
        """End sandboxes that have been idle for long; start those that must be warm."""
        now = asyncio.get_running_loop().time()
        for sandbox in list(self._free):
            idle = now - sandbox.free_since > self._size.idle_seconds
            if idle and self.allocated > self._size.warm:
                sandbox.end()
        self._grow()

    # The sandboxes tell:

    def free(self, sandbox: Sandbox) -> None:
        self._starting.pop(sandbox, None)
        self._busy.discard(sandbox)
        self._free.append(sandbox)
        if sandbox.function is not self.function or self._retired:
            sandbox.end()
        self._match()

    def ended(self, sandbox: Sandbox, failure: Failure | None) -> None:
        self._starting.pop(sandbox, None)
        self._busy.discard(sandbox)
        if sandbox in self._free:
            self._free.remove(sandbox)
        if failure and sandbox.function is self.function:
            self._fail(failure)
        self._match()

    def _fail(self, failure: Failure) -> None:
        """Answer who waits for a start that failed: all of them when there is no sandbox that works."""
        self._rest_until = asyncio.get_running_loop().time() + REST_SECONDS
        LOG.warning("%s does not start: %s: %s", self.function.arn, failure.type, failure.message)
        alone = not self.allocated
        while self._waiting:
            invocation = self._waiting.popleft()
            invocation.end(failure.payload(invocation.id), UNHANDLED)
            if not alone:
                return

    def _match(self) -> None:
        while self._waiting and self._free:
            sandbox = self._free.pop()
            self._busy.add(sandbox)
            sandbox.run(self._waiting.popleft())
        self._grow()

    def _grow(self) -> None:
        while self._needed(len(self._starting)):
            sandbox = self._make(self.function, self)
            self._starting[sandbox] = asyncio.create_task(self._start(sandbox))

    def _needed(self, starting: int) -> bool:
        """Tell whether a sandbox more is needed, `starting` others being on their way."""
        if self._retired or self.allocated + starting >= max(self._size.most, self._size.warm):
            return False
        if self._waiting and len(self._free) + len(self._busy) + starting < self._under_way:
            return True
        rests = asyncio.get_running_loop().time() < self._rest_until
        return not rests and self.allocated + starting < self._size.warm

    async def _start(self, sandbox: Sandbox) -> None:
        async with self._places:
            # What made it needed may be over by now.
            if sandbox.function is not self.function or not self._needed(0):
                self._starting.pop(sandbox, None)
                self._grow()
                return
            await sandbox.start()
            await sandbox.settled.wait()

    def _give_up(self, invocation: Invocation) -> None:
        if invocation in self._waiting:
            self._waiting.remove(invocation)
            if not invocation.outcome.done():
                invocation.outcome.set_exception(ThrottledError("ConcurrentInvocationLimitExceeded"))
