# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Charts as data: scales, ticks and SVG path strings. Pure; the template draws them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from . import human

LEFT, RIGHT, TOP, BOTTOM = 46, 10, 8, 22


@dataclass(frozen=True)
class Axis:
    """What runs up a chart: from `low` to `high`, `log` for orders of magnitude; `label` says a value."""

    high: float
    low: float = 0.0
    log: bool = False
    label: Callable[[float], str] = human.count

    def ticks(self) -> list[float]:
        """Return the values that the axis names."""
        return log_ticks(self.low, self.high) if self.log else linear_ticks(self.high)


@dataclass(frozen=True)
class Size:
    """The pixels of a chart."""

    width: int = 320
    height: int = 150


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
    history: Sequence[dict[str, Any]],
    fields: Sequence[str],
    axis: Axis,
    *,
    size: Size = Size(),
    limits: Sequence[float] = (),
    events: Sequence[float] = (),
) -> dict[str, Any]:
    """Return one chart of `fields` of a stage's history over its time.

    history: points with `t_s`, `phase` (ramp | hold) and the fields; limits: values to draw a line across at; events:
    seconds to draw a line down at. Returns width, height, the frame's edges, `lines` (name, d), `x_ticks` and `y_ticks`
    (position, label), `limits` and `events` (positions) and `hold_x`, the pixel where the measured window begins.
    """
    duration = max([point["t_s"] for point in history], default=1.0) or 1.0
    x = Scale(0.0, duration, LEFT, size.width - RIGHT)
    y = Scale(axis.low, axis.high, size.height - BOTTOM, TOP, axis.log)
    hold = [point["t_s"] for point in history if point["phase"] == "hold"]
    return {
        "width": size.width,
        "height": size.height,
        "frame": {"left": LEFT, "right": size.width - RIGHT, "top": TOP, "bottom": size.height - BOTTOM},
        "lines": [
            {"name": field, "d": path([(point["t_s"], point.get(field)) for point in history], x, y)}
            for field in fields
        ],
        "x_ticks": [{"position": x.place(value), "label": f"{value:.0f} s"} for value in linear_ticks(duration)],
        "y_ticks": [{"position": y.place(value), "label": axis.label(value)} for value in axis.ticks()],
        "limits": [y.place(limit) for limit in limits],
        "events": [x.place(event) for event in events],
        "hold_x": x.place(hold[0]) if hold else None,
    }
