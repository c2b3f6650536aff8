"""Keep-alive beyond 1,024 descriptors.

geventhttpclient's ConnectionPool asks `select()` whether a pooled socket is still alive. `select()` cannot take a
descriptor of 1,024 or more and raises ValueError, which the pool takes for a dead socket: every request of a large
swarm opens a new connection. Asking with `poll()` mends it. Seen in geventhttpclient 2.3 to 2.6.
"""

from __future__ import annotations

import inspect
import logging
import select
from typing import Any

from gevent import monkey
from geventhttpclient.connectionpool import ConnectionPool

LOG = logging.getLogger(__name__)
# gevent's own poll makes a watcher a call; this one asks the kernel and never waits.
_poll = monkey.get_original("select", "poll")


def is_socket_alive(self: ConnectionPool, sock: Any) -> bool:
    """Tell whether a pooled socket can be used: an idle one with something to read is closed or out of step."""
    if sock is None:
        return False
    descriptor = sock.fileno()
    if descriptor < 0:
        return False
    poll = _poll()
    poll.register(descriptor, select.POLLIN)
    return not poll.poll(0)


def needs_mending() -> bool:
    """Tell whether this geventhttpclient asks with select()."""
    method = getattr(ConnectionPool, "_is_socket_alive", None)
    return method is not None and "select.select" in inspect.getsource(method)


def mend() -> bool:
    """Make the pool ask with poll() where it asks with select(); return whether that was so."""
    if not needs_mending():
        LOG.info("geventhttpclient asks for its sockets without select(): nothing to mend.")
        return False
    ConnectionPool._is_socket_alive = is_socket_alive  # type: ignore[method-assign]
    return True
