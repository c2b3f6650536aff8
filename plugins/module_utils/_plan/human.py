# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Figures as people say them. Pure; a dash stands where there is none."""

from __future__ import annotations

DASH = "-"


def milliseconds(value: float | None) -> str:
    """Return a time: 0.4 ms, 12 ms, 1.5 s."""
    if value is None:
        return DASH
    if value >= 1000:
        return f"{value / 1000:.3g} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2g} ms"


def seconds(value: float) -> str:
    """Return a duration: 30 s, 2 min."""
    return f"{value / 60:g} min" if value >= 60 and value % 60 == 0 else f"{value:g} s"


def ratio(value: float | None) -> str:
    """Return a share as percent: 0 %, 0.02 %, 12 %."""
    if value is None:
        return DASH
    return f"{100 * value:.2g} %" if value < 0.995 else f"{100 * value:.0f} %"


def rate(value: float | None) -> str:
    """Return events a second, thousands apart, with one decimal under 100."""
    if value is None:
        return DASH
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def count(value: float | None) -> str:
    """Return a number as short as it is exact: 0, 2.5, 2,500."""
    return DASH if value is None else f"{value:,.10g}"


def measured(value: float | None, unit: str) -> str:
    """Return a measured value with its unit (ms, %, requests/s, or any other, or none)."""
    if value is None:
        return DASH
    if unit == "ms":
        return milliseconds(value)
    return ratio(value / 100) if unit == "%" else f"{count(round(value, 1))} {unit}".rstrip()
