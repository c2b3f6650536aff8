"""Creating what is there already: the same settings give the same resource, others are refused."""

from __future__ import annotations

from typing import Any

from moto.elbv2.models import ELBv2Backend

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.moto_state import backend, put
from loadlift_lab.control_plane.registry import Refused, before


@before("elbv2", "CreateListener")
def port_is_free(call: Call) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html: errors."""
    arn, port = call.parameters["LoadBalancerArn"], call.parameters.get("Port")
    balancer = backend(call, "elbv2").load_balancers.get(arn)
    if balancer and any(str(listener.port) == str(port) for listener in balancer.listeners.values()):
        raise Refused("DuplicateListener", f"A listener already exists on this port for this load balancer '{arn}'")


@before("elbv2", "DeleteLoadBalancer")
def protection_is_off(call: Call) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html."""
    arn = call.parameters["LoadBalancerArn"]
    balancer = backend(call, "elbv2").load_balancers.get(arn)
    if balancer and str(balancer.attrs.get("deletion_protection.enabled")).lower() == "true":
        message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        raise Refused("OperationNotPermitted", message)


def load_balancer_differs(balancer: Any, asked: dict[str, Any]) -> bool:
    """Tell whether `balancer` has other settings than those `asked` for."""
    subnets = [*(asked.get("subnet_ids") or []), *(one["SubnetId"] for one in asked.get("subnet_mappings") or [])]
    groups = asked.get("security_groups")
    return (
        {subnet.id for subnet in balancer.subnets} != set(subnets)
        or balancer.scheme != asked["scheme"]
        or balancer.type != (asked.get("loadbalancer_type") or "application")
        or bool(groups and set(groups) != set(balancer.security_groups or []))
    )


def target_group_differs(group: Any, asked: dict[str, Any]) -> bool:
    """Tell whether `group` has other settings than those `asked` for."""
    settings = {name.replace("healthcheck", "health_check"): value for name, value in asked.items() if name != "tags"}
    return any(
        value is not None and str(getattr(group, name)).lower() != str(value).lower()
        for name, value in settings.items()
    )


def _named(resources: dict[str, Any], name: str) -> Any:
    return next((resource for resource in resources.values() if resource.name == name), None)


def apply() -> None:
    """Make CreateLoadBalancer and CreateTargetGroup idempotent."""
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
    create_load_balancer, create_target_group = ELBv2Backend.create_load_balancer, ELBv2Backend.create_target_group

    def load_balancer(self: Any, name: str, **asked: Any) -> Any:
        asked["scheme"] = asked.get("scheme") or "internet-facing"
        there = _named(self.load_balancers, name)
        if there and load_balancer_differs(there, asked):
            message = f"A load balancer with the same name '{name}' exists, but with different settings"
            raise Refused("DuplicateLoadBalancerName", message)
        return there or create_load_balancer(self, name=name, **asked)

    def target_group(self: Any, name: str, **asked: Any) -> Any:
        there = _named(self.target_groups, name)
        if there and target_group_differs(there, asked):
            message = f"A target group with the same name '{name}' exists, but with different settings"
            raise Refused("DuplicateTargetGroupName", message)
        return there or create_target_group(self, name, **asked)

    put(ELBv2Backend, "create_load_balancer", load_balancer)
    put(ELBv2Backend, "create_target_group", target_group)
