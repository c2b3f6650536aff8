"""What the role web needs of the control plane and moto lacks: versions of launch templates, refreshes, attributes."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

from integration.account import Account


def version(account: Account, name: str, script: str) -> int:
    """Make a launch template, or another version of it, and return the version's number."""
    ec2 = account.client("ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    data = {"ImageId": image, "InstanceType": "t3.small", "UserData": base64.b64encode(script.encode()).decode()}
    try:
        made = ec2.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData=data)
    except ClientError:
        return int(
            ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)["LaunchTemplate"][
                "LatestVersionNumber"
            ]
        )
    number = int(made["LaunchTemplateVersion"]["VersionNumber"])
    ec2.modify_launch_template(LaunchTemplateName=name, DefaultVersion=str(number))
    return number


def group(account: Account, name: str) -> dict[str, Any]:
    found = account.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    described: dict[str, Any] = found["AutoScalingGroups"][0]
    return described


def started_from(account: Account, name: str) -> dict[str, str]:
    return {one["InstanceId"]: one["LaunchTemplate"]["Version"] for one in group(account, name)["Instances"]}


def user_data(account: Account, instance_id: str) -> str:
    told = account.client("ec2").describe_instance_attribute(InstanceId=instance_id, Attribute="userData")
    return base64.b64decode(told["UserData"]["Value"]).decode()


@pytest.fixture
def name(lab: Account) -> str:
    """A group of two instances in a target group, from version 1 of a launch template."""
    name = f"{lab.prefix}-web"
    version(lab, name, "#!/bin/sh\n# first")
    subnets = [zone["SubnetId"] for zone in lab.client("elbv2").describe_load_balancers(
        LoadBalancerArns=[lab.load_balancer_arn])["LoadBalancers"][0]["AvailabilityZones"]]  # fmt: skip
    vpc = lab.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
    target_group = lab.client("elbv2").create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)
    lab.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": name, "Version": "1"},
        MinSize=2,
        MaxSize=4,
        VPCZoneIdentifier=",".join(subnets),
        TargetGroupARNs=[target_group["TargetGroups"][0]["TargetGroupArn"]],
    )
    return name


def test_a_refresh_replaces_what_was_started_from_another_version(lab: Account, name: str) -> None:
    before = started_from(lab, name)
    version(lab, name, "#!/bin/sh\n# second")
    autoscaling = lab.client("autoscaling")
    autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=name, LaunchTemplate={"LaunchTemplateName": name, "Version": "2"}
    )
    assert started_from(lab, name) == before == dict.fromkeys(before, "1")

    preferences = {"SkipMatching": True}
    refresh = autoscaling.start_instance_refresh(AutoScalingGroupName=name, Preferences=preferences)
    after = started_from(lab, name)
    assert sorted(after.values()) == ["2", "2"]
    assert not after.keys() & before.keys()
    assert {user_data(lab, instance) for instance in after} == {"#!/bin/sh\n# second"}
    health = lab.client("elbv2").describe_target_health(TargetGroupArn=group(lab, name)["TargetGroupARNs"][0])
    assert {one["Target"]["Id"] for one in health["TargetHealthDescriptions"]} >= after.keys()
    told = autoscaling.describe_instance_refreshes(AutoScalingGroupName=name)["InstanceRefreshes"]
    assert [(one["InstanceRefreshId"], one["Status"]) for one in told] == [(refresh["InstanceRefreshId"], "Successful")]

    autoscaling.start_instance_refresh(AutoScalingGroupName=name, Preferences=preferences)
    assert started_from(lab, name) == after
    autoscaling.start_instance_refresh(AutoScalingGroupName=name)
    assert not started_from(lab, name).keys() & after.keys()


def test_a_refresh_of_no_group_is_refused(lab: Account) -> None:
    with pytest.raises(ClientError, match="AutoScalingGroup name not found"):
        lab.client("autoscaling").start_instance_refresh(AutoScalingGroupName=f"{lab.prefix}-none")


def test_the_default_version_stays_and_no_number_comes_again(lab: Account) -> None:
    name, ec2 = f"{lab.prefix}-versions", lab.client("ec2")
    assert [version(lab, name, f"#!/bin/sh\n# {number}") for number in (1, 2, 3)] == [1, 2, 3]
    ec2.modify_launch_template(LaunchTemplateName=name, DefaultVersion="2")
    answer = ec2.delete_launch_template_versions(LaunchTemplateName=name, Versions=["2", "3", "9"])
    deleted = [one["VersionNumber"] for one in answer["SuccessfullyDeletedLaunchTemplateVersions"]]
    kept = {
        one["VersionNumber"]: one["ResponseError"]["Code"]
        for one in answer["UnsuccessfullyDeletedLaunchTemplateVersions"]
    }
    assert (deleted, kept) == ([3], {2: "unexpectedError", 9: "launchTemplateVersionDoesNotExist"})
    assert version(lab, name, "#!/bin/sh\n# 4") == 4
    left = ec2.describe_launch_template_versions(LaunchTemplateName=name)["LaunchTemplateVersions"]
    assert sorted(one["VersionNumber"] for one in left) == [1, 2, 4]


def test_a_load_balancer_has_its_attributes_from_the_beginning(lab: Account) -> None:
    told = lab.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=lab.load_balancer_arn)
    attributes = {one["Key"]: one["Value"] for one in told["Attributes"]}
    assert attributes["idle_timeout.timeout_seconds"] == "60"
    assert attributes["routing.http2.enabled"] == "true"
