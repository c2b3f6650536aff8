"""A ladder's results as docs/ARCHITECTURE.md tells them, made by a small model of a site that breaks and is mended.

`python tests/report/ladder.py FILE` writes them as a ladder.json, for looking at the report without a ladder's minutes.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS_BETWEEN_REQUESTS = 10.0
LONGEST_MS = 60_000.0
STATIC = ("app.css", "app.js", "hero.svg", "logo.svg", "chart.svg", "icons.svg", "product.svg", "favicon.ico")
WEIGHTS = {"/": 1000, "/data": 1000} | {f"/static/{name}": 100 for name in STATIC}
BALANCER, EDGES = "http://127.0.0.11:8080", "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Objective:
    """What a stage must hold: the summary's `metric`, times `scale`, under `limit` (or over it)."""

    text: str
    metric: str
    unit: str
    limit: float
    over: bool = False
    scale: float = 1.0

    def judge(self, summary: dict[str, Any]) -> dict[str, Any]:
        """Return it as summary.json holds it."""
        measured = summary[self.metric] * self.scale
        held = measured > self.limit if self.over else measured <= self.limit
        return {
            "objective": self.text,
            "measured": measured,
            "unit": self.unit,
            "limit": self.limit,
            "held": held,
        }


FAST = Objective("p95 < 2s", "p95_ms", "ms", 2000.0)
FASTER = Objective("p95 < 250ms", "p95_ms", "ms", 250.0)
FEW_FAIL = Objective("failures < 1%", "failure_ratio", "%", 1.0, scale=100.0)
NONE_FAIL = Objective("failures = 0", "failures", "", 0.0)
MANY = Objective("requests/s > 2900", "requests_per_s", "requests/s", 2900.0, over=True)
ERRORS = (
    {"method": "GET", "name": "/data", "error": "503 <Service Unavailable> & no connection left", "occurrences": 204},
    {"method": "GET", "name": "/data", "error": "timed out after 60 s", "occurrences": 1031},
)


@dataclass(frozen=True)
class Step:
    """One stage: `data_per_s` is how many answers of `/data` the site can make, None for as many as are asked."""

    stage: str
    title: str
    target: str
    users: int
    spawn_rate: int
    data_per_s: float | None
    data_ms: float
    objectives: tuple[Objective, ...] = (FAST, FEW_FAIL)
    hold_s: int = 30
    missing_workers: int = 0
    events: tuple[tuple[float, str], ...] = ()


STEPS = (
    Step("baseline_50", "Straight at the load balancer", BALANCER, 50, 5, 2.2, 900),
    Step("baseline_100", "Straight at the load balancer", BALANCER, 100, 10, 2.2, 900),
    Step("baseline_500", "Straight at the load balancer: where it breaks", BALANCER, 500, 50, 2.2, 900),
    Step("cdn_500", "Behind the CDN", EDGES, 500, 50, 20, 1300),
    Step("cache_10000", "With the query in the cache", EDGES, 10_000, 500, 700, 9, (FASTER, FEW_FAIL)),
    Step(
        "shift",
        "The path moves to Lambda mid-hold",
        EDGES,
        2_000,
        200,
        None,
        14,
        (NONE_FAIL,),
        events=((24, "/data moved to Lambda"),),
    ),
    Step("serverless_10000", "On Lambda", EDGES, 10_000, 1000, None, 12, (FASTER, NONE_FAIL)),
    Step("serverless_30000", "On Lambda: largest swarm", EDGES, 30_000, 1000, None, 11, (FASTER, NONE_FAIL, MANY), 60),
)


def history(step: Step, dice: random.Random) -> list[dict[str, Any]]:
    """Return the stage second by second: users come, `/data` takes its time, what waits grows beyond the capacity."""
    ramp = round(step.users / step.spawn_rate)
    waiting, points = 0.0, []
    for second in range(1, ramp + step.hold_s + 1):
        users = min(step.users, second * step.spawn_rate)
        idle = max(users - waiting, 0)
        asked = idle / SECONDS_BETWEEN_REQUESTS * dice.uniform(0.96, 1.04)
        data = asked * WEIGHTS["/data"] / sum(WEIGHTS.values())
        waiting = max(0.0, waiting + data - step.data_per_s) if step.data_per_s else 0.0
        queued_ms = 1000 * waiting / step.data_per_s if step.data_per_s else 0.0
        slow_ms = min(LONGEST_MS, (step.data_ms + queued_ms) * dice.uniform(0.9, 1.15))
        failing = max(0.0, waiting - 100) / 60
        points.append(
            {
                "t_s": float(second),
                "phase": "ramp" if second <= ramp else "hold",
                "users": users,
                "requests_per_s": round(asked - data + min(data, step.data_per_s or data), 1),
                "failures_per_s": round(failing, 2),
                "p50_ms": round(dice.uniform(0.4, 0.9) if step.target == EDGES else dice.uniform(2, 5), 2),
                "p95_ms": round(slow_ms, 1),
                "p99_ms": round(min(LONGEST_MS, slow_ms * dice.uniform(1.2, 1.9)), 1),
            }
        )
    return points


