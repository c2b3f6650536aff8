# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One rule of a listener: what a task asks for, and the calls that bring it about. Pure.

Nobody else's rule is ever modified or removed. Others may get another number where a rule needs room, all in one atomic
call, and never another place relative to each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..plan import Call, InputError, Plan
from ..tags import Tags, tag_calls, tag_list, wanted_tags
from .action import AUTHENTICATE, OIDC, ROUTING, Action, Actions, Transforms, actions_to_aws, transforms_to_aws
from .condition import FIELDS, Conditions, meaning, to_aws
from .limits import RULES, check_room, check_rule, check_transforms
from .matching import Shadow, shadow_of
from .priority import Place, WantedPlace, place
from .rule import NAME_TAG, Rule, shown

RULE_ARN = "rule_arn"
OVERTAKEN = ("PriorityInUse", "RuleNotFound")


@dataclass(frozen=True)
class WantedRule:
    """What a task asks for; what it leaves out is None, or missing in `conditions` (by field), and is left alone.

    An `authenticate` without settings removes the rule's authentication. `stickiness` is in seconds, 0 turns it off.
    """

    conditions: Mapping[str, Conditions]
    place: WantedPlace = WantedPlace()
    name: str | None = None
    authenticate: Action | None = None
    routing: Action | None = None
    stickiness: int | None = None
    transforms: Transforms | None = None
    tags: Tags | None = None
    purge_tags: bool = True
    client_secret: str | None = None
    resend_secret: bool = False
    on_shadow: str = "warn"

    @property
    def label(self) -> str:
        """What to call the rule in a message."""
        return f"rule '{self.name}'" if self.name else "the rule"

    @property
    def all_conditions(self) -> Conditions:
        """The conditions of which the task speaks."""
        return tuple(condition for field in FIELDS for condition in self.conditions.get(field, ()))


@dataclass(frozen=True)
class RulePlan:
    """The plan for one rule: how it is before (None where it is not there) and after, and what shadows what."""

    plan: Plan
    before: Rule | None
    after: Rule | None
    shadows: Sequence[Shadow] = ()


def find(rules: Sequence[Rule], wanted: WantedRule) -> Rule | None:
    """Return the rule that the task means: the one of its name, else the one with exactly its conditions."""
    if wanted.name:
        named = [rule for rule in rules if rule.name == wanted.name]
        only_one(named, f"name is '{wanted.name}'", "give the rules different Name tags")
        if named:
            return named[0]
    asked = meaning(wanted.all_conditions)
    alike = [rule for rule in rules if meaning(rule.conditions) == asked]
    if not wanted.name:
        only_one(alike, "The conditions of the task", "give the option name")
        return alike[0] if alike else None
    unnamed = [rule for rule in alike if not rule.name]
    if alike and not unnamed:
        raise InputError(
            f"name is '{wanted.name}', but {alike[0].label} has the same conditions; use its name, or other conditions."
        )
    only_one(unnamed, f"The conditions of rule '{wanted.name}'", "remove one of them")
    return unnamed[0] if unnamed else None


def only_one(rules: Sequence[Rule], what: str, way_out: str) -> None:
    """Raise InputError where several rules fit."""
    if len(rules) > 1:
        numbers = ", ".join(str(rule.priority) for rule in rules)
        raise InputError(f"{what}: {len(rules)} rules of the listener fit, with the priorities {numbers}; {way_out}.")


def plan_absent(rules: Sequence[Rule], wanted: WantedRule) -> RulePlan:
    """Return how to remove the rule."""
    current = find(rules, wanted)
    if current is None:
        return RulePlan(Plan({}, {}), None, None)
    return RulePlan(Plan(shown(current, bool(current.tags)), {}, [deletion(current)]), current, None)


def deletion(rule: Rule) -> Call:
    """Return the call that removes a rule; one that is gone already is as good."""
    return Call("elbv2", "DeleteRule", {"RuleArn": rule.arn}, rule.label, done_by=("RuleNotFound",))


