"""The running edges: each an nginx of its own that takes a configuration up without losing a request."""

from __future__ import annotations

import json
import logging
import os
import re
import resource
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from loadlift_lab.data_plane.cdn.configuration import counter_files, identity_in
from loadlift_lab.data_plane.cdn.model import Surroundings
from loadlift_lab.data_plane.context import Context
from loadlift_lab.data_plane.each import for_each
from loadlift_lab.files import write_if_different
from loadlift_lab.preflight import NJS_MODULES, SEARCH_PATH
from loadlift_lab.settings import LabSettings

LOG = logging.getLogger(__name__)
PREFIX = "cdn-"
TAKE_UP_SECONDS = 10.0
MINIMUM_OPEN_FILES = 4096
# nginx sets connections aside in memory, about 400 bytes each.
MAXIMUM_OPEN_FILES = 100_000
PACKAGES = Path(__file__).parents[3]


class EdgeError(Exception):
    """An edge does not take a configuration; the text says why."""


def surroundings(settings: LabSettings, number: int) -> Surroundings:
    """Return what the configuration of edge `number` must know of this machine and lab."""
    return Surroundings(
        number=number,
        address=settings.address(number),
        port=settings.cdn_port,
        status_port=settings.cdn_status_port,
        folder=str(folder(settings, number)),
        socket_directory=str(settings.run_directory),
        script_directory=str(Path(__file__).parent),
        js_module=_js_module(),
        open_files=open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        # The lab's own user, as its other programs: a folder of root's would be closed to anybody else.
        user="root" if os.geteuid() == 0 else None,
    )


def open_files(hard_limit: int) -> int:
    """Return how many descriptors an edge may hold; raises EdgeError where that is too few to be of use."""
    if 0 <= hard_limit < MINIMUM_OPEN_FILES:
        raise EdgeError(
            f"The CDN's edges need at least {MINIMUM_OPEN_FILES} open files, and the hard limit here is {hard_limit}: "
            "raise it (ulimit -Hn) and start the lab again."
        )
    return MAXIMUM_OPEN_FILES if hard_limit < 0 else min(hard_limit, MAXIMUM_OPEN_FILES)


def take_up(context: Context, configurations: Mapping[Surroundings, str]) -> None:
    """Make each edge run with its configuration, and no other; raises EdgeError when nginx refuses it."""
    _remove_others(context, {place.number for place in configurations})
    new = {place: text for place, text in configurations.items() if _written(place) != text}
    for number, (place, configuration) in enumerate(new.items()):
        # They differ in addresses only: nginx needs to check one.
        write(place, configuration, check=number == 0)
    # First all, then the wait: the edges take it up at the same time.
    for_each(configurations.items(), lambda item: _begin(context, *item))
    for_each(configurations.items(), lambda item: _wait_for(*item))


def write(place: Surroundings, configuration: str, check: bool = True) -> None:
    """Write an edge's configuration and folders; raises EdgeError when nginx refuses it, and nothing is replaced."""
    _make_folders(place)
    draft = Path(place.folder) / "draft.conf"
    write_if_different(draft, configuration)
    if check:
        _check(place, draft)
    draft.replace(_file(place))


def _check(place: Surroundings, draft: Path) -> None:
    command = [binary(), "-t", "-q", "-e", "stderr", "-p", place.folder, "-c", str(draft)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise EdgeError(f"nginx refuses its new configuration, so the old one stays: {answer.stderr.strip()}")


def _begin(context: Context, place: Surroundings, configuration: str) -> None:
    name = f"{PREFIX}{place.number}"
    command = [sys.executable, "-m", "loadlift_lab.data_plane.cdn.launch", place.folder]
    environment = {"PYTHONPATH": str(PACKAGES)}
    replaced = context.supervisor.ensure(name, command, environment, working_directory=Path(place.folder), priority=45)
    if not replaced and _running_identity(place) not in ("", identity_in(configuration)):
        # The master starts a new worker; the old one answers for 0.1 s more, then closes the connections that are idle.
        context.supervisor.signal(name, "HUP")


def _remove_others(context: Context, numbers: Collection[int]) -> None:
    """End the edges that nothing describes any more: no distribution, or a lab of fewer edges."""
    for name in context.supervisor.names(PREFIX):
        number = int(name.removeprefix(PREFIX))
        if number not in numbers:
            context.supervisor.remove(name)
            shutil.rmtree(folder(context.settings, number), ignore_errors=True)


def status(place: Surroundings) -> dict[str, Any]:
    """Return what the edge tells of itself; empty while it does not answer."""
    try:
        url = f"http://{place.address}:{place.status_port}/status"
        with urllib.request.urlopen(url, timeout=5) as answer:
            told: dict[str, Any] = json.load(answer)
    except (OSError, ValueError):
        return {}
    return told


def folder(settings: LabSettings, number: int) -> Path:
    """Return where edge `number` keeps its configuration, cache and counters."""
    return settings.directory / "cdn" / str(number)


def socket_files(configuration: Path) -> list[Path]:
    """Return the sockets that a configuration listens on."""
    return [Path(path) for path in re.findall(r'listen "unix:([^"]+)"', configuration.read_text())]


def binary() -> str:
    """Return nginx's path."""
    found = shutil.which("nginx", path=SEARCH_PATH)
    if not found:
        raise EdgeError("nginx is not installed. On Debian and Ubuntu: sudo apt-get install nginx libnginx-mod-http-js")
    return found


def _js_module() -> str:
    found = [module for module in NJS_MODULES if Path(module).exists()]
    if not found:
        raise EdgeError("nginx has no njs module. On Debian and Ubuntu: sudo apt-get install libnginx-mod-http-js")
    return found[0]


def _make_folders(place: Surroundings) -> None:
    for file in counter_files(place).values():
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    (Path(place.folder) / "temporary").mkdir(exist_ok=True)


def _file(place: Surroundings) -> Path:
    return Path(place.folder) / "nginx.conf"


def _written(place: Surroundings) -> str:
    return _file(place).read_text() if _file(place).exists() else ""


def _running_identity(place: Surroundings) -> str:
    return str(status(place).get("configuration", ""))


def _wait_for(place: Surroundings, configuration: str) -> None:
    wanted, deadline = identity_in(configuration), time.monotonic() + TAKE_UP_SECONDS
    if _running_identity(place) == wanted:
        return
    while _running_identity(place) != wanted:
        if time.monotonic() > deadline:
            raise EdgeError(
                f"Edge {place.address} did not take its new configuration up in {TAKE_UP_SECONDS:.0f} s; see its log."
            )
        time.sleep(0.02)
    LOG.info("cdn: edge %s has configuration %s", place.address, wanted)
