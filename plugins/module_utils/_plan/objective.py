# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objectives: what a swarm must show, as short sentences. Pure.

    objective   metric ["of" request] comparison limit ["over" duration] ["," "abort" ["after" duration]]
    metric      p50 p90 p95 p99 p99.9 (any percentile), min, mean, max      limit in us, ms or s
                failures                                                    a share in %, or a count
                requests, requests/s, failures/s, users                     a number
                counter difference                                          a share in %, of target's and swarm's count
    request     [METHOD] NAME; `*` stands for any text, `?` for one character; in double quotes where it holds < > or =
    comparison  < <= > >= =
    duration    a number in s, m or h

`p95 of GET /data < 250ms`, `p99.9 of /static/* <= 2s`, `failures < 1%`, `requests/s > 2900`, `users = 30000`,
`p99 < 2s over 30s, abort`. Percentiles come from a histogram whose times are 1 % exact.

`over` holds the sentence against each stretch of that length, sliding second by second; the worst one counts. `abort`
stops the swarm as soon as the sentence does not hold: with `over` from the first whole stretch on, else for what was
measured so far, once there are 5 s of it or as much as `after` says. A count of failures only goes up, so that
`failures = 0, abort` waits for nothing.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .histogram import Figures, matching, merged
from .plan import InputError

TIMES_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
DURATIONS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}
TIME_WORDS = ("min", "mean", "max")
COUNTS = ("requests", "requests/s", "failures/s", "users")
SHARES = ("counter difference",)
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
METRIC = re.compile(r"p\d+(?:\.\d+)?|requests/s|failures/s|requests|failures|users|min|mean|max|counter difference")
# The last comparison ends the request, unless quotes do.
REQUEST = re.compile(r'of\s+(?:"([^"]*)"\s*|(.*?)\s*(?=(?:<=|>=|<|>|=)[^<>=]*$))')
COMPARISON = re.compile("|".join(COMPARISONS))
NUMBER = re.compile(r"\d+(?:[,_]\d+)*(?:\.\d+)?|\.\d+")
UNIT = re.compile(r"us|ms|s|%")
DURATION_UNIT = re.compile(r"s|m|h")
OVER, COMMA, ABORT, AFTER = (re.compile(word) for word in (r"over\b", ",", r"abort\b", r"after\b"))
WHOLE_SWARM_ONLY = ("users", "counter difference")
# So early a percentile is one of a few requests.
ABORT_AFTER_S = 5.0


@dataclass(frozen=True)
class Objective:
    """One objective; `limit` in ms for times, as a share 0..1 for percents."""

    text: str
    metric: str
    request: str | None
    comparison: str
    limit: float
    unit: str  # "ms", "%" or ""
    over_s: float | None = None  # hold against every stretch of this length
    abort: bool = False
    abort_after_s: float = 0.0

    @property
    def share(self) -> float | None:
        """The percentile as a share 0..1, or None for another metric."""
        return float(self.metric[1:]) / 100 if re.match(r"p\d", self.metric) else None

    def holds(self, measured: float | None) -> bool:
        """Tell whether a measured value is within the limit; nothing measured is not."""
        return measured is not None and COMPARISONS[self.comparison](measured, self.limit)

    def badness(self, measured: float | None) -> float:
        """Return how far a value is on the wrong side: the larger the worse."""
        if measured is None:
            return float("inf")
        if self.comparison == "=":
            return abs(measured - self.limit)
        return measured - self.limit if self.comparison.startswith("<") else self.limit - measured


@dataclass(frozen=True)
class Measured:
    """What the objectives are held against."""

    total: Figures
    requests: tuple[Figures, ...]
    seconds: float
    users: int  # as many as ran all the time
    counter_difference: float | None = None  # share 0..1


@dataclass(frozen=True)
class Result:
    """One objective with what was measured, in the limit's unit; None where nothing matched."""

    objective: Objective
    measured: float | None

    @property
    def held(self) -> bool:
        """Whether the objective was held; an objective about nothing was not."""
        return self.objective.holds(self.measured)


class _Reader:
    """Reads one sentence from left to right; an error points at the place."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def take(self, pattern: re.Pattern[str], wanted: str) -> re.Match[str]:
        """Return what stands here, or refuse the sentence."""
        found = self.maybe(pattern)
        if not found:
            raise self.error(wanted)
        return found

    def maybe(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return what stands here if it is that."""
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
            self.at += len(self.text[self.at :]) - len(self.text[self.at :].lstrip())
        return found

    def error(self, wanted: str, at: int | None = None) -> InputError:
        """Return the refusal, with a caret under `at` or under where the reader stands."""
        place = self.at if at is None else at
        rest = self.text[place:]
        found = f"found '{rest}'" if rest else "found its end"
        sentence = f"The objective '{self.text}' needs {wanted} at character {place + 1}; {found}."
        return InputError(f"{sentence}\n  {self.text}\n  {' ' * place}^")


