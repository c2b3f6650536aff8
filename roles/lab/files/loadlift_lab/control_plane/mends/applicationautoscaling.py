"""Application Auto Scaling: what goes with a scalable target."""

from __future__ import annotations

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.moto_state import backend
from loadlift_lab.control_plane.registry import after


@after("application-autoscaling", "DeregisterScalableTarget")
def policies_go_with_their_target(call: Call) -> None:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html."""
    target = tuple(call.parameters[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension"))
    scaling = backend(call, "applicationautoscaling")
    for policy in list(scaling.policies.values()):
        if (policy.service_namespace, policy.resource_id, policy.scalable_dimension) == target:
            scaling.delete_scaling_policy(policy.policy_name, *target)
