"""HAProxy's quoting: any text becomes one word of its configuration, with nothing left to interpret.

http://docs.haproxy.org/2.6/configuration.html#2.2: nothing is special between single quotes; \\xHH is a byte outside.
"""

from __future__ import annotations

import re

# A quote cannot stand between quotes; control characters would end the line.
UNQUOTABLE = re.compile(rb"(['\x00-\x1f\x7f]+)")
PLAIN = re.compile(r"[A-Za-z0-9_./:,=*?^|+@-]+")


class UnusableValueError(ValueError):
    """A value that HAProxy cannot hold: the rule that has it matches nothing."""


def quote(text: str) -> str:
    """Return `text` as one word; raises UnusableValueError for a NUL, which HAProxy's strings end at."""
    if "\0" in text:
        raise UnusableValueError("a value holds a NUL character")
    if PLAIN.fullmatch(text):
        return text
    parts = UNQUOTABLE.split(text.encode(errors="surrogateescape"))
    return "".join(_hex(part) if UNQUOTABLE.match(part) else _between_quotes(part) for part in parts if part) or "''"


def quote_format(text: str) -> str:
    """Return `text` for use inside a log format, where a percent sign begins a variable."""
    return text.replace("%", "%%")


def name_of(text: str) -> str:
    """Return `text` as a proxy's or server's name."""
    return re.sub(r"[^A-Za-z0-9_.:-]", "_", text)


def _hex(part: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in part)


def _between_quotes(part: bytes) -> str:
    return "'" + part.decode(errors="surrogateescape") + "'"
