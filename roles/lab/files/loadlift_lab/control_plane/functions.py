"""The account's functions as the lab's Lambda program needs them, and what it tells of them."""

from __future__ import annotations

import threading
from typing import Any

from loadlift_lab.control_plane.moto_state import backend_in

# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html: twice by default
RETRIES = 2


class Allocated:
    """How many sandboxes of each version run, as the Lambda program reported it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], int] = {}

    def put(self, reports: list[dict[str, Any]]) -> None:
        """Take `reports` over, the body of PUT /_lab/provisioned-concurrency; KeyError if one is malformed."""
        counts = {(report["function"], report["version"]): int(report["allocated"]) for report in reports}
        with self._lock:
            self._counts = counts

    def of(self, function: str, version: str) -> int:
        """Return the sandboxes that are there for a version of `function`."""
        with self._lock:
            return self._counts.get((function, version), 0)


ALLOCATED = Allocated()


def provisioned(functions: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the provisioned concurrency of moto's `functions`: (name, version or alias) -> request."""
    kept: dict[tuple[str, str], dict[str, Any]] = functions.__dict__.setdefault("loadlift_provisioned", {})
    return kept


def listed_functions(region: str) -> list[dict[str, Any]]:
    """Return every function with its versions, aliases, concurrency and resource policy."""
    functions = backend_in(region, "awslambda")
    return [_listed(functions, function) for function in functions._lambdas.latest()]


def _listed(functions: Any, function: Any) -> dict[str, Any]:
    name = function.function_name
    reserved = function.reserved_concurrency
    return {
        "name": name,
        "versions": [one.get_configuration() for one in functions._lambdas.list_versions_by_function(name)],
        "aliases": {alias.name: _alias(alias) for alias in functions._lambdas.list_aliases(name)},
        "reserved": None if reserved is None else int(reserved),
        "provisioned": {
            qualifier: request["requested"]
            for (owner, qualifier), request in provisioned(functions).items()
            if owner == name
        },
        "retries": _retries(function),
        "policy": list(function.policy.statements) if function.policy else [],
    }


def _alias(alias: Any) -> dict[str, Any]:
    weights = (alias.routing_config or {}).get("AdditionalVersionWeights") or {}
    return {"version": alias.function_version, "weights": weights}


def _retries(function: Any) -> int:
    configurations = [one.config for one in function.event_invoke_config]
    return next((one["MaximumRetryAttempts"] for one in configurations if "MaximumRetryAttempts" in one), RETRIES)
