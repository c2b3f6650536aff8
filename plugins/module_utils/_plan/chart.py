# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Line charts as data: scales, ticks and SVG path strings. Pure; the template draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 320
HEIGHT = 150
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 10, 22


@dataclass(frozen=True)
class Scale:
    """Maps a value between `low` and `high` to a pixel between `start` and `end`; `log` for orders of magnitude."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def place(self, value: float) -> float:
        """Return the pixel of `value`; values outside the scale stay at its edge."""
        clipped = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(clipped / self.low) / math.log(self.high / self.low)
        else:
            share = (clipped - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def nice_ceiling(value: float) -> float:
    """Return the smallest 1, 2 or 5 times a power of ten that is not under `value`, at least 1."""
    if value <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def linear_ticks(high: float) -> list[float]:
    """Return 0, half and all of `high`."""
    return [0.0, high / 2, high]


def log_ticks(low: float, high: float) -> list[float]:
    """Return the powers of ten from `low` to `high`, both of them powers of ten."""
    return [10.0**power for power in range(round(math.log10(low)), round(math.log10(high)) + 1)]


def path(points: Sequence[tuple[float, float | None]], x: Scale, y: Scale) -> str:
    """Return the SVG path of the points (value on x, value on y); None on y breaks the line."""
    commands = []
    pen_down = False
    for horizontal, vertical in points:
        if vertical is not None:
            commands.append(f"{'L' if pen_down else 'M'}{x.place(horizontal)} {y.place(vertical)}")
        pen_down = vertical is not None
    return "".join(commands)


def line_chart(
    history: Sequence[dict[str, Any]], fields: Sequence[str], *, high: float, low: float = 0.0, log: bool = False
) -> dict[str, Any]:
    """Return one chart of `fields` of a stage's history over its time.

    history: points with `t_s`, `phase` (ramp | hold) and the fields; high, low: ends of the y axis.
    Returns width, height, the frame's edges, `lines` (name, d), `x_ticks` and `y_ticks` (position, value) and `hold_x`,
    the pixel where the measured window begins.
    """
    duration = max([point["t_s"] for point in history], default=1.0) or 1.0
    x = Scale(0.0, duration, LEFT, WIDTH - RIGHT)
    y = Scale(low, high, HEIGHT - BOTTOM, TOP, log)
    hold = [point["t_s"] for point in history if point["phase"] == "hold"]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "frame": {"left": LEFT, "right": WIDTH - RIGHT, "top": TOP, "bottom": HEIGHT - BOTTOM},
        "lines": [
            {"name": field, "d": path([(point["t_s"], point.get(field)) for point in history], x, y)}
            for field in fields
        ],
        "x_ticks": [{"position": x.place(value), "value": value} for value in linear_ticks(duration)],
        "y_ticks": [
            {"position": y.place(value), "value": value}
            for value in (log_ticks(low, high) if log else linear_ticks(high))
        ],
        "hold_x": x.place(hold[0]) if hold else None,
    }
