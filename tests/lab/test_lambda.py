"""Functions behind a load balancer and by Invoke: real control plane, HAProxy, Lambda program and sandboxes."""

from __future__ import annotations

import base64
import http.client
import io
import json
import shutil
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest
from loadlift_lab import lifecycle
from loadlift_lab.data_plane.context import Clients
from loadlift_lab.settings import LabSettings
from processes import lives
from supervised_lab import supervised_lab, wait_for

SUBNET, NETWORK = "127.0.32", "127.32"
PROGRAMS = {"control-plane": "control_plane", "lambda": "lambda_service", "data-plane": "data_plane"}
ANSWER = """
import json, os
def handler(event, context):
    print("line of", event.get("path", "invoke"))
    told = {"pid": os.getpid(), "cwd": os.getcwd(), "arn": context.invoked_function_arn, "event": event,
            "environment": dict(os.environ), "left": context.get_remaining_time_in_millis()}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(told)}
"""
# Does what the query parameter `do` says.
OBEY = """
import json, os, time
def handler(event, context):
    words = (event.get("queryStringParameters") or {}).get("do", "").split("-")
    if words[0] == "sleep":
        time.sleep(float(words[1]))
    if words[0] == "exit":
        os._exit(3)
    if words[0] == "raise":
        raise ValueError("as asked")
    if words[0] == "malformed":
        return {"statusCode": "200"}
    if words[0] == "large":
        return {"statusCode": 200, "body": "x" * int(words[1])}
    if words[0] == "binary":
        return {"statusCode": 201, "statusDescription": "201 Made", "isBase64Encoded": True, "body": "AP8="}
    return {"statusCode": 200, "body": str(os.getpid())}
"""
TABLES = """
import boto3
def handler(event, context):
    print("x" * 9000)
    return boto3.client("dynamodb").list_tables()["TableNames"]
"""
NODE = """
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
export const handler = async (event) => {
  if (event.fail) throw new TypeError("as asked");
  console.log("looking");
  const { TableNames } = await client.send(new ListTablesCommand({}));
  return { statusCode: 200, body: JSON.stringify(TableNames) };
};
"""
CALLBACK = """
exports.deep = { handler: (event, context, callback) => setTimeout(() => callback(null, context.functionName), 5) };
"""


def zipped(**files: str) -> bytes:
    """Return a zip of files, `_` in their names being a dot."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as bundle:
        for name, text in files.items():
            bundle.writestr(name.replace("_", "."), text)
    return written.getvalue()


class Account:
    """The lab's account, with a load balancer at <subnet>.11:8080."""

    def __init__(self, lab: LabSettings) -> None:
        self.lab = lab
        self.client = Clients(lab).get
        self.functions = self.client("lambda")
        self.role = self.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.listener = self._listener()
        self._priority = 0

    def _listener(self) -> str:
        ec2, elbv2 = self.client("ec2"), self.client("elbv2")
        vpc = ec2.create_vpc(CidrBlock=f"{NETWORK}.0.0/16")["Vpc"]["VpcId"]
        blocks = {f"us-east-1{zone}": f"{NETWORK}.{number}.0/24" for number, zone in enumerate("ab")}
        subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone) for zone, cidr in blocks.items()]
        identifiers = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
        balancer = elbv2.create_load_balancer(Name="web", Subnets=identifiers)["LoadBalancers"][0]["LoadBalancerArn"]
        fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "MessageBody": "no rule"}}
        created = elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=8080, DefaultActions=[fixed])
        return str(created["Listeners"][0]["ListenerArn"])

    def create(self, name: str, code: bytes, **more: Any) -> str:
        options = {"Runtime": "python3.12", "Handler": "app.handler", "Timeout": 20} | more
        return str(
            self.functions.create_function(FunctionName=name, Role=self.role, Code={"ZipFile": code}, **options)[
                "FunctionArn"
            ]
        )

    def route(self, name: str, arn: str, multi_value: bool = False) -> str:
        """Send /<name> to the function; return the target group."""
        elbv2 = self.client("elbv2")
        group = elbv2.create_target_group(Name=name, TargetType="lambda")["TargetGroups"][0]["TargetGroupArn"]
        attribute = {"Key": "lambda.multi_value_headers.enabled", "Value": str(multi_value).lower()}
        elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=[attribute])
        self.permit(name, group)
        elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": arn}])
        self._priority += 1
        elbv2.create_rule(
            ListenerArn=self.listener, Priority=self._priority, Actions=[{"Type": "forward", "TargetGroupArn": group}],
            Conditions=[{"Field": "path-pattern", "Values": [f"/{name}"]}],
        )  # fmt: skip
        wait_for(lambda: self.ask(f"/{name}")[0] not in (0, 404, 503))
        return str(group)

    def permit(self, name: str, group: str) -> None:
        self.functions.add_permission(
            FunctionName=name, StatementId="elb", Principal="elasticloadbalancing.amazonaws.com",
            Action="lambda:InvokeFunction", SourceArn=group,
        )  # fmt: skip

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, str, str]:
        """Return status, reason and body of the load balancer's answer; status 0 when there is none."""
        connection = http.client.HTTPConnection(self.lab.address(11), 8080, timeout=30)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.reason, answer.read().decode("latin-1")
        except OSError:
            return 0, "", ""
        finally:
            connection.close()

    def invoke(self, name: str, payload: object = None, **more: Any) -> tuple[str, Any]:
        """Return FunctionError, if any, and the answer."""
        answer = self.functions.invoke(FunctionName=name, Payload=json.dumps(payload or {}).encode(), **more)
        return answer.get("FunctionError", ""), json.loads(answer["Payload"].read() or "null")


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with supervised_lab(SUBNET, PROGRAMS) as lab:
        yield Account(lab)


