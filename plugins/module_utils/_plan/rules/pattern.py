# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Patterns with `*` and `?`: what they match, and whether some of them match all that another one does. Pure.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import lru_cache
from typing import Union


class Wildcard(Enum):
    """`MANY` stands for any characters or none, `ONE` for exactly one."""

    MANY = "*"
    ONE = "?"


Token = Union[str, Wildcard]  # noqa: UP007 (ansible-test wants a named type so)
Pattern = tuple[Token, ...]
Positions = frozenset[int]
ANY = "*"
OTHER = ""  # stands for every character that no pattern names


@lru_cache(maxsize=4096)
def tokens(text: str, escapes: bool = False, ignore_case: bool = False) -> Pattern:
    """Return the parts of a pattern; with `escapes`, a backslash makes a wildcard an ordinary character."""
    parts: list[Token] = []
    characters = iter(text.lower() if ignore_case else text)
    for character in characters:
        if escapes and character == "\\":
            parts.append(next(characters, "\\"))
        elif character in "*?":
            parts.append(Wildcard(character))
        else:
            parts.append(character)
    return tuple(parts)


def matches(pattern: Pattern, text: str) -> bool:
    """Tell whether a pattern matches the whole of `text`."""
    positions = _start(pattern)
    for character in text:
        positions = _step(pattern, positions, character)
    return len(pattern) in positions


def covered(pattern: Pattern, by: Sequence[Pattern], prefix: str = "") -> bool:
    """Tell whether each text that begins with `prefix` and matches `pattern` matches one of `by`, too.

    Walks through `pattern` and through all of `by` at once, character by character. Where nothing of `by` is left, any
    ending of `pattern` is a text that only it matches.
    """
    near = [one for one in by if _may_meet(pattern, one)]
    if not near and _may_meet(pattern, tuple(prefix)):
        return False
    start = (_start(pattern), tuple(_start(one) for one in near))
    for character in prefix:
        start = _step(pattern, start[0], character), _steps(near, start[1], character)
    seen, open_pairs = {start}, [start]
    while open_pairs:
        here, there = open_pairs.pop()
        if here and not any(there):
            return False
        if len(pattern) in here and not any(len(one) in at for one, at in zip(near, there, strict=True)):
            return False
        for character in _next_characters(pattern, here, near):
            pair = _step(pattern, here, character), _steps(near, there, character)
            if pair not in seen:
                seen.add(pair)
                open_pairs.append(pair)
    return True


@lru_cache(maxsize=4096)
def _literal_prefix(pattern: Pattern) -> str:
    """Return what every text that matches begins with."""
    return "".join(itertools.takewhile(lambda token: isinstance(token, str), pattern))  # type: ignore[arg-type]


def _may_meet(first: Pattern, second: Pattern) -> bool:
    """Tell, at once, where two patterns begin so differently that no text matches both."""
    one, other = _literal_prefix(first), _literal_prefix(second)
    return one.startswith(other) or other.startswith(one)


def _next_characters(pattern: Pattern, positions: Positions, others: Sequence[Pattern]) -> set[str]:
    """Return the characters by which `pattern` goes on; `OTHER` is for all that no pattern names: they are the same."""
    tokens_here = {pattern[position] for position in positions if position < len(pattern)}
    literals = {token for token in tokens_here if isinstance(token, str)}
    if len(literals) == len(tokens_here):
        return literals
    named = {token for one in (pattern, *others) for token in one if isinstance(token, str)}
    return {OTHER, *named}


def overlap(first: Pattern, second: Pattern) -> bool:
    """Tell whether some text matches both patterns."""
    if not _may_meet(first, second):
        return False
    seen, open_pairs = {(0, 0)}, [(0, 0)]
    while open_pairs:
        here, there = open_pairs.pop()
        if (here, there) == (len(first), len(second)):
            return True
        for pair in _moves(first, here, second, there):
            if pair not in seen:
                seen.add(pair)
                open_pairs.append(pair)
    return False


def _start(pattern: Pattern) -> Positions:
    return _closed(pattern, [0])


def _closed(pattern: Pattern, positions: Iterable[int]) -> Positions:
    """Add the positions that are reached without a character: `*` may stand for none."""
    reached = set()
    for start in positions:
        position = start
        reached.add(position)
        while position < len(pattern) and pattern[position] is Wildcard.MANY:
            position += 1
            reached.add(position)
    return frozenset(reached)


def _step(pattern: Pattern, positions: Positions, character: str) -> Positions:
    after = []
    for position in positions:
        if position == len(pattern):
            continue
        token = pattern[position]
        if token is Wildcard.MANY:
            after.append(position)
        elif token is Wildcard.ONE or token == character:
            after.append(position + 1)
    return _closed(pattern, after)


def _steps(patterns: Sequence[Pattern], at: tuple[Positions, ...], character: str) -> tuple[Positions, ...]:
    return tuple(_step(pattern, positions, character) for pattern, positions in zip(patterns, at, strict=True))


def _moves(first: Pattern, here: int, second: Pattern, there: int) -> list[tuple[int, int]]:
    """Return where a common text may lead from a pair of positions, by one character or by ending a `*`."""
    a = first[here] if here < len(first) else None
    b = second[there] if there < len(second) else None
    moves = []
    if a is Wildcard.MANY:
        moves.append((here + 1, there))
    if b is Wildcard.MANY:
        moves.append((here, there + 1))
    if a is not None and b is not None and (a == b or isinstance(a, Wildcard) or isinstance(b, Wildcard)):
        moves.append((here if a is Wildcard.MANY else here + 1, there if b is Wildcard.MANY else there + 1))
    return moves
