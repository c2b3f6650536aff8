"""The functions of one account, ready to be invoked."""

from __future__ import annotations

import asyncio
import os
import random
import time
import uuid

from loadlift_lab.function_policy import may_invoke
from loadlift_lab.lambda_service.cloudwatch import CloudWatch
from loadlift_lab.lambda_service.concurrency import Concurrency
from loadlift_lab.lambda_service.functions import Catalogue, Entry, Function
from loadlift_lab.lambda_service.invocations import Invocation, Outcome
from loadlift_lab.lambda_service.log_files import LogFiles
from loadlift_lab.lambda_service.logs import SandboxLog
from loadlift_lab.lambda_service.pool import Pool, Size
from loadlift_lab.lambda_service.runtimes import Runtimes
from loadlift_lab.lambda_service.sandbox import Owner, Sandbox
from loadlift_lab.lambda_service.tracing import new_trace, runtime_trace
from loadlift_lab.settings import LabSettings

Version = tuple[str, str]  # name, version
# A function that reserves more concurrency than this gets no more sandboxes: each is a process of some 50 MB.
MOST_SANDBOXES = 100
# At once: a start is work for the processor, but a function may also wait for something when it starts.
STARTS_PER_CORE = 2


class Service:
    """Invokes functions. Belongs to the event loop that it was made in."""

    def __init__(self, settings: LabSettings, cloudwatch: CloudWatch) -> None:
        self.catalogue = Catalogue()
        self._settings = settings
        self._cloudwatch = cloudwatch
        self._files = LogFiles(settings.log_directory)
        self._runtimes = Runtimes(settings)
        self._concurrency = Concurrency()
        self._pools: dict[Version, Pool] = {}
        self._places = asyncio.Semaphore(STARTS_PER_CORE * (os.cpu_count() or 1))

    def take_up(self, catalogue: Catalogue) -> None:
        """Serve these functions from now on."""
        self.catalogue = catalogue
        functions = {
            (function.name, function.version): (function, self._size(entry, function))
            for entry in catalogue.entries.values()
            for function in entry.versions.values()
        }
        self._cloudwatch.serve(frozenset(function.log_group for function, _ in functions.values()))
        for version in self._pools.keys() - functions.keys():
            self._pools.pop(version).retire()
        for version, (function, size) in functions.items():
            self._runtimes.expect(function)
            if version in self._pools:
                self._pools[version].update(function, size)
            elif size.warm:
                self._pool(function, size)

    async def invoke(
        self, entry: Entry, qualifier: str, arn: str, event: bytes, *, trace: str = "", client_context: str = ""
    ) -> Outcome:
        """Return how an invocation ended; raises ThrottledError, UnknownFunctionError."""
        function = entry.version(qualifier, random.random())
        parent = random.getrandbits(64)
        root = trace or f"Root={new_trace(int(time.time()), random.getrandbits(96))}"
        with self._concurrency.one_more(self.catalogue, entry):
            pool = self._pool(function, self._size(entry, function))
            request_id = str(uuid.uuid4())
            invocation = Invocation(request_id, function, arn, event, runtime_trace(root, parent), client_context)
            return await pool.invoke(invocation)

    def may_be_invoked_from(self, entry: Entry, target_group_arn: str) -> bool:
        """Tell whether the function's resource policy lets a load balancer in."""
        return may_invoke(entry.policy, target_group_arn)

    def look_after(self) -> None:
        """Do what is due each second."""
        for pool in self._pools.values():
            pool.look_after()
        self._files.flush()

    async def remove_old_code(self) -> None:
        """Remove code that no function has any more."""
        for entry in self.catalogue.entries.values():
            await self._runtimes.remove_old_code(entry.name, {one.code_sha256 for one in entry.versions.values()})

    def allocated(self) -> list[dict[str, str | int]]:
        """Return how many sandboxes each version has, as PUT /_lab/provisioned-concurrency takes it."""
        return [
            {"function": name, "version": version, "allocated": pool.allocated}
            for (name, version), pool in sorted(self._pools.items())
            if name in self.catalogue.entries and self.catalogue.entries[name].kept_warm(version)
        ]

    def close(self) -> None:
        """End every sandbox."""
        for pool in self._pools.values():
            pool.close()
        self._files.flush()

    def _pool(self, function: Function, size: Size) -> Pool:
        version = function.name, function.version
        if version not in self._pools:
            self._pools[version] = Pool(function, size, self._make, self._places)
            self._pools[version].look_after()
        return self._pools[version]

    def _size(self, entry: Entry, function: Function) -> Size:
        most = self._settings.lambda_sandboxes if entry.reserved is None else min(entry.reserved, MOST_SANDBOXES)
        return Size(most, entry.kept_warm(function.version), self._settings.lambda_idle_seconds)

    def _make(self, function: Function, owner: Owner) -> Sandbox:
        log = SandboxLog(function, self._files, self._cloudwatch)
        return Sandbox(function, self._settings.address(), self._runtimes, log, owner)