def summary(step: Step, run_id: str, dice: random.Random) -> dict[str, Any]:
    """Return the stage's summary.json."""
    points = history(step, dice)
    held = [point for point in points if point["phase"] == "hold"]
    requests = round(sum(point["requests_per_s"] for point in held))
    failures = round(sum(point["failures_per_s"] for point in held))
    last = held[-1]
    figures = {
        "schema_version": 1,
        "run_id": run_id,
        "stage": step.stage,
        "title": step.title,
        "target": step.target,
        "users": step.users,
        "spawn_rate": step.spawn_rate,
        "hold_s": step.hold_s,
        "started_at": "2026-11-23T20:15:00Z",
        "ramp_s": round(len(points) - len(held) + 0.2, 1),
        "measured_s": float(step.hold_s),
        "peak_users": step.users,
        "workers": 2,
        "requests": requests,
        "failures": failures,
        "requests_per_s": round(requests / step.hold_s, 1),
        "failure_ratio": failures / requests,
        "p50_ms": last["p50_ms"],
        "p95_ms": last["p95_ms"],
        "p99_ms": last["p99_ms"],
        "max_ms": last["p99_ms"] * 1.7,
        "mean_ms": last["p95_ms"] / 3,
        "by_request": [_request(name, share, requests, failures, step, last) for name, share in WEIGHTS.items()],
        "errors": list(ERRORS) if failures else [],
        "history": points,
        "events": [{"t_s": at, "text": text} for at, text in step.events],
        "generator": {"worker_cpu_percent_max": 8.0 + step.users / 600, "missing_workers": step.missing_workers},
        "target_counters": {"requests": requests + 3} if step.target == EDGES else {},
    }
    return figures | judge(step, figures)


def judge(step: Step, figures: dict[str, Any]) -> dict[str, Any]:
    """Return the objectives as measured, the verdict and its reason."""
    objectives = [objective.judge(figures) for objective in step.objectives]
    words = ("over the limit of", "inside")
    reason = "; ".join(
        f"{one['measured']:,.0f} {one['unit']}, {words[one['held']]} {one['objective']}" for one in objectives
    )
    if step.missing_workers:
        return {"objectives": objectives, "verdict": "invalid", "reason": f"{step.missing_workers} worker is missing."}
    held = all(one["held"] for one in objectives)
    return {"objectives": objectives, "verdict": "passed" if held else "failed", "reason": f"{reason}."}


def _request(name: str, weight: int, requests: int, failures: int, step: Step, last: dict[str, Any]) -> dict[str, Any]:
    count = round(requests * weight / sum(WEIGHTS.values()))
    slow = name == "/data"
    return {
        "method": "GET",
        "name": name,
        "requests": count,
        "failures": failures if slow else 0,
        "requests_per_s": round(count / step.hold_s, 1),
        "p50_ms": last["p95_ms"] * 0.7 if slow else last["p50_ms"],
        "p95_ms": last["p99_ms"] if slow else last["p50_ms"] * 3,
        "p99_ms": last["p99_ms"] * 1.2 if slow else last["p50_ms"] * 7,
    }


def ladder(run_id: str = "20261123T201500Z", steps: tuple[Step, ...] = STEPS) -> dict[str, Any]:
    """Return the whole ladder, the same at each call."""
    dice = random.Random(run_id)
    return {
        "run_id": run_id,
        "profile": "full",
        "started_at": "2026-11-23T20:15:00Z",
        "finished_at": "2026-11-23T20:23:41Z",
        "urls": {"load balancer": BALANCER, "CDN": EDGES, "Locust": "http://127.0.0.1:8089"},
        "stages": [summary(step, run_id, dice) for step in steps],
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(ladder(), indent=1) + "\n")
