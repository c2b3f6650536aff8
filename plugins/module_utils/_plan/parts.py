# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sequences in parts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_parts(things: Sequence[T], size: int) -> Iterator[list[T]]:
    """Yield the things in their order, `size` of them in each part but the last."""
    for start in range(0, len(things), size):
        yield list(things[start : start + size])


def grouped(things: Iterable[T], joins: Callable[[T, list[T]], bool]) -> Iterator[list[T]]:
    """Yield the things in their order; a thing begins a new part unless it `joins` the one before it."""
    part: list[T] = []
    for thing in things:
        if part and not joins(thing, part):
            yield part
            part = []
        part.append(thing)
    if part:
        yield part