def plan_present(listener_arn: str, rules: Sequence[Rule], wanted: WantedRule, allowed: int = RULES) -> RulePlan:
    """Return how to make or change the rule; `allowed` is the account's quota of rules a load balancer."""
    current = find(rules, wanted)
    others = [rule for rule in rules if rule is not current]
    after = rule_after(current, wanted)
    if current is None:
        check_room(len(rules), allowed)
    room = place(wanted.place, after.conditions, others, current.priority if current else None)
    after = replace(after, priority=room.priority)
    shadows = related_shadows(
        wanted, after, [replace(rule, priority=room.moved.get(rule.arn, rule.priority)) for rule in others]
    )
    if current:
        calls = _changes(current, after, room, wanted)
    else:
        calls = [*priority_calls(room.moved, wanted.label), creation(listener_arn, after, wanted)]
    warnings = [shadow.sentence for shadow in shadows] if wanted.on_shadow == "warn" else []
    before_state, after_state = _states(current, after, room, others, wanted)
    return RulePlan(Plan(before_state, after_state, calls, warnings), current, after, shadows)


def rule_after(current: Rule | None, wanted: WantedRule) -> Rule:
    """Return the rule as it is after the task, but for its place; raises InputError for what AWS would refuse."""
    conditions = _conditions_after(current, wanted)
    actions = _actions_after(current, wanted)
    if not conditions:
        raise InputError(f"{wanted.label} has no condition; give at least one, such as path_patterns.")
    if not actions or actions[-1].type not in ROUTING:
        raise InputError(f"{wanted.label} is not there yet; give one of forward, redirect and fixed_response.")
    check_rule(wanted.label, conditions, actions)
    transforms = wanted.transforms if wanted.transforms is not None else (current.transforms if current else ())
    check_transforms(wanted.label, transforms)
    tags = wanted_tags(current.tags if current else {}, wanted.tags, wanted.purge_tags)
    if wanted.name:
        tags[NAME_TAG] = wanted.name
    arn, priority = (current.arn, current.priority) if current else ("", 0)
    return Rule(arn, priority, conditions, actions, transforms, tags)


def _conditions_after(current: Rule | None, wanted: WantedRule) -> Conditions:
    """Return the conditions field by field; what means the same stays as AWS has it, so that no case is a change."""
    if current is None:
        return wanted.all_conditions
    after: list[Any] = []
    for field in FIELDS:
        there = tuple(one for one in current.conditions if one.field == field)
        asked = wanted.conditions.get(field, there)
        after += there if meaning(there) == meaning(asked) else asked
    return tuple(after)


def _actions_after(current: Rule | None, wanted: WantedRule) -> Actions:
    now = current.actions if current else ()
    first = [one for one in now if one.type not in ROUTING]
    if wanted.authenticate is not None:
        asked = [wanted.authenticate] if wanted.authenticate.settings else []
        first = asked + [one for one in first if one.type not in AUTHENTICATE]
    last = [_routing_after(now, wanted)] if wanted.routing else [one for one in now if one.type in ROUTING]
    if wanted.stickiness is not None:
        last = [_with_stickiness(wanted, action) for action in last]
    return (*first, *last)


def _routing_after(now: Actions, wanted: WantedRule) -> Action:
    """Return the routing action; a forward of which the task does not say stickiness keeps it."""
    routing = wanted.routing
    if routing is None:
        raise ValueError("no routing action")
    before = next((one for one in now if one.type == routing.type), None)
    if before is None or "stickiness" not in routing.settings:
        return routing
    return replace(routing, settings={**routing.settings, "stickiness": before.settings["stickiness"]})


def _with_stickiness(wanted: WantedRule, action: Action) -> Action:
    if "stickiness" not in action.settings:
        raise InputError(f"stickiness of {wanted.label} is {wanted.stickiness}; it goes with forward only.")
    return replace(action, settings={**action.settings, "stickiness": wanted.stickiness or None})


def related_shadows(wanted: WantedRule, rule: Rule, others: Sequence[Rule]) -> list[Shadow]:
    """Return why `rule` can never match, and which of `others` it leaves nothing; InputError with on_shadow "fail"."""
    own = shadow_of(rule, [one for one in others if one.priority < rule.priority])
    behind = [one for one in others if one.priority > rule.priority]
    found = [shadow_of(one, [rule]) for one in behind]
    related = [shadow for shadow in [own, *found] if shadow]
    if related and wanted.on_shadow == "fail":
        raise InputError(f"on_shadow is 'fail' and {' '.join(shadow.sentence for shadow in related)}")
    return related


