"""Targets: who may be registered where, and how they are."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from moto.elbv2.models import FakeHealthStatus, FakeTargetGroup, elbv2_backends

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.moto_state import backend, put
from loadlift_lab.control_plane.registry import Refused, before
from loadlift_lab.control_plane.target_health import REPORTS, TargetHealth
from loadlift_lab.function_policy import may_invoke

FUNCTION_ARN = re.compile(r"arn:[^:]+:lambda:[^:]+:\d{12}:function:(?P<name>[^:]+)(:(?P<qualifier>[^:]+))?")
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html: outside of the VPC
PRIVATE_NETWORKS = [*map(ipaddress.ip_network, ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"))]


@before("elbv2", "RegisterTargets")
def targets_fit_the_group(call: Call) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html."""
    group = backend(call, "elbv2").target_groups.get(call.parameters["TargetGroupArn"])
    targets = call.parameters.get("Targets") or []
    if group is None:
        return
    if group.target_type == "lambda":
        _check_function(call, group, targets)
    for target in targets:
        if group.target_type == "instance":
            _check_instance(call, target["Id"])
        if group.target_type == "ip":
            _check_address(call, group, target["Id"])


def _check_function(call: Call, group: Any, targets: list[dict[str, Any]]) -> None:
    arns = {target["Id"] for target in targets}
    for arn in sorted(arns):
        if not FUNCTION_ARN.fullmatch(arn):
            raise Refused("ValidationError", f"'{arn}' is not a valid Lambda function ARN")
    # "Targets per target group (Lambda functions): 1", load-balancer-limits.html
    if len(arns | set(group.targets)) > 1:
        raise Refused("TooManyTargets", "A target group of type lambda can only have one Lambda function registered")
    for arn in arns:
        _check_permission(call, group, arn)


def _check_permission(call: Call, group: Any, arn: str) -> None:
    statements = policy_statements(backend(call, "awslambda"), arn)
    if statements is None:
        raise Refused("InvalidTarget", f"The Lambda function '{arn}' does not exist")
    if not may_invoke(statements, group.arn):
        raise Refused(
            "AccessDenied",
            f"elasticloadbalancing principal does not have permission to invoke {arn} from target group {group.arn}",
        )


def policy_statements(functions: Any, arn: str) -> list[dict[str, Any]] | None:
    """Return the resource policy of a function or of its alias or version, None if there is no such function."""
    found = FUNCTION_ARN.fullmatch(arn)
    assert found
    try:
        function = functions.get_function(found["name"], found["qualifier"])
    except Exception:  # moto has one class of error for each way in which a function is unknown
        return None
    return list(function.policy.statements) if function.policy else []


def _check_instance(call: Call, identifier: str) -> None:
    if not re.fullmatch(r"i-[0-9a-f]{8,17}", identifier):
        raise Refused("ValidationError", f"Instance ID '{identifier}' is not valid")
    if backend(call, "ec2").get_instance_by_id(identifier) is None:
        raise Refused("InvalidTarget", f"The following targets are not in the target group VPC: '{identifier}'")


def _check_address(call: Call, group: Any, text: str) -> None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise Refused("ValidationError", f"'{text}' is not a valid IP address") from None
    vpc = backend(call, "ec2").vpcs.get(group.vpc_id)
    networks = [*PRIVATE_NETWORKS, *([ipaddress.ip_network(vpc.cidr_block)] if vpc else [])]
    if not any(address in network for network in networks):
        raise Refused("ValidationError", f"The IP address '{text}' must be in the VPC or in a private network")


def health(group: Any, target: dict[str, Any], in_use: bool) -> TargetHealth:
    """Return the health of a registered target."""
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html: status
    if not in_use:
        text = "Target group is not configured to receive traffic from the load balancer"
        return TargetHealth("unused", "Target.NotInUse", text)
    if not group.health_check_enabled:
        return TargetHealth("unavailable", "Target.HealthCheckDisabled", "Health checks are disabled for this target")
    port = target.get("Port")
    reported = REPORTS.of(group.arn, target["Id"], None if port is None else int(port))
    return reported or TargetHealth("initial", "Elb.RegistrationInProgress", "Target registration is in progress")


def _load_balancers(self: Any) -> list[str]:
    state = elbv2_backends[self.account_id][self.region_name]
    return [arn for arn, balancer in state.load_balancers.items() if _forwards_to(state, balancer, self.arn)]


def _forwards_to(state: Any, balancer: Any, target_group_arn: str) -> bool:
    rules = (rule for listener in balancer.listeners.values() for rule in listener.rules.values())
    actions = (action.data for rule in rules for action in rule.actions)
    return any(target_group_arn in state._get_target_group_arns_from(action) for action in actions)


def apply() -> None:
    """Let a group know its load balancers by their rules, its targets' health as measured, and no target twice gone."""
    unregistered = FakeTargetGroup.health_for

    def health_for(self: Any, target: dict[str, Any], ec2_backend: Any) -> FakeHealthStatus:
        registered = self.targets.get(target["Id"])
        told = unregistered(self, target, ec2_backend)
        if registered is None or told.status != "healthy":
            return told
        now = health(self, registered, bool(self.load_balancer_arns))
        return FakeHealthStatus(
            registered["Id"], registered["Port"], self.health_check_port, now.state, now.reason, now.description
        )

    deregister = FakeTargetGroup.deregister

    def deregister_known(self: Any, targets: list[dict[str, Any]]) -> None:
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html: the Note
        deregister(self, [target for target in targets if target["Id"] in self.targets])

    put(FakeTargetGroup, "health_for", health_for)
    put(FakeTargetGroup, "deregister", deregister_known)
    # moto only ever adds to its list; what it appends here is forgotten.
    put(FakeTargetGroup, "load_balancer_arns", property(_load_balancers, lambda self, arns: None))
