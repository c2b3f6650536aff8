# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lambda target groups: what they are, what a task asks for, and the calls between the two. Pure.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .function import account_of, split_arn
from .plan import Call, InputError, Learned, Plan
from .tags import Tags, tag_calls, tag_list, wanted_tags

MULTI_VALUE = "lambda.multi_value_headers.enabled"
PRINCIPAL = "elasticloadbalancing.amazonaws.com"
ACTION = "lambda:InvokeFunction"
NAME = re.compile(r"(?!-)(?!internal-)[A-Za-z0-9-]{1,32}(?<!-)")
ARN = "target_group_arn"
THIS_GROUP = "this target group"
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html: of type lambda
HEALTH_DEFAULTS = {
    "path": "/",
    "interval": 35,
    "timeout": 30,
    "healthy_threshold": 5,
    "unhealthy_threshold": 2,
    "matcher": "200",
}
HEALTH_RANGES = {
    "interval": (5, 300),
    "timeout": (2, 120),
    "healthy_threshold": (2, 10),
    "unhealthy_threshold": (2, 10),
}
HEALTH_PARAMETERS = {
    "path": "HealthCheckPath",
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "healthy_threshold": "HealthyThresholdCount",
    "unhealthy_threshold": "UnhealthyThresholdCount",
}
MATCHER = re.compile(r"[2-4]\d\d(-[2-4]\d\d)?(,[2-4]\d\d(-[2-4]\d\d)?)*")

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html: a region, by default
TARGET_GROUPS = 3000
TARGET_GROUPS_LIMIT = "target-groups"  # its name in DescribeAccountLimits

HealthCheck = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """The function that is registered, and how its health is."""

    function_arn: str
    state: str = ""
    reason: str = ""
    description: str = ""


@dataclass(frozen=True)
class TargetGroup:
    """A target group as AWS tells it. `tags` is None where nobody asked for them."""

    name: str
    arn: str
    target_type: str
    health_check: HealthCheck
    multi_value_headers: bool = False
    tags: Tags | None = None
    target: Target | None = None
    load_balancer_arns: Sequence[str] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Permission:
    """A statement of a function's resource policy."""

    function_arn: str
    statement_id: str
    principal: str
    action: str
    source_arn: str
    source_account: str


@dataclass(frozen=True)
class WantedTargetGroup:
    """What a task asks for; None is left alone. `health_check` holds only what the task says."""

    name: str
    function_arn: str | None = None
    health_check: HealthCheck | None = None
    multi_value_headers: bool | None = None
    tags: Tags | None = None
    purge_tags: bool = True
    manage_permission: bool = True
    function_pending: bool = False  # it is being made: Lambda takes no permission for it yet
    patience_s: float = 300


def check_wanted(name: str, health_check: HealthCheck | None, wait_timeout: int) -> None:
    """Raise InputError where a name or a health check is none that AWS takes."""
    if wait_timeout < 0:
        raise InputError(f"wait_timeout is {wait_timeout}; allowed are 0 seconds and more.")
    if not NAME.fullmatch(name):
        raise InputError(
            f"name is '{name}'; allowed are 1 to 32 letters, digits and hyphens, "
            "with no hyphen at either end and no 'internal-' in front."
        )
    said = {key: value for key, value in (health_check or {}).items() if value is not None}
    for key, (lowest, highest) in HEALTH_RANGES.items():
        if key in said and not lowest <= said[key] <= highest:
            raise InputError(f"health_check.{key} is {said[key]}; allowed are {lowest} to {highest}.")
    if {"interval", "timeout"} <= said.keys():
        _check_interval(said)
    if "matcher" in said and not MATCHER.fullmatch(said["matcher"]):
        raise InputError(f"health_check.matcher is '{said['matcher']}'; allowed are HTTP codes such as 200,300-399.")
    if not said.get("path", "/").startswith("/") or len(said.get("path", "/")) > 1024:
        raise InputError(f"health_check.path is '{said['path']}'; allowed are paths from '/' up to 1024 characters.")


def _check_interval(said: HealthCheck) -> None:
    if said["interval"] <= said["timeout"]:
        raise InputError(
            f"health_check.interval is {said['interval']}; it must be greater than the timeout, {said['timeout']}."
        )


def check_room(groups: int, allowed: int) -> None:
    """Raise InputError where `groups` are there already and one more would be more than `allowed`."""
    if groups >= allowed:
        raise InputError(
            f"The region has {groups} target groups and would get another; AWS allows this account {allowed}."
        )


def statement_id(name: str) -> str:
    """Return the id of the statement that lets a target group of this name invoke its function."""
    return f"loadlift-{name}"


def wanted_health_check(current: HealthCheck | None, asked: HealthCheck | None) -> dict[str, Any]:
    """Return the health check after the task; a new group has none unless asked, as in AWS."""
    said = {key: value for key, value in (asked or {}).items() if value is not None}
    base = dict(current) if current else {"enabled": False}
    if not said:
        return base
    if not said.get("enabled", True):
        return {"enabled": False}
    after = {**HEALTH_DEFAULTS, **base, **said, "enabled": True}
    _check_interval(after)
    return after


