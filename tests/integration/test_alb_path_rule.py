"""alb_path_rule against both emulators."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from integration.account import Account

MODULE = "alb_path_rule"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/0123456789abcdef"
REWRITE = {"type": "url-rewrite", "regex": "^/a", "replace": "/b"}


@pytest.fixture
def options(aws: Account) -> dict[str, Any]:
    return {
        "listener_arn": aws.listener(),
        "name": f"{aws.prefix}-data",
        "path_patterns": ["/data"],
        "forward": [{"target_group": aws.target_group("data")}],
    }


def operations(answer: dict[str, Any]) -> list[str]:
    return [call["operation"] for call in answer["plan"]]


def test_seven_steps(aws: Account, options: dict[str, Any]) -> None:
    made = aws.same_in_check_mode(MODULE, **options, tags={"team": "shop", "cost": "1"})
    assert operations(made) == ["CreateRule"]
    assert made["diff"]["before"] == {}
    assert made["rule"]["path_patterns"] == ["/data"]
    [rule] = aws.rules(options["listener_arn"])
    assert made["rule"]["arn"] == rule["RuleArn"]
    assert made["priority"] == int(rule["Priority"])

    again = aws.run(MODULE, **options, tags={"team": "shop", "cost": "1"})
    assert not again["changed"], again["diff"]
    assert again["plan"] == []
    assert again["diff"]["before"] == again["diff"]["after"] == made["diff"]["after"]

    other = aws.same_in_check_mode(MODULE, **options | {"path_patterns": ["/data", "/data/*"]})
    assert operations(other) == ["ModifyRule"]
    assert other["diff"]["before"]["path_patterns"] == ["/data"]
    assert other["diff"]["after"]["path_patterns"] == ["/data", "/data/*"]

    fewer = aws.same_in_check_mode(MODULE, **options)
    assert operations(fewer) == ["ModifyRule"]
    assert fewer["diff"]["after"]["path_patterns"] == ["/data"]
    tags = aws.same_in_check_mode(MODULE, **options, tags={"team": "shop"})
    assert operations(tags) == ["RemoveTags"]

    gone = aws.same_in_check_mode(MODULE, listener_arn=options["listener_arn"], name=options["name"], state="absent")
    assert gone["changed"]
    assert gone["diff"]["after"] == {}
    assert gone["rule"] == {}
    assert aws.rules(options["listener_arn"]) == []
    again = aws.run(MODULE, listener_arn=options["listener_arn"], name=options["name"], state="absent")
    assert not again["changed"], again["diff"]


def untouched(rules: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what of other people's rules has to stay, in their order."""
    return [(rule["RuleArn"], rule["Conditions"], rule["Actions"]) for rule in rules]


# What ministack 1.5 gets wrong of a rule: it takes no regular expressions, drops weights and stickiness, and tells
# query strings in a form of its own. Those tests ask our control plane only.
ALL_CONDITIONS: dict[str, Any] = {
    "path_patterns": ["/a/*"],
    "hosts": ["*.example.com"],
    "methods": ["GET"],
    "headers": [{"name": "User-Agent", "values": ["*Mobile*"]}],
    "source_ips": ["192.0.2.0/24"],
}


def same_again(account: Account, task: dict[str, Any]) -> dict[str, Any]:
    """Make what the task says, see that making it again is no change, and return the rule."""
    made = account.same_in_check_mode(MODULE, **task)
    assert made["changed"]
    again = account.run(MODULE, **task)
    assert not again["changed"], again["diff"]
    assert again["diff"]["after"] == made["diff"]["after"]
    rule: dict[str, Any] = made["rule"]
    return rule


def test_several_conditions(aws: Account, options: dict[str, Any]) -> None:
    assert set(ALL_CONDITIONS) <= set(same_again(aws, options | ALL_CONDITIONS))


