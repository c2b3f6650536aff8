"""The account's load balancers as the API describes them, read in few calls."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from loadlift_lab.data_plane.context import Context
from loadlift_lab.data_plane.load_balancer import addresses
from loadlift_lab.data_plane.load_balancer.model import (
    Action,
    Condition,
    FixedResponse,
    Forward,
    HealthCheck,
    Listener,
    LoadBalancer,
    Redirect,
    Rule,
    Snapshot,
    Target,
    TargetGroup,
)

LOG = logging.getLogger(__name__)
Description = dict[str, Any]


def read(context: Context) -> Snapshot:
    """Return every application load balancer with its listeners and rules, and every target group."""
    described = [
        lb for lb in _pages(context, "describe_load_balancers", "LoadBalancers") if lb["Type"] == "application"
    ]
    places = addresses.allocate(context.settings, {lb["LoadBalancerArn"]: lb["DNSName"] for lb in described})
    load_balancers = tuple(_load_balancer(context, lb, places[lb["LoadBalancerArn"]]) for lb in described)
    groups = list(_pages(context, "describe_target_groups", "TargetGroups"))
    private = _private_addresses(context) if any(group["TargetType"] == "instance" for group in groups) else {}
    return Snapshot(load_balancers, tuple(_target_group(context, group, private) for group in groups))


def _pages(context: Context, operation: str, key: str, **parameters: str) -> Iterator[Description]:
    for page in context.client("elbv2").get_paginator(operation).paginate(**parameters):
        yield from page[key]


def _load_balancer(context: Context, described: Description, address: str) -> LoadBalancer:
    arn = described["LoadBalancerArn"]
    elbv2 = context.client("elbv2")
    attributes = _attributes(elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn))
    listeners = _pages(context, "describe_listeners", "Listeners", LoadBalancerArn=arn)
    return LoadBalancer(
        name=described["LoadBalancerName"],
        address=address,
        listeners=tuple(_listener(context, listener) for listener in listeners if _is_http(listener)),
        idle_timeout=int(attributes.get("idle_timeout.timeout_seconds", 60)),
    )


def _is_http(listener: Description) -> bool:
    if listener["Protocol"] == "HTTP":
        return True
    LOG.warning("The listener %s is left out: the lab serves HTTP only.", listener["ListenerArn"])
    return False


def _listener(context: Context, described: Description) -> Listener:
    rules = [rule(one) for one in _pages(context, "describe_rules", "Rules", ListenerArn=described["ListenerArn"])]
    return Listener(described["Port"], tuple(sorted(rules, key=lambda one: one.priority)))


# The default rule comes after the last priority there can be.
DEFAULT_PRIORITY = 50001


def rule(described: Description) -> Rule:
    """Return a rule as `DescribeRules` tells it."""
    priority = DEFAULT_PRIORITY if described["Priority"] == "default" else int(described["Priority"])
    return Rule(priority, action(described["Actions"]), tuple(condition(one) for one in described["Conditions"]))


CONFIGURATION_OF_FIELD = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}


def condition(described: Description) -> Condition:
    """Return a condition; its values stand in its configuration, or in `Values` in the older form."""
    field = described["Field"]
    configuration = described.get(CONFIGURATION_OF_FIELD.get(field, "")) or {}
    values = configuration.get("Values") or described.get("Values") or []
    if field == "query-string":
        return Condition(field, pairs=tuple((pair.get("Key") or "", pair["Value"]) for pair in values))
    return Condition(
        field,
        tuple(values),
        regex_values=tuple(configuration.get("RegexValues") or described.get("RegexValues") or []),
        header=configuration.get("HttpHeaderName", ""),
    )


def action(described: list[Description]) -> Action:
    """Return the last action: those before it authenticate, which the lab leaves out."""
    last = max(described, key=lambda one: one.get("Order") or 0)
    match last["Type"]:
        case "redirect":
            return _redirect(last["RedirectConfig"])
        case "fixed-response":
            return _fixed_response(last["FixedResponseConfig"])
        case _:
            return _forward(last)


def _redirect(configuration: Description) -> Redirect:
    parts = {part: configuration.get(part.capitalize()) for part in ("protocol", "host", "port", "path", "query")}
    given = {part: str(value) for part, value in parts.items() if value is not None}
    return Redirect(int(configuration["StatusCode"].removeprefix("HTTP_")), **given)


def _fixed_response(configuration: Description) -> FixedResponse:
    return FixedResponse(
        int(configuration["StatusCode"]),
        configuration.get("ContentType") or "text/plain",
        configuration.get("MessageBody") or "",
    )


def _forward(described: Description) -> Forward:
    groups = (described.get("ForwardConfig") or {}).get("TargetGroups") or []
    if not groups:
        return Forward(((described["TargetGroupArn"], 1),))
    return Forward(tuple((group["TargetGroupArn"], int(group.get("Weight", 1))) for group in groups))


def _target_group(context: Context, described: Description, private: dict[str, str]) -> TargetGroup:
    arn, elbv2 = described["TargetGroupArn"], context.client("elbv2")
    registered = [one["Target"] for one in elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]]
    attributes = _attributes(elbv2.describe_target_group_attributes(TargetGroupArn=arn))
    is_lambda = described["TargetType"] == "lambda"
    sticky = attributes.get("stickiness.enabled") == "true" and not is_lambda
    return TargetGroup(
        arn=arn,
        name=described["TargetGroupName"],
        type=described["TargetType"],
        targets=() if is_lambda else tuple(_targets(registered, private)),
        function_arn=registered[0]["Id"] if is_lambda and registered else None,
        multi_value_headers=attributes.get("lambda.multi_value_headers.enabled") == "true",
        health_check=_health_check(described),
        algorithm=attributes.get("load_balancing.algorithm.type", "round_robin"),
        stickiness_seconds=int(attributes.get("stickiness.lb_cookie.duration_seconds", 86400)) if sticky else None,
    )


def _targets(registered: list[Description], private: dict[str, str]) -> Iterator[Target]:
    for target in sorted(registered, key=lambda one: (one["Id"], one["Port"])):
        address = private.get(target["Id"], "" if target["Id"].startswith("i-") else target["Id"])
        if address:
            yield Target(target["Id"], address, int(target["Port"]))


def _health_check(described: Description) -> HealthCheck:
    port = described.get("HealthCheckPort")
    return HealthCheck(
        path=described.get("HealthCheckPath") or "/",
        port=int(port) if port and port != "traffic-port" else None,
        interval=int(described.get("HealthCheckIntervalSeconds") or 30),
        timeout=int(described.get("HealthCheckTimeoutSeconds") or 5),
        healthy_threshold=int(described.get("HealthyThresholdCount") or 5),
        unhealthy_threshold=int(described.get("UnhealthyThresholdCount") or 2),
        matcher=(described.get("Matcher") or {}).get("HttpCode") or "200",
        enabled=described.get("HealthCheckEnabled") is not False,
    )


def _private_addresses(context: Context) -> dict[str, str]:
    """Return the private address of each running instance: one that is gone answers nothing."""
    running = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    pages = context.client("ec2").get_paginator("describe_instances").paginate(Filters=running)
    reservations = (reservation for page in pages for reservation in page["Reservations"])
    return {one["InstanceId"]: one["PrivateIpAddress"] for reserved in reservations for one in reserved["Instances"]}


def _attributes(answer: Description) -> dict[str, str]:
    return {attribute["Key"]: attribute["Value"] for attribute in answer["Attributes"]}
