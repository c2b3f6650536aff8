"""What users of the published modules and of Terraform complain of, and that it is better here: one test each.

Where no number is given, it was found by running amazon.aws's main branch.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from integration.account import Account
from integration.modules import run_module

RULE, RULES, GROUP = "alb_path_rule", "alb_path_rules", "lambda_target_group"


@pytest.fixture
def task(lab: Account) -> dict[str, Any]:
    """A task that puts a path on a target group, with somebody's rules around it."""
    listener = lab.listener()
    lab.rule(listener, "/first", 1, "first")
    lab.rule(listener, "/*", 9, "catch-all")
    group = [{"target_group": lab.target_group("data")}]
    return {"listener_arn": listener, "name": "data", "path_patterns": ["/data"], "forward": group}


def others(lab: Account, task: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return all of other people's rules, in their order."""
    rules = [rule for rule in lab.rules(task["listener_arn"]) if rule["Actions"][0]["Type"] == "fixed-response"]
    return [(rule["RuleArn"], rule["Priority"], rule["Conditions"], rule["Actions"]) for rule in rules]


def ours(lab: Account, task: dict[str, Any]) -> dict[str, Any]:
    [rule] = [rule for rule in lab.rules(task["listener_arn"]) if rule["Actions"][0]["Type"] == "forward"]
    return rule


def operations(answer: dict[str, Any]) -> list[str]:
    return [call["operation"] for call in answer["plan"]]


def test_one_rule_comes_and_goes_without_the_listener_restated(lab: Account, task: dict[str, Any]) -> None:
    """ansible 43109, 66180."""
    before = others(lab, task)
    assert operations(lab.run(RULE, **task)) == ["CreateRule"]
    assert operations(lab.run(RULE, listener_arn=task["listener_arn"], name="data", state="absent")) == ["DeleteRule"]
    assert others(lab, task) == before


def test_a_function_becomes_a_target_in_one_task(lab: Account) -> None:
    """ansible 52253."""
    made = lab.run(GROUP, name=f"{lab.prefix}-one", function=lab.function("one"))
    assert operations(made) == ["CreateTargetGroup", "AddPermission", "RegisterTargets"]
    health = lab.client("elbv2").describe_target_health(TargetGroupArn=made["target_group"]["arn"])
    assert len(health["TargetHealthDescriptions"]) == 1


def test_health_check_and_attributes_are_updated(lab: Account) -> None:
    """ansible 57763, 50024."""
    options = {"name": f"{lab.prefix}-one", "function": lab.function("one")}
    arn = lab.run(GROUP, **options)["target_group"]["arn"]
    lab.run(GROUP, **options, health_check={"path": "/health", "interval": 60}, multi_value_headers=True)
    [found] = lab.client("elbv2").describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    assert (found["HealthCheckEnabled"], found["HealthCheckPath"]) == (True, "/health")
    assert found["HealthCheckIntervalSeconds"] == 60
    attributes = lab.client("elbv2").describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    assert {"Key": "lambda.multi_value_headers.enabled", "Value": "true"} in attributes


def test_a_forward_is_not_always_a_change(lab: Account, task: dict[str, Any]) -> None:
    """community.aws 317, amazon.aws 8."""
    groups = [{"target_group": lab.target_group(name), "weight": weight} for name, weight in (("v1", 9), ("v2", 1))]
    for forward in ([groups[0]], groups, [*groups, {"target_group": lab.target_group("v3"), "weight": 0}]):
        lab.run(RULE, **task | {"forward": forward})
        assert not lab.run(RULE, **task | {"forward": forward})["changed"]


def test_another_order_of_target_groups_is_no_change(lab: Account, task: dict[str, Any]) -> None:
    groups = [{"target_group": lab.target_group(name), "weight": 1} for name in ("v1", "v2", "v3")]
    lab.run(RULE, **task | {"forward": groups})
    assert not lab.run(RULE, **task | {"forward": groups[::-1]})["changed"]


def test_an_omitted_stickiness_is_no_change(lab: Account, task: dict[str, Any]) -> None:
    lab.run(RULE, **task, stickiness=600)
    assert not lab.run(RULE, **task)["changed"]
    config = ours(lab, task)["Actions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"]
    assert config == {"Enabled": True, "DurationSeconds": 600}


def test_a_rule_change_drains_no_target(lab: Account, task: dict[str, Any]) -> None:
    """ansible 67557, 39709."""
    lab.run(RULE, **task)
    options = {"name": f"{lab.prefix}-fn", "function": lab.function("fn")}
    arn = lab.run(GROUP, **options)["target_group"]["arn"]
    lab.run(RULE, **task | {"forward": [{"target_group": arn}]})
    lab.calls()
    lab.run(RULE, **task | {"forward": [{"target_group": arn}], "path_patterns": ["/data", "/data/*"]}, priority="5")
    assert {"elbv2.DeregisterTargets", "elbv2.RegisterTargets", "elbv2.DeleteRule"} & set(lab.calls()) == set()
    health = lab.client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert [one["Target"]["Id"] for one in health] == [options["function"]]


def test_every_change_shows_its_diff(lab: Account, task: dict[str, Any]) -> None:
    """ansible 19889."""
    lab.run(RULE, **task)
    diff = lab.run(RULE, **task | {"path_patterns": ["/new"]}, check=True)["diff"]
    assert (diff["before"]["path_patterns"], diff["after"]["path_patterns"]) == (["/data"], ["/new"])
    made = lab.run(GROUP, name=f"{lab.prefix}-one", function=lab.function("one"), check=True)["diff"]
    assert (made["before"], made["after"]["name"]) == ({}, f"{lab.prefix}-one")


def test_throttling_is_sat_out(lab: Account, task: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """ansible 68113, community.aws 444: each call is throttled more often than botocore asks again."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    described = {"service": "elbv2", "operation": "DescribeRules", "kind": "throttle", "count": 8}
    lab.emulator.own("PUT", "faults", [described, described | {"operation": "CreateRule"}])
    assert lab.run(RULE, **task)["changed"]


def test_a_rule_at_a_taken_priority_leaves_its_holder_alone(lab: Account, task: dict[str, Any]) -> None:
    before = others(lab, task)
    refused = lab.fail(RULE, **task, priority="9")
    assert "priority is 9, which rule 'catch-all' (priority 9) has" in refused["msg"]
    assert others(lab, task) == before


def test_a_condition_that_is_gone_from_the_task_is_taken_from_the_rule(lab: Account, task: dict[str, Any]) -> None:
    lab.run(RULE, **task, hosts=["shop.example.com"], methods=["GET"])
    assert lab.run(RULE, **task, hosts=[])["changed"]
    assert {one["Field"] for one in ours(lab, task)["Conditions"]} == {"path-pattern", "http-request-method"}
    lab.run(RULE, **task | {"path_patterns": ["/data", "/more"]})
    assert lab.run(RULE, **task)["changed"]
    assert ours(lab, task)["Conditions"][0]["Values"] == ["/data"]


def test_transforms_are_kept_and_compared(lab: Account, task: dict[str, Any]) -> None:
    rewrite = {"type": "url-rewrite", "regex": "^/data/(.*)$", "replace": "/$1"}
    lab.run(RULE, **task, transforms=[rewrite])
    lab.run(RULE, **task | {"path_patterns": ["/data/*"]})
    assert ours(lab, task)["Transforms"][0]["UrlRewriteConfig"]["Rewrites"][0]["Replace"] == "/$1"
    assert lab.run(RULE, **task | {"path_patterns": ["/data/*"]}, transforms=[rewrite | {"replace": "/v2/$1"}])[
        "changed"
    ]


def test_changed_tags_are_a_change(lab: Account, task: dict[str, Any]) -> None:
    lab.run(RULE, **task, tags={"team": "a", "cost": "1"})
    assert operations(lab.run(RULE, **task, tags={"team": "b"})) == ["RemoveTags", "AddTags"]
    [told] = lab.client("elbv2").describe_tags(ResourceArns=[ours(lab, task)["RuleArn"]])["TagDescriptions"]
    assert {tag["Key"]: tag["Value"] for tag in told["Tags"]} == {"Name": "data", "team": "b"}


def test_a_rule_needs_no_priority(lab: Account, task: dict[str, Any]) -> None:
    assert lab.run(RULE, **task)["priority"] == 2
    assert not lab.run(RULE, **task)["changed"]


def test_check_mode_tells_all_of_a_run(lab: Account, task: dict[str, Any]) -> None:
    """The published modules stop at the first difference."""
    listener = {"listener_arn": task["listener_arn"], "owner": {"by": "us"}, "purge": "owned"}
    entry = {"path_patterns": ["/data"], "forward": task["forward"]}
    lab.run(RULES, **listener, rules=[entry | {"name": "a"}, entry | {"name": "b", "path_patterns": ["/b"]}])
    wanted = [
        entry | {"name": "a", "path_patterns": ["/data*"], "tags": {"team": "x"}},
        entry | {"name": "c", "path_patterns": ["/c"], "before": "first"},
    ]
    told = lab.same_in_check_mode(RULES, **listener, rules=wanted)
    assert sorted(operations(told)) == ["AddTags", "CreateRule", "DeleteRule", "ModifyRule", "SetRulePriorities"]


def test_target_groups_have_check_mode(lab: Account) -> None:
    """elb_target_group and elb_target have none."""
    options = {"name": f"{lab.prefix}-one", "function": lab.function("one")}
    lab.calls()
    told = lab.run(GROUP, **options, check=True)
    assert all(name.split(".")[1].startswith(("Describe", "Get")) for name in lab.calls())
    real = lab.run(GROUP, **options)
    assert (told["changed"], told["diff"], operations(told)) == (True, real["diff"], operations(real))


def test_two_rules_swap_their_priorities(lab: Account, task: dict[str, Any]) -> None:
    """terraform-provider-aws 12212: PriorityInUse."""
    listener = {"listener_arn": task["listener_arn"]}
    rules = [
        {"name": name, "path_patterns": [f"/{name}"], "forward": task["forward"], "priority": number}
        for name, number in (("a", "4"), ("b", "5"))
    ]
    arns = [rule["arn"] for rule in lab.run(RULES, **listener, rules=rules)["rules"]]
    swapped = [rules[0] | {"priority": "5"}, rules[1] | {"priority": "4"}]
    answer = lab.same_in_check_mode(RULES, **listener, rules=swapped)
    assert operations(answer) == ["SetRulePriorities"]
    assert [rule["arn"] for rule in answer["rules"]] == arns[::-1]


def test_tasks_at_once_share_a_listener(lab: Account, task: dict[str, Any]) -> None:
    """terraform-provider-aws 24239: PriorityInUse, and run it again."""
    tasks = [task | {"name": f"r{n}", "path_patterns": [f"/r{n}"]} for n in range(4)]
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("fork")) as pool:
        answers = list(pool.map(run_module, [RULE] * 4, tasks))
    assert [answer.get("msg") for answer in answers] == [None] * 4
    assert len({answer["priority"] for answer in answers}) == 4


def test_the_permission_is_there_before_the_target_in_the_first_run(lab: Account) -> None:
    """terraform-aws-alb 210: apply twice."""
    options = {"name": f"{lab.prefix}-one", "function": lab.function("one")}
    assert lab.run(GROUP, **options)["changed"]
    assert not lab.run(GROUP, **options)["changed"]


def test_another_priority_is_no_other_rule(lab: Account, task: dict[str, Any]) -> None:
    """terraform-provider-aws 24811: the rule is replaced."""
    arn = lab.run(RULE, **task)["rule"]["arn"]
    moved = lab.same_in_check_mode(RULE, **task, priority="7")
    assert operations(moved) == ["SetRulePriorities"]
    assert moved["rule"]["arn"] == arn == ours(lab, task)["RuleArn"]
