"""cloudfront_distribution against our control plane, whose answers hold what CloudFront adds."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._aws import calls

from integration.account import Account

MODULE = "cloudfront_distribution"
ORIGIN = {"id": "alb", "domain_name": "x-1.us-east-1.elb.amazonaws.com", "protocol_policy": "http-only"}
DEFAULT = {"origin_id": "alb", "compress": True, "min_ttl": 0, "default_ttl": 600, "max_ttl": 600}
DATA = {
    "path_pattern": "data*",
    "origin_id": "alb",
    "allowed_methods": ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
    "query_string": True,
    "min_ttl": 0,
    "default_ttl": 1,
    "max_ttl": 1,
}


@pytest.fixture
def options(lab: Account) -> Iterator[dict[str, Any]]:
    reference = f"{lab.prefix}-cdn"
    yield {
        "caller_reference": reference,
        "origins": [ORIGIN],
        "default_cache_behavior": DEFAULT,
        "cache_behaviors": [DATA],
        "tags": {"team": "shop", "cost": "1"},
    }
    lab.run(MODULE, caller_reference=reference, state="absent")


def config(account: Account, identifier: str) -> dict[str, Any]:
    told = account.client("cloudfront").get_distribution(Id=identifier)["Distribution"]["DistributionConfig"]
    return dict(told)


def transition(account: Account, verb: str, body: dict[str, Any]) -> None:
    """Tell moto how a distribution comes from InProgress to Deployed."""
    place = f"{account.emulator.endpoint}/moto-api/state-manager/{verb}-transition"
    request = urllib.request.Request(place, json.dumps(body).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()


def test_seven_steps(lab: Account, options: dict[str, Any]) -> None:
    made = lab.same_in_check_mode(MODULE, **options)
    assert made["changed"]
    assert made["diff"]["before"] == {}
    assert [call["operation"] for call in made["plan"]] == ["CreateDistributionWithTags", "GetDistribution"]
    assert made["domain_name"].endswith(".cloudfront.net")
    now = config(lab, made["id"])
    assert now["CacheBehaviors"]["Items"][0]["MaxTTL"] == 1
    assert now["Origins"]["Items"][0]["CustomOriginConfig"]["OriginProtocolPolicy"] == "http-only"

    again = lab.run(MODULE, **options)
    assert not again["changed"]
    assert again["plan"] == []
    assert (again["id"], again["domain_name"]) == (made["id"], made["domain_name"])

    longer = lab.same_in_check_mode(MODULE, **options | {"default_cache_behavior": {"max_ttl": 900}})
    assert [call["operation"] for call in longer["plan"]] == ["UpdateDistribution", "GetDistribution"]
    assert config(lab, made["id"])["DefaultCacheBehavior"]["MaxTTL"] == 900
    assert not lab.run(MODULE, **options | {"default_cache_behavior": {"max_ttl": 900}})["changed"]

    fewer = lab.same_in_check_mode(MODULE, caller_reference=options["caller_reference"], cache_behaviors=[], tags={})
    assert fewer["diff"]["before"]["tags"] == {"team": "shop", "cost": "1"}
    assert fewer["diff"]["after"]["tags"] == {}
    assert config(lab, made["id"])["CacheBehaviors"]["Quantity"] == 0

    gone = lab.same_in_check_mode(MODULE, caller_reference=options["caller_reference"], state="absent")
    assert [call["operation"] for call in gone["plan"]] == [
        "UpdateDistribution",
        "GetDistribution",
        "DeleteDistribution",
    ]
    assert (gone["changed"], gone["id"], gone["diff"]["after"]) == (True, None, {})
    assert not lab.run(MODULE, caller_reference=options["caller_reference"], state="absent")["changed"]


def test_what_is_left_out_is_left_alone(lab: Account, options: dict[str, Any]) -> None:
    lab.run(MODULE, **options, comment="ours", price_class="PriceClass_100", aliases=["shop.example.com"])
    reference = {"caller_reference": options["caller_reference"], "comment": "ours"}
    assert not lab.run(MODULE, **reference)["changed"]
    assert not lab.run(MODULE, **reference, default_cache_behavior={"compress": True})["changed"]
    moved = lab.run(MODULE, **reference, origins=[{"id": "alb", "http_port": 8080}])
    origin = config(lab, moved["id"])["Origins"]["Items"][0]
    assert origin["DomainName"] == ORIGIN["domain_name"]
    assert origin["CustomOriginConfig"]["HTTPPort"] == 8080
    assert config(lab, moved["id"])["Aliases"]["Items"] == ["shop.example.com"]
    assert lab.run(MODULE, **reference, aliases=[])["changed"]


def test_the_order_of_sets_is_no_change(lab: Account, options: dict[str, Any]) -> None:
    lab.run(MODULE, **options, aliases=["a.example.com", "b.example.com"])
    turned = DATA | {"allowed_methods": DATA["allowed_methods"][::-1]}  # type: ignore[index]
    again = options | {"cache_behaviors": [turned], "aliases": ["b.example.com", "a.example.com"]}
    assert not lab.run(MODULE, **again)["changed"]


def test_the_order_of_behaviors_counts(lab: Account, options: dict[str, Any]) -> None:
    images = DATA | {"path_pattern": "images/*"}
    lab.run(MODULE, **options | {"cache_behaviors": [DATA, images]})
    turned = lab.same_in_check_mode(MODULE, **options | {"cache_behaviors": [images, DATA]})
    assert turned["changed"]
    patterns = [behavior["PathPattern"] for behavior in config(lab, turned["id"])["CacheBehaviors"]["Items"]]
    assert patterns == ["images/*", "data*"]


def test_a_cache_policy_takes_the_place_of_ttls(lab: Account, options: dict[str, Any]) -> None:
    lab.run(MODULE, **options)
    policy = {"path_pattern": "data*", "cache_policy_id": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"}
    assert lab.same_in_check_mode(MODULE, **options | {"cache_behaviors": [policy]})["changed"]
    assert not lab.run(MODULE, **options | {"cache_behaviors": [policy]})["changed"]
    back = lab.run(MODULE, **options)
    assert back["changed"]
    assert config(lab, back["id"])["CacheBehaviors"]["Items"][0]["MaxTTL"] == 1


def test_errors_and_certificate(lab: Account, options: dict[str, Any]) -> None:
    more = {
        "custom_error_responses": [{"error_code": 503, "error_caching_min_ttl": 1}],
        "aliases": ["shop.example.com"],
        "certificate": {"acm_certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/1"},
    }
    made = lab.same_in_check_mode(MODULE, **options, **more)
    now = config(lab, made["id"])
    assert now["ViewerCertificate"]["ACMCertificateArn"].endswith("certificate/1")
    assert now["CustomErrorResponses"]["Items"][0]["ErrorCachingMinTTL"] == 1
    assert not lab.run(MODULE, **options, **more)["changed"]


def test_few_calls_when_nothing_is_to_do(lab: Account, options: dict[str, Any]) -> None:
    lab.run(MODULE, **options)
    lab.run(MODULE, **options | {"caller_reference": f"{options['caller_reference']}-other"})
    lab.calls()
    lab.run(MODULE, **options)
    assert lab.calls() == {
        "cloudfront.ListDistributions": 1,
        "cloudfront.GetDistribution": 1,
        "cloudfront.ListTagsForResource": 1,
    }
    lab.run(MODULE, caller_reference=f"{options['caller_reference']}-other", state="absent")


def test_it_waits_until_all_edges_know(lab: Account, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "LOOK_AGAIN_S", 0.1)
    distributions = {"model_name": "cloudfront::distribution"}
    slow = distributions | {"transition": {"progression": "manual", "times": 4}}
    transition(lab, "set", slow)
    try:
        hasty = lab.fail(MODULE, **options | {"wait_timeout": 0})
        assert "failed with Timeout: after 0 s it still tells" in hasty["msg"]
        assert hasty["changed"]
        later = lab.run(MODULE, **options)
        assert not later["changed"]
        assert [call["operation"] for call in later["plan"]] == ["GetDistribution"]
        assert lab.client("cloudfront").list_distributions()["DistributionList"]["Items"][0]["Status"] == "Deployed"
    finally:
        transition(lab, "unset", distributions)


def test_half_done_work_converges(lab: Account, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PATIENCE", {"retries": 2, "delay": 0.1, "max_delay": 0.2})
    lab.run(MODULE, **options)
    lab.emulator.own("PUT", "faults", [{"service": "cloudfront", "operation": "DeleteDistribution", "kind": "error",
                                        "count": None}])  # fmt: skip
    cut = lab.fail(MODULE, caller_reference=options["caller_reference"], state="absent")
    assert cut["changed"]  # it is disabled by now
    lab.emulator.own("DELETE", "faults")
    rest = lab.run(MODULE, caller_reference=options["caller_reference"], state="absent")
    assert [call["operation"] for call in rest["plan"]] == ["GetDistribution", "DeleteDistribution"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"origins": None}, "origins is missing; a new distribution needs it."),
        ({"default_cache_behavior": None}, "default_cache_behavior is missing; a new distribution needs it."),
        ({"cache_behaviors": [DATA, DATA]}, "path_pattern 'data*' is there twice; each may be there once."),
        (
            {"cache_behaviors": [DATA | {"origin_id": "web"}]},
            "origin_id 'web' of data* is no origin; allowed are alb.",
        ),
        (
            {"cache_behaviors": [DATA | {"max_ttl": 0}]},
            "data* has min_ttl 0, default_ttl 1, max_ttl 0; 0 <= min_ttl <= default_ttl <= max_ttl.",
        ),
        (
            {"default_cache_behavior": DEFAULT | {"allowed_methods": ["GET", "POST"]}},
            "allowed_methods of default_cache_behavior is GET, POST; allowed are GET, HEAD; GET, HEAD, OPTIONS; ",
        ),
        (
            {"cache_behaviors": [DATA | {"cache_policy_id": "p"}]},
            "data* has both cache_policy_id and min_ttl; a cache policy says by itself what is kept.",
        ),
    ],
)
def test_bad_input(lab: Account, options: dict[str, Any], change: dict[str, Any], problem: str) -> None:
    answer = lab.fail(MODULE, **{name: value for name, value in (options | change).items() if value is not None})
    assert problem in answer["msg"]
    assert not answer["changed"]
