# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules of a listener as one set: what a task asks for, and the fewest calls that bring it about. Pure.

The order of the calls keeps every request at its old target until it has its new one: rules move in one atomic call,
new ones are made from the first to the last, rules grow before others shrink, what is not wanted any more goes last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .limits import RULES, check_room
from .matching import Shadow, covers, shadow_of
from .path_rule import (
    WantedRule,
    creation,
    deletion,
    find,
    modification,
    priority_calls,
    rule_after,
)
from .plan import Call, InputError, Plan
from .priority import place
from .rule import NAME_TAG, Rule, in_order, shown
from .tags import Tags, tag_calls

ROUNDS = 20  # enough for rules that make room for each other; where they never rest, the last places are as good
PURGE_NONE, PURGE_OWNED, PURGE_ALL = "none", "owned", "all"  # of the rules that the set does not name


@dataclass(frozen=True)
class WantedSet:
    """What a task asks for. `owner` are the tags by which rules of this set are known, that `purge` goes by."""

    rules: Sequence[WantedRule]
    owner: Tags
    purge: str = PURGE_NONE


@dataclass(frozen=True)
class Member:
    """One rule of the set: what is asked for, how it is (None where it is not there), and how it will be."""

    wanted: WantedRule
    current: Rule | None
    after: Rule
    key: str  # stands for its ARN until AWS tells it


@dataclass(frozen=True)
class SetPlan:
    """The plan for a set, and its rules in the order of the task; `removed` are those that go."""

    plan: Plan
    members: Sequence[Member]
    removed: Sequence[Rule]
    shadows: Sequence[Shadow]


def plan_set(listener_arn: str, rules: Sequence[Rule], wanted: WantedSet, allowed: int = RULES) -> SetPlan:
    """Return how to bring a listener's rules to the set."""
    found = _found(rules, wanted)
    _check_identities(wanted.rules, found)
    removed = _removed(rules, found, wanted)
    kept = [rule for rule in rules if rule not in found and rule not in removed]
    members, kept_after = _placed(wanted.rules, found, kept, removed)
    new = sum(member.current is None for member in members)
    if new:
        check_room(len(rules) - len(removed) + new - 1, allowed)
    now = {rule.arn: rule.priority for rule in rules}
    moved = {rule.arn: rule.priority for rule in kept_after if rule.priority != now[rule.arn]}
    shadows = _shadows(members, kept_after)
    calls = _calls(listener_arn, rules, members, removed, moved, allowed)
    before, after = _states(rules, members, removed, moved)
    warnings = [shadow.sentence for shadow in shadows]
    return SetPlan(Plan(before, after, calls, warnings), members, removed, shadows)


def count_new(rules: Sequence[Rule], wanted: WantedSet) -> int:
    """Return how many rules of the set are not there yet."""
    return _found(rules, wanted).count(None)


def _found(rules: Sequence[Rule], wanted: WantedSet) -> list[Rule | None]:
    """Return the rule that each entry means: by name first; a rule that would go may get another name instead."""
    by_name = {one.name: find(rules, replace(one, conditions={})) for one in wanted.rules if one.name}
    named = [rule for rule in by_name.values() if rule]
    free = {rule.arn: rule for rule in rules if rule not in named}
    offered = [_nameless(rule) if _may_go(rule, wanted) else rule for rule in free.values()]
    found = [by_name.get(one.name or "") or find(offered, one) for one in wanted.rules]
    return [free.get(rule.arn, rule) if rule else None for rule in found]


def _nameless(rule: Rule) -> Rule:
    return replace(rule, tags={key: value for key, value in rule.tags.items() if key != NAME_TAG})


def _may_go(rule: Rule, wanted: WantedSet) -> bool:
    return wanted.purge == PURGE_ALL or (wanted.purge == PURGE_OWNED and _owned(rule, wanted.owner))


def _check_identities(wanted: Sequence[WantedRule], found: Sequence[Rule | None]) -> None:
    """Raise InputError where two entries of the set mean the same rule."""
    names = [one.name for one in wanted if one.name]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"rules has the name '{name}' {names.count(name)} times; give each rule a name of its own."
            )
    for place_in_list, rule in enumerate(found):
        if rule and rule in found[:place_in_list]:
            raise InputError(f"rules has two entries that mean {rule.label}; give each rule conditions of its own.")


def _removed(rules: Sequence[Rule], found: Sequence[Rule | None], wanted: WantedSet) -> list[Rule]:
    return [rule for rule in rules if rule not in found and _may_go(rule, wanted)]


def _owned(rule: Rule, owner: Tags) -> bool:
    return all(rule.tags.get(key) == value for key, value in owner.items())


def _placed(
    wanted: Sequence[WantedRule], found: Sequence[Rule | None], kept: Sequence[Rule], removed: Sequence[Rule]
) -> tuple[list[Member], list[Rule]]:
    """Give every rule of the set its priority; return the set, and the kept rules as they will be.

    Numbers come first, since they are given. The others are placed one after the other, again and again until each
    stays where it is, so that the next run finds nothing to do. Nobody gets the number of a rule that is still to go.
    """
    _check_numbers(wanted, kept)
    drafts = [rule_after(rule, one) for one, rule in zip(wanted, found, strict=True)]
    drafts = [replace(rule, arn=rule.arn or f"new-{number}") for number, rule in enumerate(drafts)]
    asked = {one.place.number for one in wanted if one.place.number is not None}
    table = _Table({rule.arn: rule for rule in kept}, asked | {rule.priority for rule in removed})
    for draft, one in zip(drafts, wanted, strict=True):
        if one.place.number is not None:
            table.rules[draft.arn] = replace(draft, priority=one.place.number)
        elif draft.priority and draft.priority not in asked:
            table.rules[draft.arn] = draft
    open_ones = [(draft, one) for draft, one in zip(drafts, wanted, strict=True) if one.place.number is None]
    for _round in range(ROUNDS):
        if sum(table.settle(draft, one) for draft, one in open_ones) == 0:
            break
    members = [
        Member(one, rule, replace(table.rules[draft.arn], arn=rule.arn if rule else ""), draft.arn)
        for draft, one, rule in zip(drafts, wanted, found, strict=True)
    ]
    return members, [table.rules[rule.arn] for rule in kept]


