"""The changing calls of the account, in order: what a killed control plane is built from again.

One JSON object a line. The file holds passwords, so nobody but its owner may read it.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

KEPT = ("REQUEST_METHOD", "PATH_INFO", "RAW_URI", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH",
        "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "SCRIPT_NAME", "REMOTE_ADDR", "wsgi.url_scheme")  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One call that changed the account."""

    seed: int  # of moto's random identifiers during the call
    at: float  # seconds since 1970: the account's clock during the call
    environ: dict[str, str]  # the WSGI environment, less what belongs to the server
    body: bytes

    @classmethod
    def of(cls, environ: dict[str, Any], body: bytes, seed: int, at: float) -> Entry:
        """Return the entry of the request in `environ`."""
        kept = {name: value for name, value in environ.items() if name in KEPT or name.startswith("HTTP_")}
        kept.pop("HTTP_X_AMZ_SECURITY_TOKEN", None)
        return cls(seed, at, {name: str(value) for name, value in kept.items()}, body)

    def request_environ(self) -> dict[str, Any]:
        """Return a WSGI environment that asks for the same again."""
        return {**self.environ, "wsgi.input": BytesIO(self.body), "wsgi.errors": None, "wsgi.version": (1, 0),
                "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False}  # fmt: skip

    def to_line(self) -> bytes:
        """Return the entry as a line of the journal."""
        body = base64.b64encode(self.body).decode()
        record = {"seed": self.seed, "at": self.at, "environ": self.environ, "body": body}
        return json.dumps(record, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Entry:
        """Read a line of the journal; ValueError if it is not whole."""
        if not line.endswith(b"\n"):
            raise ValueError("the line has no end")
        record = json.loads(line)
        return cls(record["seed"], record["at"], record["environ"], base64.b64decode(record["body"]))


class Journal:
    """The journal in the file `path`, made when missing."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.fchmod(self._file, 0o600)
        # A control plane that was killed may still have a worker at its last breath: wait for it.
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def entries(self) -> Iterator[Entry]:
        """Yield what was journalled, oldest first, and cut off a last line that was torn by a kill."""
        whole = 0
        with self._path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                yield Entry.from_line(line)
                whole += len(line)
        os.ftruncate(self._file, whole)

    def append(self, entry: Entry) -> None:
        """Add `entry`, so that it survives this process."""
        remaining = memoryview(entry.to_line())
        while remaining:
            remaining = remaining[os.write(self._file, remaining) :]

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)
