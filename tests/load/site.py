"""A site for swarms: answers as the reference workload does, counts what it answered, and is as slow as it is told."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

from load.server import Server

PRODUCTS = json.dumps({"products": [{"product_id": f"P{number}"} for number in range(25)]}).encode()


class Site(Server):
    """Counts what it answered."""

    request_queue_size = 200

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.lock = threading.Lock()
        self.answered = 0
        self.connections = 0
        self.hosts: set[str] = set()
        self.clients: set[str] = set()  # the addresses that connections came from
        self.carts: set[tuple[str, str]] = set()  # what came with POST, and who sent it
        self.data_seconds = 0.0
        self.data_body = PRODUCTS
        super().__init__(Handler, address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Be silent: a swarm that stops drops its connections."""


class Handler(BaseHTTPRequestHandler):
    """One visitor's connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Site

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1
            self.server.clients.add(self.client_address[0])

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        if self.path == "/counters":
            self._answer(json.dumps({"requests": self.server.answered, "name": "site"}).encode())
            return
        if self.path == "/data":
            time.sleep(self.server.data_seconds)
        with self.server.lock:
            self.server.answered += 1
            self.server.hosts.add(str(self.headers["Host"]))
        statuses = {"/gone": 404, "/moved": 302}
        self._answer(self.server.data_body if self.path.startswith("/data") else b"hello", statuses.get(self.path, 200))

    def do_POST(self) -> None:  # noqa: N802 - http.server's name
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with self.server.lock:
            self.server.carts.add((body, str(self.headers["X-Who"])))
        self._answer(b"", 201)

    def _answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Be silent."""
