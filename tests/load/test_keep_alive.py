"""Beyond 1,024 descriptors geventhttpclient forgets its connections; the mend keeps them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from load.cluster import SCENARIO
from load.site import Site

ASK_FIVE_TIMES = """
import os, sys
from gevent import monkey
monkey.patch_all()
from geventhttpclient import HTTPClient
from loadlift_locust import keep_alive
if sys.argv[2] == "mended":
    assert keep_alive.mend()
    assert not keep_alive.mend(), "mended twice"
held = [os.dup(0) for _ in range(1100)]
client = HTTPClient.from_url(sys.argv[1])
for _ in range(5):
    assert client.get("/").read() == b"hello"
"""
CLOSED_WHILE_IDLE = """
import sys
from gevent import monkey
monkey.patch_all()
import socket
from geventhttpclient.connectionpool import ConnectionPool
from loadlift_locust import keep_alive
ours, theirs = socket.socketpair()
assert keep_alive.is_socket_alive(None, ours)
theirs.send(b"x")
assert not keep_alive.is_socket_alive(None, ours), "something to read: out of step"
ours.recv(1)
theirs.close()
assert not keep_alive.is_socket_alive(None, ours), "closed by the other side"
ours.close()
assert not keep_alive.is_socket_alive(None, ours), "closed by this side"
assert not keep_alive.is_socket_alive(None, None)
"""


def python(code: str, *arguments: str) -> None:
    """Run `code` in a process of its own, with the scenario's package and 4,000 descriptors."""
    command = f'ulimit -n 4000 && exec {sys.executable} -c "$0" "$@"'
    environment = {"PYTHONPATH": str(SCENARIO), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(["bash", "-c", command, code, *arguments], check=True, env=environment)


@pytest.mark.parametrize(("library", "connections"), [("mended", 1), ("as_it_is", 5)])
def test_one_connection_serves_every_request_once_mended(site: Site, library: str, connections: int) -> None:
    # When "as_it_is" needs one connection only, the library is mended and our mend can go.
    python(ASK_FIVE_TIMES, site.url, library)
    assert site.connections == connections


def test_a_dead_connection_is_seen() -> None:
    python(CLOSED_WHILE_IDLE)
