"""RDS database instances: a PostgreSQL each, with the master user and the database that the API was given."""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from loadlift_lab.data_plane.context import Context
from loadlift_lab.data_plane.each import for_each
from loadlift_lab.files import write_if_different
from loadlift_lab.settings import LabSettings

LOG = logging.getLogger(__name__)
PREFIX = "database-"
# PostgreSQL refuses to run as root; Debian's package brings this user.
UNPRIVILEGED_USER = "postgres"
STOPPED = {"stopped", "stopping", "deleting"}
# Of a small instance class, so that several labs fit one machine; durability stays as PostgreSQL ships it.
SERVER_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "posix",
    "log_min_messages": "warning",
}
HOST_ACCESS = "host all all 127.0.0.0/8 scram-sha-256\n"


@dataclass(frozen=True)
class Database:
    """A database instance that is to run."""

    id: str
    port: int


@dataclass(frozen=True)
class Master:
    """What the API was given at the creation: user, password, and the first database's name (may be empty)."""

    username: str
    password: str
    dbname: str

    def __repr__(self) -> str:
        return f"Master({self.username})"


@functools.lru_cache(maxsize=64)
def fingerprint(password: str, salt: str) -> str:
    """Return a text that differs when the password does, and does not tell it."""
    return hashlib.scrypt(password.encode(), salt=salt.encode(), n=2**12, r=8, p=1).hex()


def reconcile(context: Context) -> None:
    """Run a PostgreSQL for each database instance; remove the data of those that are deleted."""
    existing, running = context.observed(_described)
    wanted = {PREFIX + database.id for database in running}
    for gone in context.supervisor.names(PREFIX) - wanted:
        context.supervisor.remove(gone)
    for folder in _root(context.settings).glob("*"):
        if folder.name not in existing:
            shutil.rmtree(folder)
    masters = context.observed(_masters)
    for_each(running, lambda database: _run(context, database, masters[database.id]))


def _described(context: Context) -> tuple[frozenset[str], tuple[Database, ...]]:
    """Return the identifiers of all PostgreSQL instances, and those of them that are to run."""
    pages = context.client("rds").get_paginator("describe_db_instances").paginate()
    described = [one for page in pages for one in page["DBInstances"] if one["Engine"] == "postgres"]
    running = (one for one in described if one["DBInstanceStatus"] not in STOPPED)
    return (
        frozenset(one["DBInstanceIdentifier"] for one in described),
        tuple(Database(one["DBInstanceIdentifier"], int(one["Endpoint"]["Port"])) for one in running),
    )


def _masters(context: Context) -> dict[str, Master]:
    _, running = context.observed(_described)
    return {database.id: _master(context.settings, database.id) for database in running}


def _master(settings: LabSettings, identifier: str) -> Master:
    with urllib.request.urlopen(f"{settings.endpoint}/_lab/databases/{identifier}", timeout=5) as answer:
        return Master(**json.load(answer))


def _run(context: Context, database: Database, master: Master) -> None:
    folder = _root(context.settings) / database.id
    prepared = _read(folder / "prepared.json")
    password = fingerprint(master.password, database.id)
    if not prepared:
        _create(folder, master)
    elif prepared["password"] != password:
        context.supervisor.remove(PREFIX + database.id)
        _single_user(folder / "data", [password_statement(master)])
    write_if_different(folder / "prepared.json", json.dumps({"password": password}), mode=0o600)
    context.supervisor.ensure(
        PREFIX + database.id,
        server_command(folder / "data", context.settings.address(), database.port),
        {"LC_ALL": "C.UTF-8"},
        user=UNPRIVILEGED_USER if os.geteuid() == 0 else None,
        stop_signal="INT",  # a fast shutdown: sessions are ended, the data is left clean
        stop_seconds=20,
    )


def server_command(data: Path, address: str, port: int) -> list[str]:
    """Return the command line of a database's server."""
    settings = SERVER_SETTINGS | {"listen_addresses": address, "port": str(port)}
    options = (word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
    return [str(_binary("postgres")), "-D", str(data), *options]


def _create(folder: Path, master: Master) -> None:
    """Make the data folder; what a run that was cut short left behind is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o711)
    _give_away(folder)
    password_file = folder / "password"
    write_if_different(password_file, master.password + "\n", mode=0o600)
    _give_away(password_file)
    try:
        _as_unprivileged(_initdb_command(folder / "data", master.username, password_file))
    finally:
        password_file.unlink()
    (folder / "data" / "pg_hba.conf").write_text(HOST_ACCESS)
    if master.dbname:
        _single_user(folder / "data", [f"CREATE DATABASE {quoted_identifier(master.dbname)}"])


def _initdb_command(data: Path, username: str, password_file: Path) -> list[str]:
    return [
        str(_binary("initdb")),
        *("-D", str(data), "-U", username, "--pwfile", str(password_file)),
        *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"),
    ]


def _single_user(data: Path, statements: list[str]) -> None:
    """Execute statements while no server runs; they come by standard input, for one may hold a password."""
    command = [str(_binary("postgres")), "--single", "-j", "-D", str(data), "template1"]
    _as_unprivileged(command, "".join(f"{statement};\n\n" for statement in statements))


def password_statement(master: Master) -> str:
    """Return the statement that gives the master user its password."""
    literal = master.password.replace("'", "''").replace("\\", "\\\\")
    return f"ALTER ROLE {quoted_identifier(master.username)} PASSWORD E'{literal}'"


def quoted_identifier(name: str) -> str:
    """Return `name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _as_unprivileged(command: list[str], text: str = "") -> None:
    root = os.geteuid() == 0
    answer = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=UNPRIVILEGED_USER if root else None,
        group=UNPRIVILEGED_USER if root else None,
        extra_groups=[] if root else None,
    )
    if answer.returncode or "ERROR:" in answer.stderr:
        told = [line for line in answer.stderr.splitlines() if re.search(r"error|fatal|denied", line, re.IGNORECASE)]
        raise RuntimeError(f"{Path(command[0]).name} failed: {' | '.join(told) or answer.returncode}")


def _give_away(path: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(path, UNPRIVILEGED_USER, UNPRIVILEGED_USER)


def _binary(name: str) -> Path:
    """Return a program of the newest PostgreSQL that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    if found:
        return found[-1]
    on_path = shutil.which(name)
    if not on_path:
        raise FileNotFoundError("PostgreSQL is not installed. On Debian and Ubuntu: sudo apt-get install postgresql")
    return Path(on_path)


def _root(settings: LabSettings) -> Path:
    return settings.databases_directory


def _read(path: Path) -> dict[str, str]:
    answer: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return answer
