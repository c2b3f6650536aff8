"""Accounts for tests of modules: `aws` runs a test against both emulators, `lab` against our control plane only."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from integration import emulators
from integration.account import Account
from integration.emulators import Emulator

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start each emulator when it is first asked for; end them all with the session."""
    started: dict[str, Emulator] = {}
    with ExitStack() as stack:

        def get(name: str) -> Emulator:
            if name not in started:
                start = getattr(emulators, name)
                started[name] = stack.enter_context(start(tmp_path_factory.mktemp(name)))
            return started[name]

        yield get


@pytest.fixture(params=["control_plane", "ministack"])
def aws(request: pytest.FixtureRequest, running: Any, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account in each of the emulators; its names are this test's own."""
    return _account(running(request.param), monkeypatch)


@pytest.fixture
def lab(running: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account in our control plane, whose calls are counted anew and which has no faults."""
    emulator = running("control_plane")
    emulator.own("DELETE", "faults")
    emulator.own("DELETE", "calls")
    yield _account(emulator, monkeypatch)
    emulator.own("DELETE", "faults")


def _account(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Account:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    return Account(emulator, f"t{next(NUMBERS)}")
