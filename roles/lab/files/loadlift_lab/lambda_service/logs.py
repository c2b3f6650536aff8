"""What functions print: to `<lab>/log/function-<name>.log`, and to CloudWatch Logs, with Lambda's own lines.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""

from __future__ import annotations

import asyncio
import math
import os
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from loadlift_lab.lambda_service.cloudwatch import CloudWatch
from loadlift_lab.lambda_service.functions import Function
from loadlift_lab.lambda_service.invocations import Invocation
from loadlift_lab.lambda_service.log_files import LogFiles

TAIL = 4096  # bytes: "the last 4 KB of the execution log", API_Invoke.html
AT_ONCE = 65536  # bytes read from a function before others have their turn
LONGEST_LINE = 262_144  # bytes: the size of a log event, PutLogEvents


@dataclass(frozen=True)
class Report:
    """What an invocation took."""

    seconds: float
    init_seconds: float  # 0: the sandbox was warm
    memory: int  # MB
    status: str = ""  # "error" or "timeout" when the sandbox was lost

    def line(self, invocation: Invocation) -> str:
        """Return Lambda's REPORT line."""
        milliseconds = self.seconds * 1000
        parts = [
            f"REPORT RequestId: {invocation.id}",
            f"Duration: {milliseconds:.2f} ms",
            f"Billed Duration: {math.ceil(milliseconds)} ms",
            f"Memory Size: {invocation.function.memory} MB",
            f"Max Memory Used: {self.memory} MB",
        ]
        if self.init_seconds:
            parts.append(f"Init Duration: {self.init_seconds * 1000:.2f} ms")
        if self.status:
            parts.append(f"Status: {self.status}")
        return "\t".join(parts) + "\t"


class SandboxLog:
    """The log of one sandbox: its own stream in CloudWatch Logs, its own pipe."""

    def __init__(self, function: Function, files: LogFiles, cloudwatch: CloudWatch) -> None:
        self.stream = f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{uuid.uuid4().hex}"
        self.descriptor = -1  # where the process writes to
        self._function = function
        self._files = files
        self._cloudwatch = cloudwatch
        self._reader = -1
        self._begun = b""  # a line without its end
        self._tail = bytearray()

    def open(self, line: str) -> None:
        """Make the pipe; write Lambda's first line."""
        self._reader, self.descriptor = os.pipe()
        os.set_blocking(self._reader, False)
        asyncio.get_running_loop().add_reader(self._reader, self._read)
        self.write(line)

    def started(self) -> None:
        """Leave the writing end to the process."""
        os.close(self.descriptor)
        self.descriptor = -1

    def begin(self, invocation: Invocation) -> None:
        """Write the START line."""
        self._tail.clear()
        self.write(f"START RequestId: {invocation.id} Version: {invocation.function.version}")

    def finish(self, invocation: Invocation, report: Report) -> bytes:
        """Write the END and REPORT lines; return the end of what was logged since the START."""
        self._read()
        self.write(f"END RequestId: {invocation.id}", report.line(invocation))
        return bytes(self._tail)

    def write(self, *lines: str) -> None:
        """Write lines."""
        self._add([line.encode(errors="replace") for line in lines])

    def close(self) -> None:
        """Read what is left; close the pipe."""
        if self._reader < 0:
            return
        self._read()
        if self._begun:
            self._add([self._begun])
        asyncio.get_running_loop().remove_reader(self._reader)
        os.close(self._reader)
        self._reader = -1
        if self.descriptor >= 0:
            self.started()

    def _read(self) -> None:
        try:
            written = os.read(self._reader, AT_ONCE)
        except BlockingIOError:
            return
        if not written:  # the process is gone
            asyncio.get_running_loop().remove_reader(self._reader)
            return
        *lines, self._begun = (self._begun + written).split(b"\n")
        if len(self._begun) > LONGEST_LINE:
            lines, self._begun = [*lines, self._begun], b""
        self._add([line for line in lines if line])

    def _add(self, lines: list[bytes]) -> None:
        now = time.time()
        for line in lines:
            self._tail += line + b"\n"
            # awslambdaric ends the lines of one message with a carriage return.
            text = line[:LONGEST_LINE].decode(errors="replace").replace("\r", "\n")
            self._files.add(self._function.name, now, self.stream[-8:], text)
            self._cloudwatch.add(self._function, self.stream, now, text)
        del self._tail[:-TAIL]
