"""Sends a generated request, with nothing in it that it does not say."""

from __future__ import annotations

from http.client import HTTPConnection

from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.request import Request


def answer(connection: HTTPConnection, path: str, request: Request) -> str:
    """Send `request` for `path`, a query string included, and return the answer's body; closes the connection."""
    try:
        connection.putrequest(request.method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": request.host, "Content-Length": "0", **request.headers}.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().read().decode()
    finally:
        connection.close()
