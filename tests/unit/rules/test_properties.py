"""What holds for every listener, every task and every request."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.action import from_option
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.condition import Conditions, meaning
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.matching import (
    covers,
    may_overlap,
    shadow_of,
    shadows,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.path_rule import (
    RulePlan,
    WantedRule,
    find,
    plan_absent,
    plan_present,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.request import Request, satisfied, taken_by
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.rule import Rule, in_order
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from .model import LISTENER, Model
from .strategies import CONDITIONS, PATH_CONDITIONS, REQUESTS, listeners, tasks


def takes(conditions: Conditions, request: Request) -> bool:
    return all(satisfied(one, request) for one in conditions)


def foreign(model: Model) -> list[tuple[object, ...]]:
    """Return what nobody but its owner may change of a rule, in the rules' order."""
    return [
        (rule.arn, meaning(rule.conditions), rule.actions, rule.transforms, tuple(rule.tags.items()))
        for rule in in_order(model.rules())
        if rule.name != "ours"
    ]


def ours(model: Model, wanted: WantedRule) -> Rule:
    rule = find(model.rules(), wanted)
    assert rule
    return rule


def planned_for(model: Model, wanted: WantedRule) -> RulePlan:
    """Return the plan; there is none where a neighbour that is named by its number leaves no room."""
    try:
        return plan_present(LISTENER, model.rules(), wanted)
    except InputError as error:
        if "there is no room between" in str(error):
            reject()
        raise


def is_free(model: Model, conditions: Conditions) -> bool:
    """Tell whether nobody's rule has the same conditions: a task of another name is refused then."""
    return all(meaning(rule.conditions) != meaning(conditions) for rule in model.rules() if rule.name != "ours")


@given(st.data())
def test_a_plan_reaches_what_is_wanted_and_touches_nobody(data: st.DataObject) -> None:
    model = data.draw(listeners())
    before = foreign(model)
    for _task in range(3):
        wanted = data.draw(tasks(model))
        assume(is_free(model, wanted.all_conditions))
        planned = planned_for(model, wanted)
        assert planned.plan.changed == bool(planned.plan.calls)
        model.apply(planned.plan.calls)
        rule = ours(model, wanted)
        assert meaning(rule.conditions) == meaning(wanted.all_conditions)
        assert planned.after
        assert rule.actions == planned.after.actions
        assert rule.priority == planned.after.priority
        assert foreign(model) == before
        again = plan_present(LISTENER, model.rules(), wanted)
        assert not again.plan.calls
        assert not again.plan.changed
        assert again.plan.before == again.plan.after
    model.apply(plan_absent(model.rules(), wanted).plan.calls)
    assert foreign(model) == before
    assert not plan_absent(model.rules(), wanted).plan.changed


@given(st.data())
def test_a_rule_stands_before_and_after_what_the_task_says(data: st.DataObject) -> None:
    model = data.draw(listeners())
    wanted = data.draw(tasks(model))
    assume(is_free(model, wanted.all_conditions))
    model.apply(planned_for(model, wanted).plan.calls)
    numbers = {text: rule.priority for rule in model.rules() for text in (rule.name, str(rule.priority))}
    if wanted.place.before:
        assert numbers["ours"] < numbers[wanted.place.before]
    if wanted.place.after:
        assert numbers["ours"] > numbers[wanted.place.after]


def target(model: Model, request: Request) -> object:
    """Return what a request gets."""
    rule, _misses = taken_by(model.rules(), request)
    return rule and rule.actions


@given(st.data(), st.lists(REQUESTS, min_size=10, max_size=20))
def test_no_moment_serves_a_wrong_target(data: st.DataObject, requests: list[Request]) -> None:
    """After each call, every request gets the target that it had before the task or the one that it has after it."""
    model = data.draw(listeners())
    for _task in range(3):
        wanted = data.draw(tasks(model))
        assume(is_free(model, wanted.all_conditions))
        calls = planned_for(model, wanted).plan.calls
        after = copy.deepcopy(model)
        after.apply(calls)
        allowed = [(target(model, request), target(after, request)) for request in requests]
        for call in calls:
            model.apply_one(call)
            for request, targets in zip(requests, allowed, strict=True):
                assert target(model, request) in targets


@given(listeners(), CONDITIONS)
def test_a_new_rule_leaves_more_specific_rules_their_requests(model: Model, conditions: Conditions) -> None:
    assume(is_free(model, conditions))
    action = from_option("fixed_response", {"status_code": 200})
    wanted = WantedRule({one.field: (one,) for one in conditions}, name="ours", routing=action)
    others = model.rules()
    dead = {shadow.rule.arn for shadow in shadows(others)}
    planned = plan_present(LISTENER, others, wanted)
    assert planned.after
    if not any(covers(rule.conditions, conditions) and covers(conditions, rule.conditions) for rule in others):
        for shadow in planned.shadows:
            assert shadow.rule.arn in dead or len(shadow.by) > 1 or shadow.rule.arn == ""


@given(CONDITIONS, CONDITIONS, st.lists(REQUESTS, min_size=1, max_size=20))
def test_what_is_covered_is_taken(wide: Conditions, narrow: Conditions, requests: Sequence[Request]) -> None:
    if covers(wide, narrow):
        assert all(takes(wide, request) for request in requests if takes(narrow, request))


@given(CONDITIONS, CONDITIONS, REQUESTS)
def test_what_is_taken_by_both_overlaps(first: Conditions, second: Conditions, request: Request) -> None:
    if takes(first, request) and takes(second, request):
        assert may_overlap(first, second)


@given(listeners(), st.lists(REQUESTS, min_size=1, max_size=30))
def test_no_request_reaches_a_shadowed_rule(model: Model, requests: Sequence[Request]) -> None:
    rules = model.rules()
    dead = {shadow.rule.arn for shadow in shadows(rules)}
    for request in requests:
        rule, misses = taken_by(rules, request)
        assert rule is None or rule.arn not in dead
        assert all(not satisfied(miss.condition, request) for miss in misses)


@given(PATH_CONDITIONS, st.lists(PATH_CONDITIONS, max_size=3), st.lists(REQUESTS, max_size=30))
def test_a_shadow_names_those_that_take_its_requests(
    conditions: Conditions, others: Sequence[Conditions], requests: Sequence[Request]
) -> None:
    earlier = [Rule(f"arn-{place}", place, one, ()) for place, one in enumerate(others, start=1)]
    shadow = shadow_of(Rule("own", 100, conditions, ()), earlier)
    for request in requests:
        if shadow and takes(conditions, request):
            assert any(takes(rule.conditions, request) for rule in shadow.by)
