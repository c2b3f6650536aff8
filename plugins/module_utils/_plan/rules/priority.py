# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Priorities: where a rule belongs among the others, and which numbers bring it there. Pure.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetRulePriorities.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..plan import InputError
from .condition import Conditions
from .matching import covers, may_overlap
from .rule import Rule

LOWEST, HIGHEST = 1, 50000
AUTO = "auto"


@dataclass(frozen=True)
class Window:
    """The numbers between which a rule belongs, both excluded."""

    after: int = LOWEST - 1
    before: int = HIGHEST + 1

    def holds(self, priority: int) -> bool:
        """Tell whether a priority is inside."""
        return self.after < priority < self.before

    def narrowed(self, other: Window) -> Window:
        """Return what both windows have in common; this one where they have nothing in common."""
        after, before = max(self.after, other.after), min(self.before, other.before)
        return Window(after, before) if after < before else self


@dataclass(frozen=True)
class Place:
    """A priority for a rule, and the new priorities (ARN -> number) of those that make room for it."""

    priority: int
    moved: Mapping[str, int]


@dataclass(frozen=True)
class WantedPlace:
    """What a task says: a number, or auto (None), before or after other rules, by their name or number."""

    number: int | None = None
    before: str | None = None
    after: str | None = None

    @property
    def at_the_end(self) -> bool:
        """Whether the rule goes as near as it can to the one in front of which it has to be."""
        return bool(self.before and not self.after)


def parse_priority(text: str) -> int | None:
    """Return the number that the option says, or None for "auto"; raises InputError."""
    if text == AUTO:
        return None
    if not text.isdigit() or not LOWEST <= int(text) <= HIGHEST:
        raise InputError(f"priority is '{text}'; allowed are {AUTO} and {LOWEST} to {HIGHEST}.")
    return int(text)


def place(wanted: WantedPlace, conditions: Conditions, others: Sequence[Rule], current: int | None) -> Place:
    """Return where a rule with `conditions` goes among `others`; `current` is its priority, None for a new rule.

    A number is taken as it is, if it is free; see `fit` for the rest.
    """
    if wanted.number is not None:
        return _numbered(wanted.number, others)
    taken = {rule.priority: rule.arn for rule in others}
    return fit(conditions, _limits(wanted, others), others, current, taken, pinned(wanted, others), wanted.at_the_end)


def fit(
    conditions: Conditions,
    limits: Window,
    others: Sequence[Rule],
    current: int | None,
    taken: Mapping[int, str],
    kept_free: Collection[int] = (),
    at_the_end: bool = False,
    leaving: Collection[int] = (),
) -> Place:
    """Return where a rule belongs inside of `limits`, which are never left.

    It stays where it is as long as that is right. Else it goes behind those that are more specific than it or overlap
    with it, in front of those that would leave it nothing; where no number can be had there, to the next best place.
    `taken` says who (ARN) has a number, be it one of `others` or not, and may have to move by one to make room. Numbers
    that are `kept_free` go neither to the rule nor to those that move; nor does a rule move that has one. To take the
    number of a rule that is `leaving` is better than a worse place.
    """
    sharing = [rule for rule in others if may_overlap(conditions, rule.conditions)]
    # A rule with the same conditions that came behind this one has no claim.
    older = [
        one for one in sharing if current is None or one.priority < current or not _same(one.conditions, conditions)
    ]
    needed = limits.narrowed(_needed(conditions, older, limits))
    if current is not None and needed.holds(current):
        return Place(current, {})
    # Behind all that share some requests with this rule: they had them first.
    best = needed.narrowed(Window(_last_before(needed.before, sharing), HIGHEST + 1))
    for window in dict.fromkeys((best, needed, limits)):
        if current is not None and window.holds(current):
            return Place(current, {})
        for obstacles in (taken, {number: arn for number, arn in taken.items() if number not in leaving}):
            room = _free(window, obstacles, kept_free, at_the_end) or with_room(window, obstacles, kept_free)
            if room:
                return room
    raise InputError(
        f"priority is {AUTO}, but there is no room between {limits.after} and {limits.before}, and none can be made "
        "there; leave a gap between the numbers that are asked for."
    )


