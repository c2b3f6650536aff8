"""The load balancer's end: HTTP in, an event to the function, HTTP out.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html tells the errors.
"""

from __future__ import annotations

import json
import logging
import random
import time

from aiohttp import web
from multidict import CIMultiDict

from loadlift_lab.data_plane.load_balancer.configuration import page
from loadlift_lab.lambda_service.bodies import TooLargeError, read_body
from loadlift_lab.lambda_service.events import LARGEST_BODY, Request, event_of
from loadlift_lab.lambda_service.functions import UnknownFunctionError
from loadlift_lab.lambda_service.invocations import ThrottledError
from loadlift_lab.lambda_service.responses import InvalidAnswerError, Response, response_of
from loadlift_lab.lambda_service.service import Service
from loadlift_lab.lambda_service.tracing import forwarded_trace, new_trace

LOG = logging.getLogger(__name__)
SERVER = "awselb/2.0"
FUNCTION, TARGET_GROUP, MULTI_VALUE = "X-Lab-Function-Arn", "X-Lab-Target-Group-Arn", "X-Lab-Multi-Value"
TOLD_AGAIN_SECONDS = 10.0


class RefusedError(Exception):
    """The load balancer answers itself; the text is the reason as its access log has it, with what is behind it."""

    def __init__(self, status: int, title: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.title = title


def bad_gateway(reason: str) -> RefusedError:
    """Return the error of a function that did not answer as it should."""
    return RefusedError(502, "502 Bad Gateway", reason)


class Front:
    """Answers what HAProxy sends on to a Lambda target."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._told: dict[str, float] = {}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return the function's answer, or the load balancer's own."""
        try:
            return _http(await self._answer(request))
        except RefusedError as refusal:
            self._tell(request.headers[FUNCTION], str(refusal))
            headers = {"Server": SERVER, "Content-Type": "text/html"}
            return web.Response(status=refusal.status, body=page(refusal.title).encode(), headers=headers)

    async def _answer(self, received: web.BaseRequest) -> Response:
        request = await _request(received)
        if request.asks_for_upgrade:
            raise RefusedError(400, "400 Bad Request", "WebSockets are not supported")
        payload = await self._invoke(request, received.headers[FUNCTION], received.headers.get(TARGET_GROUP, ""))
        try:
            return response_of(payload, _is_multi_value(request))
        except InvalidAnswerError as error:
            raise bad_gateway(f"LambdaInvalidResponse: {error}") from None

    async def _invoke(self, request: Request, arn: str, group: str) -> bytes:
        trace = forwarded_trace(request.header("x-amzn-trace-id"), new_trace(int(time.time()), random.getrandbits(96)))
        event = event_of(request, group, _is_multi_value(request), trace)
        try:
            entry, qualifier = self._service.catalogue.find(arn)
            if not self._service.may_be_invoked_from(entry, group):
                raise bad_gateway(f"LambdaAccessDenied: no permission for {group}")
            outcome = await self._service.invoke(entry, qualifier, arn, json.dumps(event).encode(), trace=trace)
        except UnknownFunctionError as error:
            raise bad_gateway(f"LambdaResourceNotFound: {error}") from None
        except ThrottledError as error:
            raise bad_gateway(f"LambdaThrottling: {error}") from None
        if outcome.error:
            raise bad_gateway(f"LambdaUnhandled: {outcome.payload[:500].decode(errors='replace')}")
        return outcome.payload

    def _tell(self, function: str, reason: str) -> None:
        """Log a reason, but not for each of a thousand requests."""
        kind, now = f"{function} {reason.partition(':')[0]}", time.monotonic()
        if now - self._told.get(kind, -TOLD_AGAIN_SECONDS) >= TOLD_AGAIN_SECONDS:
            self._told[kind] = now
            LOG.warning("%s: %s", function, reason)


async def _request(received: web.BaseRequest) -> Request:
    try:
        body = await read_body(received, LARGEST_BODY)
    except TooLargeError as error:
        raise RefusedError(413, "413 Request Entity Too Large", f"LambdaRequestTooLarge: {error}") from None
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in received.raw_headers)
    return Request(received.method, received.raw_path, headers, body)


def _is_multi_value(request: Request) -> bool:
    return request.header(MULTI_VALUE.lower()) == "true"


def _http(answer: Response) -> web.Response:
    headers = CIMultiDict(answer.headers)
    headers.setdefault("Server", SERVER)
    headers.setdefault("Content-Type", "application/octet-stream")
    return web.Response(status=answer.status, reason=answer.reason or None, headers=headers, body=answer.body)
