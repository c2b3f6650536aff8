# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Elastic Load Balancing: one function a call, normalised results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import AwsError, Clients, ask, ask_pages
from ansible_collections.loadlift.aws.plugins.module_utils._aws.elbv2_account import (
    PAGE,
    allowed,
    describe_listeners,
    describe_tags,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.target_group import (
    HEALTH_PARAMETERS,
    MULTI_VALUE,
    TARGET_GROUPS,
    TARGET_GROUPS_LIMIT,
    Target,
    TargetGroup,
)

ALL = "the target groups"


def get_target_group(clients: Clients, name: str, with_tags: bool) -> TargetGroup | None:
    """Return the target group, its attributes and its target, or None; for one that is no Lambda group, not more.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html
    """
    resource = f"target group '{name}'"
    found = _describe_target_group(clients, name, resource)
    if found is None:
        return None
    arn, target_type = found["TargetGroupArn"], found.get("TargetType", "")
    if target_type != "lambda":
        return TargetGroup(name, arn, target_type, {})
    attributes = _describe_attributes(clients, arn, resource)
    return TargetGroup(
        name=name,
        arn=arn,
        target_type=target_type,
        health_check=_health_check(found),
        multi_value_headers=attributes.get(MULTI_VALUE) == "true",
        tags=describe_tags(clients, [arn], resource).get(arn, {}) if with_tags else None,
        target=get_target(clients, arn, resource),
        load_balancer_arns=tuple(found.get("LoadBalancerArns", [])),
        attributes=attributes,
    )


def lambda_target_group_names(clients: Clients) -> list[str]:
    """Return the names of the region's target groups of type lambda."""
    found = ask_pages(clients, "elbv2", "DescribeTargetGroups", ALL, "TargetGroups")
    return [group["TargetGroupName"] for group in found if group.get("TargetType") == "lambda"]


def target_groups_there_and_allowed(clients: Clients) -> tuple[int, int]:
    """Return how many target groups the region has, and how many it may have."""
    there = sum(1 for _group in ask_pages(clients, "elbv2", "DescribeTargetGroups", ALL, "TargetGroups", PageSize=PAGE))
    return there, allowed(clients, TARGET_GROUPS_LIMIT, there + 1, TARGET_GROUPS)


def get_target(clients: Clients, target_group_arn: str, resource: str) -> Target | None:
    """Return the function that is registered, or None; one that is being deregistered does not count.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html
    """
    answer = ask(clients, "elbv2", "DescribeTargetHealth", resource, TargetGroupArn=target_group_arn)
    for found in answer["TargetHealthDescriptions"]:
        health = found.get("TargetHealth", {})
        if health.get("State") != "draining":
            told = (health.get("State", ""), health.get("Reason", ""), health.get("Description", ""))
            return Target(found["Target"]["Id"], *told)
    return None


def _describe_target_group(clients: Clients, name: str, resource: str) -> dict[str, Any] | None:
    try:
        return next(ask_pages(clients, "elbv2", "DescribeTargetGroups", resource, "TargetGroups", Names=[name]), None)
    except AwsError as error:
        if error.code == "TargetGroupNotFound":
            return None
        raise


def _describe_attributes(clients: Clients, arn: str, resource: str) -> dict[str, str]:
    answer = ask(clients, "elbv2", "DescribeTargetGroupAttributes", resource, TargetGroupArn=arn)
    return {one["Key"]: one["Value"] for one in answer["Attributes"]}


def _health_check(found: Mapping[str, Any]) -> dict[str, Any]:
    if not found.get("HealthCheckEnabled"):
        return {"enabled": False}
    numbers = {key: found.get(parameter) for key, parameter in HEALTH_PARAMETERS.items()}
    return {"enabled": True, "matcher": found.get("Matcher", {}).get("HttpCode"), **numbers}


def describe_forwarding(clients: Clients, group: TargetGroup) -> list[str]:
    """Return, in words, the rules that forward to the group; a default rule is its listener's default action."""
    words = []
    for balancer in group.load_balancer_arns:
        for listener in describe_listeners(clients, balancer):
            resource = f"listener '{listener['ListenerArn']}'"
            for rule in ask_pages(
                clients, "elbv2", "DescribeRules", resource, "Rules", ListenerArn=listener["ListenerArn"]
            ):
                if group.arn in _target_group_arns(rule):
                    place = f"{listener['Protocol']} listener {listener['Port']} of load balancer '{balancer}'"
                    words.append(f"priority {rule['Priority']} of {place}")
    return words


def _target_group_arns(rule: Mapping[str, Any]) -> set[str]:
    arns = {action.get("TargetGroupArn") for action in rule["Actions"]}
    groups = (group for action in rule["Actions"] for group in action.get("ForwardConfig", {}).get("TargetGroups", []))
    return arns | {group["TargetGroupArn"] for group in groups}
