"""Keeps a port forwarded: runs a command, and again when it ends, for as long as a file says that it is this program's.

    python forward.py FILE SECONDS COMMAND...

It writes FILE, and what the command says to FILE.log. It ends, with all that the command has started, once FILE is gone
or another one has written it, and after SECONDS at the latest.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

LOOK_S = 0.2
# An instance that has just begun takes no session yet.
RETRY_S = 2.0
END_S = 5.0


def forward(command: Sequence[str], log: Path, wanted: Callable[[], bool]) -> None:
    """Run the command, again RETRY_S after each end, while it is wanted."""
    while wanted():
        run(command, log, wanted)
        wait(wanted, RETRY_S)


def run(command: Sequence[str], log: Path, wanted: Callable[[], bool]) -> None:
    """Run the command until it ends or is wanted no longer."""
    with log.open("wb") as said:
        # A session of its own: the AWS CLI leaves its plugin behind.
        session = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
    try:
        wait(lambda: wanted() and session.poll() is None)
    finally:
        end(session)


def wait(goes_on: Callable[[], bool], seconds: float = float("inf")) -> None:
    """Return once `goes_on` says no, or after some seconds."""
    deadline = time.monotonic() + seconds
    while goes_on() and time.monotonic() < deadline:
        time.sleep(LOOK_S)


def end(session: subprocess.Popen[bytes]) -> None:
    """End a command, and then what it has started and left behind."""
    with suppress(ProcessLookupError):
        os.killpg(session.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            session.wait(END_S)
        os.killpg(session.pid, signal.SIGKILL)
    session.wait()


def owner(file: Path) -> str:
    """Return who has written the file last; empty when it is gone."""
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""


def main() -> None:
    """Do what the command line says; a signal ends it with its command."""
    file, seconds, command = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    own, deadline = str(os.getpid()), time.monotonic() + seconds
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(own)
    forward(command, file.with_name(file.name + ".log"), lambda: owner(file) == own and time.monotonic() < deadline)
    if owner(file) == own:
        file.unlink()


if __name__ == "__main__":
    main()
