"""alb_path_rule_info against both emulators."""

from __future__ import annotations

from typing import Any

import pytest

from integration.account import Account, fixed

MODULE = "alb_path_rule_info"


@pytest.fixture
def listener(aws: Account) -> str:
    arn = aws.listener()
    aws.rule(arn, "/data/*", 3, "data")
    aws.rule(arn, "/data/x", 5, "never")
    aws.rule(arn, "/api/*", 1, "api")
    return arn


def test_rules_in_their_order(aws: Account, listener: str) -> None:
    found = aws.run(MODULE, listener_arn=listener)
    assert [rule["name"] for rule in found["rules"]] == ["api", "data", "never"]
    assert found["rules"][0]["path_patterns"] == ["/api/*"]
    assert [(shadow["rule"], shadow["by"]) for shadow in found["shadows"]] == [("never", ["data"])]
    assert not found["changed"]
    assert [rule["name"] for rule in aws.run(MODULE, listener_arn=listener, name="data")["rules"]] == ["data"]


def test_which_rule_takes_this_request(aws: Account, listener: str) -> None:
    found = aws.run(MODULE, listener_arn=listener, request={"path": "/data/x"})
    assert found["taken_by"]["name"] == "data"
    condition = "path_patterns ['/api/*']"
    reason = f"path '/data/x' is none of {condition}"
    assert found["misses"] == [{"name": "api", "priority": 1, "condition": condition, "reason": reason}]
    nobody = aws.run(MODULE, listener_arn=listener, request={"path": "/Data/x"})
    assert nobody["taken_by"] == {}
    assert len(nobody["misses"]) == 3


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"request": {"path": "data"}}, "path is 'data'; allowed are paths that begin with '/'"),
        ({"request": {"path": "/data?v=1"}}, "path is '/data?v=1'; allowed are"),
        ({"request": {"query": "?v=1"}}, "query is '?v=1'; allowed is what follows the '?'"),
        ({"request": {"method": "get"}}, "method is 'get'; allowed are HTTP methods in capitals"),
        ({"request": {"source_ip": "me"}}, "source_ip is 'me'; allowed is an IP address"),
        ({"listener_arn": "shop"}, "listener_arn is 'shop'; allowed is the ARN"),
        (
            {"listener_arn": None, "load_balancer": "shop", "listener_port": 0},
            "listener_port is 0; allowed are 1 to 65535",
        ),
        (
            {"listener_arn": None, "load_balancer": "nowhere", "listener_port": 80},
            "load_balancer is 'nowhere'; there is",
        ),
    ],
)
def test_bad_input(aws: Account, listener: str, wrong: dict[str, Any], sentence: str) -> None:
    options = {name: value for name, value in ({"listener_arn": listener} | wrong).items() if value is not None}
    assert sentence in aws.fail(MODULE, **options)["msg"]


@pytest.mark.parametrize(
    ("condition", "request_", "reason"),
    [
        (
            {"Field": "host-header", "Values": ["*.example.com"]},
            {"host": "example.org"},
            "host 'example.org' is none of",
        ),
        ({"Field": "host-header", "Values": ["*.example.com"]}, {}, "host, not given, is none of"),
        (
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Team", "Values": ["a*"]}},
            {"headers": {"x-team": "b"}},
            "header X-Team 'b' is none of",
        ),
        (
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Team", "Values": ["a*"]}},
            {},
            "header X-Team, not sent, is none of",
        ),
        (
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["PUT"]}},
            {"method": "GET"},
            "method 'GET' is none of methods ['PUT']",
        ),
        (
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}},
            {"query": "v=1"},
            "query 'v=1' is none of",
        ),
        (
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.0/24"]}},
            {"source_ip": "198.51.100.1"},
            "source_ip '198.51.100.1' is none of source_ips ['192.0.2.0/24']",
        ),
    ],
)
def test_why_an_earlier_rule_does_not_take_it(
    lab: Account, condition: dict[str, Any], request_: dict[str, Any], reason: str
) -> None:
    arn = lab.listener()
    lab.client("elbv2").create_rule(ListenerArn=arn, Priority=1, Conditions=[condition], Actions=[fixed("200")])
    [miss] = lab.run(MODULE, listener_arn=arn, request=request_)["misses"]
    assert miss["reason"].startswith(reason)


def test_a_target_group_with_its_function(aws: Account) -> None:
    function = aws.function("query")
    options = {"name": f"{aws.prefix}-data", "function": function, "tags": {"team": "shop"}}
    made = aws.run("lambda_target_group", **options)["target_group"]
    [group] = aws.run("lambda_target_group_info", name=options["name"])["target_groups"]
    assert group == made | {"attributes": group["attributes"]}
    names = [one["name"] for one in aws.run("lambda_target_group_info")["target_groups"]]
    assert options["name"] in names
    assert aws.run("lambda_target_group_info", name="nowhere")["target_groups"] == []