def plan_present(current: TargetGroup | None, wanted: WantedTargetGroup, permissions: Mapping[str, Permission]) -> Plan:
    """Return how to make or change the group.

    `permissions` holds, by the function's ARN, the statement under our id of the wanted and of the registered function.
    """
    if current and current.target_type != "lambda":
        raise InputError(
            f"name is '{wanted.name}', a target group of type {current.target_type}; allowed is a lambda one."
        )
    if current is None and wanted.function_arn is None:
        raise InputError(f"function is missing; target group '{wanted.name}' is not there yet and needs one.")
    after = _state_after(current, wanted, permissions)
    before = shown(current, permissions) if current else {}
    calls = _changes(current, before, after) if current else _creation(after)
    calls += _function_calls(current, wanted, permissions)
    return Plan(before, after, calls)


def plan_absent(
    name: str, current: TargetGroup | None, permissions: Mapping[str, Permission], forwarding: Sequence[str]
) -> Plan:
    """Return how to remove the group and the statement; `forwarding` names the rules that still forward to it."""
    if forwarding:
        rules = "; ".join(forwarding)
        raise InputError(f"name is '{name}', a target group to which rules still forward ({rules}); remove them first.")
    if current and current.target_type != "lambda":
        raise InputError(f"name is '{name}', a target group of type {current.target_type}; allowed is a lambda one.")
    # The statement goes first: a run that is cut off in between still finds the group, and through it the function.
    calls = [_remove_permission(found) for found in permissions.values()]
    if current:
        calls.append(Call("elbv2", "DeleteTargetGroup", {"TargetGroupArn": current.arn}, _resource(name)))
    if current:
        return Plan(shown(current, permissions), {}, calls)
    left = [_shown_permission(found, None) for found in permissions.values()]
    return Plan({"permission": left[0]} if left else {}, {}, calls)


def shown(group: TargetGroup, permissions: Mapping[str, Permission]) -> dict[str, Any]:
    """Return a group as a diff shows it, without what only AWS can choose."""
    function = group.target.function_arn if group.target else None
    state: dict[str, Any] = {
        "name": group.name,
        "function_arn": function,
        "health_check": dict(group.health_check),
        "multi_value_headers": group.multi_value_headers,
        "permission": _shown_permission(permissions.get(function or ""), group.arn),
    }
    return state | ({} if group.tags is None else {"tags": dict(group.tags)})


def _state_after(
    current: TargetGroup | None, wanted: WantedTargetGroup, permissions: Mapping[str, Permission]
) -> dict[str, Any]:
    before = shown(current, permissions) if current else {"multi_value_headers": False, "permission": None}
    function = wanted.function_arn or before["function_arn"]
    after = before | {
        "name": wanted.name,
        "function_arn": function,
        "health_check": wanted_health_check(current.health_check if current else None, wanted.health_check),
    }
    if wanted.multi_value_headers is not None:
        after["multi_value_headers"] = wanted.multi_value_headers
    if wanted.tags is not None:
        after["tags"] = wanted_tags((current.tags if current else None) or {}, wanted.tags, wanted.purge_tags)
    if wanted.function_arn:
        after["permission"] = _permission_after(current, wanted, permissions)
    return after


def _permission_after(
    current: TargetGroup | None, wanted: WantedTargetGroup, permissions: Mapping[str, Permission]
) -> dict[str, str] | None:
    arn = current.arn if current else None
    if not wanted.manage_permission:
        return _shown_permission(permissions.get(wanted.function_arn or ""), arn)
    return _shown_permission(_wanted_permission(wanted, arn or THIS_GROUP), arn or THIS_GROUP)


def _wanted_permission(wanted: WantedTargetGroup, source_arn: str) -> Permission:
    function = wanted.function_arn or ""
    return Permission(function, statement_id(wanted.name), PRINCIPAL, ACTION, source_arn, account_of(function))


def _shown_permission(permission: Permission | None, group_arn: str | None) -> dict[str, str] | None:
    if permission is None:
        return None
    source = THIS_GROUP if permission.source_arn == group_arn else permission.source_arn
    return {
        "statement_id": permission.statement_id,
        "function_arn": permission.function_arn,
        "principal": permission.principal,
        "action": permission.action,
        "source": source,
        "source_account": permission.source_account,
    }


def _resource(name: str) -> str:
    return f"target group '{name}'"


def _creation(after: Mapping[str, Any]) -> list[Call]:
    parameters = {"Name": after["name"], "TargetType": "lambda", **_health_parameters(after["health_check"])}
    if after.get("tags"):
        parameters["Tags"] = tag_list(after["tags"])
    create = Call(
        "elbv2",
        "CreateTargetGroup",
        parameters,
        _resource(after["name"]),
        learns={ARN: "TargetGroups[0].TargetGroupArn"},
    )
    return [create, *([_set_multi_value(Learned(ARN), after)] if after["multi_value_headers"] else [])]


