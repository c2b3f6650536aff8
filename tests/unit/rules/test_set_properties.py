"""What holds for every listener and every set of rules.

No moment serves a wrong target: after each call of a plan, every request gets the target that it had before the plan or
the one that it has after it. Where no order of the calls does that, the plan warns.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import Call, InputError, stretches
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.condition import Condition, meaning
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.path_rule import WantedRule
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.priority import WantedPlace
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.request import Request, taken_by
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.rule import in_order
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.rule_set import SetPlan, WantedSet, plan_set
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from .model import LISTENER, Model
from .strategies import ACTIONS, REQUESTS, listeners, rule_sets

PURGES = st.sampled_from(["none", "owned", "all"])
# What a task can ask for that cannot be had; each is refused before anything is changed.
REFUSALS = re.compile(
    r"^rules has the priority \d+ \d times"
    r"|, which rule '[\w-]+' \(priority \d+\) has; allowed are free numbers"
    r"|has the same conditions; use its name"
    r"|^rules cannot be put in an order"
    r"|the listener's other rules are"
    r"|there is no room between"
    r"|values; allowed are 5 a rule"
)


def foreign(model: Model) -> list[tuple[object, ...]]:
    """Return what nobody but its owner may change of a rule, in the rules' order."""
    return [
        (rule.arn, meaning(rule.conditions), rule.actions, tuple(rule.tags.items()))
        for rule in in_order(model.rules())
        if not rule.name.startswith("ours")
    ]


def target(model: Model, request: Request) -> object:
    """Return what a request gets."""
    rule, _misses = taken_by(model.rules(), request)
    return rule and rule.actions


def planned_for(model: Model, wanted: WantedSet, allowed: int = 100) -> SetPlan:
    """Return the plan; there is none for what cannot be had."""
    try:
        return plan_set(LISTENER, model.rules(), wanted, allowed)
    except InputError as error:
        if REFUSALS.search(str(error)):
            reject()
        raise


def check_reached(model: Model, wanted: WantedSet) -> None:
    by_name = {rule.name: rule for rule in model.rules()}
    for member in wanted.rules:
        rule = by_name[member.name or ""]
        assert meaning(rule.conditions) == meaning(member.all_conditions)
        assert rule.actions[-1].type == (member.routing and member.routing.type)
        assert rule.tags["owner"] == "us"
        assert member.place.number in (None, rule.priority)
    if wanted.purge != "none":
        assert {name for name in by_name if name.startswith("ours")} == {member.name for member in wanted.rules}
    check_neighbours(model, wanted)


def check_neighbours(model: Model, wanted: WantedSet) -> None:
    """See that each rule is before and after those that the set says, be they named by name or by number."""
    numbers = {name: rule.priority for rule in model.rules() for name in (rule.name, str(rule.priority))}
    for member in wanted.rules:
        here = numbers[member.name or ""]
        if member.place.before:
            assert here < numbers[member.place.before]
        if member.place.after:
            assert here > numbers[member.place.after]


@given(st.data())
def test_a_plan_reaches_the_set_and_touches_nobody(data: st.DataObject) -> None:
    model = data.draw(listeners())
    before = foreign(model)
    for _task in range(3):
        wanted = data.draw(rule_sets(model, data.draw(st.sampled_from(["none", "owned"]))))
        planned = planned_for(model, wanted)
        assert planned.plan.changed == bool(planned.plan.calls)
        model.apply(planned.plan.calls)
        check_reached(model, wanted)
        assert foreign(model) == before
        again = planned_for(model, wanted)
        assert not again.plan.calls
        assert again.plan.before == again.plan.after


@given(st.data())
def test_purging_all_leaves_the_set_only(data: st.DataObject) -> None:
    model = data.draw(listeners())
    wanted = data.draw(rule_sets(model, "all"))
    model.apply(planned_for(model, wanted).plan.calls)
    check_reached(model, wanted)
    assert foreign(model) == []