@pytest.mark.parametrize(
    "conditions",
    [
        {"query_strings": [{"values": [{"key": "version", "value": "v2"}, {"value": "*beta*"}]}], "methods": ["PUT"]},
        {"path_regexes": ["^/data/[0-9]+$"]},
        {"host_regexes": ["^api[0-9]+[.]example[.]com$"], "methods": ["GET", "HEAD"]},
        {"headers": [{"name": "X-Team", "regexes": ["^shop"]}, {"name": "X-Beta", "values": ["1", "2"]}]},
        {"source_ips": ["198.51.100.7"], "path_patterns": ["/*"]},
    ],
    ids=lambda conditions: "+".join(conditions),
)
def test_every_kind_of_condition(lab: Account, conditions: dict[str, Any]) -> None:
    forward = [{"target_group": lab.target_group("data")}]
    rule = same_again(lab, {"listener_arn": lab.listener(), "name": "data", "forward": forward, **conditions})
    assert set(conditions) <= set(rule)


def test_a_condition_that_the_task_takes_away_is_taken_away(aws: Account, options: dict[str, Any]) -> None:
    aws.run(MODULE, **options | ALL_CONDITIONS)
    kept = aws.run(MODULE, **options | {"path_patterns": ["/a/*"]})
    assert not kept["changed"]
    fewer = aws.same_in_check_mode(MODULE, **options, **{"headers": [], "hosts": [], "source_ips": []})
    assert {"headers", "hosts", "source_ips"} & set(fewer["rule"]) == set()
    assert fewer["rule"]["methods"] == ["GET"]
    [rule] = aws.rules(options["listener_arn"])
    assert {condition["Field"] for condition in rule["Conditions"]} == {"path-pattern", "http-request-method"}


def test_every_kind_of_action(lab: Account) -> None:
    base = {"listener_arn": lab.listener(), "name": "data", "path_patterns": ["/data"]}
    groups = [{"target_group": lab.target_group("a").split("/")[1], "weight": 3}]
    groups.append({"target_group": lab.target_group("b"), "weight": 1})
    same_again(lab, base | {"fixed_response": {"status_code": 404, "message_body": "gone"}})
    same_again(lab, base | {"redirect": {"status_code": 301, "path": "/new/#{path}", "query": ""}})
    same_again(lab, base | {"forward": groups})
    assert not lab.run(MODULE, **base, forward=groups[::-1])["changed"]
    assert not lab.run(MODULE, **base)["changed"]


def test_stickiness_that_is_left_out_is_left_alone(lab: Account) -> None:
    options = {"listener_arn": lab.listener(), "name": "sticky", "path_patterns": ["/s"]}
    group = [{"target_group": lab.target_group("s")}]
    lab.run(MODULE, **options, forward=group, stickiness=600)
    assert not lab.run(MODULE, **options, forward=group)["changed"]
    off = lab.same_in_check_mode(MODULE, **options, forward=group, stickiness=0)
    assert (off["diff"]["before"]["stickiness"], off["diff"]["after"]["stickiness"]) == (600, 0)


def test_transforms(aws: Account, options: dict[str, Any]) -> None:
    rewrite = {"type": "url-rewrite", "regex": "^/data/(.*)$", "replace": "/$1"}
    made = aws.same_in_check_mode(MODULE, **options, transforms=[rewrite])
    assert made["rule"]["transforms"] == [rewrite]
    assert not aws.run(MODULE, **options)["changed"]
    assert aws.same_in_check_mode(MODULE, **options, transforms=[])["changed"]
    assert not aws.run(MODULE, **options, transforms=[])["changed"]


def test_the_same_conditions_are_the_same_rule(aws: Account, options: dict[str, Any]) -> None:
    nameless = {key: value for key, value in options.items() if key != "name"}
    made = aws.run(MODULE, **nameless)
    assert not aws.run(MODULE, **nameless)["changed"]
    named = aws.same_in_check_mode(MODULE, **options)
    assert operations(named) == ["AddTags"]
    assert named["rule"]["arn"] == made["rule"]["arn"]
    assert aws.run(MODULE, state="absent", **nameless)["changed"]


