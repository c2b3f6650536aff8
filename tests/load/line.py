"""The network between a worker and its master: it can fall silent for a while, or break."""

from __future__ import annotations

import contextlib
import socket
import threading


class Line:
    """Passes each connection to `port` on to `target`, until it is told otherwise; both on 127.0.0.1."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._whole = threading.Event()
        self._whole.set()
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self) -> None:
        """Hold what either side sends back: it arrives, in order, once the line is whole again."""
        self._whole.clear()

    def cut(self) -> None:
        """Break each connection; new ones are taken once the line is whole again. What was on its way is lost."""
        self._whole.clear()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._ends = []

    def mend(self) -> None:
        """Pass on again."""
        self._whole.set()

    def close(self) -> None:
        """End it."""
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = self._listener.accept()
                self._whole.wait()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(1 << 16):
                self._whole.wait()
                sink.sendall(part)
        for end in (source, sink):
            end.close()
