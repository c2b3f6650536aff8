# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verdict on a swarm: passed, failed, or invalid when the generator, not the target, set the figures. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import human
from .histogram import Figures
from .objective import Result
from .swarm_order import Order

CPU_LIMIT_PERCENT = 90.0
# Three lost heartbeats: what a worker measures while it stands still is its own time, not the target's.
STANDSTILL_MS = 3000.0
# The hold may end this much early: the last renewal of the lease decides, not the clock.
HOLD_SLACK_S = 1.0
# What the generator's own system refuses: no port left, no descriptor left, no address for the name.
GENERATOR_ERRORS = re.compile(
    r"Cannot assign requested address|Errno 99\b|Too many open files|Errno 24\b|No buffer space|Errno 105\b"
    r"|Name or service not known|gaierror|DNSException",
    re.IGNORECASE,
)
WORDS = {"<": "under", "<=": "at most", ">": "over", ">=": "at least", "=": "exactly"}


def why_invalid(
    order: Order,
    swarm: Mapping[str, Any],
    total: Figures,
    errors: Sequence[Mapping[str, Any]],
    aborted: bool = False,
) -> str:
    """Return in one sentence why the figures say nothing about the target; an empty text when they do.

    `swarm` is the swarm as the master's plugin tells it at the end of the hold; one that an objective has `aborted`
    may end early.
    """
    early = "" if aborted else _without_users(order, swarm) or _ended_early(order, swarm)
    return (
        _lost(swarm)
        or early
        or _short_of_users(order, swarm)
        or _slow_ramp(order, swarm)
        or _busy(swarm)
        or _kept_waiting(swarm)
        or _stood_still(swarm)
        or _own_errors(errors)
        or ("" if total.requests else "no request was finished while all users were up.")
    )


def _lost(swarm: Mapping[str, Any]) -> str:
    if not swarm["lost"]:
        return ""
    what = [f"{event['text']} after {event['t_s']:.0f} s" for event in swarm["events"] if " was lost" in event["text"]]
    return f"generator-bound: {'; '.join(what)}, of {len(swarm['workers'])} workers."


def _without_users(order: Order, swarm: Mapping[str, Any]) -> str:
    if swarm["ramp_s"] is not None:
        return ""
    why = f" ({swarm['ended_by']})" if swarm["ended_by"] else ""
    users = f"{swarm['users_high']:,} of {order.users:,} users"
    return f"generator-bound: {users} were up after {swarm['t_s']:.0f} s{why}."


def _short_of_users(order: Order, swarm: Mapping[str, Any]) -> str:
    if swarm["users_low"] is None or swarm["users_low"] >= order.users:
        return ""
    return f"generator-bound: only {swarm['users_low']:,} of {order.users:,} users ran all the time."


def _ended_early(order: Order, swarm: Mapping[str, Any]) -> str:
    if swarm["measured_s"] >= order.hold_s - HOLD_SLACK_S:
        return ""
    why = swarm["ended_by"] or "the controller was interrupted"
    return f"the swarm ended {swarm['measured_s']:.0f} s into its hold of {order.hold_s:g} s: {why}."


def _slow_ramp(order: Order, swarm: Mapping[str, Any]) -> str:
    before = swarm["ramp_from_users"]
    if swarm["ramp_s"] is None or swarm["ramp_s"] <= order.ramp_limit_s(before):
        return ""
    return (
        f"generator-bound: the spawn rate of {order.spawn_rate:g} users/s was not held, "
        f"{abs(order.users - before):,} users took {swarm['ramp_s']:.0f} s, not {order.ramp_wanted_s(before):.0f} s."
    )


def _busy(swarm: Mapping[str, Any]) -> str:
    peaks = {worker: peak["cpu_percent"] for worker, peak in swarm["worker_peaks"].items()}
    worker = max(peaks, key=lambda name: peaks[name], default=None)
    if worker is None or peaks[worker] <= CPU_LIMIT_PERCENT:
        return ""
    return f"generator-bound: worker {worker} used {peaks[worker]:.0f} % of its core, over {CPU_LIMIT_PERCENT:.0f} %."


def _kept_waiting(swarm: Mapping[str, Any]) -> str:
    """A worker that shares its core uses less of it than it wants: what it waits for one counts, too."""
    wanted = {name: peak["cpu_percent_mean"] + peak["cpu_wait_percent"] for name, peak in swarm["worker_peaks"].items()}
    worker = max(wanted, key=lambda name: wanted[name], default=None)
    if worker is None or wanted[worker] <= CPU_LIMIT_PERCENT:
        return ""
    used, waited = (swarm["worker_peaks"][worker][name] for name in ("cpu_percent_mean", "cpu_wait_percent"))
    return (
        f"generator-bound: worker {worker} used {used:.0f} % of its core and waited for one {waited:.0f} % of the "
        f"time, together over {CPU_LIMIT_PERCENT:.0f} %."
    )


def _stood_still(swarm: Mapping[str, Any]) -> str:
    lags = {worker: peak["loop_lag_ms"] for worker, peak in swarm["worker_peaks"].items()}
    worker = max(lags, key=lambda name: lags[name], default=None)
    if worker is None or lags[worker] < STANDSTILL_MS:
        return ""
    return f"generator-bound: worker {worker} stood still for {lags[worker] / 1000:.1f} s."


def _own_errors(errors: Sequence[Mapping[str, Any]]) -> str:
    own = [error for error in errors if GENERATOR_ERRORS.search(str(error["error"]))]
    if not own:
        return ""
    count = sum(error["occurrences"] for error in own)
    what = "1 request" if count == 1 else f"{count:,} requests"
    return f"generator-bound: {what} failed in the generator itself ({own[0]['error']})."


def judge(invalid: str, results: Sequence[Result], total: Figures, aborted: str = "") -> tuple[str, str]:
    """Return the verdict and its reason in one sentence; `aborted` tells when an objective ended the swarm."""
    if invalid:
        return "invalid", invalid
    broken = [result for result in results if not result.held]
    if aborted:
        measured = [told(result) for result in broken if result.measured is not None]
        return "failed", _sentence([*(measured or map(told, broken)), aborted])
    if broken:
        return "failed", _sentence(map(told, broken))
    parts = [told(result) for result in results]
    if not any(result.objective.metric == "failures" for result in results):
        parts.append(f"{human.ratio(total.failure_ratio)} failures" if total.failures else "no failures")
    return "passed", _sentence(parts)


def _sentence(parts: Iterable[str]) -> str:
    # `failures < 1%` and `failures = 0` say the same of a swarm without failures.
    return "; ".join(dict.fromkeys(parts)) + "."


def told(result: Result) -> str:
    """Return one objective with the measured value beside the limit: `p95 20 ms, under 500 ms`."""
    objective = result.objective
    of = f" of {objective.request}" if objective.request else ""
    over = f" over any {human.seconds(objective.over_s)}" if objective.over_s else ""
    if result.measured is None:
        return f"{objective.metric}{of}{over}: nothing was measured"
    if objective.metric == "failures" and not result.measured and result.held:
        return f"no failures{of}"
    worst = f"{over} at worst" if over else ""
    limit = f"{WORDS[objective.comparison]} {shown(objective.limit, objective.unit)}"
    measured = shown(result.measured, objective.unit)
    return f"{objective.metric}{of}{worst} {measured}, {'' if result.held else 'not '}{limit}"


def shown(value: float, unit: str) -> str:
    """Return a measured value or a limit as people say it."""
    if unit == "ms":
        return human.milliseconds(value)
    return human.ratio(value) if unit == "%" else human.count(round(value, 1))
