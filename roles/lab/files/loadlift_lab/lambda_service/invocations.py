"""What goes to a sandbox and what comes back: frozen dataclasses, and errors in Lambda's words."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from loadlift_lab.lambda_service.functions import Function

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: invocation payload, 6 MB each way
LARGEST_PAYLOAD = 6_291_556  # bytes
# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: X-Amz-Function-Error
UNHANDLED = "Unhandled"


class ThrottledError(Exception):
    """More invocations at once than the function or the account may have; the text is Lambda's reason."""


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended."""

    payload: bytes
    error: str = ""  # UNHANDLED when the function failed
    version: str = ""
    log_tail: bytes = b""  # the end of what was logged meanwhile


@dataclass(frozen=True, eq=False)
class Invocation:
    """One event for a function."""

    id: str  # the request id, a UUID
    function: Function
    arn: str  # as it was invoked: with the alias, if there was one
    event: bytes
    trace_id: str
    client_context: str = ""
    outcome: asyncio.Future[Outcome] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def end(self, payload: bytes, error: str = "", log_tail: bytes = b"") -> None:
        """Tell whoever waits how it ended: the first word counts."""
        if not self.outcome.done():
            self.outcome.set_result(Outcome(payload, error, self.function.version, log_tail))


@dataclass(frozen=True)
class Failure:
    """Why a sandbox did not start or did not answer."""

    type: str  # for example "Runtime.ExitError"
    message: str
    stack_trace: tuple[str, ...] = ()
    platform: bool = True  # Lambda's own word, which names the request; False: the runtime's

    def payload(self, request_id: str) -> bytes:
        """Return the error as the caller of an invocation gets it."""
        # https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
        if self.platform:
            return json.dumps(
                {"errorType": self.type, "errorMessage": f"RequestId: {request_id} Error: {self.message}"}
            ).encode()
        told = {"errorMessage": self.message, "errorType": self.type, "requestId": request_id}
        return json.dumps(told | {"stackTrace": list(self.stack_trace)}).encode()


def reported(payload: bytes) -> Failure:
    """Return the failure that a runtime reported of its own start."""
    try:
        told = json.loads(payload)
        trace = told.get("stackTrace") or told.get("trace") or []
        return Failure(told["errorType"], told["errorMessage"], tuple(map(str, trace)), platform=False)
    except (ValueError, KeyError, AttributeError):
        return Failure("Runtime.Unknown", payload[:1000].decode(errors="replace"))


def exited(code: int) -> Failure:
    """Return the failure of a runtime whose process ended with `code`; negative: the number of a signal."""
    if code == 0:
        return Failure("Runtime.ExitError", "Runtime exited without providing a reason")
    how = "signal: killed" if code == -9 else f"signal: {-code}" if code < 0 else f"exit status {code}"
    return Failure("Runtime.ExitError", f"Runtime exited with error: {how}")


def timed_out(seconds: float) -> Failure:
    """Return the failure of an invocation that took longer than the function's timeout."""
    return Failure("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")


def too_large(size: int) -> Failure:
    """Return the failure of an answer of `size` bytes."""
    text = f"Response payload size exceeded maximum allowed payload size ({LARGEST_PAYLOAD} bytes): {size} bytes."
    return Failure("Function.ResponseSizeTooLarge", text)
