"""The CDN behind the lab's control plane and supervisord: edges follow the account's distributions."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import psutil
import pytest
from counting_origin import CountingOrigin, counting_origin
from loadlift_lab import lifecycle
from loadlift_lab.data_plane.cdn import process
from loadlift_lab.data_plane.context import Clients
from loadlift_lab.data_plane.supervisor import Supervisor
from loadlift_lab.settings import LabSettings
from supervised_lab import supervised_lab, wait_for

SUBNET, NETWORK, ORIGIN_PORT = "127.0.31", "127.31.0.0/16", 9000
Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def lab() -> Iterator[LabSettings]:
    with supervised_lab(SUBNET, {"control-plane": "control_plane", "data-plane": "data_plane"}) as settings:
        yield settings


@pytest.fixture(scope="module")
def client(lab: LabSettings) -> Client:
    return Clients(lab).get


@pytest.fixture(scope="module")
def domain_name(client: Client) -> str:
    """A load balancer without listeners: the origin answers at its address."""
    vpc = client("ec2").create_vpc(CidrBlock=NETWORK)["Vpc"]["VpcId"]
    zones = {"us-east-1a": "127.31.0.0/24", "us-east-1b": "127.31.1.0/24"}
    subnets = [
        client("ec2").create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for zone, cidr in zones.items()
    ]
    return str(client("elbv2").create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]["DNSName"])


@pytest.fixture(scope="module")
def origin(lab: LabSettings) -> Iterator[CountingOrigin]:
    with counting_origin(lab.address(11), ORIGIN_PORT) as server:
        yield server


def configuration(domain_name: str, **changes: Any) -> dict[str, Any]:
    custom = {"HTTPPort": ORIGIN_PORT, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    values = {"QueryString": True, "Cookies": {"Forward": "none"}}
    behavior = {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all", "ForwardedValues": values}
    return {
        "CallerReference": "test",
        "Comment": "",
        "Enabled": True,
        "Origins": {
            "Quantity": 1,
            "Items": [{"Id": "web", "DomainName": domain_name, "CustomOriginConfig": custom}],
        },
        "DefaultCacheBehavior": behavior | {"MinTTL": 0, "DefaultTTL": 600, "MaxTTL": 600},
        "CacheBehaviors": {
            "Quantity": 1,
            "Items": [behavior | {"PathPattern": "data*", "MinTTL": 0, "DefaultTTL": 1, "MaxTTL": 1}],
        },
        "CustomErrorResponses": {"Quantity": 1, "Items": [{"ErrorCode": 502, "ErrorCachingMinTTL": 0}]},
    } | changes


@pytest.fixture(scope="module")
def distribution(client: Client, domain_name: str, lab: LabSettings, origin: CountingOrigin) -> str:
    created = client("cloudfront").create_distribution(DistributionConfig=configuration(domain_name))
    wait_for(lambda: all(get(lab, "/", edge)[0] == 200 for edge in (1, 2, 3)), 20)
    return str(created["Distribution"]["Id"])


def get(lab: LabSettings, path: str, edge: int = 1) -> tuple[int, str]:
    """Return the status, 0 when nobody listens, and CloudFront's result."""
    connection = http.client.HTTPConnection(lab.address(edge), lab.cdn_port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status, (answer.getheader("X-Cache") or "").removesuffix(" from cloudfront")
    except (ConnectionRefusedError, ConnectionResetError):  # reset: nginx listens for a moment while it checks
        return 0, ""
    finally:
        connection.close()


def update(client: Client, identifier: str, new: dict[str, Any]) -> None:
    version = client("cloudfront").get_distribution_config(Id=identifier)["ETag"]
    client("cloudfront").update_distribution(Id=identifier, IfMatch=version, DistributionConfig=new)


def status(lab: LabSettings, edge: int = 1) -> dict[str, Any]:
    return process.status(process.surroundings(lab, edge))


class Trickle(Thread):
    """Asks without pause, and opens a new connection where the edge closed the one between two requests."""

    def __init__(self, lab: LabSettings, keep: bool) -> None:
        super().__init__(daemon=True)
        self.lab, self.keep, self.requests, self.failures, self.ended = lab, keep, 0, list[str](), Event()

    def run(self) -> None:
        connection = http.client.HTTPConnection(self.lab.address(), self.lab.cdn_port, timeout=10)
        while not self.ended.is_set():
            try:
                self.ask(connection)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
                if not self.keep:
                    self.failures.append(repr(error))
                connection.close()  # HTTP's way: what was sent on a kept connection that was closed is sent again
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()

    def ask(self, connection: http.client.HTTPConnection) -> None:
        connection.request("GET", "/trickle", headers={} if self.keep else {"Connection": "close"})
        answer = connection.getresponse()
        answer.read()
        self.requests += 1
        time.sleep(0.002)
        if answer.status != 200:
            self.failures.append(str(answer.status))


@contextmanager
def trickling(lab: LabSettings) -> Iterator[list[Trickle]]:
    trickles = [Trickle(lab, keep) for keep in (True, False, True, False)]
    for trickle in trickles:
        trickle.start()
    try:
        yield trickles
    finally:
        for trickle in trickles:
            trickle.ended.set()
            trickle.join(15)


def test_every_edge_serves_the_distribution_and_caches_for_itself(
    lab: LabSettings, origin: CountingOrigin, distribution: str
) -> None:
    for edge in (1, 2, 3):
        assert [get(lab, "/page", edge) for _ in range(2)] == [(200, "Miss"), (200, "Hit")]
    assert origin.seen("/page") == 3


def test_a_change_is_taken_up_within_a_second_and_no_request_fails(
    lab: LabSettings, client: Client, domain_name: str, distribution: str
) -> None:
    with trickling(lab) as trickles:
        change_and_wait(lab, client, domain_name, distribution)
    assert [failure for trickle in trickles for failure in trickle.failures] == []
    assert min(trickle.requests for trickle in trickles) > 20
    update(client, distribution, configuration(domain_name))


def change_and_wait(lab: LabSettings, client: Client, domain_name: str, distribution: str) -> None:
    """Change the error page's status eight times; see each change at the edge in a second, or two on a busy machine."""
    for code in (203, 200, 203, 200, 203, 200, 203, 200):
        page = {"ErrorCode": 404, "ResponsePagePath": "/found", "ResponseCode": str(code), "ErrorCachingMinTTL": 0}
        update(
            client, distribution, configuration(domain_name, CustomErrorResponses={"Quantity": 1, "Items": [page]})
        )  # fmt: skip
        begun = time.monotonic()
        wait_for(lambda wanted=code: get(lab, f"/lost?status=404&{time.monotonic()}")[0] == wanted, 5)
        assert time.monotonic() - begun < 2.5


def test_an_invalidation_makes_the_edges_ask_again(
    lab: LabSettings, client: Client, origin: CountingOrigin, distribution: str
) -> None:
    for path in ("/old/a?x=1", "/old/b", "/kept"):
        get(lab, path)
    batch = {"Paths": {"Quantity": 2, "Items": ["/old/*", "/elsewhere"]}, "CallerReference": "1"}
    client("cloudfront").create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
    for path in ("/old/a?x=1", "/old/b"):  # each: for 0.1 s of a reload the old worker answers, too
        wait_for(lambda path=path: get(lab, path) == (200, "Miss"), 5)
    assert get(lab, "/kept") == (200, "Hit")
    wait_for(lambda: get(lab, "/old/b") == (200, "Hit"), 5)


def test_counters_are_exact_over_reloads_and_a_killed_edge_comes_back(
    lab: LabSettings, client: Client, domain_name: str, distribution: str
) -> None:
    time.sleep(0.3)
    before = status(lab)["requests"]
    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(lambda number: get(lab, f"/counted?{number % 5}")[0], range(300))) == {200}
    master = psutil.Process(lifecycle.connect(lab).getProcessInfo("cdn-1")["pid"])
    workers = master.children()
    time.sleep(0.3)
    master.kill()
    wait_for(lambda: lifecycle.connect(lab).getProcessInfo("cdn-1")["pid"] not in (0, master.pid), 20)
    wait_for(lambda: not [worker for worker in workers if worker.is_running()], 10)
    wait_for(lambda: status(lab), 10)
    time.sleep(0.3)
    assert status(lab)["requests"] == before + 300


