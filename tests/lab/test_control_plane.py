"""The control plane as its clients see it: what AWS refuses, faults on demand, and an account that survives a kill."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError
from loadlift_lab import lifecycle
from loadlift_lab.settings import LabSettings

SUBNET = "127.0.38"
CODE = "def handler(event, context):\n    return {'statusCode': 200}\n"


class ControlPlane:
    """A control plane of its own, without the rest of a lab."""

    def __init__(self, directory: Path) -> None:
        self.settings = LabSettings(directory, directory, subnet=SUBNET)
        self.settings.save()
        self.start()

    def start(self) -> None:
        packages = str(Path(lifecycle.__file__).parents[1])
        environment = os.environ | {"LOADLIFT_LAB": str(self.settings.directory), "PYTHONPATH": packages}
        with (self.settings.directory / "log").open("ab") as log:
            command = [sys.executable, "-m", "loadlift_lab.control_plane"]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 60
        while not self._ready():
            assert time.monotonic() < deadline, (self.settings.directory / "log").read_text()
            time.sleep(0.1)

    def _ready(self) -> bool:
        try:
            return bool(self.own("GET", "health")["status"] == "ready")
        except OSError:
            return False

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def own(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.settings.endpoint}/_lab/{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")

    def client(self, service: str, **options: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.settings.endpoint,
            region_name="us-east-1",
            aws_access_key_id="LABACCESSKEYID000000",
            aws_secret_access_key="lab-secret-access-key-that-opens-nothing",
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False, **options),
        )


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with tempfile.TemporaryDirectory(prefix="lab") as folder:
        control_plane = ControlPlane(Path(folder))
        yield control_plane
        control_plane.process.terminate()
        control_plane.process.wait(20)


class Resources:
    """A load balancer with a listener, two groups and two functions, one of which the load balancer may invoke."""

    def __init__(self, plane: ControlPlane) -> None:
        self.elbv2, self.functions, ec2 = plane.client("elbv2"), plane.client("lambda"), plane.client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        zones = {"us-east-1a": "10.1.0.0/24", "us-east-1b": "10.1.1.0/24"}
        self.subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=block, AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for zone, block in zones.items()
        ]
        self.balancer = self.create_balancer()
        self.group = self.create_group()
        self.lambda_group = self.elbv2.create_target_group(Name="functions", TargetType="lambda")["TargetGroups"][0][
            "TargetGroupArn"
        ]
        self.listener = self.create_listener(80)
        role = plane.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.allowed, self.refused = (self.create_function(name, role) for name in ("allowed", "refused"))
        self.permit("allowed", "elb", self.lambda_group)

    def create_balancer(self, **more: Any) -> str:
        created = self.elbv2.create_load_balancer(Name="web", Subnets=self.subnets, **more)
        return str(created["LoadBalancers"][0]["LoadBalancerArn"])

    def create_group(self, **more: Any) -> str:
        asked = {"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc} | more
        return str(self.elbv2.create_target_group(**asked)["TargetGroups"][0]["TargetGroupArn"])

    def create_listener(self, port: int) -> str:
        created = self.elbv2.create_listener(
            LoadBalancerArn=self.balancer, Protocol="HTTP", Port=port, DefaultActions=[self.forward()]
        )
        return str(created["Listeners"][0]["ListenerArn"])

    def create_function(self, name: str, role: str) -> str:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("index.py", CODE)
        created = self.functions.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=role,
            Handler="index.handler",
            Code={"ZipFile": code.getvalue()},
        )
        return str(created["FunctionArn"])

    def permit(self, function: str, statement: str, source: str) -> None:
        self.functions.add_permission(
            FunctionName=function, StatementId=statement, Action="lambda:InvokeFunction",
            Principal="elasticloadbalancing.amazonaws.com", SourceArn=source,
        )  # fmt: skip

    def forward(self, *weights: int) -> dict[str, Any]:
        if not weights:
            return {"Type": "forward", "TargetGroupArn": self.group}
        groups = [{"TargetGroupArn": self.group, "Weight": weight} for weight in weights]
        return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}

    def create_rule(self, priority: int = 10, **more: Any) -> str:
        asked = {"Conditions": [path("/a")], "Actions": [self.forward()]} | more
        created = self.elbv2.create_rule(ListenerArn=self.listener, Priority=priority, **asked)
        return str(created["Rules"][0]["RuleArn"])

    def rules(self) -> list[dict[str, Any]]:
        pages = self.elbv2.get_paginator("describe_rules").paginate(ListenerArn=self.listener)
        return [rule for page in pages for rule in page["Rules"] if not rule["IsDefault"]]

    def register(self, *functions: str) -> None:
        self.elbv2.register_targets(TargetGroupArn=self.lambda_group, Targets=[{"Id": arn} for arn in functions])


def path(*values: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "Values": list(values)}


@pytest.fixture(scope="module")
def resources(plane: ControlPlane) -> Resources:
    return Resources(plane)


@pytest.fixture
def account(plane: ControlPlane, resources: Resources) -> Iterator[Resources]:
    """The resources without rules, registered functions and faults."""
    yield resources
    plane.own("DELETE", "faults")
    for rule in resources.rules():
        resources.elbv2.delete_rule(RuleArn=rule["RuleArn"])
    resources.elbv2.deregister_targets(TargetGroupArn=resources.lambda_group, Targets=[{"Id": resources.allowed}])


def code(refusal: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refusal.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"priority": 0}, "ValidationError"),
        ({"priority": 50_001}, "ValidationError"),
        ({"priority": 20}, "PriorityInUse"),
        ({"Conditions": []}, "ValidationError"),
        ({"Conditions": [path("/1", "/2", "/3", "/4", "/5", "/6")]}, "ValidationError"),
        ({"Conditions": [path("/*/*/*/*/*/*/*")]}, "ValidationError"),
        ({"Conditions": [path("/a"), path("/b")]}, "ValidationError"),
        ({"Conditions": [path("")]}, "ValidationError"),
        ({"weights": (1000,)}, "ValidationError"),
        ({"weights": (1, 1, 1, 1, 1, 1)}, "ValidationError"),
        ({"Actions": []}, "ValidationError"),
    ],
)
def test_a_rule_that_aws_refuses_is_refused(account: Resources, asked: dict[str, Any], told: str) -> None:
    account.create_rule(20, Conditions=[path("/taken")])
    if "weights" in asked:
        asked = {"Actions": [account.forward(*asked["weights"])]}
    with pytest.raises(ClientError) as refusal:
        account.create_rule(**asked)
    assert code(refusal) == told
    assert len(account.rules()) == 1


def test_the_hundred_and_first_rule_is_refused(account: Resources) -> None:
    for priority in range(1, 101):
        account.create_rule(priority, Conditions=[path(f"/{priority}")])
    with pytest.raises(ClientError) as refusal:
        account.create_rule(200)
    assert code(refusal) == "TooManyRules"


def test_two_rules_swap_their_priorities_in_one_call_and_a_clash_changes_none(account: Resources) -> None:
    first, second, third = (account.create_rule(number) for number in (1, 2, 3))
    swap = [{"RuleArn": first, "Priority": 2}, {"RuleArn": second, "Priority": 1}]
    account.elbv2.set_rule_priorities(RulePriorities=swap)
    assert [rule["RuleArn"] for rule in account.rules()] == [second, first, third]
    with pytest.raises(ClientError) as refusal:
        account.elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": first, "Priority": 3}])
    assert code(refusal) == "PriorityInUse"
    assert [rule["Priority"] for rule in account.rules()] == ["1", "2", "3"]


def test_a_function_is_registered_only_with_permission_and_only_one(account: Resources) -> None:
    for function, told in [
        (account.refused, "AccessDenied"),
        (account.allowed.replace(":allowed", ":missing"), "InvalidTarget"),
    ]:
        with pytest.raises(ClientError) as refusal:
            account.register(function)
        assert code(refusal) == told
    account.register(account.allowed)
    account.register(account.allowed)
    account.permit("refused", "elb", account.lambda_group)
    with pytest.raises(ClientError) as refusal:
        account.register(account.refused)
    assert code(refusal) == "TooManyTargets"
    account.functions.remove_permission(FunctionName="refused", StatementId="elb")


def test_a_statement_id_cannot_be_given_twice(account: Resources) -> None:
    with pytest.raises(ClientError) as refusal:
        account.permit("allowed", "elb", account.lambda_group)
    assert code(refusal) == "ResourceConflictException"


def test_a_target_group_in_use_stays_and_without_a_rule_its_targets_are_unused(account: Resources) -> None:
    account.register(account.allowed)
    assert health(account) == ("unused", "Target.NotInUse")
    rule = account.create_rule(Actions=[{"Type": "forward", "TargetGroupArn": account.lambda_group}])
    assert health(account) == ("unavailable", "Target.HealthCheckDisabled")
    with pytest.raises(ClientError) as refusal:
        account.elbv2.delete_target_group(TargetGroupArn=account.lambda_group)
    assert code(refusal) == "ResourceInUse"
    account.elbv2.delete_rule(RuleArn=rule)
    assert health(account) == ("unused", "Target.NotInUse")


def health(account: Resources) -> tuple[str, str]:
    described = account.elbv2.describe_target_health(TargetGroupArn=account.lambda_group)
    told = described["TargetHealthDescriptions"][0]["TargetHealth"]
    return told["State"], told["Reason"]


def test_creating_the_same_again_gives_the_same_and_with_other_settings_is_refused(account: Resources) -> None:
    assert account.create_balancer() == account.balancer
    assert account.create_group() == account.group
    for again, told in [
        (lambda: account.create_balancer(Scheme="internal"), "DuplicateLoadBalancerName"),
        (lambda: account.create_group(Port=81), "DuplicateTargetGroupName"),
        (lambda: account.create_listener(80), "DuplicateListener"),
    ]:
        with pytest.raises(ClientError) as refusal:
            again()
        assert code(refusal) == told


def test_the_default_rule_can_be_neither_deleted_nor_moved(account: Resources) -> None:
    described = account.elbv2.describe_rules(ListenerArn=account.listener)["Rules"]
    default = next(rule["RuleArn"] for rule in described if rule["IsDefault"])
    with pytest.raises(ClientError) as refusal:
        account.elbv2.delete_rule(RuleArn=default)
    assert code(refusal) == "OperationNotPermitted"


def fault(operation: str, kind: str, **more: Any) -> list[dict[str, Any]]:
    return [{"service": "elbv2", "operation": operation, "kind": kind} | more]


@pytest.mark.parametrize(
    ("kind", "more", "error", "created"),
    [
        ("throttle", {}, ClientError, 0),
        ("error", {"status": 503}, ClientError, 0),
        ("drop", {}, ConnectionClosedError, 0),
        ("drop_after", {}, ConnectionClosedError, 1),
    ],
)
def test_a_fault_strikes_once_and_only_its_operation(
    plane: ControlPlane, account: Resources, kind: str, more: dict[str, Any], error: type[Exception], created: int
) -> None:
    plane.own("PUT", "faults", fault("CreateRule", kind, **more))
    assert account.rules() == []
    with pytest.raises(error):
        account.create_rule()
    assert len(account.rules()) == created
    assert plane.own("GET", "faults") == []
    account.create_rule(30)


def test_latency_outlasts_a_client_that_waits_less(plane: ControlPlane, account: Resources) -> None:
    plane.own("PUT", "faults", fault("DescribeRules", "latency", seconds=1.5))
    with pytest.raises(HTTPClientError):
        plane.client("elbv2", read_timeout=0.5).describe_rules(ListenerArn=account.listener)


@pytest.mark.parametrize(
    "wrong", [{"kind": "explode"}, {"probability": 2}, {"count": 0}, {"status": 200}, {"operation": None, "typo": 1}]
)
def test_a_fault_that_makes_no_sense_is_refused(plane: ControlPlane, wrong: dict[str, Any]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        plane.own("PUT", "faults", [fault("CreateRule", "throttle")[0] | wrong])
    assert refusal.value.code == 400


def test_calls_are_counted_by_operation(plane: ControlPlane, account: Resources) -> None:
    plane.own("DELETE", "calls")
    account.rules()
    account.rules()
    assert plane.own("GET", "calls") == {"elbv2.DescribeRules": 2}


def test_a_killed_control_plane_comes_back_with_the_account_as_it_was(plane: ControlPlane, account: Resources) -> None:
    account.register(account.allowed)
    account.create_rule(7)
    moved = account.create_rule(8)
    account.elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": moved, "Priority": 5}])
    account.elbv2.add_tags(ResourceArns=[moved], Tags=[{"Key": "Name", "Value": "moved"}])
    before = (account.rules(), health(account), plane.own("GET", "health")["generation"])
    plane.kill()
    plane.start()
    assert (account.rules(), health(account), plane.own("GET", "health")["generation"]) == before
    account.create_rule(9)
