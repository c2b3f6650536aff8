"""Which calls of a set are made at the same time: those that may come in any order."""

from __future__ import annotations

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import Call, stretches
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.action import from_option
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.condition import Condition
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.path_rule import WantedRule
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.rule_set import WantedSet, plan_set

from .model import LISTENER, Model


def wanted(*rules: str) -> WantedSet:
    """Return a set of rules told as `path status`, which own the listener."""
    return WantedSet([rule(*text.split()) for text in rules], {}, "all")


def rule(path: str, status: str) -> WantedRule:
    answer = from_option("fixed_response", {"status_code": int(status)})
    return WantedRule({"path-pattern": (Condition("path-pattern", (path,)),)}, routing=answer)


def calls(before: WantedSet, after: WantedSet) -> list[list[Call]]:
    """Return the calls that lead from one set to the other, those made at the same time together."""
    model = Model()
    model.apply(plan_set(LISTENER, model.rules(), before).plan.calls)
    return list(stretches(plan_set(LISTENER, model.rules(), after).plan.calls))


NOTHING = wanted()


@pytest.mark.parametrize(
    ("before", "after", "made"),
    [
        (NOTHING, wanted("/a 200", "/b 201", "/c 202"), ["3 CreateRule"]),
        (NOTHING, wanted("/a/* 200", "/a/b 201"), ["1 CreateRule", "1 CreateRule"]),
        (NOTHING, wanted("/a/* 200", "/a/b 200", "/c 202"), ["3 CreateRule"]),
        (wanted("/a 200", "/b 201", "/c 202"), NOTHING, ["3 DeleteRule"]),
        (wanted("/a 200", "/b 201"), wanted("/a 210", "/b 211"), ["2 ModifyRule"]),
        (wanted("/a 200", "/b 201"), wanted("/b 201", "/c 202"), ["1 CreateRule", "1 DeleteRule"]),
    ],
    ids=["apart", "one in front of the other", "of one target", "removed", "changed", "one for another"],
)
def test_what_is_made_at_the_same_time(before: WantedSet, after: WantedSet, made: list[str]) -> None:
    assert [f"{len(stretch)} {stretch[0].operation}" for stretch in calls(before, after)] == made
