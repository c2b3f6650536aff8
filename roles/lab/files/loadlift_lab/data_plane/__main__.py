"""`python -m loadlift_lab.data_plane`: makes the lab's traffic follow its API until SIGTERM."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from types import FrameType

from loadlift_lab.data_plane.changes import Changes
from loadlift_lab.data_plane.context import Context
from loadlift_lab.data_plane.parts import PARTS
from loadlift_lab.settings import LabSettings

LOG = logging.getLogger("loadlift_lab.data_plane")
# Beside the API, parts watch what they made: a target's health, a program that somebody removed.
LOOK_SECONDS = 1.0
END_SECONDS = 10.0


def keep(
    name: str, reconcile: Callable[[Context], None], context: Context, changes: Changes, stop: threading.Event
) -> None:
    """Reconcile one part at each change and each LOOK_SECONDS until `stop`; an error is logged once and tried again."""
    seen: int | None = None
    told = ""
    while not stop.is_set():
        generation = changes.wait(seen, LOOK_SECONDS)
        if generation is None or stop.is_set():
            continue
        try:
            reconcile(replace(context, generation=generation))
            seen, told = generation, _log_recovery(name, told)
        except Exception as error:  # a part's fault must not stop the others
            told = _log_trouble(name, error, told)
            stop.wait(LOOK_SECONDS)


def _log_trouble(name: str, error: Exception, told: str) -> str:
    text = f"{type(error).__name__}: {error}"
    if text != told:
        LOG.error("%s: %s", name, text, exc_info=error)
    return text


def _log_recovery(name: str, told: str) -> str:
    if told:
        LOG.info("%s: works again", name)
    return ""


def run(settings: LabSettings, stop: threading.Event) -> None:
    """Keep every part until `stop`. Each has a thread: starting a database holds no load balancer up."""
    changes = Changes(settings)
    context = Context.of(settings)
    threading.Thread(target=changes.follow, args=(stop,), name="changes", daemon=True).start()
    parts = [
        threading.Thread(target=keep, args=(name, reconcile, context, changes, stop), name=name, daemon=True)
        for name, reconcile in PARTS.items()
    ]
    for part in parts:
        part.start()
    stop.wait()
    for part in parts:
        part.join(END_SECONDS / len(parts))


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    run(LabSettings.load(), stop)


if __name__ == "__main__":
    main()
