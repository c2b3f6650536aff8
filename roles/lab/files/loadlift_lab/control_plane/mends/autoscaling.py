"""Auto Scaling: where instances start, which stay, where replacements are registered, and instance refreshes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.moto_state import backend, put
from loadlift_lab.control_plane.registry import Refused, answer


@answer("autoscaling", "DisableMetricsCollection")
def disable_metrics_collection(call: Call) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DisableMetricsCollection.html."""
    group = backend(call, "autoscaling").autoscaling_groups[call.parameters["AutoScalingGroupName"]]
    named = call.parameters.get("Metrics") or list(group.metrics)
    group.metrics = [metric for metric in group.metrics if metric not in named]
    return {}


# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StartInstanceRefresh.html
@answer("autoscaling", "StartInstanceRefresh")
def start_instance_refresh(call: Call) -> dict[str, Any]:
    """Replace the instances at once: an account that answers each call by itself knows no time to do it in."""
    group = _group(call)
    skip_matching = call.parameters.get("Preferences", {}).get("SkipMatching", False)
    wanted = current_version(group)
    replaced = [
        state.instance.id
        for state in group.instance_states
        if not (skip_matching and state.launch_template["Version"] == wanted)
    ]
    terminate(call, replaced)
    refresh = {
        "InstanceRefreshId": str(mock_random.uuid4()),
        "AutoScalingGroupName": group.name,
        "Status": "Successful",
        "StartTime": utcnow(),
        "EndTime": utcnow(),
        "PercentageComplete": 100,
        "InstancesToUpdate": 0,
    }
    group.refreshes = [refresh, *getattr(group, "refreshes", [])]
    return {"InstanceRefreshId": refresh["InstanceRefreshId"]}


# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeInstanceRefreshes.html: the newest first
@answer("autoscaling", "DescribeInstanceRefreshes")
def describe_instance_refreshes(call: Call) -> dict[str, Any]:
    """Tell the group's refreshes."""
    named = call.parameters.get("InstanceRefreshIds")
    refreshes = getattr(_group(call), "refreshes", [])
    return {"InstanceRefreshes": [one for one in refreshes if not named or one["InstanceRefreshId"] in named]}


def terminate(call: Call, instance_ids: list[str]) -> None:
    """Terminate instances of a group, which starts others in their place, as moto's TerminateInstances does."""
    if instance_ids:
        backend(call, "ec2").terminate_instances(instance_ids)
        for service in ("autoscaling", "elbv2"):
            backend(call, service).notify_terminate_instances(instance_ids)


def _group(call: Call) -> Any:
    name = call.parameters["AutoScalingGroupName"]
    groups = backend(call, "autoscaling").autoscaling_groups
    if name not in groups:
        raise Refused("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return groups[name]


def current_version(group: Any) -> str:
    """Return the number of the version that the group starts instances from; empty without a launch template."""
    template = group.ec2_launch_template
    return str(template.get_version(group.launch_template_version).number) if template else ""


def remember_version(group: Any) -> None:
    """Note at each new instance what it was started from."""
    for state in group.instance_states:
        state.started_from = getattr(state, "started_from", current_version(group))


def emptiest(subnets: list[str], taken: list[str]) -> str:
    """Return the subnet that holds the fewest instances, the first of several."""
    counts = Counter(taken)
    return min(subnets, key=lambda subnet: counts[subnet])


def apply() -> None:
    """Spread instances over the subnets, keep their order, and keep the target groups true."""
    start = FakeAutoScalingGroup.replace_autoscaling_group_instances
    set_capacity = FakeAutoScalingGroup.set_desired_capacity
    notice_terminations = AutoScalingBackend.notify_terminate_instances

    def start_spread(self: Any, count_needed: int, propagated_tags: dict[str, str]) -> None:
        # https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html: instance distribution
        subnets = self.vpc_zone_identifier
        if not subnets:
            start(self, count_needed, propagated_tags)
            remember_version(self)
            return
        for _ in range(count_needed):
            taken = [state.instance.subnet_id for state in self.instance_states]
            try:
                self.vpc_zone_identifier = emptiest(subnets.split(","), taken)
                start(self, 1, propagated_tags)
            finally:
                self.vpc_zone_identifier = subnets
        remember_version(self)

    def keep_order(self: Any, new_capacity: int | None) -> None:
        # moto goes through a set of objects: the order would differ in another process.
        before = list(self.instance_states)
        set_capacity(self, new_capacity)
        new = [state for state in self.instance_states if state not in before]
        kept = [state for state in before if state in self.instance_states]
        self.instance_states = kept + new
        gone = [state.instance.id for state in before if state not in kept]
        self.autoscaling_backend.elbv2_backend.notify_terminate_instances(gone)

    def register_replacements(self: Any, instance_ids: list[str]) -> None:
        # https://docs.aws.amazon.com/autoscaling/ec2/userguide/attach-load-balancer-asg.html
        notice_terminations(self, instance_ids)
        for name in self.autoscaling_groups:
            self.update_attached_target_groups(name)

    # https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Instance.html: what the instance was started from
    def launch_template(self: Any) -> dict[str, Any] | None:
        template = self.auto_scaling_group.ec2_launch_template
        if template is None:
            return None
        return {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "Version": self.started_from,
        }

    put(InstanceState, "launch_template", property(launch_template))
    put(FakeAutoScalingGroup, "replace_autoscaling_group_instances", start_spread)
    put(FakeAutoScalingGroup, "set_desired_capacity", keep_order)
    put(AutoScalingBackend, "notify_terminate_instances", register_replacements)
