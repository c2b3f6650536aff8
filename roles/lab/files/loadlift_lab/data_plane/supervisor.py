"""The programs of the data plane, kept by the lab's supervisord: written to its conf.d, taken up over XML-RPC."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import Faults, SupervisorTransport

from loadlift_lab.files import write_if_different
from loadlift_lab.settings import LabSettings

ABSENT = "ABSENT"  # our word: supervisord has none for a program that it does not know
# supervisord gives up on a program after `startretries`; the data plane does not.
DEAD_STATES = {"STOPPED", "EXITED", "FATAL", "UNKNOWN"}
# supervisord's parser has no escape for these: quotes, line ends, and the start of a comment.
UNWRITABLE = re.compile(r"[\"'\\\r\n]|\s[;#]")


def program_section(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    *,
    user: str | None = None,
    working_directory: Path | None = None,
    stop_signal: str = "TERM",
    stop_seconds: int = 15,
    priority: int = 100,
) -> str:
    """Return supervisord's section for one program; raises ValueError for a value it could not hold."""
    lines = {
        "command": shlex.join(command),
        "directory": str(working_directory) if working_directory else None,
        "user": user,
        "priority": str(priority),
        "stdout_logfile": str(log),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "1",
        "redirect_stderr": "true",
        "autorestart": "true",
        "startretries": "10",
        "stopsignal": stop_signal,
        "stopwaitsecs": str(stop_seconds),
        "stopasgroup": "true",
        "killasgroup": "true",
    }
    _refuse_unwritable(name, [*command, *environment.values()])
    body = [f"{key}={_escape(value)}" for key, value in lines.items() if value is not None]
    pairs = ",".join(f'{key}="{_escape(value)}"' for key, value in sorted(environment.items()))
    return "\n".join([f"[program:{name}]", *body, *([f"environment={pairs}"] if pairs else [])]) + "\n"


def _escape(value: str) -> str:
    return value.replace("%", "%%")


def _refuse_unwritable(name: str, values: Sequence[str]) -> None:
    for value in values:
        if UNWRITABLE.search(value):
            raise ValueError(
                f"The program {name} cannot have a quote, a line end or ' ;' in its command or environment."
            )


class Supervisor:
    """The supervisord of one lab. Every call raises OSError while supervisord does not answer."""

    def __init__(self, settings: LabSettings) -> None:
        self._settings = settings
        self._taken_up: dict[str, str] = {}

    def ensure(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        user: str | None = None,
        working_directory: Path | None = None,
        stop_signal: str = "TERM",
        stop_seconds: int = 15,
        priority: int = 100,
    ) -> bool:
        """Make `name` run exactly so, replacing another program of that name; return whether anything changed."""
        section = program_section(
            name,
            command,
            environment,
            self._settings.log_directory / f"{name}.log",
            user=user,
            working_directory=working_directory,
            stop_signal=stop_signal,
            stop_seconds=stop_seconds,
            priority=priority,
        )
        return self._settle(name, section)

    def _settle(self, name: str, section: str) -> bool:
        different = write_if_different(self._file(name), section, mode=0o600)
        state = self.state(name)
        if different or state == ABSENT or self._taken_up.get(name) != section:
            # The first time even when the file is as it should be: the last run may have died before supervisord knew.
            replaced = self._take_up(name)
            self._taken_up[name] = section
            if replaced:
                return True
        if state in DEAD_STATES:
            _unless(Faults.ALREADY_STARTED, self._connect().startProcess, name, False)
            return True
        return False

    def remove(self, name: str) -> None:
        """Stop `name` with its whole process group and forget it; nothing happens when there is none."""
        self._file(name).unlink(missing_ok=True)
        self._discard(name)

    def signal(self, name: str, signal: str) -> None:
        """Send `signal`, for example "HUP", to the program's process; raises LookupError when it does not run."""
        try:
            self._connect().signalProcess(name, signal)
        except Fault as fault:
            raise LookupError(f"The program {name} cannot be signalled: {fault.faultString}") from fault

    def names(self, prefix: str = "") -> set[str]:
        """Return the names of the programs that supervisord knows or will know, those that begin with `prefix`."""
        known = {str(process["name"]) for process in self._connect().getAllProcessInfo()}
        written = {path.stem for path in self._directory.glob("*.ini")}
        return {name for name in known | written if name.startswith(prefix)}

    def state(self, name: str) -> str:
        """Return supervisord's word for the program's state, for example "RUNNING"; "ABSENT" when there is none."""
        try:
            return str(self._connect().getProcessInfo(name)["statename"])
        except Fault as fault:
            if fault.faultCode == Faults.BAD_NAME:
                return ABSENT
            raise

    @property
    def _directory(self) -> Path:
        return self._settings.directory / "supervisor" / "conf.d"

    def _file(self, name: str) -> Path:
        return self._directory / f"{name}.ini"

    def _connect(self) -> Any:
        # A connection a call: threads share this object.
        transport = SupervisorTransport(None, None, f"unix://{self._settings.supervisor_socket}")
        return ServerProxy("http://127.0.0.1", transport=transport).supervisor

    def _take_up(self, name: str) -> bool:
        added, changed, _ = self._connect().reloadConfig()[0]
        if name in changed:
            self._discard(name)
        if name in added or name in changed:
            _unless(Faults.ALREADY_ADDED, self._connect().addProcessGroup, name)
            return True
        return False

    def _discard(self, name: str) -> None:
        _unless(Faults.BAD_NAME, self._connect().stopProcessGroup, name)
        _unless(Faults.BAD_NAME, self._connect().removeProcessGroup, name)


def _unless(code: int, call: Any, *arguments: Any) -> None:
    """Call, taking the fault `code` as done: somebody else was there first."""
    try:
        call(*arguments)
    except Fault as fault:
        if fault.faultCode != code:
            raise