def _states(
    current: Rule | None, after: Rule, room: Place, others: Sequence[Rule], wanted: WantedRule
) -> tuple[dict[str, Any], dict[str, Any]]:
    with_tags = wanted.tags is not None
    before_state = shown(current, with_tags) if current else {}
    after_state = shown(after, with_tags)
    if wanted.resend_secret:
        after_state["client_secret"] = "sent again"
    if room.moved:
        moved = [rule for rule in others if rule.arn in room.moved]
        before_state["moved"] = {rule.name or rule.arn: rule.priority for rule in moved}
        after_state["moved"] = {rule.name or rule.arn: room.moved[rule.arn] for rule in moved}
    return before_state, after_state


def creation(listener_arn: str, rule: Rule, wanted: WantedRule, learns: str = RULE_ARN) -> Call:
    """Return the call that makes a rule; its ARN is learned as `learns`."""
    parameters: dict[str, Any] = {
        "ListenerArn": listener_arn,
        "Priority": rule.priority,
        "Conditions": to_aws(rule.conditions),
        "Actions": actions_to_aws(rule.actions, _secret(None, rule, wanted)),
    }
    if rule.transforms:
        parameters["Transforms"] = transforms_to_aws(rule.transforms)
    if rule.tags:
        parameters["Tags"] = tag_list(rule.tags)
    return Call(
        "elbv2",
        "CreateRule",
        parameters,
        wanted.label,
        learns={learns: "Rules[0].RuleArn"},
        hidden=("ClientSecret",),
        stale_on=OVERTAKEN,
    )


def _changes(current: Rule, after: Rule, room: Place, wanted: WantedRule) -> list[Call]:
    """Change what differs. A rule that moves back moves before it grows, one that moves forward after it has shrunk."""
    moves = room.moved if after.priority == current.priority else {**room.moved, current.arn: after.priority}
    move, modify = priority_calls(moves, wanted.label), modification(current, after, wanted)
    calls = move + modify if after.priority > current.priority else modify + move
    return calls + tag_calls(current.arn, wanted.label, current.tags, after.tags)


def priority_calls(moves: Mapping[str, int], label: str) -> list[Call]:
    """Return the one call that gives rules (by ARN) their new priorities at once, or none."""
    if not moves:
        return []
    pairs = [{"RuleArn": arn, "Priority": number} for arn, number in sorted(moves.items(), key=lambda pair: pair[1])]
    return [Call("elbv2", "SetRulePriorities", {"RulePriorities": pairs}, f"the place of {label}", stale_on=OVERTAKEN)]


def modification(current: Rule, after: Rule, wanted: WantedRule) -> list[Call]:
    """Return the one call that changes conditions, actions and transforms where they differ, or none."""
    changed: dict[str, Any] = {}
    if after.conditions != current.conditions and meaning(after.conditions) != meaning(current.conditions):
        changed["Conditions"] = to_aws(after.conditions)
    if after.actions != current.actions or wanted.resend_secret:
        changed["Actions"] = actions_to_aws(after.actions, _secret(current, after, wanted))
    if after.transforms != current.transforms:
        changed |= (
            {"Transforms": transforms_to_aws(after.transforms)} if after.transforms else {"ResetTransforms": True}
        )
    if not changed:
        return []
    parameters = {"RuleArn": current.arn, **changed}
    return [Call("elbv2", "ModifyRule", parameters, wanted.label, hidden=("ClientSecret",), stale_on=("RuleNotFound",))]


def _secret(current: Rule | None, after: Rule, wanted: WantedRule) -> str | None:
    """Return the client secret that has to be sent: only where AWS has none yet, or on request."""
    had = any(one.type == OIDC for one in current.actions) if current else False
    needs = any(one.type == OIDC for one in after.actions)
    if needs and not had and wanted.client_secret is None:
        raise InputError(f"authenticate_oidc of {wanted.label} has no client_secret; AWS does not know it yet.")
    return wanted.client_secret if needs and (not had or wanted.resend_secret) else None
