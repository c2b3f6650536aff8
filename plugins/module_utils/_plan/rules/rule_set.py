# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules of a listener as one set: what a task asks for, and the fewest calls that bring it about. Pure.

All that move do so in one atomic call; `order` says in which order the calls keep every request at its old target
until it has its new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..plan import Call, InputError, Plan, side_by_side
from ..tags import Tags, tag_calls
from .limits import RULES, check_room
from .matching import Shadow, shadow_of
from .order import CREATE, DELETE, Course, Order, content, order
from .path_rule import (
    WantedRule,
    creation,
    deletion,
    find,
    modification,
    priority_calls,
    rule_after,
)
from .places import Entry, places
from .rule import NAME_TAG, Rule, in_order, shown

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
    new = found.count(None)
    if new:
        check_room(len(rules) - len(removed) + new - 1, allowed)
    entries = _entries(wanted.rules, found)
    numbers = places(entries, kept, removed)
    members = [
        Member(one, rule, replace(entry.rule, arn=rule.arn if rule else "", priority=numbers[key]), key)
        for one, rule, entry in zip(wanted.rules, found, entries, strict=True)
        for key in [entry.rule.arn]
    ]
    kept_after = [replace(rule, priority=numbers[rule.arn]) for rule in kept]
    shadows = _shadows(members, kept_after)
    courses = _courses(rules, members, removed, numbers)
    ordered = order(courses, len(rules), allowed)
    calls = _calls(listener_arn, members, courses, ordered)
    moved = {rule.arn: numbers[rule.arn] for rule in kept if numbers[rule.arn] != rule.priority}
    before, after = _states(rules, members, removed, moved)
    warnings = [*(shadow.sentence for shadow in shadows), *_broken(ordered)]
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


def _entries(wanted: Sequence[WantedRule], found: Sequence[Rule | None]) -> list[Entry]:
    """Return each rule of the set as it will be, but for its place."""
    drafts = [rule_after(rule, one) for one, rule in zip(wanted, found, strict=True)]
    return [
        Entry(replace(draft, arn=draft.arn or f"new-{number}"), one.place)
        for number, (draft, one) in enumerate(zip(drafts, wanted, strict=True))
    ]


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


def _courses(
    rules: Sequence[Rule], members: Sequence[Member], removed: Sequence[Rule], numbers: Mapping[str, int]
) -> list[Course]:
    ours = {member.current.arn for member in members if member.current}
    own = [Course(one.current, one.after, _start(one), one.after.priority, one.key) for one in members]
    return own + [
        Course(rule, None if rule in removed else rule, rule.priority, numbers[rule.arn], rule.arn)
        for rule in rules
        if rule.arn not in ours
    ]


def _calls(listener_arn: str, members: Sequence[Member], courses: Sequence[Course], ordered: Order) -> list[Call]:
    by_key = {member.key: member for member in members}
    gone: set[str] = set()
    calls: list[Call] = []
    for stretch in ordered.stretches:
        changes = [course for course in stretch if course]
        if not changes:
            calls += _move([one for one in courses if one.key not in gone])
        calls += side_by_side([call for one in changes for call in _change(listener_arn, one, by_key.get(one.key))])
        gone |= {one.key for one in changes if one.kind == DELETE}
    return calls + side_by_side(_other_calls(members))


def _change(listener_arn: str, course: Course, member: Member | None) -> list[Call]:
    """Return the call that brings one rule about; one that is removed need not be of the set."""
    if course.kind == DELETE or not member:
        return [deletion(course.rule)]
    if course.kind == CREATE:
        return [creation(listener_arn, member.after, member.wanted, learns=member.key)]
    return _modification(member)


def _start(member: Member) -> int:
    return member.current.priority if member.current else member.after.priority


def _move(courses: Sequence[Course]) -> list[Call]:
    moves = {course.key: course.end for course in courses if course.start != course.end}
    return priority_calls(moves, "the rules of the set")


def _modification(member: Member) -> list[Call]:
    return modification(member.current, member.after, member.wanted) if member.current else []


def _other_calls(members: Sequence[Member]) -> list[Call]:
    """Return what changes no request's target: secrets that are sent again, and tags."""
    there = [(member, member.current) for member in members if member.current]
    same = [member for member, current in there if content(current) == content(member.after)]
    secrets = [call for member in same for call in _modification(member)]
    return secrets + [
        call
        for member, current in there
        for call in tag_calls(current.arn, member.wanted.label, current.tags, member.after.tags)
    ]


def _broken(ordered: Order) -> list[str]:
    """Return a warning where no order of the calls keeps every request at its old or new target."""
    if not ordered.broken:
        return []
    rules = dict.fromkeys(course.rule.label for pair in ordered.broken for course in pair if course)
    return [
        "No order of the calls keeps every request at its old target or its new one: while the rules change, some may "
        f"get a third one for a moment. It is about {', '.join(rules)}."
    ]


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
