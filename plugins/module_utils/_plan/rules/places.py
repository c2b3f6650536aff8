# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The numbers of a whole set of rules among those of others. Pure.

Numbers that are asked for come first. The other rules are placed one after the other, again and again until each stays
where it is, so that the next run finds nothing to do. `before` and `after` bind both rules of the pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

from ..plan import InputError
from .matching import may_overlap
from .priority import HIGHEST, LOWEST, Place, WantedPlace, Window, fit, neighbour, with_room
from .rule import Rule, in_order

ROUNDS = 20  # each settles at least one rule for good; two or three are usual


@dataclass(frozen=True)
class Entry:
    """A rule of the set as it will be, but for its place; `rule.arn` is its key, `rule.priority` 0 for a new one."""

    rule: Rule
    place: WantedPlace

    @property
    def label(self) -> str:
        """What to call it in a message."""
        return f"rule '{self.rule.name}'" if self.rule.name else "a rule without a name"


def places(entries: Sequence[Entry], kept: Sequence[Rule], removed: Sequence[Rule]) -> dict[str, int]:
    """Return the number of every rule, by ARN or key; raises InputError where the wishes contradict each other.

    Rules that are `removed` are there until the end. They move like others to make room, but no place depends on them.
    """
    _check_numbers(entries, kept)
    table = _table(entries, kept, removed)
    waiting = [entry for entry in entries if entry.place.number is None]
    ordered = _neighbours_first(waiting, table)
    for _round in range(ROUNDS):
        if sum(table.settle(entry) for entry in ordered) == 0:
            break
    return {**table.first, **table.leaving, **{key: rule.priority for key, rule in table.rules.items()}}


def _check_numbers(entries: Sequence[Entry], kept: Sequence[Rule]) -> None:
    numbers = [entry.place.number for entry in entries if entry.place.number is not None]
    for number in numbers:
        if numbers.count(number) > 1:
            raise InputError(f"rules has the priority {number} {numbers.count(number)} times; allowed is once.")
        holder = next((rule for rule in kept if rule.priority == number), None)
        if holder:
            raise InputError(f"rules has the priority {number}, which {holder.label} has; allowed are free numbers.")


@dataclass
class _Table:
    """The rules while they find their places: those that stay, by ARN or key, and the numbers of those that leave.

    `first` are the numbers that those have now: one that is no more in `leaving` is to go before all others move.
    """

    rules: dict[str, Rule]
    leaving: dict[str, int]
    first: Mapping[str, int]
    kept_free: set[int] = field(default_factory=set)
    in_front: Mapping[str, set[str]] = field(default_factory=dict)  # of a key: the keys that must be in front of it

    def settle(self, entry: Entry) -> bool:
        """Place one rule, let others move for it, and tell whether anything moved."""
        key = entry.rule.arn
        now = self.rules.pop(key, None)
        limits = self._limits(key)
        at_the_end = entry.place.at_the_end and limits.before <= HIGHEST
        others, current = list(self.rules.values()), now.priority if now else None
        leaving = self.leaving.values()
        room = fit(entry.rule.conditions, limits, others, current, self.taken(), self.kept_free, at_the_end, leaving)
        self._send_first(room)
        self.move(room.moved)
        self.rules[key] = replace(entry.rule, priority=room.priority)
        return current != room.priority

    def _send_first(self, room: Place) -> None:
        """Let rules that leave go before others take their numbers."""
        numbers = {room.priority, *room.moved.values()}
        stay = {arn: number for arn, number in self.leaving.items() if arn in room.moved or number not in numbers}
        self.leaving = stay

    def taken(self) -> dict[int, str]:
        """Return who has which number."""
        leaving = {number: arn for arn, number in self.leaving.items()}
        return leaving | {rule.priority: key for key, rule in self.rules.items()}

    def move(self, moved: Mapping[str, int]) -> None:
        """Give rules other numbers."""
        for arn, number in moved.items():
            if arn in self.leaving:
                self.leaving[arn] = number
            else:
                self.rules[arn] = replace(self.rules[arn], priority=number)

    def _limits(self, key: str) -> Window:
        there = {other: rule.priority for other, rule in self.rules.items()}
        after = max((there[other] for other in self.in_front.get(key, ()) if other in there), default=LOWEST - 1)
        behind = [number for other, number in there.items() if key in self.in_front.get(other, ())]
        # One behind that is still in front is to move itself, in its turn.
        return Window(after, min((number for number in behind if number > after), default=HIGHEST + 1))


