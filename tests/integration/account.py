"""What tests need of an account: resources under names of their own, modules, and AWS's view of what they did."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cached_property
from typing import Any

from integration.emulators import Emulator
from integration.modules import run_module

CODE = "def handler(event, context):\n    return {'statusCode': 200}\n"


class Account:
    """One test's view of an emulated account."""

    def __init__(self, emulator: Emulator, prefix: str) -> None:
        self.emulator, self.prefix = emulator, prefix
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return a boto3 client."""
        if service not in self._clients:
            self._clients[service] = self.emulator.client(service)
        return self._clients[service]

    def run(self, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run a module and return its answer, which must not be a failure."""
        answer = run_module(module, options, check=check)
        assert not answer.get("failed"), answer["msg"]
        return answer

    def fail(self, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run a module that must fail, and return its answer."""
        answer = run_module(module, options, check=check)
        assert answer.get("failed"), answer
        return answer

    def same_in_check_mode(self, module: str, **options: Any) -> dict[str, Any]:
        """Run in check mode, then for real; both must tell the same change. Return the real answer."""
        foreseen, real = self.run(module, check=True, **options), self.run(module, **options)
        for part in ("changed", "diff"):
            assert foreseen[part] == real[part]
        assert foreseen.keys() == real.keys()
        operations = [[call["operation"] for call in answer.get("plan", [])] for answer in (foreseen, real)]
        assert operations[0] == operations[1]
        return real

    def calls(self) -> dict[str, int]:
        """Return the calls that the control plane counted since the last time, and count anew."""
        counted: dict[str, int] = self.emulator.own("GET", "calls")
        self.emulator.own("DELETE", "calls")
        return counted

    def function(self, name: str, *, wait: bool = True) -> str:
        """Make a Lambda function and return its ARN, once it can be invoked."""
        answer = self.client("lambda").create_function(
            FunctionName=f"{self.prefix}-{name}",
            Runtime="python3.11",
            Role=self.role_arn,
            Handler="function.handler",
            Code={"ZipFile": zipped(CODE)},
            Publish=True,
        )
        if wait:
            waiter = self.client("lambda").get_waiter("function_active_v2")
            waiter.wait(FunctionName=answer["FunctionName"], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        return str(answer["FunctionArn"]).removesuffix(":1")

    def statements(self, function_arn: str) -> list[dict[str, Any]]:
        """Return the statements of a function's resource policy; there are none where there is no policy."""
        try:
            answer = self.client("lambda").get_policy(FunctionName=function_arn)
        except self.client("lambda").exceptions.ResourceNotFoundException:
            return []
        return list(json.loads(answer["Policy"])["Statement"])

    @cached_property
    def role_arn(self) -> str:
        """The execution role of this test's functions."""
        answer = self.client("iam").create_role(RoleName=f"{self.prefix}-role", AssumeRolePolicyDocument="{}")
        return str(answer["Role"]["Arn"])

    @cached_property
    def vpc_id(self) -> str:
        """A VPC of this test's own."""
        return str(self.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"])

    @cached_property
    def load_balancer_arn(self) -> str:
        """An application load balancer of this test's own."""
        ec2 = self.client("ec2")
        subnets = [
            ec2.create_subnet(VpcId=self.vpc_id, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")[
                "Subnet"
            ]
            for n, zone in enumerate("ab")
        ]
        answer = self.client("elbv2").create_load_balancer(
            Name=f"{self.prefix}-alb", Subnets=[subnet["SubnetId"] for subnet in subnets]
        )
        return str(answer["LoadBalancers"][0]["LoadBalancerArn"])

    def listener(self, port: int = 80) -> str:
        """Make a listener that answers 404 by default, and return its ARN."""
        answer = self.client("elbv2").create_listener(
            LoadBalancerArn=self.load_balancer_arn, Protocol="HTTP", Port=port, DefaultActions=[fixed("404")]
        )
        return str(answer["Listeners"][0]["ListenerArn"])

    def target_group(self, name: str) -> str:
        """Make an empty Lambda target group and return its ARN."""
        answer = self.client("elbv2").create_target_group(Name=f"{self.prefix}-{name}", TargetType="lambda")
        return str(answer["TargetGroups"][0]["TargetGroupArn"])

    def rule(self, listener_arn: str, path: str, priority: int, name: str | None = None) -> str:
        """Make somebody's rule and return its ARN."""
        answer = self.client("elbv2").create_rule(
            ListenerArn=listener_arn,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "Values": [path]}],
            Actions=[fixed("200", path)],
            **({"Tags": [{"Key": "Name", "Value": name}]} if name else {}),
        )
        return str(answer["Rules"][0]["RuleArn"])

    def rules(self, listener_arn: str) -> list[dict[str, Any]]:
        """Return the listener's rules without the default one, in the order of their priority."""
        rules = self.client("elbv2").describe_rules(ListenerArn=listener_arn)["Rules"]
        return sorted((rule for rule in rules if not rule["IsDefault"]), key=lambda rule: int(rule["Priority"]))


def fixed(status: str, body: str = "") -> dict[str, Any]:
    """Return a fixed-response action."""
    return {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": status, "MessageBody": body, "ContentType": "text/plain"},
    }


def zipped(code: str) -> bytes:
    """Return the zip of a function with this code."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("function.py", code)
    return content.getvalue()
