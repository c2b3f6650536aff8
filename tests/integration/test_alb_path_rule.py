"""alb_path_rule against both emulators."""

from __future__ import annotations

from typing import Any

import pytest

from integration.account import Account

MODULE = "alb_path_rule"


@pytest.fixture
def options(aws: Account) -> dict[str, Any]:
    return {
        "listener_arn": aws.listener(),
        "name": f"{aws.prefix}-data",
        "path_patterns": ["/data"],
        "forward": [{"target_group": aws.target_group("data")}],
    }


def operations(answer: dict[str, Any]) -> list[str]:
    return [call["operation"] for call in answer["plan"]]


def test_seven_steps(aws: Account, options: dict[str, Any]) -> None:
    made = aws.same_in_check_mode(MODULE, **options, tags={"team": "shop", "cost": "1"})
    assert operations(made) == ["CreateRule"]
    assert made["diff"]["before"] == {}
    assert made["rule"]["path_patterns"] == ["/data"]
    [rule] = aws.rules(options["listener_arn"])
    assert made["rule"]["arn"] == rule["RuleArn"]
    assert made["priority"] == int(rule["Priority"])

    again = aws.run(MODULE, **options, tags={"team": "shop", "cost": "1"})
    assert not again["changed"], again["diff"]
    assert again["plan"] == []
    assert again["diff"]["before"] == again["diff"]["after"] == made["diff"]["after"]

    other = aws.same_in_check_mode(MODULE, **options | {"path_patterns": ["/data", "/data/*"]})
    assert operations(other) == ["ModifyRule"]
    assert other["diff"]["before"]["path_patterns"] == ["/data"]
    assert other["diff"]["after"]["path_patterns"] == ["/data", "/data/*"]

    fewer = aws.same_in_check_mode(MODULE, **options)
    assert operations(fewer) == ["ModifyRule"]
    assert fewer["diff"]["after"]["path_patterns"] == ["/data"]
    tags = aws.same_in_check_mode(MODULE, **options, tags={"team": "shop"})
    assert operations(tags) == ["RemoveTags"]

    gone = aws.same_in_check_mode(MODULE, listener_arn=options["listener_arn"], name=options["name"], state="absent")
    assert gone["changed"]
    assert gone["diff"]["after"] == {}
    assert gone["rule"] == {}
    assert aws.rules(options["listener_arn"]) == []
    again = aws.run(MODULE, listener_arn=options["listener_arn"], name=options["name"], state="absent")
    assert not again["changed"], again["diff"]
