"""An HTTP server of a test, in its own threads."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Serves until close()."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], address: str = "127.0.0.1") -> None:
        super().__init__((address, 0), handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port."""
        return "{}:{}".format(*self.server_address)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://{self.address}"

    def close(self) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()
