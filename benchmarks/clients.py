#!/usr/bin/env python3
"""What a request and a user cost the load generator: our scenario against Locust as it is, Artillery and wrk.

Every client sends the same mix to the same nginx, one after the other. First each of 50 users sends without a pause:
CPU of the client's processes a request, counted by nginx. Then 1,000 users wait 5-15 s: memory a user. At last our
scenario alone with 2,000 users that wait 0.5-1.5 s, which gives the coefficients of the filter swarm_size.

    python benchmarks/clients.py [--seconds 8] [--artillery .benchmarks/artillery]

wrk and nginx are Debian packages; Artillery is installed by
`npm install --ignore-scripts --prefix .benchmarks/artillery artillery@2`. A client that is missing is left out, with a
notice.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
SCENARIO = ROOT / "roles" / "load_test" / "files" / "scenario"
STATIC = ROOT / "roles" / "web" / "files" / "app" / "static"
SETTLE_S = 5.0  # imports, the ramp, the first garbage collections
CLOSED_LOOP_USERS = 50
IDLE_USERS = 1_000
BUSY_USERS = 2_000
FILES = sorted(path.name for path in STATIC.iterdir())
MIX = {"/": 10, "/data": 10} | {f"/static/{name}": 1 for name in FILES}
DATA = json.dumps(
    {"products": [{"product_id": f"B{n:09}", "product_title": "A lamp", "total_reviews": n} for n in range(25)]}
)
NGINX = """
daemon off; pid nginx.pid; error_log stderr error; worker_processes 1; worker_rlimit_nofile 20000;
events {{ worker_connections 10000; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 300s; open_file_cache max=100; default_type text/html;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {root};
    location = /data {{ default_type application/json; try_files /data.json =404; }}
    location = /status {{ stub_status; }}
  }}
}}
"""
PLAIN = """
from locust import {user}, between, constant

class Plain({user}):
    wait_time = {wait}
    tasks = {{}}

def task(path):
    def send(user):
        user.client.get(path)
    return send

