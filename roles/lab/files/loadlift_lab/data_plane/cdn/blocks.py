"""nginx's blocks as lists of lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Lines = list[str]


def block(head: str, *parts: str | Iterable[str]) -> Lines:
    """Return `head { ... }`; each part is a line or lines."""
    return [f"{head} {{", *(f"  {line}" for line in lines(*parts)), "}"]


def lines(*parts: str | Iterable[str]) -> Lines:
    """Return all parts as one list of lines."""
    return [line for part in parts for line in ([part] if isinstance(part, str) else part)]


def mapping(source: str, variable: str, values: Mapping[str, str], default: str = '""') -> Lines:
    """Return a map from `source` to `variable`; keys and values stand as nginx wants them."""
    return block(
        f"map {source} {variable}", [f"{key} {value};" for key, value in values.items()], f"default {default};"
    )


def when(condition: object, line: str) -> Lines:
    """Return `line` where the condition is true, or the value not empty."""
    return [line] if condition else []
