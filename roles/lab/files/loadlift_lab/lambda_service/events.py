"""The event that an Application Load Balancer makes of an HTTP request: pure functions.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html: receive events
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

LARGEST_BODY = 1024 * 1024  # bytes; a larger one is answered with 413
TEXT_TYPES = frozenset({"application/json", "application/javascript", "application/xml"})
# RFC 9110, section 7.6.1: they belong to the connection, not to the request.
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)
LAB_HEADERS = "x-lab-"  # what HAProxy tells this program, and no function


@dataclass(frozen=True)
class Request:
    """An HTTP request as it was received."""

    method: str
    target: str  # path and query string, undecoded
    headers: tuple[tuple[str, str], ...]  # names in any case, in the order of the request
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the last value of the header `name` (lower case); empty when there is none."""
        return next((value for known, value in reversed(self.headers) if known.lower() == name), "")

    @property
    def asks_for_upgrade(self) -> bool:
        """Tell whether the client wants another protocol: a load balancer refuses it for a function."""
        return bool(self.header("upgrade"))


def event_of(request: Request, target_group_arn: str, multi_value: bool, trace_id: str) -> dict[str, Any]:
    """Return the event of `request`; `multi_value` as the target group's lambda.multi_value_headers.enabled."""
    path, _, query = request.target.partition("?")
    headers = [*_end_to_end(request.headers), ("x-amzn-trace-id", trace_id)]
    parameters = _parameters(query)
    body, encoded = _body(request)
    values: dict[str, Any] = (
        {"multiValueQueryStringParameters": _grouped(parameters), "multiValueHeaders": _grouped(headers)}
        if multi_value
        else {"queryStringParameters": dict(parameters), "headers": dict(headers)}
    )
    return {
        "requestContext": {"elb": {"targetGroupArn": target_group_arn}},
        "httpMethod": request.method,
        "path": path,
        **values,
        "body": body,
        "isBase64Encoded": encoded,
    }


def _end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    lower = [(name.lower(), value) for name, value in headers]
    named = {token.strip().lower() for name, value in lower if name == "connection" for token in value.split(",")}
    dropped = HOP_BY_HOP | named | {"x-amzn-trace-id"}
    return [(name, value) for name, value in lower if name not in dropped and not name.startswith(LAB_HEADERS)]


def _parameters(query: str) -> list[tuple[str, str]]:
    """Return the query's parameters, undecoded: "you must decode them in your Lambda function"."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(name, value) for name, _, value in pairs]


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _body(request: Request) -> tuple[str, bool]:
    if not request.body:
        return "", False
    if _is_text(request):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass  # no text after all
    return base64.b64encode(request.body).decode(), True


def _is_text(request: Request) -> bool:
    media_type = request.header("content-type").partition(";")[0].strip().lower()
    if request.header("content-encoding"):
        return False  # compressed bytes, whatever they are once decompressed
    return media_type.startswith("text/") or media_type in TEXT_TYPES
