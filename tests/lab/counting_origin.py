"""An origin that answers as its query string tells, and counts what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class CountingOrigin(ThreadingHTTPServer):
    """Knows: status, delay (s), cc (Cache-Control), expires (s from now), etag, size (bytes), vary, cookie, drop."""

    request_queue_size = 1024
    daemon_threads = True

    def __init__(self, address: str, port: int) -> None:
        super().__init__((address, port), _Handler)
        self.asked: Counter[str] = Counter()  # by path, query string included
        self.last: dict[str, dict[str, Any]] = {}  # method, headers and body of the last request, by path
        self.counting = threading.Lock()
        self.failing = False  # then every answer is 503

    def seen(self, path: str) -> int:
        """Return how often the origin was asked for `path`."""
        return self.asked[path]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: CountingOrigin

    def answer(self) -> None:
        wish = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        with self.server.counting:
            self.server.asked[self.path] += 1
            self.count = self.server.asked[self.path]
        self.server.last[self.path] = {"method": self.command, "headers": dict(self.headers.items()), "body": body}
        time.sleep(float(wish.get("delay", 0)))
        if "drop" in wish:
            self.close_connection = True
            return
        self.reply(self.status(wish), wish)

    do_GET = do_HEAD = do_POST = answer  # noqa: N815

    def status(self, wish: dict[str, str]) -> int:
        if self.server.failing:
            return 503
        if "etag" in wish and self.headers.get("If-None-Match", "").removeprefix("W/") == f'"{wish["etag"]}"':
            return 304
        return int(wish.get("status", 200))

    def reply(self, status: int, wish: dict[str, str]) -> None:
        text = json.dumps({"count": self.count, "path": self.path})
        body = b"" if status == 304 else text.ljust(int(wish.get("size", 0))).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in self.wished_headers(wish).items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def wished_headers(self, wish: dict[str, str]) -> dict[str, str]:
        expires = formatdate(time.time() + float(wish["expires"]), usegmt=True) if "expires" in wish else None
        found = {
            "Cache-Control": wish.get("cc"),
            "Expires": expires,
            "ETag": f'"{wish["etag"]}"' if "etag" in wish else None,
            "Vary": wish.get("vary"),
            "Set-Cookie": wish.get("cookie"),
            "X-Accel-Expires": "1000" if "forged" in wish else None,
            "X-Accel-Redirect": "/forged" if "forged" in wish else None,
        }
        return {name: value for name, value in found.items() if value is not None}

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def counting_origin(address: str, port: int) -> Iterator[CountingOrigin]:
    """Run the origin at `address`:`port`."""
    server = CountingOrigin(address, port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
