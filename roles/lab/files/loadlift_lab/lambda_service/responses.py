"""The HTTP response that an Application Load Balancer makes of a function's answer: pure functions.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html: respond to the load balancer
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from http.client import responses as reason_phrases
from typing import Any

from loadlift_lab.lambda_service.events import HOP_BY_HOP

LARGEST_ANSWER = 1024 * 1024  # bytes of JSON
# RFC 9110, section 5.1 and 5.5: what a header may hold.
FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
FIELD_VALUE = re.compile(r"[^\x00\r\n]*")
# The load balancer computes the length itself.
COMPUTED = frozenset({"content-length"})


class InvalidAnswerError(Exception):
    """The function's answer is no HTTP response; the load balancer says 502. The text says what is wrong with it."""


@dataclass(frozen=True)
class Response:
    """An HTTP response of a function."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def response_of(payload: bytes, multi_value: bool) -> Response:
    """Return the response that `payload`, the function's JSON, describes; raises InvalidAnswerError."""
    if len(payload) > LARGEST_ANSWER:
        raise InvalidAnswerError(f"the answer has {len(payload)} bytes, more than {LARGEST_ANSWER}")
    answer = _object(payload)
    status = _status(answer)
    headers = _multi_value_headers(answer) if multi_value else _headers(answer)
    kept = tuple((name, value) for name, value in headers if name.lower() not in HOP_BY_HOP | COMPUTED)
    return Response(status, _reason(answer, status), kept, _body(answer))


def _object(payload: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(payload)
    except ValueError:
        raise InvalidAnswerError("the answer is not JSON") from None
    if not isinstance(answer, dict):
        raise InvalidAnswerError(f"the answer is {_kind(answer)}, not an object with statusCode, headers and body")
    return answer


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__


def _status(answer: dict[str, Any]) -> int:
    status = answer.get("statusCode")
    if type(status) is not int:
        raise InvalidAnswerError(f"statusCode is {_kind(status)}, not an integer")
    if not 200 <= status <= 599:
        raise InvalidAnswerError(f"statusCode is {status}, not 200..599")
    return status


def _reason(answer: dict[str, Any], status: int) -> str:
    """Return the reason phrase: statusDescription is the code and the phrase, "separated by a single space"."""
    description = answer.get("statusDescription")
    if description is None:
        return reason_phrases.get(status, "")
    if not isinstance(description, str) or not FIELD_VALUE.fullmatch(description):
        raise InvalidAnswerError("statusDescription is not one line of text")
    return description.partition(" ")[2]


def _headers(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [_field(name, value) for name, value in _mapping(answer, "headers").items()]


def _multi_value_headers(answer: dict[str, Any]) -> list[tuple[str, str]]:
    headers = _mapping(answer, "multiValueHeaders")
    for name, values in headers.items():
        if not isinstance(values, list):
            raise InvalidAnswerError(f"multiValueHeaders: {name} is {_kind(values)}, not a list")
    return [_field(name, value) for name, values in headers.items() for value in values]


def _mapping(answer: dict[str, Any], key: str) -> dict[str, Any]:
    headers = answer.get(key, {})
    if not isinstance(headers, dict):
        raise InvalidAnswerError(f"{key} is {_kind(headers)}, not an object")
    return headers


def _field(name: str, value: object) -> tuple[str, str]:
    if not FIELD_NAME.fullmatch(name):
        raise InvalidAnswerError(f"{name!r} is no name of a header")
    if not isinstance(value, str):
        raise InvalidAnswerError(f"the header {name} is {_kind(value)}, not a string")
    if not FIELD_VALUE.fullmatch(value):
        raise InvalidAnswerError(f"the header {name} is not one line")
    return name, value


def _body(answer: dict[str, Any]) -> bytes:
    body, encoded = answer.get("body") or "", answer.get("isBase64Encoded", False)
    if not isinstance(body, str):
        raise InvalidAnswerError(f"body is {_kind(body)}, not a string")
    if not isinstance(encoded, bool):
        raise InvalidAnswerError(f"isBase64Encoded is {_kind(encoded)}, not true or false")
    if not encoded:
        return body.encode(errors="replace")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise InvalidAnswerError("body is not Base64, though isBase64Encoded is true") from None
