# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the report of a ladder says: the headline, the tables, each stage's charts and checks. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from . import human
from .chart import Axis, Scale, Size, line_chart, log_ticks, nice_ceiling

PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")
FINEST_MS = 0.01  # no chart needs finer times
COLUMNS = ("stage", "users", "requests/s", "p50", "p95", "p99", "failures", "verdict")
AGREEMENT = 0.02  # client and target count the same requests within this share
SERIES = ("t_s", "users", "requests_per_s", "failures_per_s", *PERCENTILES)
LOW_CHART = Size(height=96)
RANGE_WIDTH = 260
MOST_RANGE_TICKS = 4

Stage = Mapping[str, Any]
Stages = Sequence[Stage]


def row(stage: Stage) -> tuple[str, ...]:
    """Return a stage as the cells of COLUMNS."""
    return (
        stage["stage"],
        f"{stage['users']:,}",
        human.rate(stage.get("requests_per_s")),
        *(human.milliseconds(stage.get(name)) for name in PERCENTILES),
        human.ratio(stage.get("failure_ratio")),
        stage["verdict"],
    )


def text_table(stages: Stages) -> list[str]:
    """Return the ladder as lines of aligned text, the first being the column heads."""
    cells = [COLUMNS, *(row(stage) for stage in stages)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(COLUMNS))]
    return [_aligned(line, widths) for line in cells]


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    pairs = zip(line, widths, strict=True)
    return "  ".join(_align(cell, width, column) for column, (cell, width) in enumerate(pairs)).rstrip()


def _align(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column in (0, len(COLUMNS) - 1) else cell.rjust(width)


def markdown_table(stages: Stages) -> list[str]:
    """Return the ladder as the lines of a Markdown table."""
    heads = ["| " + " | ".join(COLUMNS) + " |", "|---|" + "---:|" * (len(COLUMNS) - 2) + "---|"]
    return heads + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row(stage)) + " |" for stage in stages]


def first_broken(stages: Stages) -> Stage | None:
    """Return the first stage that failed."""
    return next((stage for stage in stages if stage["verdict"] == "failed"), None)


def largest_held(stages: Stages) -> Stage | None:
    """Return the stage with the most users that passed, the last of several: the ladder goes up."""
    held = [stage for stage in reversed(stages) if stage["verdict"] == "passed"]
    return max(held, key=lambda stage: stage["users"], default=None)


def headline(stages: Stages) -> str:
    """Return the story in one or two sentences: the first swarm that broke the site, the largest one that it held."""
    broken, held = first_broken(stages), largest_held(stages)
    sentences = []
    if broken:
        sentences.append(f"The site broke at {broken['users']:,} users ({broken['stage']}: {_figures(broken)}).")
    if held:
        rate = human.rate(held.get("requests_per_s"))
        sentences.append(f"It held {held['users']:,} users ({held['stage']}: {rate} requests/s, {_figures(held)}).")
    return " ".join(sentences) or "No stage gave a valid result."


def _figures(stage: Stage) -> str:
    return f"p95 {human.milliseconds(stage.get('p95_ms'))}, {human.ratio(stage.get('failure_ratio'))} failures"


def key_figures(stages: Stages) -> list[dict[str, str]]:
    """Return what one looks for first, each with `value`, `label` and `tone` (good | bad | plain)."""
    broken, held = first_broken(stages), largest_held(stages)
    figures = []
    if broken:
        figures.append(_figure(f"{broken['users']:,}", f"users where it broke ({broken['stage']})", "bad"))
    if held:
        figures += [
            _figure(f"{held['users']:,}", f"users that it held ({held['stage']})", "good"),
            _figure(human.rate(held.get("requests_per_s")), "requests/s held"),
            _figure(human.milliseconds(held.get("p95_ms")), "p95 at that load"),
        ]
    passed = sum(stage["verdict"] == "passed" for stage in stages)
    return [*figures, _figure(f"{passed} of {len(stages)}", "stages passed")]


def _figure(value: str, label: str, tone: str = "plain") -> dict[str, str]:
    return {"value": value, "label": label, "tone": tone}


def latency_axis(stages: Stages) -> Axis:
    """Return the powers of ten in ms that hold every percentile of every stage, so that the charts compare."""
    points = [point for stage in stages for point in (stage, *stage.get("history", ()))]
    values = [point[name] for point in points for name in PERCENTILES if point.get(name)]
    low = 10.0 ** math.floor(math.log10(max(min(values, default=1.0), FINEST_MS)))
    high = 10.0 ** math.ceil(math.log10(max(values, default=1000.0)))
    return Axis(high=max(high, low * 10), low=low, log=True, label=human.milliseconds)


def charts(stage: Stage, latency: Axis) -> dict[str, Any]:
    """Return the stage's charts: requests and users (own scales), percentiles (shared log scale), failures if any."""
    history = [_drawable(point, latency.low) for point in stage.get("history", ())]
    events = [event["t_s"] for event in stage.get("events", ())]
    limits = [limit for limit in _time_limits(stage) if latency.low <= limit <= latency.high]

    def axis(name: str) -> Axis:
        return Axis(nice_ceiling(max([point.get(name) or 0.0 for point in history], default=1.0)))

    def chart(fields: Sequence[str], axis: Axis, **more: Any) -> dict[str, Any]:
        return line_chart(history, fields, axis, events=events, **more)

    failing = any(point.get("failures_per_s") for point in history)
    return {
        "rate": chart(["requests_per_s"], axis("requests_per_s")),
        "latency": chart(PERCENTILES, latency, limits=limits),
        "failures": chart(["failures_per_s"], axis("failures_per_s"), size=LOW_CHART) if failing else None,
        "users": chart(["users"], axis("users"), size=LOW_CHART),
    }


