# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Elastic Load Balancing: what is asked about listeners, rules and target groups alike; one function a call."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict
from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import Clients, ask, ask_pages, at_once
from ansible_collections.loadlift.aws.plugins.module_utils._plan.parts import in_parts

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html
RESOURCES_A_CALL = 20
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeRules.html: a page's highest size
PAGE = 400


def describe_tags(clients: Clients, arns: Sequence[str], resource: str) -> dict[str, dict[str, str]]:
    """Return ARN -> tags, in as many calls as twenty resources each make."""

    def describe(some: list[str]) -> list[dict[str, Any]]:
        answer = ask(clients, "elbv2", "DescribeTags", resource, ResourceArns=some)
        return list(answer["TagDescriptions"])

    described = itertools.chain.from_iterable(at_once(describe, list(in_parts(arns, RESOURCES_A_CALL))))
    return {one["ResourceArn"]: boto3_tag_list_to_ansible_dict(one.get("Tags", [])) for one in described}


def describe_listeners(clients: Clients, load_balancer_arn: str) -> list[dict[str, Any]]:
    """Return the listeners of a load balancer, as AWS tells them.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html
    """
    resource = f"load balancer '{load_balancer_arn}'"
    return list(
        ask_pages(clients, "elbv2", "DescribeListeners", resource, "Listeners", LoadBalancerArn=load_balancer_arn)
    )


def allowed(clients: Clients, limit: str, wanted: int, default: int) -> int:
    """Return the account's quota; AWS is asked only where `wanted` is more than `default`, which every account has.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeAccountLimits.html
    """
    if wanted <= default:
        return default
    limits = ask_pages(clients, "elbv2", "DescribeAccountLimits", "the account's quotas", "Limits")
    told = [int(one["Max"]) for one in limits if one["Name"] == limit]
    return told[0] if told else default
