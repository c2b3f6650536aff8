"""alb_path_rule_info against both emulators."""

from __future__ import annotations

import pytest

from integration.account import Account

MODULE = "alb_path_rule_info"


@pytest.fixture
def listener(aws: Account) -> str:
    arn = aws.listener()
    aws.rule(arn, "/data/*", 3, "data")
    aws.rule(arn, "/data/x", 5, "never")
    aws.rule(arn, "/api/*", 1, "api")
    return arn


def test_rules_in_their_order(aws: Account, listener: str) -> None:
    found = aws.run(MODULE, listener_arn=listener)
    assert [rule["name"] for rule in found["rules"]] == ["api", "data", "never"]
    assert found["rules"][0]["path_patterns"] == ["/api/*"]
    assert [(shadow["rule"], shadow["by"]) for shadow in found["shadows"]] == [("never", ["data"])]
    assert not found["changed"]
    assert [rule["name"] for rule in aws.run(MODULE, listener_arn=listener, name="data")["rules"]] == ["data"]


def test_which_rule_takes_this_request(aws: Account, listener: str) -> None:
    found = aws.run(MODULE, listener_arn=listener, request={"path": "/data/x"})
    assert found["taken_by"]["name"] == "data"
    assert found["misses"] == [{"name": "api", "priority": 1, "condition": "path_patterns ['/api/*']"}]
    nobody = aws.run(MODULE, listener_arn=listener, request={"path": "/Data/x"})
    assert nobody["taken_by"] == {}
    assert len(nobody["misses"]) == 3


def test_bad_requests(aws: Account, listener: str) -> None:
    assert "path is 'data'" in aws.fail(MODULE, listener_arn=listener, request={"path": "data"})["msg"]
    assert "source_ip is 'me'" in aws.fail(MODULE, listener_arn=listener, request={"source_ip": "me"})["msg"]


def test_a_target_group_with_its_function(aws: Account) -> None:
    function = aws.function("query")
    options = {"name": f"{aws.prefix}-data", "function": function, "tags": {"team": "shop"}}
    made = aws.run("lambda_target_group", **options)["target_group"]
    [group] = aws.run("lambda_target_group_info", name=options["name"])["target_groups"]
    assert group == made | {"attributes": group["attributes"]}
    names = [one["name"] for one in aws.run("lambda_target_group_info")["target_groups"]]
    assert options["name"] in names
    assert aws.run("lambda_target_group_info", name="nowhere")["target_groups"] == []
