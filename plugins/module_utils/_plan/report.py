# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the report of a ladder says: the headline, the table, each stage's charts. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .chart import line_chart, nice_ceiling

PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")
FINEST_MS = 0.01  # no chart needs finer times
COLUMNS = ("stage", "users", "requests/s", "p50", "p95", "p99", "failures", "verdict")


def human_ms(milliseconds: float | None) -> str:
    """Return a time as people say it: 0.4 ms, 12 ms, 1.5 s; a dash where there is none."""
    if milliseconds is None:
        return "-"
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.3g} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.2g} ms"


def human_ratio(ratio: float | None) -> str:
    """Return a share as percent: 0 %, 0.02 %, 12 %."""
    if ratio is None:
        return "-"
    return f"{100 * ratio:.2g} %" if ratio else "0 %"


def human_rate(rate: float | None) -> str:
    """Return requests a second with thousands apart and one decimal under 100."""
    if rate is None:
        return "-"
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"


def row(stage: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a stage as the cells of COLUMNS."""
    return (
        stage["stage"],
        f"{stage['users']:,}",
        human_rate(stage.get("requests_per_s")),
        *(human_ms(stage.get(name)) for name in PERCENTILES),
        human_ratio(stage.get("failure_ratio")),
        stage["verdict"],
    )


def text_table(stages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the ladder as lines of aligned text, the first being the column heads."""
    cells = [COLUMNS, *(row(stage) for stage in stages)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(COLUMNS))]
    return [_aligned(line, widths) for line in cells]


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    pairs = zip(line, widths, strict=True)
    return "  ".join(_align(cell, width, column) for column, (cell, width) in enumerate(pairs)).rstrip()


def _align(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column in (0, len(COLUMNS) - 1) else cell.rjust(width)


def markdown_table(stages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the ladder as the lines of a Markdown table."""
    heads = ["| " + " | ".join(COLUMNS) + " |", "|---|" + "---:|" * (len(COLUMNS) - 2) + "---|"]
    return heads + ["| " + " | ".join(row(stage)) + " |" for stage in stages]


def headline(stages: Sequence[Mapping[str, Any]]) -> str:
    """Return the story in one or two sentences: the first swarm that broke the site, the largest one that it held."""
    broken = next((stage for stage in stages if stage["verdict"] == "failed"), None)
    held = max(
        (stage for stage in stages if stage["verdict"] == "passed"), key=lambda stage: stage["users"], default=None
    )
    sentences = []
    if broken:
        sentences.append(
            f"The site broke at {broken['users']:,} users ({broken['stage']}: p95 {human_ms(broken.get('p95_ms'))}, "
            f"{human_ratio(broken.get('failure_ratio'))} failures)."
        )
    if held:
        sentences.append(
            f"It held {held['users']:,} users ({held['stage']}: {human_rate(held.get('requests_per_s'))} requests/s, "
            f"p95 {human_ms(held.get('p95_ms'))}, {human_ratio(held.get('failure_ratio'))} failures)."
        )
    return " ".join(sentences) or "No stage gave a valid result."


def latency_range(stages: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Return the powers of ten in ms that hold every percentile of every stage, so that the charts compare."""
    values = [
        point[name] for stage in stages for point in stage.get("history", ()) for name in PERCENTILES if point.get(name)
    ]
    if not values:
        return 1.0, 1000.0
    low = 10.0 ** math.floor(math.log10(max(min(values), FINEST_MS)))
    high = 10.0 ** math.ceil(math.log10(max(values)))
    return low, max(high, low * 10)


def charts(stage: Mapping[str, Any], latency: tuple[float, float]) -> dict[str, Any]:
    """Return the stage's charts: rate and users (own scales), percentiles (shared log scale), failures a second."""
    history = [_drawable(point, latency[0]) for point in stage.get("history", ())]

    def peak(name: str) -> float:
        return nice_ceiling(max([point.get(name) or 0.0 for point in history], default=1.0))

    return {
        "rate": line_chart(history, ["requests_per_s"], high=peak("requests_per_s")),
        "users": line_chart(history, ["users"], high=peak("users")),
        "latency": line_chart(history, PERCENTILES, low=latency[0], high=latency[1], log=True),
        "failures": line_chart(history, ["failures_per_s"], high=peak("failures_per_s")),
    }


def _drawable(point: Mapping[str, Any], floor: float) -> dict[str, Any]:
    """Return a point without its zero percentiles: a second without requests has none, and a log axis has no zero."""
    shown = dict(point)
    for name in PERCENTILES:
        value = shown.get(name)
        shown[name] = max(value, floor) if value else None
    return shown


def view(ladder: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that the templates of the role `report` show of a ladder (docs/ARCHITECTURE.md, Results)."""
    stages = ladder["stages"]
    latency = latency_range(stages)
    return {
        "headline": headline(stages),
        "columns": list(COLUMNS),
        "text_table": text_table(stages),
        "markdown_table": markdown_table(stages),
        "stages": [
            {
                "summary": stage,
                "row": list(row(stage)),
                "charts": charts(stage, latency),
                "requests": [_request_row(request) for request in stage.get("by_request", ())],
            }
            for stage in stages
        ],
    }


def _request_row(request: Mapping[str, Any]) -> list[str]:
    return [
        f"{request['method']} {request['name']}",
        f"{request['requests']:,}",
        f"{request['failures']:,}",
        human_rate(request["requests_per_s"]),
        *(human_ms(request[name]) for name in PERCENTILES),
    ]