def _changes(current: TargetGroup, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Call]:
    calls = []
    if after["health_check"] != before["health_check"]:
        parameters = {"TargetGroupArn": current.arn, **_health_parameters(after["health_check"])}
        calls.append(Call("elbv2", "ModifyTargetGroup", parameters, _resource(current.name)))
    if after["multi_value_headers"] != before["multi_value_headers"]:
        calls.append(_set_multi_value(current.arn, after))
    return calls + tag_calls(current.arn, _resource(current.name), current.tags or {}, after.get("tags", {}))


def _health_parameters(health_check: HealthCheck) -> dict[str, Any]:
    if not health_check["enabled"]:
        return {"HealthCheckEnabled": False}
    parameters = {parameter: health_check[key] for key, parameter in HEALTH_PARAMETERS.items()}
    return {"HealthCheckEnabled": True, "Matcher": {"HttpCode": health_check["matcher"]}, **parameters}


def _set_multi_value(arn: str | Learned, after: Mapping[str, Any]) -> Call:
    attribute = {"Key": MULTI_VALUE, "Value": str(after["multi_value_headers"]).lower()}
    parameters = {"TargetGroupArn": arn, "Attributes": [attribute]}
    return Call("elbv2", "ModifyTargetGroupAttributes", parameters, _resource(after["name"]))


def _function_calls(
    current: TargetGroup | None, wanted: WantedTargetGroup, permissions: Mapping[str, Permission]
) -> list[Call]:
    """Allow the new function, forbid and deregister the old one, register the new one: in this order.

    A run that is cut off anywhere converges: the old function stays known until nothing of it is left.
    """
    if wanted.function_arn is None:
        return []
    arn: str | Learned = current.arn if current else Learned(ARN)
    registered = current.target.function_arn if current and current.target else None
    calls = _permission_calls(arn, wanted, permissions) if wanted.manage_permission else []
    if wanted.function_pending and (calls or registered != wanted.function_arn):
        calls.insert(0, _wait_for_function(wanted))
    if registered and registered != wanted.function_arn:
        if wanted.manage_permission and registered in permissions:
            calls.append(_remove_permission(permissions[registered]))
        calls.append(_targets_call("DeregisterTargets", arn, wanted.name, registered))
    if registered != wanted.function_arn:
        calls.append(_targets_call("RegisterTargets", arn, wanted.name, wanted.function_arn))
    return calls


def _wait_for_function(wanted: WantedTargetGroup) -> Call:
    """https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html."""
    function, qualifier = split_arn(wanted.function_arn or "")
    return Call(
        "lambda",
        "GetFunction",
        {"FunctionName": function, **({"Qualifier": qualifier} if qualifier else {})},
        f"function '{wanted.function_arn}'",
        awaited={"Configuration.State": "Active"},
        patience_s=wanted.patience_s,
    )


def _permission_calls(
    arn: str | Learned, wanted: WantedTargetGroup, permissions: Mapping[str, Permission]
) -> list[Call]:
    found = permissions.get(wanted.function_arn or "")
    if isinstance(arn, str) and found == _wanted_permission(wanted, arn):
        return []
    return [*([_remove_permission(found)] if found else []), _add_permission(arn, wanted)]


def _add_permission(arn: str | Learned, wanted: WantedTargetGroup) -> Call:
    function, qualifier = split_arn(wanted.function_arn or "")
    parameters = {
        "FunctionName": function,
        "StatementId": statement_id(wanted.name),
        "Action": ACTION,
        "Principal": PRINCIPAL,
        "SourceArn": arn,
        "SourceAccount": account_of(function),
        **({"Qualifier": qualifier} if qualifier else {}),
    }
    # Another run may have added it meanwhile, or Lambda may be busy with an update of the function.
    return Call(
        "lambda",
        "AddPermission",
        parameters,
        f"function '{wanted.function_arn}'",
        stale_on=("ResourceConflictException",),
    )


def _remove_permission(permission: Permission) -> Call:
    function, qualifier = split_arn(permission.function_arn)
    parameters = {
        "FunctionName": function,
        "StatementId": permission.statement_id,
        **({"Qualifier": qualifier} if qualifier else {}),
    }
    resource = f"function '{permission.function_arn}'"
    return Call("lambda", "RemovePermission", parameters, resource, done_by=("ResourceNotFoundException",))


def _targets_call(operation: str, arn: str | Learned, name: str, function_arn: str) -> Call:
    resource = f"{_resource(name)} (function '{function_arn}')"
    parameters = {"TargetGroupArn": arn, "Targets": [{"Id": function_arn}]}
    # A new permission takes seconds to reach Elastic Load Balancing, which says AccessDenied until then.
    retried = ("AccessDenied", "AccessDeniedException") if operation == "RegisterTargets" else ()
    return Call("elbv2", operation, parameters, resource, retried_on=retried)
