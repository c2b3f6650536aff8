"""Access to moto's state, for rules and mends."""

from __future__ import annotations

from typing import Any

import moto.backends
from moto.core import DEFAULT_ACCOUNT_ID

from loadlift_lab.control_plane.call import Call


def backend(call: Call, service: str) -> Any:
    """Return moto's backend of `service` ("elbv2", "awslambda", ...) in the call's region."""
    return moto.backends.get_backend(service)[DEFAULT_ACCOUNT_ID][call.region]  # type: ignore[call-overload]