def test_a_rule_goes_between_others_that_keep_their_order(aws: Account, options: dict[str, Any]) -> None:
    listener = options["listener_arn"]
    aws.rule(listener, "/other", 1, "other")
    aws.rule(listener, "/data/special", 2, "special")
    aws.rule(listener, "/*", 3, "catch-all")
    before = untouched(aws.rules(listener))

    made = aws.same_in_check_mode(MODULE, **options | {"path_patterns": ["/data*"]})

    assert operations(made) == ["SetRulePriorities", "CreateRule"]
    assert made["diff"]["after"]["moved"] == {"catch-all": 4}
    assert made["priority"] == 3
    rules = aws.rules(listener)
    assert untouched([rule for rule in rules if rule["RuleArn"] != made["rule"]["arn"]]) == before
    assert made["shadows"] == []


def test_before_and_after(aws: Account, options: dict[str, Any]) -> None:
    listener = options["listener_arn"]
    for number, name in ((5, "first"), (6, "second"), (9, "third")):
        aws.rule(listener, f"/{name}", number, name)
    assert aws.same_in_check_mode(MODULE, **options, before="first")["priority"] == 4
    assert aws.same_in_check_mode(MODULE, **options, after="second")["priority"] == 7
    assert not aws.run(MODULE, **options, after="5")["changed"]
    moved = aws.same_in_check_mode(MODULE, **options, after="first", before="second")
    assert operations(moved) == ["SetRulePriorities"]
    assert [rule["RuleArn"] for rule in aws.rules(listener)].index(moved["rule"]["arn"]) == 1
    assert aws.same_in_check_mode(MODULE, **options, priority="20")["priority"] == 20


def test_an_occupied_priority_is_refused(aws: Account, options: dict[str, Any]) -> None:
    aws.rule(options["listener_arn"], "/other", 10, "other")
    before = untouched(aws.rules(options["listener_arn"]))
    refused = aws.fail(MODULE, **options, priority="10")
    assert "priority is 10, which rule 'other' (priority 10) has" in refused["msg"]
    assert untouched(aws.rules(options["listener_arn"])) == before


def test_shadows_are_told(aws: Account, options: dict[str, Any]) -> None:
    aws.rule(options["listener_arn"], "/*", 1, "catch-all")
    aws.rule(options["listener_arn"], "/data/x", 50, "behind")
    warned = aws.same_in_check_mode(MODULE, **options, priority="10")
    assert [shadow["by"] for shadow in warned["shadows"]] == [["catch-all"]]
    assert "can never match" in json.dumps(warned["warnings"])
    refused = aws.fail(MODULE, **options | {"path_patterns": ["/data", "/data/*"]}, priority="20", on_shadow="fail")
    assert "rule 'behind' (priority 50) can never match" in refused["msg"]
    quiet = aws.run(MODULE, **options, priority="10", on_shadow="ignore")
    assert "warnings" not in quiet


def test_a_listener_by_its_load_balancer(aws: Account, options: dict[str, Any]) -> None:
    arn = options.pop("listener_arn")
    balancer = aws.client("elbv2").describe_load_balancers(LoadBalancerArns=[aws.load_balancer_arn])["LoadBalancers"][0]
    for given in (balancer["LoadBalancerName"], balancer["LoadBalancerArn"], balancer["DNSName"].upper()):
        found = aws.run(MODULE, **options, load_balancer=given, listener_port=80, check=True)
        assert found["listener_arn"] == arn
    refused = aws.fail(MODULE, **options, load_balancer=balancer["LoadBalancerName"], listener_port=81)
    assert "listener_port is 81; load balancer" in refused["msg"]
    assert "no such load balancer" in aws.fail(MODULE, **options, load_balancer="nowhere", listener_port=80)["msg"]


def test_calls_of_a_run_with_nothing_to_do(lab: Account) -> None:
    options = {"listener_arn": lab.listener(), "name": "data", "path_patterns": ["/data"]}
    forward = [{"target_group": lab.target_group("data").split("/")[1]}]
    lab.run(MODULE, **options, forward=forward)
    lab.calls()
    assert not lab.run(MODULE, **options, forward=forward)["changed"]
    assert lab.calls() == {"elbv2.DescribeRules": 1, "elbv2.DescribeTags": 1}


