# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Application Auto Scaling: one function a call."""

from __future__ import annotations

from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import Clients, ask

SERVICE = "application-autoscaling"


def describe_scalable_targets(clients: Clients, namespace: str, resource_id: str) -> list[dict[str, Any]]:
    """Return the scalable targets of one resource: at most one a dimension, so one page.

    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalableTargets.html
    """
    parameters = {"ServiceNamespace": namespace, "ResourceIds": [resource_id]}
    answer = ask(clients, SERVICE, "DescribeScalableTargets", resource_id, **parameters)
    return list(answer["ScalableTargets"])


def describe_scaling_policies(clients: Clients, namespace: str, resource_id: str) -> list[dict[str, Any]]:
    """Return the scaling policies of one resource.

    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalingPolicies.html
    """
    parameters = {"ServiceNamespace": namespace, "ResourceId": resource_id}
    answer = ask(clients, SERVICE, "DescribeScalingPolicies", resource_id, **parameters)
    return list(answer["ScalingPolicies"])
