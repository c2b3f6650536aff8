"""Auto Scaling: where instances start, which stay, and where replacements are registered."""

from __future__ import annotations

from collections import Counter
from typing import Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.moto_state import backend, put
from loadlift_lab.control_plane.registry import answer


@answer("autoscaling", "DisableMetricsCollection")
def disable_metrics_collection(call: Call) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DisableMetricsCollection.html."""
    group = backend(call, "autoscaling").autoscaling_groups[call.parameters["AutoScalingGroupName"]]
    named = call.parameters.get("Metrics") or list(group.metrics)
    group.metrics = [metric for metric in group.metrics if metric not in named]
    return {}


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
            return
        for _ in range(count_needed):
            taken = [state.instance.subnet_id for state in self.instance_states]
            try:
                self.vpc_zone_identifier = emptiest(subnets.split(","), taken)
                start(self, 1, propagated_tags)
            finally:
                self.vpc_zone_identifier = subnets

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

    put(FakeAutoScalingGroup, "replace_autoscaling_group_instances", start_spread)
    put(FakeAutoScalingGroup, "set_desired_capacity", keep_order)
    put(AutoScalingBackend, "notify_terminate_instances", register_replacements)