def _table(entries: Sequence[Entry], kept: Sequence[Rule], removed: Sequence[Rule]) -> _Table:
    asked = {entry.place.number for entry in entries if entry.place.number is not None}
    leaving = {rule.arn: rule.priority for rule in removed}
    table = _Table({rule.arn: rule for rule in kept}, leaving, dict(leaving), set(asked))
    for entry in entries:
        if entry.place.number is not None:
            table.rules[entry.rule.arn] = replace(entry.rule, priority=entry.place.number)
        elif entry.rule.priority and entry.rule.priority not in asked:
            table.rules[entry.rule.arn] = entry.rule
    pairs = list(_pairs(entries, kept))
    table.kept_free |= {number for _first, _then, number in pairs if number}
    table.in_front = _closed(entries, kept, [(first, then) for first, then, _number in pairs])
    for rule in removed:
        if rule.priority in asked:
            _step_aside(table, rule, [entry.rule for entry in entries])
    return table


def _step_aside(table: _Table, rule: Rule, entries: Sequence[Rule]) -> None:
    """Let a rule that leaves, whose number is asked for, stay behind it until others have taken its requests over.

    Where no other may do that, or where there is no room behind it, it goes first.
    """
    number = next(n for n in range(rule.priority + 1, HIGHEST + 2) if n not in table.kept_free)
    del table.leaving[rule.arn]
    heirs = any(may_overlap(entry.conditions, rule.conditions) for entry in entries)
    room = with_room(Window(number - 1, number), table.taken(), table.kept_free) if number <= HIGHEST else None
    if heirs and room and room.priority == number:
        table.move(room.moved)
        table.leaving[rule.arn] = number


def _pairs(entries: Sequence[Entry], kept: Sequence[Rule]) -> Iterable[tuple[str, str, int]]:
    """Yield which rule must be in front of which other, and the number, if it is by this that a kept rule is named."""
    numbered = [replace(entry.rule, priority=entry.place.number or 0) for entry in entries]
    known = [*kept, *(rule for rule in numbered if rule.name or rule.priority)]
    for entry in entries:
        others = [rule for rule in known if rule.arn != entry.rule.arn]
        for option in ("before", "after"):
            text = getattr(entry.place, option)
            if text:
                found = neighbour(option, text, others)
                number = 0 if found.name == text else found.priority
                pair = (entry.rule.arn, found.arn) if option == "before" else (found.arn, entry.rule.arn)
                yield *pair, number


def _closed(entries: Sequence[Entry], kept: Sequence[Rule], pairs: Sequence[tuple[str, str]]) -> dict[str, set[str]]:
    """Return, for each rule that a pair is about, all that must be in front of it; raises InputError for a circle.

    Rules that others made keep their order, and numbers that are asked for are where they are.
    """
    numbered = [replace(one.rule, priority=one.place.number) for one in entries if one.place.number is not None]
    fixed = [rule.arn for rule in in_order([*kept, *numbered])]
    chain = list(zip(fixed, fixed[1:], strict=False)) if pairs else []
    direct: dict[str, set[str]] = {}
    for first, then in (*pairs, *chain):
        direct.setdefault(then, set()).add(first)
    try:
        ordered = list(TopologicalSorter(direct).static_order())
    except CycleError as error:
        raise InputError(_contradiction(entries, error.args[1])) from None
    closed: dict[str, set[str]] = {}
    for key in ordered:
        closed[key] = set().union(*({first} | closed[first] for first in direct.get(key, ())))
    return closed


def _contradiction(entries: Sequence[Entry], circle: Sequence[str]) -> str:
    wishes = [
        f"{option} of {entry.label} is '{getattr(entry.place, option)}'"
        for entry in entries
        for option in ("before", "after")
        if entry.rule.arn in circle and getattr(entry.place, option)
    ]
    return f"rules cannot be put in an order: {', '.join(wishes)}; give places that do not contradict each other."


def _neighbours_first(entries: Sequence[Entry], table: _Table) -> list[Entry]:
    """Return the rules in the order of the task, but each behind those that must be in front of it."""
    left, ordered = list(entries), []
    while left:
        waiting = {entry.rule.arn for entry in left}
        first = next(entry for entry in left if not waiting & table.in_front.get(entry.rule.arn, set()))
        left.remove(first)
        ordered.append(first)
    return ordered
