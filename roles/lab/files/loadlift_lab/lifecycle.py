"""Start, stop and look at the lab's programs: `python -m loadlift_lab.lifecycle start|stop|status`.

`start` and `stop` print `{"changed": bool}` and are idempotent; a part that does not run is named in one sentence on
stderr, with the end of its log, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from loadlift_lab.preflight import is_running
from loadlift_lab.settings import LabSettings

DEAD_STATES = {"FATAL", "EXITED", "UNKNOWN", "STOPPED"}
# Load generators on this machine have -10 a session: seven programs in one session need more to serve two that ask.
SESSION_NICE = -15


class LabError(Exception):
    """A part of the lab does not do what it should; the text is one clear sentence."""


def connect(settings: LabSettings) -> Any:
    """Return supervisord's XML-RPC interface."""
    transport = SupervisorTransport(None, None, f"unix://{settings.supervisor_socket}")
    return ServerProxy("http://127.0.0.1", transport=transport).supervisor


def start(settings: LabSettings, timeout: float) -> bool:
    """Make every program run; return whether anything had to be started."""
    changed = launch(settings) if not is_running(settings) else apply_changes(settings)
    wait_until_ready(settings, timeout)
    return changed


def launch(settings: LabSettings) -> bool:
    """Start supervisord with the highest descriptor limit this user may have: its programs inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    configuration = settings.directory / "supervisor" / "supervisord.conf"
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise LabError(f"The lab's supervisor did not start: {(answer.stderr or answer.stdout).strip()}")
    let_session_go_first(settings)
    return True


def let_session_go_first(settings: LabSettings) -> None:
    """Give the session of the lab's programs its share of the processors beside a swarm's, where this user may.

    Linux shares the processors out among sessions first (sched_autogroup in sched(7)). At 0, two hungry workers leave
    the site 5 %: a disturbance of seconds in the ramp to 30,000 users is then not recovered from.
    """
    with contextlib.suppress(OSError):
        Path(f"/proc/{connect(settings).getPID()}/autogroup").write_text(str(SESSION_NICE))


def apply_changes(settings: LabSettings) -> bool:
    """Let a running supervisord take up changed program files; start what has died."""
    supervisor = connect(settings)
    added, changed, removed = supervisor.reloadConfig()[0]
    for group in changed + removed:
        supervisor.stopProcessGroup(group)
        supervisor.removeProcessGroup(group)
    for group in added + changed:
        _add(supervisor, group)
    dead = [program for program in supervisor.getAllProcessInfo() if program["statename"] in DEAD_STATES]
    for program in dead:
        supervisor.startProcess(f"{program['group']}:{program['name']}", False)
    return bool(added or changed or removed or dead)


def _add(supervisor: Any, group: str) -> None:
    try:
        supervisor.addProcessGroup(group)
    except Fault as fault:
        # The data plane adds programs of its own, so a group may be there already.
        if "ALREADY_ADDED" not in fault.faultString:
            raise


def wait_until_ready(settings: LabSettings, timeout: float) -> None:
    """Return when every program runs and the control plane answers; raise LabError when one never does."""
    deadline = time.monotonic() + timeout
    while True:
        problem = first_problem(settings)
        if not problem:
            return
        if time.monotonic() > deadline:
            raise LabError(problem)
        time.sleep(0.2)


def first_problem(settings: LabSettings) -> str:
    """Return a sentence about the first part that does not run, or an empty text."""
    for program in connect(settings).getAllProcessInfo():
        if program["statename"] != "RUNNING":
            return f"The lab's part {program['name']} is {program['statename']}: {log_end(settings, program['name'])}"
    try:
        control_plane_health(settings)
    except OSError as error:
        return f"The lab's control plane does not answer at {settings.endpoint}: {error}"
    return ""


def log_end(settings: LabSettings, program: str, lines: int = 3) -> str:
    """Return the last lines of a program's log as one line."""
    path = settings.log_directory / f"{program}.log"
    if not path.exists():
        return f"it has written nothing to {path}"
    return " | ".join(path.read_text(errors="replace").strip().splitlines()[-lines:]) + f" (log: {path})"


def control_plane_health(settings: LabSettings) -> dict[str, Any]:
    """Return the control plane's own word on its state; raises OSError while it does not answer."""
    with urllib.request.urlopen(f"{settings.endpoint}/_lab/health", timeout=5) as answer:
        health: dict[str, Any] = json.load(answer)
    return health


def stop(settings: LabSettings, timeout: float) -> bool:
    """Stop every program and supervisord itself; return whether anything ran."""
    if not is_running(settings):
        return False
    supervisor_process = psutil.Process(connect(settings).getPID())
    family = [supervisor_process, *supervisor_process.children(recursive=True)]
    connect(settings).shutdown()
    _, alive = psutil.wait_procs(family, timeout=timeout)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=5)
    return True


def status(settings: LabSettings) -> tuple[str, bool]:
    """Return a table of the parts and whether all of them run."""
    if not is_running(settings):
        return "The lab does not run. Start it: make lab-start", False
    programs = sorted(connect(settings).getAllProcessInfo(), key=lambda program: program["name"])
    rows = [f"{p['name']:<32} {p['statename']:<9} {p['description']}" for p in programs]
    problem = first_problem(settings)
    return "\n".join(
        [f"{'part':<32} {'state':<9} detail", *rows, problem or f"control plane: {settings.endpoint}"]
    ), not problem


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="loadlift_lab.lifecycle")
    parser.add_argument("command", choices=["start", "stop", "status"])
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds")
    parser.add_argument("--directory", type=Path, help="the lab's folder; default: $LOADLIFT_LAB")
    return parser.parse_args(arguments)


def _without_a_lab(command: str) -> int:
    if command == "stop":
        print(json.dumps({"changed": False}))
        return 0
    print("There is no lab here. Start it: make lab-start")
    return 1


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; raises LabError with one clear sentence."""
    try:
        settings = LabSettings.load(options.directory)
    except FileNotFoundError:
        print(
            json.dumps({"changed": False})
            if options.command == "stop"
            else "There is no lab here. Start it: make lab-start"
        )
        return 0 if options.command == "stop" else 1
    if options.command == "status":
        table, healthy = status(settings)
        print(table)
        return 0 if healthy else 1
    act = start if options.command == "start" else stop
    print(json.dumps({"changed": act(settings, options.timeout)}))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a failure is one sentence on stderr."""
    try:
        return run(_parse(arguments))
    except (LabError, urllib.error.URLError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
