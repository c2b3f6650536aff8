# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The web interface of a Locust master that the role load_test deployed: one function a call, each with a timeout.

Sources: https://docs.locust.io/en/stable/api.html#web-ui-class for /swarm and /stop; /loadlift/* is our plugin's,
roles/load_test/files/scenario/loadlift_locust/web.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

from ansible.module_utils.urls import open_url
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_order import Order

# Stopping waits until the last user has gone, a minute at most.
STOP_TIMEOUT_S = 90.0
# The master waits this much for the workers' last figures.
FLUSH_S = 5.0
PLUGIN_VERSION = 1


class UnreachableError(Exception):
    """The web interface did not answer, or not in time."""


class RefusedError(Exception):
    """The web interface answered that it will not."""


@dataclass(frozen=True)
class Locust:
    """A master's web interface; `timeout_s` bounds each request but a stop."""

    url: str
    timeout_s: float = 10.0

    def state(self, since: int = 0, window: bool = False, renew_s: float = 0.0) -> dict[str, Any]:
        """Return the swarm, its history from point `since` on; renew its lease for `renew_s` seconds unless 0."""
        query: dict[str, Any] = {"since": since}
        if window:
            query["window"] = 1
        if renew_s:
            query |= {"renew": 1, "lease": renew_s}
        return self._call("GET", f"/loadlift/swarm?{urlencode(query)}")

    def start(self, order: Order) -> None:
        """Start the swarm; raises RefusedError while another one runs."""
        fields = {
            "user_count": order.users,
            "spawn_rate": order.spawn_rate,
            "host": order.target,
            "run_time": f"{order.run_time_s}s",
            "swarm_id": order.swarm_id,
            "swarm_lease": order.lease_s,
            "swarm_addresses": ",".join(order.addresses),
            "swarm_request_timeout": order.request_timeout_s,
            "swarm_wait": order.wait,
        }
        answer = self._call("POST", "/swarm", urlencode(fields), "application/x-www-form-urlencoded")
        if not answer.get("success"):
            raise RefusedError(str(answer.get("message")))

    def open_window(self, memo: Mapping[str, Any]) -> dict[str, Any]:
        """Begin to measure; `memo` comes back in each state. Returns the state."""
        return self._call("POST", "/loadlift/window", json.dumps(memo), "application/json", FLUSH_S + self.timeout_s)

    def close_window(self, since: int = 0) -> dict[str, Any]:
        """Return the state with all that was measured, each worker's last figures included."""
        return self._call(
            "POST", f"/loadlift/window/close?since={since}", "{}", "application/json", FLUSH_S + self.timeout_s
        )

    def stop(self) -> None:
        """Stop the swarm that runs; returns when its last user has gone."""
        self._call("POST", "/stop", "", timeout_s=STOP_TIMEOUT_S)

    def _call(
        self, method: str, path: str, body: str | None = None, content_type: str = "", timeout_s: float = 0.0
    ) -> dict[str, Any]:
        headers = {"Content-Type": content_type} if content_type else {}
        return fetch(self.url.rstrip("/") + path, timeout_s or self.timeout_s, method, body, headers)


def fetch(
    url: str, timeout_s: float, method: str = "GET", body: str | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a URL's JSON object; raises UnreachableError or RefusedError with the URL in its text."""
    try:
        with open_url(url, method=method, data=body, headers=dict(headers or {}), timeout=timeout_s) as answer:
            found: dict[str, Any] = json.load(answer)
    except HTTPError as error:
        raise RefusedError(_told(url, error)) from error
    except (OSError, HTTPException) as error:
        raise UnreachableError(f"{url} did not answer: {error}") from error
    except ValueError as error:
        raise RefusedError(f"{url} did not answer with JSON: {error}") from error
    return found


def _told(url: str, error: HTTPError) -> str:
    """Return what a refusal says."""
    text = error.read().decode(errors="replace")
    if error.code == 404:
        return f"{url} is not there: is this a Locust that the role load_test deployed?"
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return f"{url} answered {error.code}: {text[:200]}"


def read_counters(urls: tuple[str, ...], timeout_s: float = 5.0) -> dict[str, float]:
    """Return the numbers that the target's counters show, those of the same name added up."""
    counters: dict[str, float] = {}
    for url in urls:
        for name, value in fetch(url, timeout_s).items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                counters[name] = counters.get(name, 0) + value
    return counters
