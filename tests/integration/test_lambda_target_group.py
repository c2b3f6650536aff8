"""lambda_target_group against both emulators."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration.account import Account, zipped

MODULE = "lambda_target_group"


@pytest.fixture
def options(aws: Account) -> dict[str, Any]:
    return {"name": f"{aws.prefix}-data", "function": aws.function("query"), "wait_timeout": 20}


def test_seven_steps(aws: Account, options: dict[str, Any]) -> None:
    made = aws.same_in_check_mode(MODULE, **options, tags={"team": "shop", "cost": "1"})
    assert made["changed"]
    assert made["diff"]["before"] == {}
    assert made["diff"]["after"]["function_arn"] == options["function"]
    assert made["target_group"]["health_check"] == {"enabled": False}
    assert made["target_group"]["target"]["function_arn"] == options["function"]

    again = aws.run(MODULE, **options, tags={"team": "shop", "cost": "1"})
    assert not again["changed"]
    assert again["plan"] == []
    assert again["diff"]["before"] == again["diff"]["after"] == made["diff"]["after"]

    checked = aws.same_in_check_mode(MODULE, **options, health_check={"path": "/data", "matcher": "200-299"})
    assert [call["operation"] for call in checked["plan"]] == ["ModifyTargetGroup"]
    assert checked["target_group"]["health_check"]["path"] == "/data"
    assert not aws.run(MODULE, **options, health_check={"path": "/data"})["changed"]

    fewer = aws.same_in_check_mode(MODULE, **options, tags={"team": "shop"})
    assert fewer["diff"]["before"]["tags"] == {"team": "shop", "cost": "1"}
    assert fewer["diff"]["after"]["tags"] == {"team": "shop"}

    gone = aws.same_in_check_mode(MODULE, name=options["name"], state="absent")
    assert gone["changed"]
    assert gone["diff"]["after"] == {}
    assert gone["target_group"] == {}
    assert not aws.run(MODULE, name=options["name"], state="absent")["changed"]
    assert aws.statements(options["function"]) == []


def test_another_function_takes_its_place(aws: Account, options: dict[str, Any]) -> None:
    aws.run(MODULE, **options)
    other = aws.function("other")

    moved = aws.same_in_check_mode(MODULE, **options | {"function": other.rsplit(":", 1)[1]})

    assert [call["operation"] for call in moved["plan"]] == [
        "AddPermission",
        "RemovePermission",
        "DeregisterTargets",
        "RegisterTargets",
    ]
    assert moved["target_group"]["target"]["function_arn"] == other
    assert aws.statements(options["function"]) == []
    assert [statement["Sid"] for statement in aws.statements(other)] == [f"loadlift-{options['name']}"]
    assert not aws.run(MODULE, **options | {"function": other})["changed"]


def test_the_gap_between_two_functions_is_three_calls(lab: Account) -> None:
    """Between the call that stops the old function and the one that starts the other nothing is read or waited for."""
    options = {"name": f"{lab.prefix}-data", "function": lab.function("query")}
    arn = lab.run(MODULE, **options)["target_group"]["arn"]
    lab.calls()
    moved = lab.run(MODULE, **options | {"function": lab.function("other")})
    operations = [call["operation"] for call in moved["plan"]]
    assert operations.index("RegisterTargets") - operations.index("RemovePermission") + 1 == 3
    assert moved["target_group"]["arn"] == arn


def test_an_alias_moves_without_a_gap(lab: Account) -> None:
    client, function = lab.client("lambda"), lab.function("query")
    name = function.rsplit(":", 1)[1]
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    options = {"name": f"{lab.prefix}-data", "function": name, "qualifier": "live"}
    made = lab.run(MODULE, **options)["target_group"]
    assert made["target"]["function_arn"] == f"{function}:live"
    client.update_function_code(FunctionName=name, ZipFile=zipped("def handler(event, context):\n    return {}\n"))
    client.update_alias(
        FunctionName=name, Name="live", FunctionVersion=client.publish_version(FunctionName=name)["Version"]
    )
    again = lab.run(MODULE, **options)
    assert (again["changed"], again["plan"]) == (False, [])
    assert again["target_group"]["target"]["function_arn"] == f"{function}:live"


def test_what_is_left_out_is_left_alone(aws: Account, options: dict[str, Any]) -> None:
    aws.run(MODULE, **options, multi_value_headers=True, tags={"team": "shop"}, health_check={"interval": 60})
    assert not aws.run(MODULE, name=options["name"])["changed"]
    assert aws.run(MODULE, **options, multi_value_headers=False)["diff"]["before"]["multi_value_headers"] is True
    assert aws.same_in_check_mode(MODULE, **options, tags={})["diff"]["after"]["tags"] == {}
    assert aws.same_in_check_mode(MODULE, **options, health_check={"enabled": False})["changed"]


def test_the_permission_is_for_this_group_only(aws: Account, options: dict[str, Any]) -> None:
    arn = aws.run(MODULE, **options)["target_group"]["arn"]
    [statement] = aws.statements(options["function"])
    assert statement["Principal"] == {"Service": "elasticloadbalancing.amazonaws.com"}
    assert statement["Action"] == "lambda:InvokeFunction"
    assert arn in json.dumps(statement["Condition"])
    assert options["function"].split(":")[4] in json.dumps(statement["Condition"])


def test_a_lost_permission_is_given_again(aws: Account, options: dict[str, Any]) -> None:
    aws.run(MODULE, **options)
    aws.client("lambda").remove_permission(FunctionName=options["function"], StatementId=f"loadlift-{options['name']}")
    mended = aws.same_in_check_mode(MODULE, **options)
    assert [call["operation"] for call in mended["plan"]] == ["AddPermission"]
    assert mended["diff"]["before"]["permission"] is None


def test_a_group_that_is_made_again_gets_a_permission_of_its_own(aws: Account, options: dict[str, Any]) -> None:
    first = aws.run(MODULE, **options)["target_group"]["arn"]
    aws.client("elbv2").delete_target_group(TargetGroupArn=first)
    second = aws.same_in_check_mode(MODULE, **options)["target_group"]["arn"]
    assert second != first
    [statement] = aws.statements(options["function"])
    assert second in json.dumps(statement["Condition"])


def test_absent_refuses_while_a_rule_forwards(lab: Account) -> None:
    # Of our control plane only: ministack tells no load balancer of a group to which a rule forwards.
    options = {"name": f"{lab.prefix}-data", "function": lab.function("query")}
    arn = lab.run(MODULE, **options)["target_group"]["arn"]
    listener = lab.listener()
    rule = lab.client("elbv2").create_rule(
        ListenerArn=listener,
        Priority=7,
        Conditions=[{"Field": "path-pattern", "Values": ["/data"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": arn}],
    )["Rules"][0]["RuleArn"]
    refused = lab.fail(MODULE, name=options["name"], state="absent")
    assert "priority 7 of HTTP listener 80" in refused["msg"]
    assert not refused["changed"]
    lab.client("elbv2").delete_rule(RuleArn=rule)
    assert lab.run(MODULE, name=options["name"], state="absent")["changed"]


def test_calls_of_a_run_with_nothing_to_do(lab: Account) -> None:
    options = {"name": f"{lab.prefix}-data", "function": lab.function("query")}
    lab.run(MODULE, **options, tags={"team": "shop"})
    lab.calls()
    lab.run(MODULE, **options)
    counted = lab.calls()
    assert counted == {
        "elbv2.DescribeTargetGroupAttributes": 1,
        "elbv2.DescribeTargetGroups": 1,
        "elbv2.DescribeTargetHealth": 1,
        "lambda.GetPolicy": 1,
    }
    lab.run(MODULE, **options, tags={"team": "shop"})
    assert lab.calls() == counted | {"elbv2.DescribeTags": 1}


def test_waits_until_the_permission_has_arrived(lab: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    options = {"name": f"{lab.prefix}-data", "function": lab.function("query")}
    register = lab.client("elbv2").register_targets
    arn = lab.run(MODULE, **options)["target_group"]["arn"]
    lab.client("elbv2").deregister_targets(TargetGroupArn=arn, Targets=[{"Id": options["function"]}])
    lab.client("lambda").remove_permission(FunctionName=options["function"], StatementId=f"loadlift-{options['name']}")
    with pytest.raises(lab.client("elbv2").exceptions.ClientError, match="AccessDenied"):
        register(TargetGroupArn=arn, Targets=[{"Id": options["function"]}])

    refused = lab.fail(MODULE, **options, manage_permission=False)

    assert refused["error"]["code"] == "AccessDenied"
    assert refused["request_id"] in refused["msg"]
    assert len(pauses) == 11
    assert sum(pauses) <= 1 + 2 + 4 + 8 * 8


def test_a_function_of_another_account_is_named_as_such(lab: Account) -> None:
    own = lab.function("query")
    other = own.replace(own.split(":")[4], "987654321098")
    refused = lab.fail(MODULE, name=f"{lab.prefix}-data", function=other)
    assert f"of account 987654321098; allowed are those of account {own.split(':')[4]}" in refused["msg"]


def test_a_group_of_another_type_is_refused(lab: Account) -> None:
    name = f"{lab.prefix}-web"
    lab.client("elbv2").create_target_group(Name=name, TargetType="ip", Protocol="HTTP", Port=80, VpcId=lab.vpc_id)
    assert (
        "a target group of type ip; allowed is a lambda one"
        in lab.fail(MODULE, name=name, function=lab.function("query"))["msg"]
    )
    assert "a target group of type ip" in lab.fail(MODULE, name=name, state="absent")["msg"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "shop_data"}, "name is 'shop_data'; allowed are 1 to 32 letters"),
        ({"function": "no such function"}, "function is 'no such function'; allowed are a name"),
        ({"function": "nowhere"}, "function is 'nowhere'; there is no such function in region us-east-1"),
        ({"function": "query:live", "qualifier": "next"}, "qualifier is 'next', but function 'query:live' says 'live'"),
        ({"function": "arn:aws:lambda:eu-west-1:123456789012:function:query"}, "allowed are those of region us-east-1"),
        ({"function": "987654321098:function:query"}, "there is no such function of account 987654321098"),
        ({"function": "nowhere:live"}, "there is no such function in region us-east-1 with qualifier 'live'"),
        ({"qualifier": "live", "function": None}, "missing parameter(s) required by 'qualifier': function"),
        ({"health_check": {"timeout": 1}}, "health_check.timeout is 1; allowed are 2 to 120"),
        ({"health_check": {"healthy_threshold": 11}}, "health_check.healthy_threshold is 11; allowed are 2 to 10"),
        ({"health_check": {"unhealthy_threshold": 1}}, "health_check.unhealthy_threshold is 1; allowed are 2 to 10"),
        ({"health_check": {"path": "health"}}, "health_check.path is 'health'; allowed are paths from '/'"),
        ({"name": "internal-shop"}, "name is 'internal-shop'"),
        ({"name": "a" * 33}, "allowed are 1 to 32 letters"),
        ({"wait_timeout": -1}, "wait_timeout is -1; allowed are 0 seconds and more"),
        ({"function": None}, "function is missing"),
        ({"health_check": {"interval": 4}}, "health_check.interval is 4; allowed are 5 to 300"),
        ({"health_check": {"interval": 20, "timeout": 20}}, "health_check.interval is 20; it must be greater than"),
        ({"health_check": {"matcher": "ok"}}, "health_check.matcher is 'ok'"),
    ],
)
def test_bad_input_changes_nothing(lab: Account, wrong: dict[str, Any], sentence: str) -> None:
    options = {"name": f"{lab.prefix}-data", "function": "query"} | wrong
    refused = lab.fail(MODULE, **{name: value for name, value in options.items() if value is not None})
    assert sentence in refused["msg"]
    assert set(lab.calls()) <= {"elbv2.DescribeTargetGroups", "lambda.GetFunction"}