@pytest.fixture(scope="module")
def obedient(account: Account) -> str:
    """The function that does what it is told, at /obey."""
    arn = account.create("obey", zipped(app_py=OBEY), Timeout=1)
    account.route("obey", arn)
    return arn


def test_a_request_through_the_load_balancer(account: Account) -> None:
    arn = account.create("answer", zipped(app_py=ANSWER), Environment={"Variables": {"MINE": "yes", "_HANDLER": "no"}})
    group = account.route("answer", arn)
    status, _, body = account.ask(
        "/answer?a=%20&a=2", "POST", b"\x00\x01", X_Amzn_Trace_Id="Root=1-2-3", Content_Type="x/y"
    )
    told = json.loads(body)
    event, environment = told["event"], told["environment"]
    assert (status, told["arn"], event["httpMethod"]) == (200, arn, "POST")
    assert event["requestContext"]["elb"]["targetGroupArn"] == group
    assert event["queryStringParameters"] == {"a": "2"}
    assert (event["body"], event["isBase64Encoded"]) == ("AAE=", True)
    assert event["headers"]["x-amzn-trace-id"].endswith(";Root=1-2-3")
    assert event["headers"]["x-forwarded-port"] == "8080"
    assert event["headers"]["x-forwarded-for"].startswith("127.")
    assert not [name for name in event["headers"] if name.startswith("x-lab")]
    assert 0 < told["left"] <= 20_000
    assert (environment["MINE"], environment["_HANDLER"]) == ("yes", "app.handler")
    assert environment["AWS_ENDPOINT_URL"] == account.lab.endpoint
    assert environment["LAMBDA_TASK_ROOT"] == told["cwd"]
    assert environment["_X_AMZN_TRACE_ID"].startswith("Root=1-2-3;Parent=")
    assert "LOADLIFT_LAB" not in environment


def test_multi_value_headers(account: Account) -> None:
    account.route("many", account.create("many", zipped(app_py=ANSWER)), multi_value=True)
    told = account.ask("/many?a=1&a=2")
    assert told[0] == 200
    event = json.loads(told[2])["event"]
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert "headers" not in event


@pytest.mark.parametrize(
    ("do", "status"),
    [
        ("raise", 502),
        ("malformed", 502),
        ("large-1048576", 502),
        ("large-1000000", 200),
        ("exit", 502),
        ("sleep-3", 502),
    ],
)
def test_what_a_function_may_do_wrong_and_that_the_next_request_is_served(
    account: Account, obedient: str, do: str, status: int
) -> None:
    assert account.ask(f"/obey?do={do}")[0] == status
    assert account.ask("/obey")[0] == 200


def test_an_answer_to_head_has_no_body(account: Account, obedient: str) -> None:
    assert account.ask("/obey", "HEAD") == (200, "OK", "")


