"""What no emulator shows of target groups: a function that is still being made, and used-up quotas."""

from __future__ import annotations

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.function import check_state
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.target_group import (
    Target,
    TargetGroup,
    WantedTargetGroup,
    check_room,
    plan_present,
)

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:query:live"
WANTED = WantedTargetGroup("shop", FUNCTION, function_pending=True, patience_s=7)


def test_a_function_that_is_being_made_is_waited_for_before_it_gets_its_permission() -> None:
    calls = plan_present(None, WANTED, {}).calls
    assert [call.operation for call in calls] == [
        "CreateTargetGroup",
        "GetFunction",
        "AddPermission",
        "RegisterTargets",
    ]
    waiting = calls[1]
    assert waiting.parameters == {"FunctionName": FUNCTION.removesuffix(":live"), "Qualifier": "live"}
    assert (waiting.awaited, waiting.patience_s) == ({"Configuration.State": "Active"}, 7)


def test_nothing_is_waited_for_where_there_is_nothing_to_do() -> None:
    group = TargetGroup("shop", "arn", "lambda", {"enabled": False}, target=Target(FUNCTION))
    unmanaged = WantedTargetGroup("shop", FUNCTION, manage_permission=False, function_pending=True)
    assert plan_present(group, unmanaged, {}).calls == []


@pytest.mark.parametrize("state", ["Active", "Inactive", "Pending", ""])
def test_a_function_that_works_or_will_work_is_taken(state: str) -> None:
    check_state("query", state, "")


def test_a_function_that_failed_is_refused() -> None:
    with pytest.raises(InputError, match=r"function is 'query', whose state is Failed \(no role\); allowed is one"):
        check_state("query", "Failed", "no role")


def test_a_used_up_quota_is_told() -> None:
    check_room(2999, 3000)
    with pytest.raises(InputError, match="has 3000 target groups and would get another; AWS allows this account 3000"):
        check_room(3000, 3000)