@dataclass
class _Table:
    """The rules that will be there, by ARN, while they find their places; `kept_free` are numbers that nobody gets."""

    rules: dict[str, Rule]
    kept_free: set[int]

    def settle(self, draft: Rule, wanted: WantedRule) -> bool:
        """Place one rule, let others move for it, and tell whether anything moved."""
        now = self.rules.pop(draft.arn, None)
        around = list(self.rules.values())
        room = place(wanted.place, draft.conditions, around, now.priority if now else None, self.kept_free)
        for arn, number in room.moved.items():
            self.rules[arn] = replace(self.rules[arn], priority=number)
        self.rules[draft.arn] = replace(draft, priority=room.priority)
        return now is None or now.priority != room.priority


def _check_numbers(wanted: Sequence[WantedRule], kept: Sequence[Rule]) -> None:
    numbers = [one.place.number for one in wanted if one.place.number is not None]
    for number in numbers:
        if numbers.count(number) > 1:
            raise InputError(f"rules has the priority {number} {numbers.count(number)} times; allowed is once.")
        holder = next((rule for rule in kept if rule.priority == number), None)
        if holder:
            raise InputError(f"rules has the priority {number}, which {holder.label} has; allowed are free numbers.")


def _shadows(members: Sequence[Member], others: Sequence[Rule]) -> list[Shadow]:
    """Return which rules can never match, where a rule of the set has to do with it, as its on_shadow wants it."""
    careful = {member.key: member.wanted.on_shadow for member in members}
    rules = in_order([*others, *(replace(member.after, arn=member.key) for member in members)])
    found = [shadow_of(rule, rules[:number]) for number, rule in enumerate(rules)]
    related = []
    for shadow in found:
        wishes = {careful.get(rule.arn) for rule in (shadow.rule, *shadow.by)} if shadow else set()
        if shadow and "fail" in wishes:
            raise InputError(f"on_shadow is 'fail' and {shadow.sentence}")
        if shadow and "warn" in wishes:
            related.append(shadow)
    return related


def _calls(
    listener_arn: str,
    rules: Sequence[Rule],
    members: Sequence[Member],
    removed: Sequence[Rule],
    moved: Mapping[str, int],
    allowed: int,
) -> list[Call]:
    new = sorted((one for one in members if one.current is None), key=lambda one: one.after.priority)
    moves = dict(moved)
    for member in members:
        if member.current and member.after.priority != member.current.priority:
            moves[member.current.arn] = member.after.priority
    numbers = {member.after.priority for member in members} | set(moves.values())
    full = len(rules) + len(new) > allowed
    first = [rule for rule in removed if full or rule.priority in numbers]
    last = [rule for rule in removed if rule not in first]
    return [
        *map(deletion, first),
        *priority_calls(moves, "the rules of the set"),
        *(creation(listener_arn, one.after, one.wanted, learns=one.key) for one in new),
        *_modifications(members),
        *map(deletion, last),
    ]


def _modifications(members: Sequence[Member]) -> list[Call]:
    """Return the changes of rules: of those that grow, then of the others, then of those that shrink; then the tags."""
    there = [(member, member.current) for member in members if member.current]
    there.sort(key=lambda pair: _growth(pair[1], pair[0].after))
    changes = [call for member, current in there for call in modification(current, member.after, member.wanted)]
    tags = [
        call
        for member, current in there
        for call in tag_calls(current.arn, member.wanted.label, current.tags, member.after.tags)
    ]
    return changes + tags


def _growth(current: Rule, after: Rule) -> int:
    if covers(after.conditions, current.conditions):
        return 0
    return 2 if covers(current.conditions, after.conditions) else 1


def _states(
    rules: Sequence[Rule], members: Sequence[Member], removed: Sequence[Rule], moved: Mapping[str, int]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the set before and after, in the order of the priorities, and the other rules that move."""
    there = [(member.current, _with_tags(member)) for member in members if member.current]
    there += [(rule, True) for rule in removed]
    ordered = sorted(members, key=lambda member: member.after.priority)
    before: dict[str, Any] = {
        "rules": [shown(rule, tags) for rule, tags in sorted(there, key=lambda pair: pair[0].priority)]
    }
    after: dict[str, Any] = {"rules": [shown(member.after, _with_tags(member)) for member in ordered]}
    if any(member.wanted.resend_secret for member in members):
        after["client_secrets"] = "sent again"
    others = [rule for rule in rules if rule.arn in moved]
    if others:
        before["moved"] = {rule.name or rule.arn: rule.priority for rule in others}
        after["moved"] = {rule.name or rule.arn: moved[rule.arn] for rule in others}
    return before, after


def _with_tags(member: Member) -> bool:
    return member.wanted.tags is not None
