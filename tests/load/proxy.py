"""A forward proxy as HTTP clients know it: CONNECT for https, absolute addresses for http."""

from __future__ import annotations

import contextlib
import select
import socket
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from load.server import Server


class Proxy(Server):
    """Keeps whom it was asked for; its `url` is what http_proxy names."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(Handler)


class Handler(BaseHTTPRequestHandler):
    """One client's connection."""

    server: Proxy

    def do_CONNECT(self) -> None:  # noqa: N802 - http.server's name
        self.server.asked.append(self.path)
        host, _colon, port = self.path.partition(":")
        with socket.create_connection((host, int(port)), 5) as target:
            self.send_response(200)
            self.end_headers()
            self._pass_on(target)

    def do_GET(self) -> None:  # noqa: N802
        self.server.asked.append(self.path)
        parts = urlsplit(self.path)
        connection = HTTPConnection(str(parts.hostname), parts.port or 80, timeout=5)
        connection.request("GET", parts.path + ("?" + parts.query if parts.query else ""), headers=dict(self.headers))
        answer = connection.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _pass_on(self, target: socket.socket) -> None:
        ends = {self.connection: target, target: self.connection}
        with contextlib.suppress(OSError):
            while True:
                for end in select.select(list(ends), [], [], 5)[0]:
                    part = end.recv(1 << 16)
                    if not part:
                        return
                    ends[end].sendall(part)

    def log_message(self, *_arguments: Any) -> None:
        """Be silent."""