def _numbered(number: int, others: Sequence[Rule]) -> Place:
    holder = next((rule for rule in others if rule.priority == number), None)
    if holder:
        raise InputError(
            f"priority is {number}, which {holder.label} has; allowed are a free number, {AUTO}, "
            "and the options before and after."
        )
    return Place(number, {})


def pinned(wanted: WantedPlace, others: Sequence[Rule]) -> set[int]:
    """Return the numbers by which the task names its neighbours: they stay, or the next run would find another rule."""
    names = {rule.name for rule in others}
    return {int(text) for text in (wanted.before, wanted.after) if text and text.isdigit() and text not in names}


def _limits(wanted: WantedPlace, others: Sequence[Rule]) -> Window:
    after = neighbour("after", wanted.after, others).priority if wanted.after else LOWEST - 1
    before = neighbour("before", wanted.before, others).priority if wanted.before else HIGHEST + 1
    if after >= before:
        raise InputError(
            f"after is '{wanted.after}' (priority {after}) and before is '{wanted.before}' (priority {before}); "
            "the first one must stand in front of the second."
        )
    return Window(after, before)


def neighbour(option: str, text: str, others: Sequence[Rule]) -> Rule:
    """Return the rule that `before` or `after` names: by its Name tag, else by its priority."""
    found = [rule for rule in others if rule.name == text] or [rule for rule in others if str(rule.priority) == text]
    if len(found) == 1:
        return found[0]
    if found:
        numbers = ", ".join(str(rule.priority) for rule in found)
        raise InputError(f"{option} is '{text}', the name of rules {numbers}; give the priority of one of them.")
    names = ", ".join(rule.name or str(rule.priority) for rule in others) or "none, since there are no others"
    raise InputError(f"{option} is '{text}'; the listener's other rules are: {names}.")


def _needed(conditions: Conditions, others: Sequence[Rule], limits: Window) -> Window:
    """Return the window in which the rule gets requests and leaves theirs to more specific rules.

    Of a rule with the same conditions nothing is taken away: it counts as more specific.
    """
    specific = [rule for rule in others if covers(conditions, rule.conditions)]
    wide = [rule for rule in others if covers(rule.conditions, conditions) and rule not in specific]
    before = min([rule.priority for rule in wide if rule.priority > limits.after], default=HIGHEST + 1)
    return Window(_last_before(before, specific), before)


def _same(one: Conditions, other: Conditions) -> bool:
    return covers(one, other) and covers(other, one)


def _last_before(before: int, rules: Iterable[Rule]) -> int:
    return max([rule.priority for rule in rules if rule.priority < before], default=LOWEST - 1)


def _free_numbers(window: Window, taken: Collection[int]) -> list[int]:
    """Return the first and the last free number in a window; the same one twice where there is one."""
    first = next((number for number in range(window.after + 1, window.before) if number not in taken), None)
    if first is None:
        return []
    last = next(number for number in range(window.before - 1, window.after, -1) if number not in taken)
    return [first, last]


def _free(window: Window, taken: Mapping[int, str], kept_free: Collection[int], at_the_end: bool) -> Place | None:
    free = _free_numbers(window, {*taken, *kept_free})
    return Place(free[-1] if at_the_end else free[0], {}) if free else None


def with_room(window: Window, taken: Mapping[int, str], kept_free: Collection[int]) -> Place | None:
    """Make room in a full window by moving the fewest rules by one: those behind it, or those in front of it."""
    behind = _run(taken, kept_free, window.before, 1)
    in_front = _run(taken, kept_free, window.after, -1)
    if behind is not None and (in_front is None or len(behind) <= len(in_front)):
        return Place(window.before, {taken[number]: number + 1 for number in behind})
    if in_front is not None:
        return Place(window.after, {taken[number]: number - 1 for number in in_front})
    return None


def _run(taken: Collection[int], kept_free: Collection[int], start: int, step: int) -> list[int] | None:
    """Return the taken numbers from `start` up to the next free one, or None where there is no free one."""
    number, run = start, []
    while number in taken and number not in kept_free:
        run.append(number)
        number += step
    return run if LOWEST <= number <= HIGHEST and number not in kept_free else None
