"""A mix of requests that is told as data (load_test_requests): scenario.json beside this file holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loadlift_locust.scenario import scenario
from loadlift_locust.visitor import Visitor


def problem(told: dict[str, Any], status: int, content: bytes) -> str:
    """Return what is wrong with an answer, or an empty text."""
    if told["status"] and status not in told["status"]:
        return f"status is {status}, not {' or '.join(map(str, told['status']))}"
    if told["text"] and told["text"].encode() not in content:
        return f"the answer lacks '{told['text']}'"
    return ""


def send(told: dict[str, Any]) -> Callable[[Visitor], None]:
    """Return the task that makes a request and judges its answer."""
    # A redirect that is expected is the answer, not a way to it.
    follow = not any(300 <= status <= 399 for status in told["status"])
    body = told["body"].encode() or None

    def task(visitor: Visitor) -> None:
        with visitor.client.request(
            told["method"],
            told["path"],
            name=told["name"],
            data=body,
            headers=told["headers"],
            allow_redirects=follow,
            catch_response=True,
        ) as response:
            if not response.status_code:
                return  # no answer: Locust knows why
            if found := problem(told, response.status_code, response.content or b""):
                response.failure(found)
            elif told["status"]:
                response.success()

    task.__name__ = f"{told['method']} {told['name']}"
    return task


class DescribedVisitor(Visitor):
    """A visitor who makes the requests, each as often as its weight says."""

    tasks = {send(told): told["weight"] for told in scenario().requests}  # type: ignore[assignment]  # as in visitors.py
