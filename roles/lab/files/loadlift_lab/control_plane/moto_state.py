"""Access to moto's state, for rules and mends."""

from __future__ import annotations

from typing import Any

import moto.backends
from moto.core.models import DEFAULT_ACCOUNT_ID

from loadlift_lab.control_plane.call import Call

GLOBAL = "aws"  # the region of services that have none


def backend(call: Call, service: str) -> Any:
    """Return moto's backend of `service` ("elbv2", "awslambda", ...) in the call's region."""
    return backend_in(call.region, service)


def backend_in(region: str, service: str) -> Any:
    """Return moto's backend of `service` in `region`."""
    backends: Any = moto.backends.get_backend(service)  # type: ignore[call-overload]
    return backends[DEFAULT_ACCOUNT_ID][region]


def put(owner: Any, name: str, value: Any) -> None:
    """Put `value` in place of the attribute `name` of one of moto's classes or modules."""
    setattr(owner, name, value)
