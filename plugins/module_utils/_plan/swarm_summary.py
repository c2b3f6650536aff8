# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is kept of a swarm: its summary (docs/ARCHITECTURE.md, Results), its tables, its lines of progress. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from . import human
from .histogram import Figures, from_json
from .objective import Measured, Objective, Result, evaluate
from .swarm_order import Order
from .verdict import judge, why_invalid

SCHEMA_VERSION = 1
UNFINISHED = "the swarm was still running when this was written: its controller was interrupted."
HISTORY_COLUMNS = ("t_s", "phase", "users", "requests_per_s", "failures_per_s", "p50_ms", "p95_ms", "p99_ms")
REQUEST_COLUMNS = ("method", "name", "requests", "failures", "requests_per_s", "p50_ms", "p95_ms", "p99_ms")


@dataclass(frozen=True)
class Ending:
    """How a swarm came to its end: what only its controller knows."""

    counters: Mapping[str, float] = field(default_factory=dict)  # how far the target's own counters went up
    worst: Mapping[Objective, float | None] = field(default_factory=dict)  # of the objectives on sliding stretches
    aborted: str = ""  # what ended the swarm early, if an objective did
    finished_at: float | None = None  # seconds since 1970; None while it runs


def summary(
    order: Order, state: Mapping[str, Any], history: Sequence[Mapping[str, Any]], ending: Ending
) -> dict[str, Any]:
    """Return the summary of a swarm whose hold is over; `state` is what the master's plugin answers with its window."""
    window, swarm = state["window"], state["swarm"]
    total, seconds = from_json(window["total"]), swarm["counted_s"]
    measured = measured_of(state, counter_difference(ending.counters, total.requests))
    results = evaluate(order.objectives, measured, ending.worst)
    invalid = why_invalid(order, swarm, total, window["errors"], bool(ending.aborted))
    verdict, reason = judge(invalid, results, total, ending.aborted)
    return {
        **head(order, swarm),
        "finished_at": None if ending.finished_at is None else iso_time(ending.finished_at),
        **whole(total, seconds),
        "by_request": [by_request(figures, seconds) for figures in measured.requests],
        "ramp": _ramp(window["ramp"]),
        "errors": [
            {key: error[key] for key in ("method", "name", "error", "occurrences")} for error in window["errors"]
        ],
        "history": list(history),
        "events": [*swarm["events"], *([{"t_s": swarm["t_s"], "text": ending.aborted}] if ending.aborted else [])],
        "generator": generator(swarm),
        "objectives": [_result(result) for result in results],
        "verdict": verdict,
        "reason": reason,
        "target_counters": _counters(ending.counters, measured.counter_difference),
    }


def measured_of(state: Mapping[str, Any], difference: float | None = None) -> Measured:
    """Return what the objectives are held against."""
    window, swarm = state["window"], state["swarm"]
    requests = tuple(from_json(raw) for raw in window["requests"])
    return Measured(from_json(window["total"]), requests, swarm["counted_s"], swarm["users_low"] or 0, difference)


def _ramp(raw: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what was measured until all users were up, or nothing where they never were."""
    if raw is None:
        return None
    total = from_json(raw["total"])
    return {"seconds": raw["seconds"], **whole(total, raw["seconds"])}


def _counters(counters: Mapping[str, float], difference: float | None) -> dict[str, Any]:
    return {**counters, "difference_ratio": difference} if counters else {}


def unfinished(order: Order, state: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the summary to leave behind while the swarm runs: what was measured so far, and that it is not the end."""
    return summary(order, state, history, Ending()) | {"verdict": "invalid", "reason": UNFINISHED}


def nothing(order: Order, reason: str) -> dict[str, Any]:
    """Return the summary of a swarm of which nothing is known but why."""
    return {
        "schema_version": SCHEMA_VERSION,
        **_ordered(order),
        "finished_at": None,
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
        "counted_s": swarm["counted_s"],
        "peak_users": swarm["users_high"],
        "workers": len(swarm["workers"]),
        "shared_connections": swarm.get("shared_connections", 0),
    }


def generator(swarm: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the load generator itself fared while it was measured."""
    peaks = swarm["worker_peaks"]
    return {
        "worker_cpu_percent_max": max((peak["cpu_percent"] for peak in peaks.values()), default=0.0),
        "loop_lag_ms_max": max((peak["loop_lag_ms"] for peak in peaks.values()), default=0.0),
        "missing_workers": len(swarm["lost"]),
        "workers": [{"id": worker, **peaks[worker]} for worker in sorted(peaks)],
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


def progress_line(order: Order, swarm: Mapping[str, Any], point: Mapping[str, Any]) -> str:
    """Return one line on a running swarm."""
    rate = point["requests_per_s"]
    failures = point["failures_per_s"] / rate if rate else 0.0
    phase = "ramp" if swarm["ramp_s"] is None else "hold"
    return (
        f"{order.stage}  {phase}  {point['users']:,} of {order.users:,} users  {human.rate(rate)} requests/s  "
        f"p95 {human.milliseconds(point['p95_ms'])}  failures {human.ratio(failures)}  "
        f"{max(_left_s(order, swarm), 0):.0f} s left"
    )


def _left_s(order: Order, swarm: Mapping[str, Any]) -> float:
    """Return how long the swarm will yet take, the hold after the ramp included."""
    if swarm["ramp_s"] is not None:
        return float(order.hold_s - swarm["measured_s"])
    return max(order.ramp_wanted_s(swarm["ramp_from_users"]) - float(swarm["ramping_s"]), 0.0) + order.hold_s


def aborted_at(swarm: Mapping[str, Any]) -> str:
    """Return when an objective ended the swarm."""
    if swarm["ramp_s"] is None:
        return f"aborted {swarm['ramping_s']:.0f} s into the ramp"
    return f"aborted {swarm['measured_s']:.0f} s into the hold"


def earlier(kept: Mapping[str, Any]) -> str:
    """Return what became of an earlier attempt at a stage, from its summary; of one without, from an empty mapping."""
    if not kept:
        return "an earlier attempt was interrupted before it measured anything"
    if kept.get("finished_at"):
        return f"an earlier attempt was {kept['verdict']} ({kept['reason'].rstrip('.')})"
    when = f" of {kept['started_at']}" if kept.get("started_at") else ""
    measured = kept.get("measured_s")
    where = "in its ramp" if measured is None else f"{measured:.0f} s into its hold"
    return f"an earlier attempt{when} was interrupted {where}, after {kept['requests']:,} requests"


def is_valid(kept: Mapping[str, Any]) -> bool:
    """Tell whether a kept summary is a result that need not be measured again."""
    return bool(kept.get("finished_at")) and kept.get("verdict") in ("passed", "failed")


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
        "reset_statistics": order.reset_statistics,
        "shape": order.shape.rows(),
    }


def whole(total: Figures, seconds: float) -> dict[str, Any]:
    """Return the figures of all requests together."""
    return {
        "requests": total.requests,
        "failures": total.failures,
        "requests_per_s": _rate(total, seconds),
        "failure_ratio": round(total.failure_ratio, 6),
        **_percentiles(total),
        "max_ms": total.max_ms,
        "mean_ms": _rounded(total.mean_ms),
    }


def by_request(figures: Figures, seconds: float) -> dict[str, Any]:
    """Return the figures of one request."""
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
        "over_s": objective.over_s,
        "abort": objective.abort,
        "held": result.held,
    }
