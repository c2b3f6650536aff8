"""The API's end: `POST /_lab/invoke`, to which the control plane passes the operation Invoke on.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Mapping
from urllib.parse import unquote

from aiohttp import web

from loadlift_lab.lambda_service.account import Account
from loadlift_lab.lambda_service.bodies import TooLargeError, read_body
from loadlift_lab.lambda_service.functions import LATEST, Entry, UnknownFunctionError
from loadlift_lab.lambda_service.invocations import LARGEST_PAYLOAD, Outcome, ThrottledError
from loadlift_lab.lambda_service.service import Service

LOG = logging.getLogger(__name__)
CATCH_UP_SECONDS = 10.0
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html: the waits between the attempts
RETRY_SECONDS = (60.0, 120.0)
THROTTLED_SECONDS = 1.0
MOST_EVENTS = 1000  # asynchronous invocations that wait


class RefusedError(Exception):
    """The API refuses: code and message as AWS has them."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class InvokeEndpoint:
    """Answers the control plane."""

    def __init__(self, service: Service, account: Account) -> None:
        self._service = service
        self._account = account
        self._events: set[asyncio.Task[None]] = set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return the answer of Invoke, or `{"code", "message"}` with status 400."""
        try:
            return await self._invoke(request)
        except RefusedError as error:
            told = {"code": error.code, "message": str(error)}
            return web.Response(status=400, body=json.dumps(told).encode(), content_type="application/json")

    async def _invoke(self, request: web.BaseRequest) -> web.StreamResponse:
        payload = await _payload(request)
        await self._account.catch_up(int(request.headers["X-Lab-Generation"]), CATCH_UP_SECONDS)
        entry, qualifier = self._find(request.headers)
        arn = entry.versions[LATEST].arn.removesuffix(f":{LATEST}") + ("" if qualifier == LATEST else f":{qualifier}")
        context = request.headers.get("X-Lab-Client-Context", "")
        decoded = base64.b64decode(context).decode(errors="replace") if context else ""
        match request.headers["X-Lab-Invocation-Type"]:
            case "DryRun":
                return web.Response(status=204)
            case "Event":
                self._later(entry, qualifier, arn, payload, decoded)
                return web.Response(status=202)
        try:
            outcome = await self._service.invoke(entry, qualifier, arn, payload, client_context=decoded)
        except ThrottledError as error:
            raise RefusedError("TooManyRequestsException", f"Rate Exceeded. ({error})") from None
        return _answer(outcome, tail=request.headers["X-Lab-Log-Type"] == "Tail")

    def _find(self, headers: Mapping[str, str]) -> tuple[Entry, str]:
        reference, asked = unquote(headers["X-Lab-Function"]), unquote(headers["X-Lab-Qualifier"])
        try:
            entry, qualifier = self._service.catalogue.find(reference)
            entry.version(asked or qualifier)
        except UnknownFunctionError as error:
            raise RefusedError("ResourceNotFoundException", str(error)) from None
        return entry, asked or qualifier

    def _later(self, entry: Entry, qualifier: str, arn: str, payload: bytes, context: str) -> None:
        if len(self._events) >= MOST_EVENTS:
            raise RefusedError("TooManyRequestsException", "Rate Exceeded.")
        task = asyncio.create_task(self._deliver(entry.name, qualifier, arn, payload, context))
        self._events.add(task)
        task.add_done_callback(self._events.discard)

    async def _deliver(self, name: str, qualifier: str, arn: str, payload: bytes, context: str) -> None:
        waits = list(RETRY_SECONDS)
        while name in self._service.catalogue.entries:
            entry = self._service.catalogue.entries[name]
            try:
                outcome = await self._service.invoke(entry, qualifier, arn, payload, client_context=context)
            except ThrottledError:
                await asyncio.sleep(THROTTLED_SECONDS)
                continue
            except UnknownFunctionError:
                return
            if not outcome.error or len(RETRY_SECONDS) - len(waits) >= entry.retries:
                return
            LOG.warning("%s failed with an event; it is tried again.", name)
            await asyncio.sleep(waits.pop(0))


async def _payload(request: web.BaseRequest) -> bytes:
    try:
        payload = await read_body(request, LARGEST_PAYLOAD)
    except TooLargeError:
        message = f"Request must be smaller than {LARGEST_PAYLOAD} bytes for the InvokeFunction operation"
        raise RefusedError("RequestTooLargeException", message) from None
    if not payload:
        return b"{}"
    try:
        json.loads(payload)
    except ValueError as error:
        raise RefusedError(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}"
        ) from None
    return payload


def _answer(outcome: Outcome, tail: bool) -> web.Response:
    headers = {"X-Amz-Executed-Version": outcome.version, "Content-Type": "application/json"}
    if outcome.error:
        headers["X-Amz-Function-Error"] = outcome.error
    if tail:
        headers["X-Amz-Log-Result"] = base64.b64encode(outcome.log_tail).decode()
    return web.Response(body=outcome.payload, headers=headers)
