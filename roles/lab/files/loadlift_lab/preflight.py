"""What must hold before the lab starts: packages, the right to install them, and free ports.

`python -m loadlift_lab.preflight packages` prints the missing Debian packages as JSON;
`... may-install --allowed=true` says in one sentence why packages cannot be installed (exit code 1), or nothing;
`... ports --subnet=127.0.0 --directory=DIR [HOST:PORT ...]` names the ports that somebody else holds (exit code 1).
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from loadlift_lab.settings import LabSettings

NJS_MODULES = ("/usr/lib/nginx/modules/ngx_http_js_module.so", "/usr/share/nginx/modules/ngx_http_js_module.so")
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/local/sbin"])


@dataclass(frozen=True)
class TakenPort:
    """An address that the lab needs and somebody else holds."""

    host: str
    port: int
    holder: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port} is taken by {self.holder}"


def missing_packages() -> list[str]:
    """Return the Debian packages whose programs are not on this machine."""
    present = {
        "haproxy": bool(shutil.which("haproxy", path=SEARCH_PATH)),
        "nginx": bool(shutil.which("nginx", path=SEARCH_PATH)),
        "libnginx-mod-http-js": any(Path(module).exists() for module in NJS_MODULES),
        "redis-server": bool(shutil.which("redis-server", path=SEARCH_PATH)),
        "postgresql": any(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
    }
    return [package for package, found in present.items() if not found]


def why_not_install(allowed: bool) -> str:
    """Return why packages cannot be installed here, or an empty text."""
    if not allowed:
        return "lab_install_packages is false."
    if not shutil.which("apt-get"):
        return f"this system ({platform.system()} {platform.release()}) has no apt: the lab runs on Debian and Ubuntu."
    if os.geteuid() != 0 and not _can_become_root():
        return "this user may not install packages (not root, and sudo asks for a password)."
    return ""


def _can_become_root() -> bool:
    if not shutil.which("sudo"):
        return False
    return subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0


def lab_addresses(settings: LabSettings) -> list[tuple[str, int]]:
    """Return the addresses that every lab listens on, whatever the account holds."""
    edges = range(1, settings.cdn_edges + 1)
    return [
        (settings.address(), settings.control_plane_port),
        (settings.address(), settings.lambda_port),
        *((settings.address(edge), settings.cdn_port) for edge in edges),
        *((settings.address(edge), settings.cdn_status_port) for edge in edges),
    ]


def taken_ports(addresses: list[tuple[str, int]]) -> list[TakenPort]:
    """Return those of `addresses` that cannot be bound."""
    return [TakenPort(host, port, holder(host, port)) for host, port in addresses if not _is_free(host, port)]


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def holder(host: str, port: int) -> str:
    """Name the process that listens on `host`:`port`, as well as this user may know."""
    for connection in psutil.net_connections("tcp"):
        if connection.status != psutil.CONN_LISTEN or connection.laddr.port != port:
            continue
        if connection.laddr.ip in (host, "0.0.0.0", "::") and connection.pid:  # noqa: S104
            return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "another process"


def is_running(settings: LabSettings) -> bool:
    """Tell whether this lab's own supervisor runs: then its ports are its own."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(settings.supervisor_socket))
        except OSError:
            return False
    return True


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="loadlift_lab.preflight")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("packages")
    commands.add_parser("may-install").add_argument("--allowed", type=lambda text: text.lower() == "true", default=True)
    ports = commands.add_parser("ports")
    ports.add_argument("--subnet", default=LabSettings.subnet)
    ports.add_argument("--edges", type=int, default=LabSettings.cdn_edges)
    ports.add_argument("--directory", type=Path, required=True)
    ports.add_argument("more", nargs="*")
    return parser.parse_args(arguments)


def why_not_subnet(subnet: str) -> str:
    """Return why the lab cannot use the addresses of `subnet`, or an empty text: it stays on loopback."""
    numbers = [int(number) if number.isdecimal() else 256 for number in subnet.split(".")]
    if len(numbers) == 3 and numbers[0] == 127 and max(numbers) < 256:
        return ""
    return f"lab_subnet is '{subnet}'; expected are the first three octets of a loopback address, such as 127.0.0."


def _check_ports(options: argparse.Namespace) -> str:
    wrong = why_not_subnet(options.subnet)
    if wrong:
        return wrong
    try:
        settings = LabSettings.load(options.directory)
    except FileNotFoundError:
        settings = LabSettings(options.directory, options.directory)
    if is_running(settings):
        return ""
    settings = replace(settings, subnet=options.subnet, cdn_edges=options.edges)
    more = [(host, int(port)) for host, port in (text.rsplit(":", 1) for text in options.more)]
    taken = taken_ports(lab_addresses(settings) + more)
    if not taken:
        return ""
    return "The lab cannot start: " + "; ".join(map(str, taken)) + ". Stop it, or choose another lab_subnet."


def main(arguments: list[str] | None = None) -> int:
    """Run one check; print its answer."""
    options = _parse(arguments)
    if options.command == "packages":
        print(json.dumps(missing_packages()))
        return 0
    problem = why_not_install(options.allowed) if options.command == "may-install" else _check_ports(options)
    print(problem)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
