"""dynamodb_autoscaling against our control plane."""

from __future__ import annotations

from typing import Any

import pytest

from integration.account import Account
from integration.test_dynamodb_items import make_table

MODULE = "dynamodb_autoscaling"
READ = {"minimum": 5, "maximum": 50}
WRITE = {"minimum": 1, "maximum": 10, "target_percent": 60}


@pytest.fixture
def table(lab: Account) -> str:
    return make_table(lab)


def targets(account: Account, table: str) -> dict[str, tuple[int, int]]:
    found = account.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="dynamodb", ResourceIds=[f"table/{table}"]
    )["ScalableTargets"]
    return {
        target["ScalableDimension"].split(":")[-1]: (target["MinCapacity"], target["MaxCapacity"]) for target in found
    }


def policies(account: Account, table: str) -> dict[str, float]:
    found = account.client("application-autoscaling").describe_scaling_policies(
        ServiceNamespace="dynamodb", ResourceId=f"table/{table}"
    )["ScalingPolicies"]
    return {policy["PolicyName"]: policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] for policy in found}


def test_seven_steps(lab: Account, table: str) -> None:
    made = lab.same_in_check_mode(MODULE, table=table, read_capacity=READ, write_capacity=WRITE)
    assert made["changed"]
    assert targets(lab, table) == {"ReadCapacityUnits": (5, 50), "WriteCapacityUnits": (1, 10)}
    assert policies(lab, table) == {f"{table}-read-capacity": 70.0, f"{table}-write-capacity": 60.0}

    again = lab.run(MODULE, table=table, read_capacity=READ, write_capacity=WRITE)
    assert not again["changed"]
    assert again["scaling"]["write_capacity"] == WRITE

    more = lab.same_in_check_mode(MODULE, table=table, read_capacity=READ | {"maximum": 80})
    assert [call["operation"] for call in more["plan"]] == ["RegisterScalableTarget"]
    assert targets(lab, table) == {"ReadCapacityUnits": (5, 80), "WriteCapacityUnits": (1, 10)}

    lazier = lab.same_in_check_mode(MODULE, table=table, write_capacity=WRITE | {"target_percent": 80})
    assert [call["operation"] for call in lazier["plan"]] == ["PutScalingPolicy"]
    assert policies(lab, table)[f"{table}-write-capacity"] == 80.0

    gone = lab.same_in_check_mode(MODULE, table=table, state="absent")
    assert gone["changed"]
    assert (targets(lab, table), policies(lab, table)) == ({}, {})
    assert not lab.run(MODULE, table=table, state="absent")["changed"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"read_capacity": {"minimum": 9, "maximum": 8}}, "read_capacity has minimum 9 and maximum 8"),
        ({"read_capacity": {"minimum": 0, "maximum": 8}}, "read_capacity has minimum 0 and maximum 8"),
        (
            {"write_capacity": WRITE | {"target_percent": 95}},
            "write_capacity.target_percent is 95; allowed are 20 to 90.",
        ),
    ],
)
def test_bad_input(lab: Account, table: str, options: dict[str, Any], problem: str) -> None:
    assert problem in lab.fail(MODULE, table=table, **options)["msg"]
    assert targets(lab, table) == {}
