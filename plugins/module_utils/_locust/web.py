# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One request to a web interface: who asks, by which way, and until when an answer is waited for."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError

from ansible.module_utils.urls import open_url

CHUNK_BYTES = 1 << 16
GATEWAY_ERRORS = (502, 503, 504)


class UnreachableError(Exception):
    """The web interface did not answer, or not in time."""


class RefusedError(Exception):
    """The web interface answered that it will not; `status` is HTTP's, 0 where the answer made no sense."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Access:
    """How a web interface is reached; secrets are in no text that shows this."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    validate_certs: bool = True
    ca_path: str | None = None
    use_proxy: bool = True

    def options(self) -> dict[str, Any]:
        """Return what open_url wants."""
        way = {"validate_certs": self.validate_certs, "ca_path": self.ca_path, "use_proxy": self.use_proxy}
        if not self.password:
            return way
        return way | {"url_username": self.user, "url_password": self.password, "force_basic_auth": True}

    def headers(self) -> dict[str, str]:
        """Return the headers that let the request in."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


OPEN = Access()


def fetch(
    url: str,
    timeout_s: float,
    method: str = "GET",
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
    access: Access = OPEN,
) -> dict[str, Any]:
    """Return a URL's JSON object; raises UnreachableError or RefusedError with the URL in its text."""
    try:
        found = json.loads(fetch_text(url, timeout_s, method, body, headers, access))
    except ValueError as error:
        raise RefusedError(f"{url} did not answer with JSON: {error}") from error
    if not isinstance(found, dict):
        raise RefusedError(f"{url} did not answer with a JSON object.")
    return found


def fetch_text(
    url: str,
    timeout_s: float,
    method: str = "GET",
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
    access: Access = OPEN,
) -> str:
    """Return what a URL answers within `timeout_s` in all."""
    deadline = time.monotonic() + timeout_s
    try:
        with open_url(
            url,
            method=method,
            data=body,
            headers={"Accept": "application/json", **(headers or {}), **access.headers()},
            timeout=timeout_s,
            follow_redirects="none",  # a login and a swarm go where they are told to, nowhere else
            use_netrc=False,
            **access.options(),
        ) as answer:
            return _read(answer, deadline)
    except HTTPError as error:
        if error.code in GATEWAY_ERRORS:
            raise UnreachableError(f"{url} answered {error.code}: what is in front of it does not reach it") from error
        raise RefusedError(_told(url, error, access), error.code) from error
    except (OSError, HTTPException) as error:
        raise UnreachableError(f"{url} did not answer: {error}") from error


def _read(answer: Any, deadline: float) -> str:
    """Return the whole body; one that comes byte by byte must not take for ever."""
    parts = []
    while part := answer.read1(CHUNK_BYTES):
        parts.append(part)
        if time.monotonic() > deadline:
            raise TimeoutError("the answer took too long")
    return b"".join(parts).decode(errors="replace")


def _told(url: str, error: HTTPError, access: Access) -> str:
    """Return what a refusal says."""
    if error.code in (301, 302, 303, 307, 308):
        return (
            f"{url} is elsewhere ({error.headers.get('Location')}): give that address, or the login that it asks for."
        )
    text = error.read().decode(errors="replace")
    if error.code in (401, 403):
        return f"{url} {_unwelcome(access)} ({error.code})."
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return f"{url} answered {error.code}: {' '.join(text.split())[:200]}"


def _unwelcome(access: Access) -> str:
    if access.token:
        return "does not take this web_token"
    if access.password:
        return f"does not take web_user '{access.user}' with this web_password"
    return "wants web_user and web_password, or web_token"
