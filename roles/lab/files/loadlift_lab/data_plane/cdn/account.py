"""The account's CloudFront distributions as the API describes them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from loadlift_lab.data_plane.cdn import policies
from loadlift_lab.data_plane.cdn.model import (
    ALL,
    GET_AND_HEAD,
    NONE,
    Behavior,
    Choice,
    Distribution,
    ErrorResponse,
    Origin,
    Snapshot,
)
from loadlift_lab.data_plane.context import Context

LOG = logging.getLogger(__name__)
Description = dict[str, Any]


def read(context: Context) -> Snapshot:
    """Return the enabled distributions, the oldest first, and the names of those that are disabled."""
    summaries = [
        summary
        for page in context.client("cloudfront").get_paginator("list_distributions").paginate()
        for summary in page["DistributionList"].get("Items") or []
    ]
    return Snapshot(
        tuple(_enabled(context, summary) for summary in summaries if summary["Enabled"]),
        tuple(name for summary in summaries if not summary["Enabled"] for name in _names(summary)),
    )


def distribution(
    identifier: str, domain_name: str, configuration: Description, invalidations: tuple[tuple[str, str], ...] = ()
) -> Distribution:
    """Return a distribution as its `DistributionConfig` tells it."""
    default = behavior(configuration["DefaultCacheBehavior"])
    return Distribution(
        id=identifier,
        domain_name=domain_name,
        aliases=tuple(_items(configuration, "Aliases")),
        origins=tuple(origin(one) for one in _items(configuration, "Origins")),
        behaviors=(*(behavior(one) for one in _items(configuration, "CacheBehaviors")), default),
        error_responses=tuple(_error_response(one) for one in _items(configuration, "CustomErrorResponses")),
        default_root_object=configuration.get("DefaultRootObject") or "",
        invalidations=invalidations,
    )


def behavior(described: Description) -> Behavior:
    """Return a cache behavior, be it with a cache policy or with the older forwarded values."""
    methods = described.get("AllowedMethods") or {}
    return Behavior(
        origin_id=described["TargetOriginId"],
        path_pattern=described.get("PathPattern") or "*",
        allowed_methods=tuple(methods.get("Items") or GET_AND_HEAD),
        viewer_protocol_policy=described.get("ViewerProtocolPolicy") or "allow-all",
        compress=bool(described.get("Compress")),
        **(_by_policy(described) if described.get("CachePolicyId") else _by_forwarded_values(described)),
    )


def origin(described: Description) -> Origin:
    """Return an origin; one that is no custom origin, or asks for HTTPS, has no port that the lab could reach."""
    custom = described.get("CustomOriginConfig") or {}
    return Origin(
        id=described["Id"],
        domain_name=described["DomainName"],
        port=_port(described["DomainName"], custom),
        path=described.get("OriginPath") or "",
        headers=tuple((one["HeaderName"], one["HeaderValue"]) for one in _items(described, "CustomHeaders")),
        connection_attempts=int(described.get("ConnectionAttempts") or 3),
        connection_timeout=int(described.get("ConnectionTimeout") or 10),
        read_timeout=int(custom.get("OriginReadTimeout") or 30),
        keepalive_timeout=int(custom.get("OriginKeepaliveTimeout") or 5),
    )


def _port(domain_name: str, custom: Description) -> int | None:
    if not custom:
        LOG.warning("The origin %s is not reached: the lab's edges have custom origins only.", domain_name)
        return None
    if custom.get("OriginProtocolPolicy") == "https-only":
        LOG.warning("The origin %s is not reached: the lab's edges ask origins over HTTP only.", domain_name)
        return None
    return int(custom.get("HTTPPort") or 80)


def _by_forwarded_values(described: Description) -> dict[str, Any]:
    values = described.get("ForwardedValues") or {}
    headers = _choice(_items(values, "Headers"))
    cookies = values.get("Cookies") or {}
    chosen = ALL if cookies.get("Forward") == "all" else _choice(_items(cookies, "WhitelistedNames"))
    return {
        "min_ttl": int(described.get("MinTTL") or 0),
        "default_ttl": int(described.get("DefaultTTL") or 0),
        "max_ttl": int(described.get("MaxTTL") or 0),
        "query_strings_forwarded": bool(values.get("QueryString")),
        "query_strings_in_key": _query_strings_in_key(values),
        "headers_in_key": headers,
        "headers_forwarded": headers,
        "host_forwarded": headers.all or "host" in (name.lower() for name in headers.names),
        "cookies_in_key": chosen,
        "cookies_forwarded": chosen,
    }


def _query_strings_in_key(values: Description) -> Choice:
    names = _items(values, "QueryStringCacheKeys")
    if not values.get("QueryString"):
        return NONE
    return _choice(names) if names else ALL


def _by_policy(described: Description) -> dict[str, Any]:
    keyed = _cache_policy(described["CachePolicyId"])
    more = _origin_request_policy(described.get("OriginRequestPolicyId") or "")
    headers = ALL if more.headers.all else Choice(names=(*keyed.headers.names, *more.headers.names))
    return {
        "min_ttl": keyed.min_ttl,
        "default_ttl": keyed.default_ttl,
        "max_ttl": keyed.max_ttl,
        "query_strings_forwarded": keyed.query_strings.all or more.query_strings,
        "query_strings_in_key": keyed.query_strings,
        "headers_in_key": keyed.headers,
        "headers_forwarded": headers,
        "host_forwarded": more.host or "host" in keyed.headers.names,
        "cookies_in_key": keyed.cookies,
        "cookies_forwarded": ALL if more.cookies else keyed.cookies,
    }


def _cache_policy(identifier: str) -> policies.CachePolicy:
    if identifier not in policies.CACHE_POLICIES:
        LOG.warning("The cache policy %s is left out, so nothing is cached: only AWS's own are known.", identifier)
    return policies.CACHE_POLICIES.get(identifier, policies.CACHING_DISABLED)


def _origin_request_policy(identifier: str) -> policies.OriginRequestPolicy:
    if identifier and identifier not in policies.ORIGIN_REQUEST_POLICIES:
        LOG.warning("The origin request policy %s is left out: only AWS's own are known.", identifier)
    return policies.ORIGIN_REQUEST_POLICIES.get(identifier, policies.OriginRequestPolicy())


def _choice(names: list[str]) -> Choice:
    return ALL if "*" in names else Choice(names=tuple(names))


def _error_response(described: Description) -> ErrorResponse:
    ttl = described.get("ErrorCachingMinTTL")
    return ErrorResponse(
        status=int(described["ErrorCode"]),
        caching_min_ttl=None if ttl is None else int(ttl),
        page=described.get("ResponsePagePath") or "",
        response_code=described.get("ResponseCode") or "",
    )


def _enabled(context: Context, summary: Description) -> Distribution:
    identifier = summary["Id"]
    answer = context.client("cloudfront").get_distribution_config(Id=identifier)
    invalidations = tuple(_invalidations(context, identifier))
    return distribution(identifier, summary["DomainName"], answer["DistributionConfig"], invalidations)


def _invalidations(context: Context, identifier: str) -> Iterator[tuple[str, str]]:
    """Yield (path, id) of the distribution's invalidations, the newest first."""
    client = context.client("cloudfront")
    pages = client.get_paginator("list_invalidations").paginate(DistributionId=identifier)
    listed = [one for page in pages for one in page["InvalidationList"].get("Items") or []]
    listed.reverse()  # the later of two of one second comes first
    for summary in sorted(listed, key=lambda one: one["CreateTime"], reverse=True):
        told = client.get_invalidation(DistributionId=identifier, Id=summary["Id"])["Invalidation"]
        for path in _items(told["InvalidationBatch"], "Paths"):
            yield path, summary["Id"]


def _names(summary: Description) -> list[str]:
    return [summary["DomainName"], *_items(summary, "Aliases")]


def _items(described: Description, key: str) -> list[Any]:
    return list((described.get(key) or {}).get("Items") or [])