def test_the_client_secret_stays_secret(lab: Account) -> None:
    oidc = {
        "issuer": "https://id.example.com",
        "authorization_endpoint": "https://id.example.com/auth",
        "token_endpoint": "https://id.example.com/token",
        "user_info_endpoint": "https://id.example.com/me",
        "client_id": "shop",
    }
    options = {"listener_arn": lab.listener(), "name": "data", "path_patterns": ["/data"]}
    options["forward"] = [{"target_group": lab.target_group("data")}]
    assert "has no client_secret" in lab.fail(MODULE, **options, authenticate_oidc=oidc)["msg"]
    made = lab.same_in_check_mode(MODULE, **options, authenticate_oidc=oidc | {"client_secret": "not-for-your-eyes"})
    assert "not-for-your-eyes" not in json.dumps(made)
    assert made["plan"][0]["parameters"]["Actions"][0]["AuthenticateOidcConfig"]["ClientSecret"].startswith("VALUE")
    again = lab.run(MODULE, **options, authenticate_oidc=oidc | {"client_secret": "not-for-your-eyes"})
    assert not again["changed"], again["diff"]
    later = lab.same_in_check_mode(MODULE, **options, authenticate_oidc=oidc | {"scope": "openid email"})
    sent = later["plan"][0]["parameters"]["Actions"][0]["AuthenticateOidcConfig"]
    assert sent["UseExistingClientSecret"] is True
    assert "ClientSecret" not in sent
    assert lab.same_in_check_mode(MODULE, **options, authenticate_oidc={})["changed"]
    assert "authenticate_oidc" not in lab.run(MODULE, **options)["rule"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"listener_arn": "shop"}, "listener_arn is 'shop'; allowed is the ARN"),
        ({"path_patterns": ["/da ta"]}, "path_patterns of rule 'data' has '/da ta'; allowed are"),
        ({"path_patterns": ["/" + "a" * 128]}, "allowed are up to 128 characters"),
        ({"path_patterns": [f"/{n}" for n in range(6)]}, "The conditions of rule 'data' have 6 values; allowed are 5"),
        ({"path_patterns": ["/*/*/*", "/?/?/?"]}, "have 6 wildcards; allowed are 5"),
        ({"path_patterns": []}, "rule 'data' has no condition"),
        ({"path_regexes": ["^/"]}, "path_regexes is ['^/'] and path_patterns is ['/data']"),
        ({"methods": ["get"]}, "methods of rule 'data' has 'get'"),
        ({"headers": [{"name": "Host", "values": ["a"]}]}, "the option hosts for the host header"),
        ({"headers": [{"name": "X"}]}, "headers has 'X' with values [] and regexes []"),
        ({"source_ips": ["here"]}, "source_ips has 'here'"),
        ({"priority": "0"}, "priority is '0'; allowed are auto and 1 to 50000"),
        ({"priority": "5", "before": "x"}, "priority is 5, and before or after is given"),
        ({"before": "x"}, "before is 'x'; the listener's other rules are: none"),
        ({"forward": [{"target_group": "nowhere"}]}, "nowhere"),
        ({"forward": [{"target_group": "arn:aws:s3:::x"}]}, "forward has target group 'arn:aws:s3:::x'"),
        ({"forward": []}, "forward of rule 'data' has 0 target groups"),
        ({"stickiness": 604801}, "stickiness of rule 'data' is 604801"),
        ({"forward": None}, "rule 'data' is not there yet; give one of forward, redirect and fixed_response"),
        ({"forward": None, "fixed_response": {"status_code": 302}}, "fixed_response.status_code of rule 'data' is 302"),
        ({"tags": {"Name": "other"}}, "tags has Name 'other', but name is 'data'"),
        ({"name": None, "path_patterns": None}, "The task names no rule"),
        ({"redirect": {"status_code": 301}}, "mutually exclusive"),
        ({"load_balancer": "shop", "listener_port": 80}, "mutually exclusive"),
        ({"listener_arn": None}, "one of the following is required: listener_arn, load_balancer"),
        (
            {"listener_arn": None, "load_balancer": "shop"},
            "parameters are required together: load_balancer, listener_port",
        ),
        ({"priority": "50001"}, "priority is '50001'; allowed are auto and 1 to 50000"),
        ({"priority": "first"}, "priority is 'first'; allowed are auto and 1 to 50000"),
        ({"hosts": ["a b"]}, "hosts of rule 'data' has 'a b'; allowed are"),
        ({"host_regexes": ["^a"], "hosts": ["a.b"]}, "host_regexes is ['^a'] and hosts is ['a.b']"),
        ({"path_regexes": ["("], "path_patterns": []}, "path_regexes of rule 'data' has '('; allowed are regular"),
        ({"path_regexes": ["^/a(?!b)"], "path_patterns": []}, "AWS does not know '(?!'"),
        ({"path_regexes": [r"^/(a)\1"], "path_patterns": []}, r"AWS does not know '\1'"),
        ({"forward": [{"target_group": GROUP, "weight": 1000}]}, "forward of rule 'data' has weight 1000"),
        ({"forward": [{"target_group": GROUP}] * 2}, "forward has target group"),
        ({"query_strings": [{"values": []}]}, "query_strings has an entry without values"),
        ({"query_strings": [{"values": [{"value": "a b"}]}]}, "query_strings of rule 'data' has 'a b'"),
        ({"headers": [{"name": "X Y", "values": ["a"]}]}, "headers of rule 'data' has the name 'X Y'"),
        ({"stickiness": -1}, "stickiness of rule 'data' is -1"),
        ({"forward": None, "redirect": {"status_code": 307}}, "value of status_code must be one of: 301, 302"),
        ({"forward": None, "redirect": {"status_code": 301, "port": "x"}}, "redirect.port of rule 'data' is 'x'"),
        ({"forward": None, "redirect": {"status_code": 301, "path": "x"}}, "redirect.path of rule 'data' is 'x'"),
        ({"forward": None, "redirect": {"status_code": 301, "query": "?a"}}, "redirect.query of rule 'data' is '?a'"),
        ({"forward": None, "redirect": {"status_code": 301, "protocol": "FTP"}}, "redirect.protocol of rule 'data'"),
        ({"forward": None, "redirect": {"status_code": 301}, "stickiness": 5}, "it goes with forward only"),
        ({"authenticate_cognito": {"user_pool_arn": "x"}}, "authenticate_cognito has no user_pool_client_id"),
        ({"transforms": [REWRITE, REWRITE]}, "transforms has 2 of type url-rewrite; a rule takes one of each type"),
        ({"transforms": [REWRITE | {"regex": "("}]}, "transforms of rule 'data' has the regex '('"),
        ({"on_shadow": "shout"}, "value of on_shadow must be one of: warn, fail, ignore"),
        ({"after": "data"}, "after is 'data'; the listener's other rules are: none"),
        (
            {"listener_arn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/net/a/b/c"},
            "allowed is the ARN",
        ),
    ],
)
def test_bad_input_changes_nothing(lab: Account, wrong: dict[str, Any], sentence: str) -> None:
    options: dict[str, Any] = {"listener_arn": lab.listener(), "name": "data", "path_patterns": ["/data"]}
    options["forward"] = [{"target_group": lab.target_group("data")}]
    lab.calls()
    given = {name: value for name, value in (options | wrong).items() if value is not None}
    refused = lab.fail(MODULE, **given)
    assert sentence in refused["msg"]
    assert all(name.startswith("elbv2.Describe") for name in lab.calls())


def test_two_rules_of_one_name_are_refused(aws: Account, options: dict[str, Any]) -> None:
    aws.rule(options["listener_arn"], "/a", 1, options["name"])
    aws.rule(options["listener_arn"], "/b", 2, options["name"])
    assert "2 rules of the listener fit, with the priorities 1, 2" in aws.fail(MODULE, **options)["msg"]


def test_a_rule_of_another_name_is_refused(aws: Account, options: dict[str, Any]) -> None:
    aws.rule(options["listener_arn"], "/data", 1, "somebody")
    assert "rule 'somebody' (priority 1) has the same conditions" in aws.fail(MODULE, **options)["msg"]


def test_a_listener_that_is_gone_has_no_rules(aws: Account, options: dict[str, Any]) -> None:
    aws.client("elbv2").delete_listener(ListenerArn=options["listener_arn"])
    assert not aws.run(MODULE, **options, state="absent")["changed"]
    assert re.search("no such listener|ListenerNotFound", aws.fail(MODULE, **options)["msg"])
