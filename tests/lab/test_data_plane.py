"""The data plane under a real supervisord, behind the lab's own control plane: the traffic follows the API."""

from __future__ import annotations

import base64
import http.client
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import psycopg
import pytest
import redis
from loadlift_lab import lifecycle
from loadlift_lab.data_plane.context import Clients
from loadlift_lab.data_plane.supervisor import Supervisor
from loadlift_lab.settings import LabSettings
from supervised_lab import supervised_lab, wait_for

SUBNET, NETWORK = "127.0.22", "127.22.0.0/16"
USER_DATA = """#!/bin/bash
mkdir -p www && cd www && echo "$LOADLIFT_INSTANCE_ID" > health
sleep 1000 &
exec python -m http.server --bind "$LISTEN_ADDRESS" 8080
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[LabSettings]:
    """A lab with the control plane and the data plane."""
    with supervised_lab(SUBNET, {"control-plane": "control_plane", "data-plane": "data_plane"}) as settings:
        yield settings


@pytest.fixture(scope="module")
def client(lab: LabSettings) -> Callable[[str], Any]:
    return Clients(lab).get


@pytest.fixture(scope="module")
def network(client: Callable[[str], Any]) -> tuple[str, list[str]]:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock=NETWORK)["Vpc"]["VpcId"]
    blocks = {"us-east-1a": "127.22.0.0/24", "us-east-1b": "127.22.1.0/24"}
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone) for zone, cidr in blocks.items()]
    return vpc, [subnet["Subnet"]["SubnetId"] for subnet in subnets]


def fixed(body: str) -> dict[str, Any]:
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": body}}


@pytest.fixture(scope="module")
def listener(client: Callable[[str], Any], network: tuple[str, list[str]], lab: LabSettings) -> str:
    """A load balancer at <subnet>.11:8080 that answers "default"."""
    elbv2 = client("elbv2")
    arn = elbv2.create_load_balancer(Name="web", Subnets=network[1])["LoadBalancers"][0]["LoadBalancerArn"]
    created = elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=8080, DefaultActions=[fixed("default")])
    wait_for(lambda: get(lab, "/") == (200, "default"))
    return str(created["Listeners"][0]["ListenerArn"])


def get(lab: LabSettings, path: str, connection: http.client.HTTPConnection | None = None) -> tuple[int, str]:
    used = connection or http.client.HTTPConnection(lab.address(11), 8080, timeout=10)
    try:
        used.request("GET", path)
        answer = used.getresponse()
        return answer.status, answer.read().decode().strip()
    except (ConnectionRefusedError, TimeoutError):
        return 0, ""
    finally:
        if not connection:
            used.close()


def add_rule(client: Callable[[str], Any], listener: str, priority: int, path: str, action: dict[str, Any]) -> str:
    conditions = [{"Field": "path-pattern", "Values": [path]}]
    rule = client("elbv2").create_rule(
        ListenerArn=listener, Priority=priority, Conditions=conditions, Actions=[action]
    )  # fmt: skip
    return str(rule["Rules"][0]["RuleArn"])


class Load(threading.Thread):
    """Keeps a connection busy; opens another only where the server said that it closes this one."""

    def __init__(self, lab: LabSettings) -> None:
        super().__init__(daemon=True)
        self.lab, self.requests, self.failures, self.ended = lab, 0, list[str](), threading.Event()

    def run(self) -> None:
        connection = http.client.HTTPConnection(self.lab.address(11), 8080, timeout=20)
        while not self.ended.is_set():
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                body = answer.read().decode()
                if (answer.status, body) != (200, "default"):
                    self.failures.append(f"{answer.status} {body}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
            self.requests += 1


def test_no_request_fails_over_twenty_reloads(lab: LabSettings, client: Callable[[str], Any], listener: str) -> None:
    load = [Load(lab) for _ in range(4)]
    for thread in load:
        thread.start()
    for number in range(10):
        rule = add_rule(client, listener, 100 + number, f"/reload{number}", fixed("reloaded"))
        wait_for(lambda number=number: get(lab, f"/reload{number}") == (200, "reloaded"))
        client("elbv2").delete_rule(RuleArn=rule)
        wait_for(lambda number=number: get(lab, f"/reload{number}") == (200, "default"))
    for thread in load:
        thread.ended.set()
        thread.join(30)
    assert [failure for thread in load for failure in thread.failures] == []
    assert min(thread.requests for thread in load) > 20


def test_a_kept_connection_meets_the_new_rules(lab: LabSettings, client: Callable[[str], Any], listener: str) -> None:
    kept = http.client.HTTPConnection(lab.address(11), 8080, timeout=20)
    assert get(lab, "/kept", kept) == (200, "default")
    socket_before = kept.sock
    add_rule(client, listener, 200, "/kept", fixed("new"))
    wait_for(lambda: get(lab, "/kept") == (200, "new"))
    assert kept.sock is socket_before
    assert get(lab, "/kept", kept) == (200, "new")
    kept.close()


def test_a_group_of_instances_serves_and_its_end_leaves_no_process(
    lab: LabSettings, client: Callable[[str], Any], listener: str, network: tuple[str, list[str]]
) -> None:
    group = client("elbv2").create_target_group(
        Name="web", Protocol="HTTP", Port=8080, VpcId=network[0], TargetType="instance", HealthCheckPath="/health",
        HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    add_rule(client, listener, 300, "/health", {"Type": "forward", "TargetGroupArn": group})
    assert wait_for(lambda: get(lab, "/health")[0] == 503)
    client("ec2").create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={"ImageId": "ami-12c6146b", "InstanceType": "t3.micro", "UserData": encoded(USER_DATA)},
    )
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="web", LaunchTemplate={"LaunchTemplateName": "web", "Version": "$Latest"}, MinSize=2,
        MaxSize=2, VPCZoneIdentifier=",".join(network[1]), TargetGroupARNs=[group],
    )  # fmt: skip
    wait_for(lambda: states(client, group) == ["healthy", "healthy"])
    served = {get(lab, "/health") for _ in range(6)}
    assert served == {(200, name.removeprefix("instance-")) for name in Supervisor(lab).names("instance-")}
    check_restart_and_end(lab, client)


def check_restart_and_end(lab: LabSettings, client: Callable[[str], Any]) -> None:
    programs = sorted(Supervisor(lab).names("instance-"))
    processes = [psutil.Process(lifecycle.connect(lab).getProcessInfo(name)["pid"]) for name in programs]
    family = [one for process in processes for one in (process, *process.children(recursive=True))]
    assert len(family) == 4
    processes[0].kill()
    wait_for(lambda: lifecycle.connect(lab).getProcessInfo(programs[0])["pid"] not in (0, processes[0].pid))
    client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    wait_for(lambda: not Supervisor(lab).names("instance-"))
    wait_for(lambda: not [one for one in family[2:] if one.is_running()])


def encoded(script: str) -> str:
    return base64.b64encode(script.encode()).decode()


def states(client: Callable[[str], Any], group: str) -> list[str]:
    described = client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return [one["TargetHealth"]["State"] for one in described]


def connects_as(lab: LabSettings, port: int, password: str) -> psycopg.Connection[Any] | None:
    try:
        return psycopg.connect(
            host=lab.address(), port=port, user="app", password=password, dbname="shop", connect_timeout=5
        )
    except psycopg.OperationalError:
        return None


def test_a_database_runs_keeps_its_data_takes_a_new_password_and_goes(
    lab: LabSettings, client: Callable[[str], Any]
) -> None:
    rds, first, second = client("rds"), "it's \\the first", "it's \\the second"
    rds.create_db_instance(
        DBInstanceIdentifier="shop", Engine="postgres", DBInstanceClass="db.t3.micro", AllocatedStorage=20, Port=25432,
        MasterUsername="app", MasterUserPassword=first, DBName="shop",
    )  # fmt: skip
    with wait_for(lambda: connects_as(lab, 25432, first)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert connects_as(lab, 25432, "wrong") is None
    rds.modify_db_instance(DBInstanceIdentifier="shop", MasterUserPassword=second, ApplyImmediately=True)
    with wait_for(lambda: connects_as(lab, 25432, second)) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert not [log for log in lab.log_directory.iterdir() if "the first" in log.read_text(errors="replace")]
    rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    wait_for(lambda: not Supervisor(lab).names("database-"))
    wait_for(lambda: not (lab.directory / "databases" / "shop").exists())


def test_a_cache_runs_and_goes(lab: LabSettings, client: Callable[[str], Any]) -> None:
    elasticache = client("elasticache")
    elasticache.create_cache_cluster(
        CacheClusterId="cache", Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1, Port=26379
    )
    with redis.Redis(lab.address(), 26379) as connection:
        wait_for(lambda: answers(connection))
        assert connection.set("key", "value", ex=60)
        assert connection.config_get("maxmemory-policy")["maxmemory-policy"] == "volatile-lru"
    elasticache.delete_cache_cluster(CacheClusterId="cache")
    wait_for(lambda: not Supervisor(lab).names("cache-"))


def answers(connection: redis.Redis) -> bool:
    try:
        return bool(connection.ping())
    except redis.ConnectionError:
        return False


def test_killed_parts_come_back_and_nothing_is_torn_down_meanwhile(
    lab: LabSettings, client: Callable[[str], Any], listener: str
) -> None:
    add_rule(client, listener, 400, "/stays", fixed("stays"))
    for name in ("load-balancer", "control-plane", "data-plane"):
        before = lifecycle.connect(lab).getProcessInfo(name)["pid"]
        psutil.Process(before).kill()
        wait_for(lambda name=name, before=before: lifecycle.connect(lab).getProcessInfo(name)["pid"] not in (0, before))
        wait_for(lambda: get(lab, "/") == (200, "default"))
    lifecycle.wait_until_ready(lab, 60)
    wait_for(lambda: get(lab, "/stays") == (200, "stays"))


def test_a_program_is_replaced_only_when_it_differs_and_starts_again_when_dead(lab: LabSettings) -> None:
    supervisor = Supervisor(lab)
    assert supervisor.ensure("test", ["/bin/sleep", "100"], {"X": "1"})
    assert not supervisor.ensure("test", ["/bin/sleep", "100"], {"X": "1"})
    wait_for(lambda: supervisor.state("test") == "RUNNING")
    assert supervisor.ensure("test", ["/bin/sleep", "100"], {"X": "2"})
    wait_for(lambda: supervisor.state("test") == "RUNNING")
    lifecycle.connect(lab).stopProcess("test")
    assert supervisor.ensure("test", ["/bin/sleep", "100"], {"X": "2"})
    wait_for(lambda: supervisor.state("test") == "RUNNING")
    supervisor.remove("test")
    supervisor.remove("test")
    assert supervisor.state("test") == "ABSENT"
    with pytest.raises(LookupError, match="test"):
        supervisor.signal("test", "HUP")
