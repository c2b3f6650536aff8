# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is told of a Locust and of the swarm that runs or ran there last. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .swarm_summary import by_request, iso_time, measured_of, whole

WORKER_KEYS = ("id", "host", "state", "users", "cpu_percent", "memory_bytes", "loop_lag_ms", "open_files", "ports")


def view(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `locust_swarm_info` tells; `state` is what the master's plugin answers with its window."""
    return {
        "state": state["state"],
        "users": state["users"],
        "workers": [{key: worker.get(key) for key in WORKER_KEYS} for worker in state["workers"]],
        "swarm": _swarm(state) if state["swarm"] else None,
    }


def _swarm(state: Mapping[str, Any]) -> dict[str, Any]:
    swarm = state["swarm"]
    run_id, _slash, stage = swarm["id"].partition("/")
    return {
        "run_id": run_id or None,
        "stage": stage or None,
        "target": swarm["host"],
        "addresses": swarm["addresses"],
        "users": swarm["users"],
        "spawn_rate": swarm["spawn_rate"],
        "started_at": iso_time(swarm["started_at"]),
        "ramp_s": swarm["ramp_s"],
        "measured_s": swarm["measured_s"],
        "lease_left_s": swarm["lease_left_s"],
        "ended_by": swarm["ended_by"] or None,
        "events": swarm["events"],
        "figures": _figures(state),
    }


def _figures(state: Mapping[str, Any]) -> dict[str, Any]:
    measured = measured_of(state)
    requests = [by_request(figures, measured.seconds) for figures in measured.requests]
    return {"seconds": measured.seconds, **whole(measured.total, measured.seconds), "by_request": requests}
