"""Doing something for each of several things, so that the trouble of one does not hold up the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Thing = TypeVar("Thing")


def for_each(things: Iterable[Thing], act: Callable[[Thing], None]) -> None:
    """Call `act` for each of `things`; raises the errors afterwards, the only one as it is."""
    errors: list[Exception] = []
    for thing in things:
        try:
            act(thing)
        except Exception as error:  # told below
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup("; ".join(map(str, errors)), errors)
