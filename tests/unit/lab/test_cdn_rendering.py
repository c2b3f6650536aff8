"""The CDN's values and nginx's configuration from them, without nginx itself."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loadlift_lab.data_plane.cdn import account, process, viewer
from loadlift_lab.data_plane.cdn.configuration import identity_in, render
from loadlift_lab.data_plane.cdn.model import ALL, NONE, Behavior, Choice, Distribution, Origin, Snapshot, Surroundings
from loadlift_lab.data_plane.cdn.quoting import (
    UnusableValueError,
    header_variable,
    invalidation_regex,
    path_regex,
    quote,
    quote_pattern,
)

PLACE = Surroundings(1, "127.0.31.1", 8000, 8001, "/lab/cdn/1", "/run/lab", "/scripts", "/modules/js.so", 20000)
SITE = Distribution("E1", "d1.cloudfront.net", (Origin("web", "web.elb", 8080),), (Behavior("web"),))
text = st.text(st.characters(exclude_characters=[chr(code) for code in (*range(32), 127)], exclude_categories=["Cs"]))


def words(line: str) -> list[str]:
    """Split a line of quoted words as nginx does: a backslash before a quote or a backslash is taken off."""
    return [re.sub(r"\\([\\\"'])", r"\1", word) for word in re.findall(r'"((?:[^"\\]|\\.)*)"', line, re.DOTALL)]


@given(st.lists(text, min_size=1, max_size=4))
def test_any_text_is_one_word_and_stays_what_it_is(texts: list[str]) -> None:
    assert words(" ".join(map(quote_pattern, texts))) == texts


@given(text)
def test_nginx_finds_no_variable_in_any_text(value: str) -> None:
    assert quote(value).replace("${dollar}", "").count("$") == 0
    assert words(quote(value)) == [value.replace("$", "${dollar}")]


@pytest.mark.parametrize("value", ["a\nb", "a\0b", "a\x7f"])
def test_control_characters_are_refused(value: str) -> None:
    with pytest.raises(UnusableValueError, match="control character"):
        quote(value)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("data*", "/data", True),
        ("/data*", "/data/x?y", True),
        ("data*", "/xdata", False),
        ("data*", "/Data", False),
        ("*.jpg", "/a/b.jpg", True),
        ("*.jpg", "/a/b.jpgx", False),
        ("/a?c", "/abc", True),
        ("/a?c", "/ac", False),
        ("/a.c", "/abc", False),
        ("/images/*/x", "/images//x", True),
        ("*", "/", True),
        ("/(a|b)+", "/(a|b)+", True),
    ],
)
def test_path_patterns(pattern: str, path: str, matches: bool) -> None:
    assert bool(re.match(path_regex(pattern), path)) == matches


@pytest.mark.parametrize(
    ("invalidated", "path", "matches"),
    [
        ("/a", "/a", True),
        ("/a", "/a?x=1", True),
        ("/a", "/ab", False),
        ("a", "/a", True),
        ("/a*", "/abc/d?x", True),
        ("/*", "/anything", True),
        ("/a*b", "/axb", False),
        ("/a*b", "/a*b", True),
    ],
)
def test_invalidated_paths(invalidated: str, path: str, matches: bool) -> None:
    assert bool(re.match(invalidation_regex(invalidated), path)) == matches


def test_the_newest_invalidation_of_a_path_counts_and_one_of_everything_ends_the_list() -> None:
    invalidations = (("/a*", "I4"), ("/b", "I3"), ("/*", "I2"), ("/b", "I1"))
    found = viewer.generation_map(replace(SITE, invalidations=invalidations))
    assert list(found.values()) == ['"I4"', '"I3"', '"I2"']


def test_a_headers_name_that_is_none_is_refused() -> None:
    assert header_variable("Accept-Language") == "$http_accept_language"
    with pytest.raises(UnusableValueError, match="no header's name"):
        header_variable("a;b")


def test_a_configuration_has_a_name_that_changes_with_it_and_with_an_origins_address() -> None:
    first = render(Snapshot((SITE,)), {"web.elb": "127.0.31.11"}, PLACE)
    assert re.fullmatch("[0-9a-f]{16}", identity_in(first))
    assert identity_in(first) == identity_in(render(Snapshot((SITE,)), {"web.elb": "127.0.31.11"}, PLACE))
    assert identity_in(first) != identity_in(render(Snapshot((SITE,)), {"web.elb": "127.0.31.12"}, PLACE))
    assert "server 127.0.31.11:8080" in first
    assert "cdn_origin_0_0" not in render(Snapshot((SITE,)), {}, PLACE)


@pytest.mark.parametrize(("hard_limit", "files"), [(4096, 4096), (20000, 20000), (1_048_576, 100_000), (-1, 100_000)])
def test_an_edge_takes_the_descriptors_that_it_may_have(hard_limit: int, files: int) -> None:
    assert process.open_files(hard_limit) == files


def test_too_few_descriptors_are_one_clear_sentence() -> None:
    with pytest.raises(process.EdgeError, match="at least 4096 open files, and the hard limit here is 1024"):
        process.open_files(1024)


OLD: dict[str, Any] = {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all", "MinTTL": 0, "MaxTTL": 9}
HEADERS = {"Quantity": 2, "Items": ["Host", "Accept"]}
FORWARDED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"query_strings_forwarded": False, "query_strings_in_key": NONE, "cookies_forwarded": NONE}),
    ({"QueryString": True}, {"query_strings_forwarded": True, "query_strings_in_key": ALL}),
    (
        {"QueryString": True, "QueryStringCacheKeys": {"Quantity": 1, "Items": ["a"]}},
        {"query_strings_forwarded": True, "query_strings_in_key": Choice(names=("a",))},
    ),
    (
        {"Headers": HEADERS},
        {"headers_in_key": Choice(names=("Host", "Accept")), "host_forwarded": True, "caches": True},
    ),
    ({"Headers": {"Quantity": 1, "Items": ["*"]}}, {"headers_forwarded": ALL, "host_forwarded": True, "caches": False}),
    ({"Cookies": {"Forward": "all"}}, {"cookies_in_key": ALL, "cookies_forwarded": ALL}),
    (
        {"Cookies": {"Forward": "whitelist", "WhitelistedNames": {"Quantity": 1, "Items": ["s*"]}}},
        {"cookies_in_key": Choice(names=("s*",)), "cookies_forwarded": Choice(names=("s*",))},
    ),
]


@pytest.mark.parametrize(("values", "expected"), FORWARDED)
def test_forwarded_values(values: dict[str, Any], expected: dict[str, Any]) -> None:
    found = account.behavior(OLD | {"ForwardedValues": values})
    assert {name: getattr(found, name) for name in expected} == expected


CACHING_DISABLED, CACHING_OPTIMIZED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "658327ea-f89d-4fab-a63d-7e88639e58f6"
ORIGIN_HEADERS = "83da9c7e-98b4-4e11-a168-04f0df8e2c65"
ALL_VIEWER, EXCEPT_HOST = "216adef6-5c7f-47e4-b989-5492eafa07d3", "b689b0a8-53d0-40ab-baf2-68738e2966ac"
POLICIES: list[tuple[str, str, dict[str, Any]]] = [
    (CACHING_DISABLED, "", {"max_ttl": 0, "collapses": False, "caches": True, "query_strings_forwarded": False}),
    (CACHING_OPTIMIZED, "", {"min_ttl": 1, "default_ttl": 86400, "max_ttl": 31536000, "headers_in_key": NONE}),
    (ORIGIN_HEADERS, "", {"default_ttl": 0, "max_ttl": 31536000, "host_forwarded": True, "cookies_in_key": ALL}),
    (
        CACHING_OPTIMIZED, ALL_VIEWER,
        {"query_strings_forwarded": True, "query_strings_in_key": NONE, "headers_forwarded": ALL,
         "host_forwarded": True, "cookies_forwarded": ALL, "cookies_in_key": NONE, "caches": True},
    ),
    (CACHING_DISABLED, EXCEPT_HOST, {"headers_forwarded": ALL, "host_forwarded": False}),
]  # fmt: skip


@pytest.mark.parametrize(("cache", "request_policy", "expected"), POLICIES)
def test_managed_policies(cache: str, request_policy: str, expected: dict[str, Any]) -> None:
    found = account.behavior(OLD | {"CachePolicyId": cache, "OriginRequestPolicyId": request_policy})
    assert {name: getattr(found, name) for name in expected} == expected


def test_a_policy_that_is_not_known_is_told_and_caches_nothing(caplog: pytest.LogCaptureFixture) -> None:
    found = account.behavior(OLD | {"CachePolicyId": "mine", "OriginRequestPolicyId": "mine, too"})
    assert not found.collapses
    assert "The cache policy mine is left out" in caplog.text
    assert "The origin request policy mine, too is left out" in caplog.text


def custom(**more: Any) -> dict[str, Any]:
    return {"Id": "o", "DomainName": "web.elb", "CustomOriginConfig": {"HTTPPort": 8080} | more}


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (custom(), Origin("o", "web.elb", 8080)),
        (custom(OriginProtocolPolicy="https-only"), Origin("o", "web.elb", None)),
        (
            custom(OriginReadTimeout=7, OriginKeepaliveTimeout=3),
            Origin("o", "web.elb", 8080, read_timeout=7, keepalive_timeout=3),
        ),
        ({"Id": "o", "DomainName": "b.s3.aws", "S3OriginConfig": {}}, Origin("o", "b.s3.aws", None)),
        (
            custom() | {"OriginPath": "/p", "ConnectionAttempts": 1, "ConnectionTimeout": 2,
                        "CustomHeaders": {"Quantity": 1, "Items": [{"HeaderName": "X-A", "HeaderValue": "1"}]}},
            Origin("o", "web.elb", 8080, "/p", (("X-A", "1"),), 1, 2),
        ),
    ],
)  # fmt: skip
def test_origins(described: dict[str, Any], expected: Origin) -> None:
    assert account.origin(described) == expected


def test_a_distribution_has_its_behaviors_in_order_the_default_one_last() -> None:
    described = {
        "Origins": {"Items": [custom()]},
        "Aliases": {"Quantity": 1, "Items": ["www.example.com"]},
        "DefaultCacheBehavior": OLD,
        "CacheBehaviors": {"Items": [OLD | {"PathPattern": "b*"}, OLD | {"PathPattern": "a*"}]},
        "CustomErrorResponses": {"Items": [{"ErrorCode": 404, "ErrorCachingMinTTL": 0}, {"ErrorCode": 500}]},
        "DefaultRootObject": "index.html",
    }
    found = account.distribution("E1", "d1.cloudfront.net", described)
    assert [behavior.path_pattern for behavior in found.behaviors] == ["b*", "a*", "*"]
    assert [response.caching_min_ttl for response in found.error_responses] == [0, None]
    assert (found.aliases, found.default_root_object) == (("www.example.com",), "index.html")
