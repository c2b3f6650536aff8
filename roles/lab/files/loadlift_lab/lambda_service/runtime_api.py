"""The Lambda Runtime API of one sandbox: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import Protocol

from aiohttp import web

from loadlift_lab.lambda_service.bodies import TooLargeError, read_body
from loadlift_lab.lambda_service.invocations import LARGEST_PAYLOAD, Invocation

PREFIX = "/2018-06-01/runtime/"
KEPT_SECONDS = 3600.0  # a runtime keeps its one connection


class Runtime(Protocol):
    """The sandbox's side."""

    async def next_invocation(self) -> Invocation:
        """Return the next invocation, as soon as there is one."""

    def answered(self, request_id: str, payload: bytes) -> bool:
        """Take the function's answer; return whether that invocation is under way."""

    def failed(self, request_id: str, payload: bytes) -> bool:
        """Take the function's error; return whether that invocation is under way."""

    def init_failed(self, payload: bytes) -> None:
        """Take the error of a start that failed."""

    def answer_too_large(self, request_id: str, size: int) -> bool:
        """Take that the function's answer was too large."""


class RuntimeApi:
    """Listens on a port of its own, since the Runtime API does not tell which sandbox asks."""

    def __init__(self, runtime: Runtime, address: str) -> None:
        self._runtime = runtime
        self._address = address
        self._server = web.Server(self._handle, access_log=None, keepalive_timeout=KEPT_SECONDS)
        self._listener: asyncio.Server | None = None

    async def listen(self) -> str:
        """Start; return "host:port"."""
        sock = socket.create_server((self._address, 0))
        self._listener = await asyncio.get_running_loop().create_server(self._server, sock=sock)
        return f"{self._address}:{sock.getsockname()[1]}"

    async def close(self) -> None:
        """Stop listening and close what is open."""
        if self._listener:
            self._listener.close()
        await self._server.shutdown(timeout=0)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path.removeprefix(PREFIX)
        if request.method == "GET" and path == "invocation/next":
            return _event(await self._runtime.next_invocation())
        if request.method != "POST":
            return _problem(404, "InvalidPath", f"{request.method} {request.raw_path} is not of the Runtime API")
        return await self._posted(path, request)

    async def _posted(self, path: str, request: web.BaseRequest) -> web.StreamResponse:
        request_id = path.removeprefix("invocation/").partition("/")[0]
        try:
            body = await read_body(request, LARGEST_PAYLOAD)
        except TooLargeError as error:
            self._runtime.answer_too_large(request_id, error.size)
            return _problem(
                413, "RequestEntityTooLarge", f"Exceeded maximum allowed payload size ({LARGEST_PAYLOAD} bytes)."
            )
        if path == "init/error":
            self._runtime.init_failed(body)
        elif path == f"invocation/{request_id}/response":
            if not self._runtime.answered(request_id, body):
                return _problem(400, "InvalidRequestID", "Invalid request ID")
        elif path == f"invocation/{request_id}/error":
            if not self._runtime.failed(request_id, body):
                return _problem(400, "InvalidRequestID", "Invalid request ID")
        else:
            return _problem(404, "InvalidPath", f"{request.raw_path} is not of the Runtime API")
        return _json(202, {"status": "OK"})


def _event(invocation: Invocation) -> web.Response:
    deadline = int((time.time() + invocation.function.timeout) * 1000)
    headers = {
        "Lambda-Runtime-Aws-Request-Id": invocation.id,
        "Lambda-Runtime-Deadline-Ms": str(deadline),
        "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
        "Lambda-Runtime-Trace-Id": invocation.trace_id,
        "Content-Type": "application/json",
    }
    if invocation.client_context:
        headers["Lambda-Runtime-Client-Context"] = invocation.client_context
    return web.Response(body=invocation.event, headers=headers)


def _problem(status: int, kind: str, message: str) -> web.Response:
    return _json(status, {"errorType": kind, "errorMessage": message})


def _json(status: int, content: dict[str, str]) -> web.Response:
    return web.Response(status=status, body=json.dumps(content).encode(), content_type="application/json")