def _time_limits(stage: Stage) -> list[float]:
    return [objective["limit"] for objective in stage.get("objectives", ()) if objective.get("unit") == "ms"]


def _drawable(point: Mapping[str, Any], floor: float) -> dict[str, Any]:
    """Return a point without its zero percentiles: a second without requests has none, and a log axis has no zero."""
    shown = dict(point)
    for name in PERCENTILES:
        value = shown.get(name)
        shown[name] = max(value, floor) if value else None
    return shown


def latency_range(stage: Stage, latency: Axis) -> dict[str, float] | None:
    """Return where p50, p95 and p99 lie between 0 and RANGE_WIDTH on the ladder's shared axis."""
    if not all(stage.get(name) for name in PERCENTILES):
        return None
    scale = Scale(latency.low, latency.high, 0, RANGE_WIDTH, log=True)
    return {name.removesuffix("_ms"): scale.place(stage[name]) for name in PERCENTILES}


def range_ticks(latency: Axis) -> list[dict[str, Any]]:
    """Return the axis over the ladder's ranges, position and label, no more than fit beside each other."""
    scale = Scale(latency.low, latency.high, 0, RANGE_WIDTH, log=True)
    decades = log_ticks(latency.low, latency.high)
    shown = decades[:: math.ceil(len(decades) / MOST_RANGE_TICKS)]
    return [{"position": scale.place(value), "label": latency.label(value)} for value in shown]


def checks(stage: Stage) -> list[dict[str, Any]]:
    """Return what speaks for or against the stage's figures: objectives, who counted what, the generator's health,
    what happened meanwhile.

    Each has `what`, `measured` (text) and `held` (true, false, or None where nothing was asked).
    """
    return [*_objectives(stage), *_agreement(stage), *_generator(stage), *_events(stage)]


def _objectives(stage: Stage) -> list[dict[str, Any]]:
    return [
        _check(
            objective["objective"],
            human.measured(objective.get("measured"), objective.get("unit", "")),
            objective["held"],
        )
        for objective in stage.get("objectives", ())
    ]


def _agreement(stage: Stage) -> list[dict[str, Any]]:
    counted, sent = stage.get("target_counters", {}).get("requests"), stage.get("requests")
    if not counted or not sent:
        return []
    difference = abs(counted - sent) / sent
    text = f"{counted:,} against Locust's {sent:,}: {human.ratio(difference)} apart"
    return [_check("requests counted by the target", text, difference <= AGREEMENT)]


def _generator(stage: Stage) -> list[dict[str, Any]]:
    generator = stage.get("generator", {})
    found = []
    if stage.get("peak_users") is not None:
        found.append(
            _check(
                "users reached", f"{stage['peak_users']:,} of {stage['users']:,}", stage["peak_users"] >= stage["users"]
            )
        )
    if generator.get("worker_cpu_percent_max") is not None:
        found.append(_check("busiest worker", f"{generator['worker_cpu_percent_max']:.0f} % of a core", None))
    if stage.get("shared_connections"):
        text = f"a worker's users share {stage['shared_connections']} to each address"
        found.append(_check("connections", text, None))
    if stage.get("workers") is not None:
        missing = generator.get("missing_workers", 0)
        found.append(_check("workers", f"{stage['workers']}, {missing} missing", not missing))
    return found


def _events(stage: Stage) -> list[dict[str, Any]]:
    return [_check(event["text"], f"at {event['t_s']:.0f} s", None) for event in stage.get("events", ())]


def _check(what: str, measured: str, held: bool | None) -> dict[str, Any]:
    return {"what": what, "measured": measured, "held": held}


def view(ladder: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that the templates of the role `report` show of a ladder (docs/ARCHITECTURE.md, Results)."""
    stages = ladder["stages"]
    latency = latency_axis(stages)
    return {
        "headline": headline(stages),
        "key_figures": key_figures(stages),
        "columns": list(COLUMNS),
        "text_table": text_table(stages),
        "markdown_table": markdown_table(stages),
        "series": [series(stage) for stage in stages],
        "range_width": RANGE_WIDTH,
        "range_ticks": range_ticks(latency),
        "stages": [
            {
                "summary": stage,
                "row": list(row(stage)),
                "range": latency_range(stage, latency),
                "charts": charts(stage, latency),
                "checks": checks(stage),
                "requests": [_request_row(request) for request in stage.get("by_request", ())],
            }
            for stage in stages
        ],
    }


def series(stage: Stage) -> dict[str, list[float | None]]:
    """Return the stage's history by field, as the page's script reads it."""
    return {name: [point.get(name) for point in stage.get("history", ())] for name in SERIES}


def _request_row(request: Mapping[str, Any]) -> list[str]:
    return [
        f"{request['method']} {request['name']}",
        f"{request['requests']:,}",
        f"{request['failures']:,}",
        human.rate(request["requests_per_s"]),
        *(human.milliseconds(request[name]) for name in PERCENTILES),
    ]
