# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The order of the calls that change a listener's rules. Pure.

While they are made, every request gets the target that it had before the first call or the one that it has after the
last one, never a third. Where no order does that, the plan warns of it. For that, of two calls

- a rule that takes requests over comes before the one that gives them up (else the default rule would get them);
- of rules that take over the same requests, the one in front comes first, for it keeps them;
- of rules that give up the same requests, the one behind comes first, for it must not get them;
- a rule that passes another one changes before all rules move, the one that is passed after it.

Only calls about rules that may meet in a request are kept in an order; all else follows `Course.rank`, and calls that
follow each other without having to may be made at the same time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..parts import grouped
from .matching import covers, may_overlap
from .rule import Rule

MOVE = -1  # stands for the one call that gives rules their new numbers at once
CREATE, MODIFY, DELETE = range(3)


@dataclass(frozen=True)
class Course:
    """What becomes of one rule: `before` is None where it is not there yet, `after` where it is to go.

    `start` and `end` are its numbers before and after all rules move. A rule that is made stands at `end` from the
    start; one that is removed may have to move to make room.
    """

    before: Rule | None
    after: Rule | None
    start: int
    end: int
    key: str  # its ARN; of a new rule, what stands for it

    @property
    def rule(self) -> Rule:
        """The rule as it was, or as it will be."""
        return self.before or self.after or _nothing()

    @cached_property
    def kind(self) -> int | None:
        """Whether it is made, modified or removed; None where it stays as it is, but for its number."""
        if self.before is None:
            return CREATE
        if self.after is None:
            return DELETE
        return MODIFY if content(self.before) != content(self.after) else None

    @cached_property
    def gains(self) -> bool:
        """Whether it may take requests that it did not match before."""
        if self.before and self.after:
            return not covers(self.before.conditions, self.after.conditions)
        return self.after is not None

    @cached_property
    def loses(self) -> bool:
        """Whether it may give up requests that it matched before."""
        if self.before and self.after:
            return not covers(self.after.conditions, self.before.conditions)
        return self.before is not None

    @property
    def rank(self) -> tuple[int, int]:
        """What comes first where it does not matter: new rules by number, changes, removals from behind."""
        kind = MODIFY if self.kind is None else self.kind
        return kind, -self.start if kind == DELETE else self.end


@dataclass(frozen=True)
class Order:
    """Courses in the order of their calls, None for the move of all, and pairs of which the first had to come first.

    Those of one stretch are of one kind, and in any order as good as in this one.
    """

    stretches: Sequence[Sequence[Course | None]]
    broken: Sequence[tuple[Course | None, Course | None]]


def _nothing() -> Rule:
    raise ValueError("a course of no rule")


def content(rule: Rule) -> tuple[object, ...]:
    """Return all of a rule that decides which requests get which target, but for its place."""
    return rule.conditions, rule.actions, rule.transforms


def order(courses: Sequence[Course], there: int, allowed: int) -> Order:
    """Return in which order to make the calls; `there` are the rules that exist, of at most `allowed`.

    A call that needs a number which another rule holds always waits for that one, and one that makes a rule waits until
    there is room. The rest is kept as far as possible; what is `broken` are pairs of calls in the wrong order.
    """
    needed, wished = set(_handed_over(courses)), set(_wishes(courses))
    kept_apart = needed | wished
    left = {place for place, course in enumerate(courses) if course.kind is not None}
    left |= {MOVE} if any(map(_moves, courses)) else set()
    done: list[int] = []
    broken: list[tuple[int, int]] = []
    while left:
        barred = {then for first, then in needed if first in left}
        barred |= {place for place in left if there >= allowed and _kind(courses, place) == CREATE}
        place = _next(courses, left - barred, left, wished)
        left.remove(place)
        done.append(place)
        there += {CREATE: 1, DELETE: -1, MODIFY: 0}[_kind(courses, place)]
        broken += [(first, then) for first, then in wished if then == place and first in left]
        wished = {pair for pair in wished if place not in pair}
    of: dict[int, Course | None] = {MOVE: None, **dict(enumerate(courses))}
    stretches = [[of[place] for place in stretch] for stretch in _stretches(courses, done, kept_apart)]
    return Order(stretches, [(of[first], of[then]) for first, then in sorted(broken)])