def parse(sentence: str) -> Objective:
    """Return the objective that `sentence` says; raises InputError pointing at the first thing wrong."""
    reader = _Reader(" ".join(sentence.splitlines()).strip())
    metric = _metric(reader)
    request = _request(reader, metric)
    comparison = reader.take(COMPARISON, "one of " + " ".join(COMPARISONS)).group()
    limit, unit = _limit(reader, metric)
    over_s = _over(reader, metric)
    abort, after_s = _abort(reader, metric, over_s)
    if reader.at < len(reader.text):
        raise reader.error("nothing more" if abort else "nothing more, or ', abort'")
    if abort and after_s is None:
        after_s = 0.0 if over_s or _never_comes_back(metric, comparison, unit) else ABORT_AFTER_S
    return Objective(reader.text, metric, request, comparison, limit, unit, over_s, abort, after_s or 0.0)


def _metric(reader: _Reader) -> str:
    wanted = (
        "p50, p95, p99 (or another percentile), min, mean, max, failures, requests, requests/s, failures/s, users or "
    )
    metric = reader.take(METRIC, wanted + "counter difference").group()
    if re.match(r"p\d", metric) and not 0 < float(metric[1:]) <= 100:
        raise reader.error("a percentile over 0 and up to 100", 0)
    return metric


def _request(reader: _Reader, metric: str) -> str | None:
    start = reader.at
    found = reader.maybe(REQUEST)
    if not found:
        return None
    if metric in WHOLE_SWARM_ONLY:
        raise reader.error(f"a comparison, since {metric} is of the whole swarm,", start)
    request = " ".join((found[1] if found[1] is not None else found[2]).split())
    if not request:
        raise reader.error("a request such as GET /data", start + len("of "))
    return request


def _limit(reader: _Reader, metric: str) -> tuple[float, str]:
    number = _number(reader)
    place = reader.at
    found = reader.maybe(UNIT)
    unit = found.group() if found else ""
    allowed = _units(metric)
    if unit not in allowed:
        words = " or ".join(name or "no unit" for name in allowed)
        raise reader.error(f"{words} for {metric}", place)
    if unit in TIMES_MS:
        return number * TIMES_MS[unit], "ms"
    return (number / 100, "%") if unit == "%" else (number, "")


def _number(reader: _Reader) -> float:
    return float(reader.take(NUMBER, "a number").group().replace(",", "").replace("_", ""))


def _over(reader: _Reader, metric: str) -> float | None:
    start = reader.at
    if not reader.maybe(OVER):
        return None
    if metric in WHOLE_SWARM_ONLY:
        raise reader.error(f"nothing more, since {metric} is of the whole hold,", start)
    return _duration(reader)


def _duration(reader: _Reader) -> float:
    start = reader.at
    seconds = _number(reader) * DURATIONS_S[reader.take(DURATION_UNIT, "s, m or h").group()]
    if seconds < 1:
        raise reader.error("at least 1s", start)
    return seconds


def _abort(reader: _Reader, metric: str, over_s: float | None) -> tuple[bool, float | None]:
    """Return whether to abort, and after how many measured seconds if it says so."""
    if not reader.maybe(COMMA):
        return False, None
    start = reader.at
    reader.take(ABORT, "abort")
    if metric == "counter difference" or (metric in ("requests", "users") and not over_s):
        raise reader.error(f"nothing more, since {metric} is known at the end only,", start)
    return True, _duration(reader) if reader.maybe(AFTER) else None


def _never_comes_back(metric: str, comparison: str, unit: str) -> bool:
    """Tell whether what is broken stays broken: a count that only goes up."""
    return metric == "failures" and not unit and not comparison.startswith(">")


def _units(metric: str) -> tuple[str, ...]:
    if metric in COUNTS:
        return ("",)
    if metric in SHARES:
        return ("%",)
    return ("%", "") if metric == "failures" else tuple(TIMES_MS)


def evaluate(
    objectives: Sequence[Objective], measured: Measured, worst: Mapping[Objective, float | None] | None = None
) -> list[Result]:
    """Return each objective with what was measured; `worst` tells it of those that are held against stretches."""
    stretches = worst or {}
    return [
        Result(objective, stretches.get(objective) if objective.over_s else value_of(objective, measured))
        for objective in objectives
    ]


def value_of(objective: Objective, measured: Measured) -> float | None:
    """Return what was measured of an objective, or None where nothing was."""
    if objective.metric == "users":
        return float(measured.users)
    if objective.metric == "counter difference":
        return measured.counter_difference
    figures = measured.total
    if objective.request is not None:
        figures = merged(matching(measured.requests, objective.request))
    if not figures.requests and not (objective.request is None and objective.metric in COUNTS):
        return None
    return _of_figures(objective, figures, measured.seconds)


def _of_figures(objective: Objective, figures: Figures, seconds: float) -> float | None:
    if objective.share is not None:
        return figures.percentile(objective.share)
    values: dict[str, float | None] = {
        "min": figures.min_ms,
        "mean": figures.mean_ms,
        "max": figures.max_ms,
        "requests": float(figures.requests),
        "requests/s": figures.requests / seconds if seconds else None,
        "failures/s": figures.failures / seconds if seconds else None,
        "failures": figures.failure_ratio if objective.unit == "%" else float(figures.failures),
    }
    return values[objective.metric]
