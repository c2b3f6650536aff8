# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How Application Auto Scaling moves the provisioned capacity of a DynamoDB table. Pure.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import Call, InputError, Plan

SERVICE = "application-autoscaling"
DIMENSIONS = {
    "read_capacity": ("dynamodb:table:ReadCapacityUnits", "DynamoDBReadCapacityUtilization"),
    "write_capacity": ("dynamodb:table:WriteCapacityUnits", "DynamoDBWriteCapacityUtilization"),
}


@dataclass(frozen=True)
class Scaling:
    """Bounds of a capacity in units, and the use of it in percent that scaling keeps."""

    minimum: int
    maximum: int
    target_percent: int | None  # None where no policy of ours is there

    @classmethod
    def wanted(cls, option: str, given: Mapping[str, int]) -> Scaling:
        """Return what the task asks for; refuse what AWS would."""
        if not 1 <= given["minimum"] <= given["maximum"]:
            raise InputError(
                f"{option} has minimum {given['minimum']} and maximum {given['maximum']}; 1 <= minimum <= maximum."
            )
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html: between 20 and 90
        if not 20 <= given["target_percent"] <= 90:
            raise InputError(f"{option}.target_percent is {given['target_percent']}; allowed are 20 to 90.")
        return cls(given["minimum"], given["maximum"], given["target_percent"])


def policy_name(table: str, option: str) -> str:
    """Return the name of the scaling policy of one capacity."""
    return f"{table}-{option.replace('_', '-')}"


def plan_scaling(table: str, current: Mapping[str, Scaling], wanted: Mapping[str, Scaling], state: str) -> Plan:
    """Return what brings each capacity that `wanted` names to its scaling, or removes all scaling (`state` absent)."""
    after = dict(current) | dict(wanted) if state == "present" else {}
    calls = [call for option in DIMENSIONS for call in _calls(table, option, current.get(option), after.get(option))]
    return Plan(_shown(current), _shown(after), calls)


def _shown(scalings: Mapping[str, Scaling]) -> dict[str, Any]:
    return {option: asdict(scalings[option]) for option in DIMENSIONS if option in scalings}


def _calls(table: str, option: str, current: Scaling | None, after: Scaling | None) -> Iterator[Call]:
    about, predefined = _dimension(table, option)
    resource = f"{option} of table '{table}'"
    if current == after:
        return
    if after is None:
        # Its policies go with it:
        # https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html
        yield Call(SERVICE, "DeregisterScalableTarget", about, resource, done_by=("ObjectNotFoundException",))
        return
    if current is None or (current.minimum, current.maximum) != (after.minimum, after.maximum):
        bounds = {"MinCapacity": after.minimum, "MaxCapacity": after.maximum}
        yield Call(SERVICE, "RegisterScalableTarget", about | bounds, resource)
    if current is None or current.target_percent != after.target_percent:
        yield Call(SERVICE, "PutScalingPolicy", about | _policy(table, option, predefined, after), resource)


def _dimension(table: str, option: str) -> tuple[dict[str, Any], str]:
    dimension, predefined = DIMENSIONS[option]
    about = {"ServiceNamespace": "dynamodb", "ResourceId": f"table/{table}", "ScalableDimension": dimension}
    return about, predefined


def _policy(table: str, option: str, predefined: str, after: Scaling) -> dict[str, Any]:
    return {
        "PolicyName": policy_name(table, option),
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": float(after.target_percent or 0),
            "PredefinedMetricSpecification": {"PredefinedMetricType": predefined},
        },
    }


def current_scaling(
    table: str, targets: Sequence[Mapping[str, Any]], policies: Sequence[Mapping[str, Any]]
) -> dict[str, Scaling]:
    """Return the scaling of each capacity that has one, from what AWS describes."""
    percents = {
        policy["PolicyName"]: int(policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"])
        for policy in policies
        if policy["PolicyType"] == "TargetTrackingScaling"
    }
    bounds = {target["ScalableDimension"]: (target["MinCapacity"], target["MaxCapacity"]) for target in targets}
    return {
        option: Scaling(*bounds[dimension], target_percent=percents.get(policy_name(table, option)))
        for option, (dimension, _policy) in DIMENSIONS.items()
        if dimension in bounds
    }
