"""nginx's quoting: any text becomes one word of its configuration, with nothing left to interpret."""

from __future__ import annotations

import re

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
NAME = re.compile(r"[A-Za-z0-9_-]+")


class UnusableValueError(ValueError):
    """A value that nginx cannot hold."""


def quote(text: str) -> str:
    """Return `text` as one word in which nginx expands nothing; raises UnusableValueError for control characters."""
    # A dollar sign has no escape: the variable $dollar holds one.
    return quote_pattern(text).replace("$", "${dollar}")


def quote_pattern(text: str) -> str:
    """Return `text` as one word where nginx expands no variables: a regular expression, a name."""
    if CONTROL.search(text):
        raise UnusableValueError(f"a value holds a control character: {text!r}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def path_regex(pattern: str) -> str:
    """Return the regular expression of a path pattern: `*` is any text, `?` any one character, `data*` means `/data*`.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
    """
    wild = {"*": ".*", "?": "."}
    body = "".join(wild.get(character) or re.escape(character) for character in pattern.removeprefix("/"))
    return f"(?s)^/{body}$"


def invalidation_regex(path: str) -> str:
    """Return the regular expression of an invalidation's path: `*` only at its end; every query string is meant.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
    """
    if path.endswith("*"):
        return "(?s)^" + re.escape(_rooted(path[:-1]))
    return "(?s)^" + re.escape(_rooted(path)) + r"(\?.*)?$"


def _rooted(path: str) -> str:
    return "/" + path.removeprefix("/")


def header_variable(name: str) -> str:
    """Return nginx's variable of a request header; raises UnusableValueError for a name that cannot be a header's."""
    if not NAME.fullmatch(name):
        raise UnusableValueError(f"{name!r} is no header's name")
    return "$http_" + name.lower().replace("-", "_")