def test_a_binary_answer_and_its_status_line(account: Account, obedient: str) -> None:
    assert account.ask("/obey?do=binary") == (201, "Made", "\x00\xff")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x" * (1024 * 1024), {}, 200),
        (b"x" * (1024 * 1024 + 1), {}, 413),
        (b"x", {"Expect": "100-continue"}, 200),
        (None, {"Upgrade": "websocket", "Connection": "Upgrade"}, 400),
    ],
)
def test_requests_that_the_load_balancer_judges(
    account: Account, obedient: str, body: bytes | None, headers: dict[str, str], status: int
) -> None:
    assert account.ask("/obey", "POST", body, **headers)[0] == status


def test_a_timeout_ends_the_sandbox_and_what_it_started(account: Account, obedient: str) -> None:
    before = int(account.ask("/obey")[2])
    error, told = account.invoke("obey", {"queryStringParameters": {"do": "sleep-5"}})
    assert (error, told["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert "Task timed out after 1.00 seconds" in told["errorMessage"]
    assert int(account.ask("/obey")[2]) != before
    wait_for(lambda: not psutil.pid_exists(before))


def test_concurrent_requests_get_a_sandbox_each_and_idle_ones_are_used_again(account: Account, obedient: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(account.ask, ["/obey?do=sleep-0.6"] * 4))
    pids = {body for _, _, body in answers}
    assert [status for status, _, _ in answers] == [200] * 4
    assert len(pids) == 4
    assert account.ask("/obey")[2] in pids


def test_reserved_concurrency_throttles(account: Account, obedient: str) -> None:
    throttled = account.functions.exceptions.TooManyRequestsException
    account.functions.put_function_concurrency(FunctionName="obey", ReservedConcurrentExecutions=1)
    try:
        # The load balancer's end follows the account within a second.
        wait_for(lambda: sorted(burst(account, "/obey?do=sleep-0.5")) == [200, 502])
        account.functions.put_function_concurrency(FunctionName="obey", ReservedConcurrentExecutions=0)
        with pytest.raises(throttled, match="Rate Exceeded"):
            account.invoke("obey")
        assert account.ask("/obey")[0] == 502
        told = account.functions.get_function(FunctionName="obey")["Concurrency"]
        assert told == {"ReservedConcurrentExecutions": 0}
    finally:
        account.functions.delete_function_concurrency(FunctionName="obey")
    assert account.invoke("obey")[0] == ""


def burst(account: Account, path: str) -> list[int]:
    with ThreadPoolExecutor(2) as threads:
        return [status for status, _, _ in threads.map(account.ask, [path] * 2)]


class Trickle(threading.Thread):
    """Asks again and again."""

    def __init__(self, account: Account, path: str) -> None:
        super().__init__(daemon=True)
        self.account, self.path, self.answers, self.ended = account, path, list[tuple[int, str]](), threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            status, _, body = self.account.ask(self.path)
            self.answers.append((status, body))
            time.sleep(0.01)


def versioned(number: int) -> bytes:
    return zipped(app_py=f"def handler(event, context):\n    return {{'statusCode': 200, 'body': 'v{number}'}}\n")


def test_no_request_fails_while_a_function_is_updated(account: Account) -> None:
    account.route("update", account.create("update", versioned(0)))
    trickle = [Trickle(account, "/update") for _ in range(3)]
    for thread in trickle:
        thread.start()
    for number in (1, 2):
        account.functions.update_function_code(FunctionName="update", ZipFile=versioned(number))
        wait_for(lambda number=number: account.ask("/update")[2] == f"v{number}")
    account.functions.update_function_configuration(FunctionName="update", MemorySize=256)
    time.sleep(0.5)
    for thread in trickle:
        thread.ended.set()
        thread.join(30)
    answers = [answer for thread in trickle for answer in thread.answers]
    assert {status for status, _ in answers} == {200}
    assert {body for _, body in answers} == {"v0", "v1", "v2"}
    assert all([body for _, body in thread.answers] == sorted(body for _, body in thread.answers) for thread in trickle)


def test_an_update_is_seen_by_the_next_invoke(account: Account) -> None:
    account.create("next", versioned(0))
    for number in range(1, 4):
        account.functions.update_function_code(FunctionName="next", ZipFile=versioned(number))
        assert account.invoke("next")[1]["body"] == f"v{number}"


def test_versions_and_aliases(account: Account) -> None:
    arn = account.create("aliased", versioned(0))
    functions = account.functions
    first = functions.publish_version(FunctionName="aliased")["Version"]
    functions.update_function_code(FunctionName="aliased", ZipFile=versioned(1))
    functions.create_alias(FunctionName="aliased", Name="live", FunctionVersion=first)
    assert account.invoke("aliased")[1]["body"] == "v1"
    assert account.invoke("aliased", Qualifier="live")[1]["body"] == "v0"
    assert account.invoke(f"{arn}:{first}")[1]["body"] == "v0"
    answer = functions.invoke(FunctionName="aliased", Qualifier="live")
    assert answer["ExecutedVersion"] == first


def test_a_permission_that_is_removed_later_counts(account: Account) -> None:
    group = account.route("permitted", account.create("permitted", versioned(0)))
    assert account.ask("/permitted")[0] == 200
    account.functions.remove_permission(FunctionName="permitted", StatementId="elb")
    wait_for(lambda: account.ask("/permitted")[0] == 502)
    account.permit("permitted", group)
    wait_for(lambda: account.ask("/permitted")[0] == 200)
    account.functions.delete_function(FunctionName="permitted")
    wait_for(lambda: account.ask("/permitted")[0] == 502)


@pytest.mark.parametrize(
    ("handler", "code", "kind"),
    [
        ("app.missing", "def handler(event, context): pass", "Runtime.HandlerNotFound"),
        ("other.handler", "def handler(event, context): pass", "Runtime.ImportModuleError"),
        ("app.handler", "def handler(", "Runtime.UserCodeSyntaxError"),
        ("app.handler", "raise KeyError('at start')", "KeyError"),
        ("app.handler", "import os; os._exit(2)", "Runtime.ExitError"),
    ],
)
def test_a_function_that_does_not_start(account: Account, handler: str, code: str, kind: str) -> None:
    account.create("broken", zipped(app_py=code), Handler=handler)
    try:
        error, told = account.invoke("broken")
        assert (error, told["errorType"]) == ("Unhandled", kind)
    finally:
        account.functions.delete_function(FunctionName="broken")


def test_a_runtime_that_the_lab_has_not(account: Account) -> None:
    account.create("java", zipped(app_py=""), Runtime="java21")
    error, told = account.invoke("java")
    assert error == "Unhandled"
    assert "not java21" in told["errorMessage"]


def test_an_invoked_function_may_call_the_account_and_its_log_is_told(account: Account) -> None:
    account.client("dynamodb").create_table(
        TableName="reviews", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )  # fmt: skip
    account.create("tables", zipped(app_py=TABLES))
    answer = account.functions.invoke(FunctionName="tables", LogType="Tail")
    assert json.loads(answer["Payload"].read()) == ["reviews"]
    tail = base64.b64decode(answer["LogResult"])
    assert len(tail) == 4096
    assert b"\nREPORT RequestId: " in tail
    answer = account.functions.invoke(FunctionName="tables")
    assert "LogResult" not in answer


def test_other_ways_to_invoke(account: Account, obedient: str) -> None:
    functions = account.functions
    assert functions.invoke(FunctionName="obey", InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(functions.exceptions.ResourceNotFoundException, match="Function not found"):
        functions.invoke(FunctionName="nobody")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.invoke(FunctionName="obey", Qualifier="nothing")
    with pytest.raises(functions.exceptions.InvalidRequestContentException):
        functions.invoke(FunctionName="obey", Payload=b"{")
    account.create("later", zipped(app_py=ANSWER))
    assert functions.invoke(FunctionName="later", InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    wait_for(lambda: "line of invoke" in log_of(account, "later"))


def log_of(account: Account, name: str) -> str:
    path = account.lab.log_directory / f"function-{name}.log"
    return path.read_text() if path.exists() else ""


def test_logs_are_in_cloudwatch_and_in_a_file(account: Account) -> None:
    account.create("logs", zipped(app_py=ANSWER), LoggingConfig={"LogGroup": "/mine/logs"})
    account.invoke("logs")
    messages = wait_for(lambda: logged(account, "/mine/logs"))
    starts = [message.split(" ")[0] for message in messages]
    assert starts == ["INIT_START", "START", "line", "END", "REPORT"]
    assert "Init Duration: " in messages[-1]
    assert "Memory Size: 128 MB" in messages[-1]
    wait_for(lambda: "line of invoke" in log_of(account, "logs"))


def logged(account: Account, group: str) -> list[str]:
    logs = account.client("logs")
    try:
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    names = [stream["logStreamName"] for stream in streams]
    return [
        e["message"] for name in names for e in logs.get_log_events(logGroupName=group, logStreamName=name)["events"]
    ]


def test_provisioned_concurrency_keeps_sandboxes_warm(account: Account) -> None:
    functions = account.functions
    account.create("warm", zipped(app_py=ANSWER))
    with pytest.raises(functions.exceptions.InvalidParameterValueException):
        functions.put_provisioned_concurrency_config(
            FunctionName="warm", Qualifier="$LATEST", ProvisionedConcurrentExecutions=1
        )
    functions.publish_version(FunctionName="warm")
    target = {"FunctionName": "warm", "Qualifier": "1"}
    with pytest.raises(functions.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        functions.get_provisioned_concurrency_config(**target)
    told = functions.put_provisioned_concurrency_config(**target, ProvisionedConcurrentExecutions=2)
    assert told["Status"] == "IN_PROGRESS"
    wait_for(lambda: functions.get_provisioned_concurrency_config(**target)["Status"] == "READY")
    assert (
        len(functions.list_provisioned_concurrency_configs(FunctionName="warm")["ProvisionedConcurrencyConfigs"]) == 1
    )
    tail = functions.invoke(**target, LogType="Tail")["LogResult"]
    assert b"START" in base64.b64decode(tail)
    functions.delete_provisioned_concurrency_config(**target)
    with pytest.raises(functions.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        functions.get_provisioned_concurrency_config(**target)


@pytest.mark.skipif(not shutil.which("npm"), reason="there is no Node.js here")
def test_functions_of_nodejs(account: Account) -> None:
    account.create("node", zipped(index_mjs=NODE), Runtime="nodejs22.x", Handler="index.handler")
    assert account.invoke("node", {})[1]["statusCode"] == 200
    error, told = account.invoke("node", {"fail": True})
    assert (error, told["errorType"], told["errorMessage"]) == ("Unhandled", "TypeError", "as asked")
    account.create("callback", zipped(index_js=CALLBACK), Runtime="nodejs22.x", Handler="index.deep.handler")
    assert account.invoke("callback") == ("", "callback")
    account.create("nothing", zipped(index_js=CALLBACK), Runtime="nodejs22.x", Handler="index.other")
    assert account.invoke("nothing")[1]["errorType"] == "Runtime.HandlerNotFound"
    wait_for(lambda: "\tINFO\tlooking" in log_of(account, "node"))


def test_a_killed_control_plane_comes_back_with_the_same_functions_and_nothing_fails(
    account: Account, obedient: str
) -> None:
    functions = account.functions
    account.create("kept", versioned(0))
    functions.update_function_configuration(FunctionName="kept", Timeout=7)
    functions.publish_version(FunctionName="kept")
    target = {"FunctionName": "kept", "Qualifier": "1"}
    functions.put_provisioned_concurrency_config(**target, ProvisionedConcurrentExecutions=1)
    wait_for(lambda: functions.get_provisioned_concurrency_config(**target)["Status"] == "READY")
    before = functions.get_function_configuration(**target)
    trickle = Trickle(account, "/obey")
    trickle.start()
    psutil.Process(lifecycle.connect(account.lab).getProcessInfo("control-plane")["pid"]).kill()
    time.sleep(0.5)
    lifecycle.wait_until_ready(account.lab, 60)
    assert lasting(functions.get_function_configuration(**target)) == lasting(before)
    wait_for(lambda: functions.get_provisioned_concurrency_config(**target)["Status"] == "READY")
    trickle.ended.set()
    trickle.join(30)
    assert {status for status, _ in trickle.answers} == {200}


def lasting(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what is the same after a replay: the clock stands where the call began."""
    return {name: value for name, value in answer.items() if name not in ("ResponseMetadata", "LastModified")}


def test_the_killed_program_comes_back_and_leaves_no_sandbox(account: Account, obedient: str) -> None:
    sandbox = int(account.ask("/obey")[2])
    before = lifecycle.connect(account.lab).getProcessInfo("lambda")["pid"]
    psutil.Process(before).kill()
    wait_for(lambda: not lives(sandbox))
    wait_for(lambda: account.ask("/obey")[0] == 200)
    assert int(account.ask("/obey")[2]) != sandbox


def test_every_process_ends_with_the_lab(account: Account) -> None:
    assert sandboxes(account)
    lifecycle.stop(account.lab, 30)
    assert not sandboxes(account)


def sandboxes(account: Account) -> list[psutil.Process]:
    folder = str(account.lab.directory)
    return [one for one in psutil.process_iter(["environ"]) if folder in str(one.info["environ"])]
