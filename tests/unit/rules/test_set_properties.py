"""What holds for every listener and every set of rules."""

from __future__ import annotations

import copy
import re

from ansible_collections.loadlift.aws.plugins.module_utils._plan.condition import meaning
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import Call, InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.request import Request, taken_by
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rule import in_order
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rule_set import SetPlan, WantedSet, plan_set
from hypothesis import given, reject
from hypothesis import strategies as st

from .model import LISTENER, Model
from .strategies import REQUESTS, listeners, rule_sets

PURGES = st.sampled_from(["none", "owned", "all"])


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


def planned_for(model: Model, wanted: WantedSet) -> SetPlan:
    """Return the plan; there is none where numbers leave no room, or where a rule that stays is in the way."""
    try:
        return plan_set(LISTENER, model.rules(), wanted)
    except InputError as error:
        kept = wanted.purge == "none" and re.search("are free numbers|has the same conditions", str(error))
        if "no room" in str(error) or kept:
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
    assert not planned_for(model, wanted).plan.changed


@given(st.data())
def test_at_most_one_call_moves_rules(data: st.DataObject) -> None:
    model = data.draw(listeners())
    for _task in range(2):
        wanted = data.draw(rule_sets(model, data.draw(PURGES)))
        calls = planned_for(model, wanted).plan.calls
        assert sum(call.operation == "SetRulePriorities" for call in calls) <= 1
        assert len({(call.operation, str(call.parameters)) for call in calls}) == len(calls)
        model.apply(calls)


@given(st.data(), st.lists(REQUESTS, min_size=1, max_size=15))
def test_no_moment_serves_a_wrong_target(data: st.DataObject, requests: list[Request]) -> None:
    """While new rules come, a request gets its old target or its new one, never a third."""
    model = data.draw(listeners())
    wanted = data.draw(rule_sets(model))
    calls = planned_for(model, wanted).plan.calls
    after = copy.deepcopy(model)
    after.apply(calls)
    allowed = [(target(model, request), target(after, request)) for request in requests]
    for call in calls:
        step(model, call)
        for request, targets in zip(requests, allowed, strict=True):
            assert target(model, request) in targets


def step(model: Model, call: Call) -> None:
    model.apply([call])