def test_the_edges_ask_the_origin_where_it_is_now(
    lab: LabSettings, client: Client, domain_name: str, distribution: str
) -> None:
    arn = client("elbv2").describe_load_balancers(Names=["web"])["LoadBalancers"][0]["LoadBalancerArn"]
    client("elbv2").delete_load_balancer(LoadBalancerArn=arn)
    wait_for(lambda: get(lab, f"/gone?{time.monotonic()}") == (502, "Error"), 10)
    subnets = [
        one["SubnetId"] for one in client("ec2").describe_subnets()["Subnets"] if one["CidrBlock"].startswith("127.31.")
    ]
    again = client("elbv2").create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]
    update(client, distribution, configuration(again["DNSName"]))
    wait_for(lambda: get(lab, f"/back?{time.monotonic()}")[0] == 200, 10)


def test_no_enabled_distribution_means_no_edge(lab: LabSettings, client: Client, distribution: str) -> None:
    cloudfront = client("cloudfront")
    now = cloudfront.get_distribution_config(Id=distribution)["DistributionConfig"]
    update(client, distribution, now | {"Enabled": False})
    wait_for(lambda: not Supervisor(lab).names("cdn-"), 20)
    assert get(lab, "/") == (0, "")
    update(client, distribution, now)
    wait_for(lambda: get(lab, "/")[0] == 200, 20)
    update(client, distribution, now | {"Enabled": False})
    version = cloudfront.get_distribution_config(Id=distribution)["ETag"]
    cloudfront.delete_distribution(Id=distribution, IfMatch=version)
    wait_for(lambda: not Supervisor(lab).names("cdn-"), 20)
    wait_for(lambda: not (lab.directory / "cdn" / "1").exists(), 5)
