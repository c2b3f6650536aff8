# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The web interface of a Locust master that the role load_test deployed: one function a call, each with a timeout.

Sources: https://docs.locust.io/en/stable/api.html#web-ui-class for /swarm and /stop; /loadlift/* is our plugin's,
roles/load_test/files/scenario/loadlift_locust/web.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ansible_collections.loadlift.aws.plugins.module_utils._locust.web import (
    OPEN,
    Access,
    RefusedError,
    fetch,
    fetch_text,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_order import Order

# Stopping waits until the last user has gone, a minute at most.
STOP_TIMEOUT_S = 90.0
# The master waits this much for the workers' last figures.
FLUSH_S = 5.0
# Locust's own report has everything in one page.
REPORT_TIMEOUT_S = 30.0
PLUGIN_VERSION = 2
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Locust:
    """A master's web interface; `timeout_s` bounds each request but a stop and the report."""

    url: str
    timeout_s: float = 10.0
    access: Access = OPEN

    def state(
        self, since: int = 0, window: bool = False, renew_s: float = 0.0, slices: int | None = None
    ) -> dict[str, Any]:
        """Return the swarm, its history from point `since` on; renew its lease for `renew_s` seconds unless 0.

        `window` adds what was measured, `slices` what came in each second from that number on.
        """
        query: dict[str, Any] = {"since": since}
        if window:
            query["window"] = 1
        if slices is not None:
            query["slices"] = slices
        if renew_s:
            query |= {"renew": 1, "lease": renew_s}
        return self._call("GET", f"/loadlift/swarm?{urlencode(query)}")

    def start(self, order: Order, slices: bool = False) -> None:
        """Start the swarm; raises RefusedError while another one runs."""
        fields = {
            "user_count": order.users,
            "spawn_rate": order.spawn_rate,
            "host": order.target,
            "run_time": f"{order.run_time_s()}s",
            "swarm_id": order.swarm_id,
            "swarm_lease": order.lease_s,
            "swarm_addresses": ",".join(order.addresses),
            "swarm_request_timeout": order.request_timeout_s,
            "swarm_wait": order.wait,
            "swarm_shape": json.dumps(order.shape.rows()) if order.shape.steps else "",
            "swarm_slices": int(slices),
        }
        self._swarm(fields)

    def scale(self, order: Order, from_users: int) -> None:
        """Bring the swarm that runs to the order's users at its spawn rate; its other options stay."""
        run_time = f"{order.run_time_s(from_users)}s"
        fields = {"user_count": order.users, "spawn_rate": order.spawn_rate, "run_time": run_time}
        self._swarm(fields | {"swarm_id": order.swarm_id})

    def open_window(self, memo: Mapping[str, Any], reset: bool = True) -> dict[str, Any]:
        """Begin to measure, the ramp included unless `reset`; `memo` comes back in each state. Returns the state."""
        told = json.dumps({"memo": memo, "reset": reset})
        return self._call("POST", "/loadlift/window", told, "application/json", FLUSH_S + self.timeout_s)

    def close_window(self, since: int = 0, slices: int = 0) -> dict[str, Any]:
        """Return the state with all that was measured, each worker's last figures included."""
        path = f"/loadlift/window/close?since={since}&slices={slices}"
        return self._call("POST", path, "{}", "application/json", FLUSH_S + self.timeout_s)

    def report(self) -> str:
        """Return Locust's own report, one HTML page."""
        return fetch_text(
            self._at("/stats/report"), REPORT_TIMEOUT_S, headers={"Accept": "text/html"}, access=self.access
        )

    def stop(self) -> None:
        """Stop the swarm that runs; returns when its last user has gone."""
        self._call("POST", "/stop", "", timeout_s=STOP_TIMEOUT_S)

    def _swarm(self, fields: Mapping[str, Any]) -> None:
        answer = self._call("POST", "/swarm", urlencode(fields), FORM)
        if not answer.get("success"):
            raise RefusedError(str(answer.get("message")))

    def _at(self, path: str) -> str:
        return self.url.rstrip("/") + path

    def _call(
        self, method: str, path: str, body: str | None = None, content_type: str = "", timeout_s: float = 0.0
    ) -> dict[str, Any]:
        headers = {"Content-Type": content_type} if content_type else {}
        try:
            return fetch(self._at(path), timeout_s or self.timeout_s, method, body, headers, self.access)
        except RefusedError as error:
            if error.status != 404:
                raise
            hint = "is this a Locust that the role load_test deployed, and is its base path in the url?"
            raise RefusedError(f"{self.url} has no {path.partition('?')[0]}: {hint}", 404) from error


def read_counters(urls: tuple[str, ...], timeout_s: float = 5.0) -> dict[str, float]:
    """Return the numbers that the target's counters show, those of the same name added up."""
    counters: dict[str, float] = {}
    for url in urls:
        for name, value in fetch(url, timeout_s).items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                counters[name] = counters.get(name, 0) + value
    return counters