def _next(courses: Sequence[Course], open_ones: set[int], left: set[int], wished: Iterable[tuple[int, int]]) -> int:
    """Return the call that comes next: of those that may, the one that breaks the fewest wishes."""
    waits = dict.fromkeys(left, 0)
    for first, then in wished:
        if first in waits and then in waits:
            waits[then] += 1
    return min(open_ones, key=lambda one: (waits[one], (MOVE, 0) if one == MOVE else courses[one].rank))


def _stretches(courses: Sequence[Course], done: Sequence[int], kept_apart: set[tuple[int, int]]) -> Iterator[list[int]]:
    """Split the order wherever a call is of another kind, or in an order with one of the same stretch."""

    def joins(place: int, stretch: list[int]) -> bool:
        alike = MOVE not in (place, stretch[0]) and _kind(courses, place) == _kind(courses, stretch[0])
        return alike and not any((one, place) in kept_apart or (place, one) in kept_apart for one in stretch)

    return grouped(done, joins)


def _kind(courses: Sequence[Course], place: int) -> int:
    kind = None if place == MOVE else courses[place].kind
    return MODIFY if kind is None else kind


def _moves(course: Course) -> bool:
    return course.start != course.end


def _handed_over(courses: Sequence[Course]) -> Iterator[tuple[int, int]]:
    """Yield which call frees the number that another call needs."""
    holders = {course.start: place for place, course in enumerate(courses) if course.before}
    for place, course in enumerate(courses):
        holder = holders.get(course.end, place)
        if holder == place or not (course.kind == CREATE or _moves(course)):
            continue
        freed_by = MOVE if _moves(courses[holder]) else holder
        needed_by = place if course.kind == CREATE else MOVE
        if freed_by != needed_by:
            yield freed_by, needed_by


def _wishes(courses: Sequence[Course]) -> Iterator[tuple[int, int]]:
    """Yield which call has to come before which other, so that no request gets a third target."""
    changing = [(place, course) for place, course in enumerate(courses) if course.kind is not None]
    for (here, one), (there, other) in itertools.permutations(changing, 2):
        if one.gains and other.loses and _meet(one.after, other.before):
            yield here, there
        if one.loses and one.start < other.start and _clash(one.before, other.before):
            yield there, here
        if one.gains and one.end < other.end and _clash(one.after, other.after):
            yield here, there
    if changing:
        yield from _wishes_of_the_move(courses, changing)


def _wishes_of_the_move(courses: Sequence[Course], changing: Sequence[tuple[int, Course]]) -> Iterator[tuple[int, int]]:
    passing = [
        ((here, one), (there, other))
        for (here, one), (there, other) in itertools.permutations(enumerate(courses), 2)
        if one.start < other.start and other.end < one.end
    ]
    for (here, passed), (there, passer) in passing:
        if passer.kind is not None and _clash(passed.before, passer.before):
            yield there, MOVE
        if passed.kind is not None and _clash(passed.after, passer.after):
            yield MOVE, here
        if passer.kind is None and _clash(passed.before, passer.before):
            yield from ((place, MOVE) for place, one in changing if place != here and _takes_from(one, passed, passer))
        if passed.kind is None and _clash(passed.after, passer.after):
            yield from ((MOVE, place) for place, one in changing if place != there and _leaves_to(one, passed, passer))


def _takes_from(one: Course, passed: Course, passer: Course) -> bool:
    """Tell whether a rule takes over, in front of the one that passes, what this would get by passing."""
    return one.gains and one.end < passer.end and _meet(one.after, passed.before) and _meet(one.after, passer.before)


def _leaves_to(one: Course, passed: Course, passer: Course) -> bool:
    """Tell whether a rule gives up, in front of the one that is passed, what that would get until it is passed."""
    return (
        one.loses and one.start < passed.start and _meet(one.before, passed.before) and _meet(one.before, passer.after)
    )


def _meet(one: Rule | None, other: Rule | None) -> bool:
    return bool(one and other and may_overlap(one.conditions, other.conditions))


def _clash(one: Rule | None, other: Rule | None) -> bool:
    """Tell whether a request may match both rules and get another target from each."""
    return bool(one and other and _target(one) != _target(other) and _meet(one, other))


def _target(rule: Rule) -> tuple[object, ...]:
    return rule.actions, rule.transforms