@given(st.data())
def test_at_most_one_call_moves_rules(data: st.DataObject) -> None:
    model = data.draw(listeners())
    for _task in range(2):
        wanted = data.draw(rule_sets(model, data.draw(PURGES)))
        calls = planned_for(model, wanted).plan.calls
        assert sum(call.operation == "SetRulePriorities" for call in calls) <= 1
        assert len({(call.operation, str(call.parameters)) for call in calls}) == len(calls)
        model.apply(calls)


def as_made(data: st.DataObject, planned: SetPlan) -> list[Call]:
    """Return the calls in an order in which they may arrive: those made at the same time in any."""
    return [call for stretch in stretches(planned.plan.calls) for call in data.draw(st.permutations(stretch))]


def watch(data: st.DataObject, model: Model, planned: SetPlan, requests: Sequence[Request]) -> None:
    """Apply a plan call by call, and see what each request gets at every moment."""
    after = copy.deepcopy(model)
    after.apply(planned.plan.calls)
    allowed = [(target(model, request), target(after, request)) for request in requests]
    for call in as_made(data, planned):
        model.apply_one(call)
        for request, targets in zip(requests, allowed, strict=True):
            assert target(model, request) in targets, (call, request)


MANY_REQUESTS = st.lists(REQUESTS, min_size=10, max_size=20)


@settings(max_examples=300)
@given(st.data(), MANY_REQUESTS)
def test_no_moment_serves_a_wrong_target(data: st.DataObject, requests: list[Request]) -> None:
    model = data.draw(listeners())
    for _task in range(3):
        planned = planned_for(model, data.draw(rule_sets(model, data.draw(PURGES), names="abc")))
        if planned.plan.warnings:
            model.apply(planned.plan.calls)
        else:
            watch(data, model, planned, requests)


def other_targets(data: st.DataObject, wanted: WantedSet) -> WantedSet:
    return replace(wanted, rules=[replace(one, routing=data.draw(ACTIONS)) for one in wanted.rules])


def other_places(data: st.DataObject, wanted: WantedSet) -> WantedSet:
    numbers = data.draw(st.permutations(range(20, 20 + len(wanted.rules))))
    return replace(
        wanted,
        rules=[replace(one, place=WantedPlace(n)) for one, n in zip(wanted.rules, numbers, strict=True)],
    )


def fewer(data: st.DataObject, wanted: WantedSet) -> WantedSet:
    return replace(wanted, purge="owned", rules=[one for one in wanted.rules if data.draw(st.booleans())])


def others_instead(data: st.DataObject, wanted: WantedSet) -> WantedSet:
    rules = [replace(one, name=f"{one.name}-new", routing=data.draw(ACTIONS)) for one in wanted.rules]
    return replace(wanted, purge="owned", rules=[_elsewhere(one) for one in rules])


def _elsewhere(one: WantedRule) -> WantedRule:
    """Return the rule with a condition more, so that it is another rule that takes requests of the old one over."""
    methods = {"http-request-method": (Condition("http-request-method", ("GET", "PUT")),)}
    return replace(one, conditions={**one.conditions, **methods}, place=WantedPlace())


@pytest.mark.parametrize("change", [other_targets, other_places, fewer, others_instead], ids=lambda one: one.__name__)
@given(st.data(), MANY_REQUESTS)
def test_what_can_be_done_without_a_wrong_moment_is_not_warned_of(
    change: Callable[[st.DataObject, WantedSet], WantedSet], data: st.DataObject, requests: list[Request]
) -> None:
    model = data.draw(listeners())
    wanted = data.draw(rule_sets(model))
    model.apply(planned_for(model, wanted).plan.calls)
    planned = planned_for(model, change(data, wanted))
    assert not planned.plan.warnings
    watch(data, model, planned, requests)


@given(st.data())
def test_a_full_listener_gets_its_set(data: st.DataObject) -> None:
    """With no room for one rule more, old rules go before new ones come, and no sooner than they must."""
    model = data.draw(listeners())
    model.apply(planned_for(model, data.draw(rule_sets(model))).plan.calls)
    wanted = data.draw(rule_sets(model, "owned"))
    allowed = max(len(model.rules()), len(foreign(model)) + len(wanted.rules))
    for call in as_made(data, planned_for(model, wanted, allowed)):
        model.apply_one(call)
        assert len(model.rules()) <= allowed
    check_reached(model, wanted)