Plain.tasks = {{task(path): weight for path, weight in {mix}.items()}}
"""
WRK = """
local paths = {{ {paths} }}
math.randomseed(os.time())
request = function() return wrk.format("GET", paths[math.random(#paths)]) end
"""


@dataclass(frozen=True)
class Measured:
    """What a client's processes used within the window."""

    client: str
    requests_per_s: float
    cpu_ms: float  # a request
    memory_mb: float  # at the end of the window
    user_kb: float = 0.0


@dataclass(frozen=True)
class Client:
    """`command(users, wait)` runs it until it is ended; wait is MIN-MAX in seconds."""

    name: str
    command: Callable[[int, str], list[str]]
    missing: str = ""
    waits: bool = True


class Server:
    """The nginx that all clients ask."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "root" / "static").mkdir(parents=True)
        for path in STATIC.iterdir():
            shutil.copy(path, folder / "root" / "static")
        (folder / "root" / "index.html").write_text("<html>" + 4_000 * "x")
        (folder / "root" / "data.json").write_text(DATA)
        folder.chmod(0o755)
        configuration = folder / "nginx.conf"
        configuration.write_text(NGINX.format(port=self.port, root=folder / "root"))
        self._process = subprocess.Popen([nginx(), "-p", str(folder), "-c", str(configuration)])
        time.sleep(0.5)

    def requests(self) -> int:
        """Return how many requests it has answered."""
        with urllib.request.urlopen(f"{self.url}/status", timeout=5) as answer:
            return int(re.findall(r"\d+", answer.read().decode())[3])

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


def nginx() -> str:
    """Return nginx's path."""
    found = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not found:
        sys.exit("nginx is missing (Debian: nginx).")
    return found


def usage(process: psutil.Popen) -> tuple[float, float]:
    """Return CPU seconds and resident MB of a client with all its processes."""
    tree = [process, *process.children(recursive=True)]
    times = [one.cpu_times() for one in tree]
    return sum(one.user + one.system for one in times), sum(one.memory_info().rss for one in tree) / 2**20


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[psutil.Popen]:
    """Run a client; end it with all its processes."""
    environment = os.environ | {"GEVENT_RESOLVER": "ares", "ARTILLERY_DISABLE_TELEMETRY": "true"}
    with (folder / "client.log").open("ab") as log:
        process = psutil.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, cwd=folder)
    try:
        yield process
    finally:
        for one in [*process.children(recursive=True), process]:
            one.kill()
        process.wait()


def measure(client: Client, server: Server, folder: Path, users: int, wait: str, seconds: float) -> Measured:
    """Run a client and return what it used in the window after it has settled."""
    with running(client.command(users, wait), folder) as process:
        time.sleep(SETTLE_S + users / 400)
        if process.poll() is not None:
            sys.exit(f"{client.name} has ended:\n{(folder / 'client.log').read_text()[-2000:]}")
        started, before, (cpu, _) = time.monotonic(), server.requests(), usage(process)
        time.sleep(seconds)
        (cpu_after, memory), after, ended = usage(process), server.requests(), time.monotonic()
    requests = after - before - 1  # this script's own look
    return Measured(client.name, requests / (ended - started), 1000 * (cpu_after - cpu) / max(requests, 1), memory)


def clients(folder: Path, url: str, artillery: Path) -> list[Client]:
    """Return the clients, those that are missing with the reason."""

    def locust(files: str, users: int, *more: str) -> list[str]:
        amount = ["--users", str(users), "--spawn-rate", str(max(users / 2, 1)), "--only-summary"]
        return [sys.executable, "-m", "locust", "--headless", "-f", files, "--host", url, *amount, *more]

    def ours(users: int, wait: str) -> list[str]:
        return locust(f"{SCENARIO}/plugin.py,{SCENARIO}/visitors.py", users, "--swarm-wait", wait)

    def plain(kind: str) -> Callable[[int, str], list[str]]:
        def command(users: int, wait: str) -> list[str]:
            file = folder / f"{kind}-{users}.py"
            pause = "constant(0)" if wait == "0-0" else f"between({wait.replace('-', ',')})"
            file.write_text(PLAIN.format(user=kind, mix=MIX, wait=pause))
            return locust(str(file), users)

        return command

    def wrk(users: int, wait: str) -> list[str]:
        paths = ", ".join(f'"{path}"' for path, weight in MIX.items() for _ in range(weight))
        (folder / "mix.lua").write_text(WRK.format(paths=paths))
        return ["wrk", "-t1", f"-c{users}", "-d300s", "-s", str(folder / "mix.lua"), url]

    def script(users: int, wait: str) -> list[str]:
        flow = [{"get": {"url": path}} for path, weight in MIX.items() for _ in range(weight)]
        if wait != "0-0":
            flow = [step for one in flow for step in (one, {"think": 10})]
        config = {"target": url, "phases": [{"duration": 2, "arrivalCount": users}], "http": {"maxSockets": 1}}
        told = {"config": config, "scenarios": [{"flow": [{"loop": flow, "count": 1_000_000}]}]}
        (folder / "artillery.json").write_text(json.dumps(told))
        return [str(program), "run", "--quiet", str(folder / "artillery.json")]

    program = artillery / "node_modules" / ".bin" / "artillery"
    no_artillery = "" if program.exists() else f"there is no {program}"
    return [
        Client("loadlift.aws", ours),
        Client("Locust FastHttpUser", plain("FastHttpUser")),
        Client("Locust HttpUser", plain("HttpUser")),
        Client("Artillery", script, no_artillery),
        Client("wrk", wrk, "" if shutil.which("wrk") else "wrk is not installed (Debian: wrk)", waits=False),
    ]


def compare(found: list[Client], server: Server, folder: Path, seconds: float) -> list[Measured]:
    """Return what each client costs."""
    results = []
    for client in found:
        if client.missing:
            print(f"{client.name} is left out: {client.missing}.", file=sys.stderr)
            continue
        busy = measure(client, server, folder, CLOSED_LOOP_USERS, "0-0", seconds)
        idle = measure(client, server, folder, IDLE_USERS, "5-15" if client.waits else "0-0", seconds / 2)
        user_kb = 1024 * (idle.memory_mb - busy.memory_mb) / (IDLE_USERS - CLOSED_LOOP_USERS)
        results.append(Measured(client.name, busy.requests_per_s, busy.cpu_ms, busy.memory_mb, user_kb))
    return results


def user(one: Measured) -> str:
    """Return what a user more costs; nothing where the client's own memory goes up and down by more than that."""
    return f"{one.user_kb:.0f} kB" if one.user_kb > 0 else "-"


def table(results: list[Measured]) -> str:
    """Return the results in Markdown, with their ratio to the first."""
    first = results[0]
    lines = [
        "| client | requests/s of one core | CPU a request | against ours | memory, 50 users | a user more |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.client} | {1000 / one.cpu_ms:,.0f} | {one.cpu_ms:.3f} ms | {one.cpu_ms / first.cpu_ms:.2f} | "
        f"{one.memory_mb:.0f} MB | {user(one)} |"
        for one in results
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each window")
    parser.add_argument("--artillery", type=Path, default=ROOT / ".benchmarks" / "artillery")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="loadlift-clients-") as place:
        folder = Path(place)
        server = Server(folder)
        try:
            found = clients(folder, server.url, told.artillery.resolve())
            print(table(compare(found, server, folder, told.seconds)))
            size = measure(found[0], server, folder, BUSY_USERS, "0.5-1.5", told.seconds)
        finally:
            server.close()
    print(
        f"\nswarm_size: {BUSY_USERS:,} users that wait 0.5-1.5 s make {size.requests_per_s:,.0f} requests/s at "
        f"{size.cpu_ms:.3f} ms CPU a request, in {size.memory_mb:.0f} MB."
    )


if __name__ == "__main__":
    main()
