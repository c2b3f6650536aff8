"""Identifiers that moto draws from elsewhere than its seeded source: a replay must find the same ones."""

from __future__ import annotations

import os
import types

import moto.elasticache.models
import moto.rds.models
import moto.s3.models
from moto.moto_api._internal import mock_random

from loadlift_lab.control_plane.moto_state import put


def apply() -> None:
    """Let these modules draw from the seeded source."""
    put(moto.elasticache.models, "random", mock_random)
    put(moto.rds.models, "uuid", types.SimpleNamespace(uuid4=mock_random.uuid4))
    put(moto.s3.models, "os", _SeededOs())


class _SeededOs:
    """The module `os`, with random bytes from the seeded source."""

    urandom = staticmethod(mock_random.randbytes)

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)
