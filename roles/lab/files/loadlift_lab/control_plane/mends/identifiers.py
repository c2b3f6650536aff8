"""Identifiers that moto draws from elsewhere than its seeded source: a replay must find the same ones."""

from __future__ import annotations

import os
import types

import moto.elasticache.models
import moto.rds.models
import moto.s3.models
from moto.moto_api._internal import mock_random


def apply() -> None:
    """Let these modules draw from the seeded source."""
    moto.elasticache.models.random = mock_random  # type: ignore[attr-defined]
    moto.rds.models.uuid = types.SimpleNamespace(uuid4=mock_random.uuid4)  # type: ignore[attr-defined]
    moto.s3.models.os = _SeededOs()  # type: ignore[attr-defined]


class _SeededOs:
    """The module `os`, with random bytes from the seeded source."""

    urandom = staticmethod(mock_random.randbytes)

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)
