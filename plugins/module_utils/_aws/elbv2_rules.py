# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Elastic Load Balancing: listeners and their rules; one function a call, normalised results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import AwsError, Clients, ask_pages
from ansible_collections.loadlift.aws.plugins.module_utils._aws.elbv2_account import (
    PAGE,
    allowed,
    describe_listeners,
    describe_tags,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.limits import RULES, RULES_LIMIT
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.rule import Rule, rule_from_aws


def describe_rules(clients: Clients, listener_arn: str, with_tags: bool, may_be_gone: bool = False) -> list[Rule]:
    """Return a listener's rules without the default one; without `with_tags` their tags are left empty.

    A listener that is not there raises InputError, or has no rules where it `may_be_gone`.
    """
    resource = f"listener '{listener_arn}'"
    try:
        found = list(
            ask_pages(clients, "elbv2", "DescribeRules", resource, "Rules", ListenerArn=listener_arn, PageSize=PAGE)
        )
    except AwsError as error:
        if error.code == "ListenerNotFound":
            if may_be_gone:
                return []
            raise InputError(f"listener_arn is '{listener_arn}'; there is no such listener.") from error
        raise
    rules = [rule for rule in found if not rule.get("IsDefault")]
    arns = [rule["RuleArn"] for rule in rules]
    tags = describe_tags(clients, arns, f"the rules of {resource}") if with_tags else {}
    return [rule_from_aws(rule, tags.get(rule["RuleArn"], {})) for rule in rules]


def find_listener(clients: Clients, load_balancer: str, port: int) -> str:
    """Return the ARN of the listener on `port` of a load balancer, by its name, ARN or DNS name."""
    listeners = describe_listeners(clients, _load_balancer_arn(clients, load_balancer))
    for listener in listeners:
        if listener["Port"] == port:
            return str(listener["ListenerArn"])
    ports = ", ".join(str(listener["Port"]) for listener in listeners) or "none"
    raise InputError(f"listener_port is {port}; load balancer '{load_balancer}' has listeners on: {ports}.")


def _load_balancer_arn(clients: Clients, text: str) -> str:
    if text.startswith("arn:"):
        return text
    by_dns_name = "." in text
    unknown = InputError(f"load_balancer is '{text}'; there is no such load balancer.")
    try:
        found = list(_load_balancers(clients, text, {} if by_dns_name else {"Names": [text]}))
    except AwsError as error:
        if error.code == "LoadBalancerNotFound":
            raise unknown from error
        raise
    for balancer in found:
        if not by_dns_name or balancer["DNSName"].lower() == text.lower():
            return str(balancer["LoadBalancerArn"])
    raise unknown


def _load_balancers(clients: Clients, text: str, which: dict[str, Any]) -> list[dict[str, Any]]:
    resource = f"load balancer '{text}'"
    return list(ask_pages(clients, "elbv2", "DescribeLoadBalancers", resource, "LoadBalancers", **which))


def target_group_arns(clients: Clients, names: Sequence[str]) -> dict[str, str]:
    """Return name -> ARN of target groups; raises InputError for one that is not there."""
    if not names:
        return {}
    resource = f"target groups {', '.join(names)}"
    try:
        found = list(ask_pages(clients, "elbv2", "DescribeTargetGroups", resource, "TargetGroups", Names=list(names)))
    except AwsError as error:
        if error.code != "TargetGroupNotFound":
            raise
        raise InputError(f"forward names {resource}; {error.message}.".replace("..", ".")) from error
    arns = {one["TargetGroupName"]: one["TargetGroupArn"] for one in found}
    for name in names:
        if name not in arns:
            raise InputError(f"forward has target group '{name}'; there is no such target group.")
    return arns


def rules_allowed(clients: Clients, rules: int) -> int:
    """Return the quota of rules a load balancer, where there are to be `rules`."""
    return allowed(clients, RULES_LIMIT, rules, RULES)


def listener_arn_of(params: dict[str, Any], clients: Clients) -> str:
    """Return the listener that a module's options `listener_arn`, or `load_balancer` and `listener_port`, name."""
    if params["listener_arn"]:
        return str(params["listener_arn"])
    return find_listener(clients, params["load_balancer"], params["listener_port"])
