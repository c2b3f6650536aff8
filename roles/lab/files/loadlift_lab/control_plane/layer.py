"""The WSGI application in front of the account: own endpoints, counting, faults."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from loadlift_lab.control_plane.account import Account, Answer
from loadlift_lab.control_plane.call import Call, identify, request_of
from loadlift_lab.control_plane.faults import Fault, Faults
from loadlift_lab.control_plane.registry import Refused

StartResponse = Callable[..., Any]
# What each service says when it is asked too often; "Throttling" where nothing is said here.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
THROTTLING_CODES = {
    "ec2": "RequestLimitExceeded",
    "s3": "SlowDown",
    "lambda": "TooManyRequestsException",
    "dynamodb": "ThrottlingException",
    "ssm": "ThrottlingException",
    "secretsmanager": "ThrottlingException",
    "logs": "ThrottlingException",
}
THROTTLING_STATUS = {"s3": 503, "lambda": 429}


class Calls:
    """How often each operation was called."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, name: str) -> None:
        """Count one call of `name`, for example "elbv2.DescribeRules"."""
        with self._lock:
            self._counts[name] += 1

    def counted(self) -> dict[str, int]:
        """Return the calls since the start or the last `clear`."""
        with self._lock:
            return dict(sorted(self._counts.items()))

    def clear(self) -> None:
        """Begin to count anew."""
        with self._lock:
            self._counts.clear()


class Layer:
    """Answers AWS's clients through `account`, and `/_lab/` through `own_endpoints`."""

    def __init__(self, account: Account, faults: Faults, calls: Calls, own_endpoints: Any) -> None:
        self._account = account
        self._faults = faults
        self._calls = calls
        self._own_endpoints = own_endpoints

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith("/_lab/"):
            answered: Iterable[bytes] = self._own_endpoints(environ, start_response)
            return answered
        call = identify(request_of(environ))
        answer = self._answer(call)
        if answer is None:
            _hang_up(environ)
            start_response(_status_line(503), [])  # for the server, whose client is gone
            return []
        headers = answer.headers.items() if isinstance(answer.headers, dict) else answer.headers
        start_response(_status_line(answer.status), [(name, str(value)) for name, value in headers])
        return [answer.body]

    def _answer(self, call: Call) -> Answer | None:
        if call.by_lab:
            return self._account.perform(call)
        self._calls.count(call.name)
        fault = self._faults.take(call.service, call.operation)
        return strike(fault, call, self._account) if fault else self._account.perform(call)


def strike(fault: Fault, call: Call, account: Account) -> Answer | None:
    """Return what a client gets from `call` under `fault`; None is a connection that is closed without an answer."""
    if fault.kind == "throttle":
        code = THROTTLING_CODES.get(call.service, "Throttling")
        return _failure(call, THROTTLING_STATUS.get(call.service, 400), Refused(code, "Rate exceeded"))
    if fault.kind == "error":
        code = "ServiceUnavailable" if fault.status == 503 else "InternalFailure"
        return _failure(call, fault.status, Refused(code, "The request processing has failed."))
    if fault.kind == "drop":
        return None
    if fault.kind == "latency":
        time.sleep(fault.seconds)
    answer = account.perform(call)
    return None if fault.kind == "drop_after" else answer


def _failure(call: Call, status: int, error: Refused) -> Answer:
    if call.model is None:
        return Answer(status, {"Content-Type": "text/plain"}, error.message.encode())
    _, headers, body = call.write(error)
    return Answer(status, headers, body)


def _hang_up(environ: dict[str, Any]) -> None:
    environ["gunicorn.socket"].shutdown(socket.SHUT_RDWR)


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"
