# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is kept of a swarm: its summary (docs/ARCHITECTURE.md, Results), its tables, its lines of progress. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from . import human
from .histogram import Figures, from_json
from .objective import Measured, Result, evaluate
from .swarm_order import Order
from .verdict import judge, why_invalid

SCHEMA_VERSION = 1
UNFINISHED = "the swarm was still running when this was written: its controller was interrupted."
HISTORY_COLUMNS = ("t_s", "phase", "users", "requests_per_s", "failures_per_s", "p50_ms", "p95_ms", "p99_ms")
REQUEST_COLUMNS = ("method", "name", "requests", "failures", "requests_per_s", "p50_ms", "p95_ms", "p99_ms")


def summary(
    order: Order, state: Mapping[str, Any], history: Sequence[Mapping[str, Any]], counters: Mapping[str, float]
) -> dict[str, Any]:
    """Return the summary of a swarm whose hold is over.

    `state` is what the master's plugin answers with its window, `counters` how far the target's counters went up.
    """
    total, requests = from_json(state["window"]["total"]), _figures(state)
    swarm, errors = state["swarm"], state["window"]["errors"]
    seconds = swarm["measured_s"] or 0.0
    difference = counter_difference(counters, total.requests)
    results = evaluate(order.objectives, Measured(total, requests, seconds, swarm["users_low"] or 0, difference))
    verdict, reason = judge(why_invalid(order, swarm, total, errors), results, total)
    return {
        **head(order, swarm),
        **_whole(total, seconds),
        "by_request": [_by_request(figures, seconds) for figures in requests],
        "errors": [{key: error[key] for key in ("method", "name", "error", "occurrences")} for error in errors],
        "history": list(history),
        "events": swarm["events"],
        "generator": generator(swarm),
        "objectives": [_result(result) for result in results],
        "verdict": verdict,
        "reason": reason,
        "target_counters": {**counters, "difference_ratio": difference} if counters else {},
    }


def unfinished(order: Order, state: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the summary to leave behind while the swarm runs: what was measured so far, and that it is not the end."""
    return summary(order, state, history, {}) | {"verdict": "invalid", "reason": UNFINISHED}


def nothing(order: Order, reason: str) -> dict[str, Any]:
    """Return the summary of a swarm of which nothing is known but why."""
    return {
        "schema_version": SCHEMA_VERSION,
        **_ordered(order),
        "requests": 0,
        "failures": 0,
        "by_request": [],
        "errors": [],
        "history": [],
        "events": [],
        "objectives": [],
        "verdict": "invalid",
        "reason": reason,
        "target_counters": {},
    }


def head(order: Order, swarm: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was ordered, and how the swarm went up."""
    return {
        "schema_version": SCHEMA_VERSION,
        **_ordered(order),
        "started_at": iso_time(swarm["started_at"]),
        "ramp_s": swarm["ramp_s"],
        "measured_s": swarm["measured_s"],
        "peak_users": swarm["users_high"],
        "workers": len(swarm["workers"]),
    }


def generator(swarm: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the load generator itself fared."""
    peaks = swarm["worker_peaks"].values()
    return {
        "worker_cpu_percent_max": max((peak["cpu_percent"] for peak in peaks), default=0.0),
        "loop_lag_ms_max": max((peak["loop_lag_ms"] for peak in peaks), default=0.0),
        "missing_workers": len(swarm["lost"]),
    }


def iso_time(seconds: float) -> str:
    """Return a time since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def counter_difference(counters: Mapping[str, float], requests: int) -> float | None:
    """Return by which share the target's counter `requests` differs from the swarm's, or None where one is missing."""
    if "requests" not in counters or not requests:
        return None
    return round(abs(counters["requests"] - requests) / requests, 5)


def counters_between(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return how far each of the target's counters went up."""
    return {name: value - before[name] for name, value in after.items() if name in before}


def progress_line(order: Order, swarm: Mapping[str, Any], point: Mapping[str, Any], left_s: float) -> str:
    """Return one line on a running swarm."""
    rate = point["requests_per_s"]
    failures = point["failures_per_s"] / rate if rate else 0.0
    phase = "hold" if swarm["ramp_s"] is not None else "ramp"
    return (
        f"{order.stage}  {phase}  {point['users']:,} of {order.users:,} users  {human.rate(rate)} requests/s  "
        f"p95 {human.milliseconds(point['p95_ms'])}  failures {human.ratio(failures)}  {max(left_s, 0):.0f} s left"
    )


def _figures(state: Mapping[str, Any]) -> tuple[Figures, ...]:
    return tuple(from_json(raw) for raw in state["window"]["requests"])


def _ordered(order: Order) -> dict[str, Any]:
    return {
        "run_id": order.run_id,
        "stage": order.stage,
        "title": order.title,
        "target": order.target,
        "addresses": list(order.addresses),
        "users": order.users,
        "spawn_rate": order.spawn_rate,
        "hold_s": order.hold_s,
    }


def _whole(total: Figures, seconds: float) -> dict[str, Any]:
    return {
        "requests": total.requests,
        "failures": total.failures,
        "requests_per_s": _rate(total, seconds),
        "failure_ratio": round(total.failure_ratio, 6),
        **_percentiles(total),
        "max_ms": total.max_ms,
        "mean_ms": _rounded(total.mean_ms),
    }


def _by_request(figures: Figures, seconds: float) -> dict[str, Any]:
    return {
        "method": figures.method,
        "name": figures.name,
        "requests": figures.requests,
        "failures": figures.failures,
        "requests_per_s": _rate(figures, seconds),
        **_percentiles(figures),
    }


def _percentiles(figures: Figures) -> dict[str, float | None]:
    shares = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
    return {name: _rounded(figures.percentile(share)) for name, share in shares.items()}


def _rate(figures: Figures, seconds: float) -> float:
    return round(figures.requests / seconds, 2) if seconds else 0.0


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 3)


def _result(result: Result) -> dict[str, Any]:
    objective = result.objective
    factor = 100 if objective.unit == "%" else 1
    return {
        "objective": objective.text,
        "measured": None if result.measured is None else round(factor * result.measured, 4),
        "unit": objective.unit or (objective.metric if objective.metric.endswith("/s") else ""),
        "limit": round(factor * objective.limit, 4),
        "held": result.held,
    }
