"""The functions' log files, `function-<name>.log`: written in batches, never endless."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

LARGEST = 10_000_000  # bytes; one older file is kept
WRITTEN_AT_ONCE = 1_000_000  # characters: then a batch is written out of turn


class LogFiles:
    """The log files of one lab's functions."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._handlers: dict[str, RotatingFileHandler] = {}
        self._lines: dict[str, list[str]] = {}
        self._sizes: dict[str, int] = {}

    def add(self, function: str, at: float, sandbox: str, text: str) -> None:
        """Remember a line of `function`, printed `at` (seconds since 1970) by `sandbox`."""
        moment = datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
        self._lines.setdefault(function, []).append(f"{moment}Z {sandbox} {text}")
        self._sizes[function] = self._sizes.get(function, 0) + len(text)
        if self._sizes[function] > WRITTEN_AT_ONCE:
            self._write(function)

    def flush(self) -> None:
        """Write what is remembered."""
        for function in list(self._lines):
            self._write(function)

    def _write(self, function: str) -> None:
        text = "\n".join(self._lines.pop(function, []))
        self._sizes.pop(function, None)
        self._handler(function).emit(logging.makeLogRecord({"msg": text}))

    def _handler(self, function: str) -> RotatingFileHandler:
        if function not in self._handlers:
            path = self._directory / f"function-{function}.log"
            self._handlers[function] = RotatingFileHandler(path, maxBytes=LARGEST, backupCount=1, delay=True)
        return self._handlers[function]
