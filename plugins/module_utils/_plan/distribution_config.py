# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The configuration of a CloudFront distribution: a task's options laid over the present one. Pure.

What the options do not name stays as it is; of lists, what the task does not name goes. A configuration is AWS's own:
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .plan import InputError

Config = Mapping[str, Any]
Options = Mapping[str, Any]

SIMPLE = {
    "comment": "Comment",
    "enabled": "Enabled",
    "default_root_object": "DefaultRootObject",
    "price_class": "PriceClass",
    "http_version": "HttpVersion",
    "ipv6_enabled": "IsIPV6Enabled",
    "web_acl_id": "WebACLId",
}
SIMPLE_BEHAVIOR = {
    "path_pattern": "PathPattern",
    "origin_id": "TargetOriginId",
    "viewer_protocol_policy": "ViewerProtocolPolicy",
    "compress": "Compress",
}
TTLS = {"min_ttl": "MinTTL", "default_ttl": "DefaultTTL", "max_ttl": "MaxTTL"}
POLICIES = {
    "cache_policy_id": "CachePolicyId",
    "origin_request_policy_id": "OriginRequestPolicyId",
    "response_headers_policy_id": "ResponseHeadersPolicyId",
}
FORWARDING = ("query_string", "query_string_cache_keys", "headers", "cookies")
SIMPLE_ORIGIN = {
    "domain_name": "DomainName",
    "path": "OriginPath",
    "connection_attempts": "ConnectionAttempts",
    "connection_timeout": "ConnectionTimeout",
}
CUSTOM_ORIGIN = {
    "http_port": "HTTPPort",
    "https_port": "HTTPSPort",
    "protocol_policy": "OriginProtocolPolicy",
    "read_timeout": "OriginReadTimeout",
    "keepalive_timeout": "OriginKeepaliveTimeout",
}
NEW_ORIGIN = {"OriginPath": "", "CustomHeaders": {"Quantity": 0}}
NEW_CUSTOM_ORIGIN = {
    "HTTPPort": 80,
    "HTTPSPort": 443,
    "OriginProtocolPolicy": "match-viewer",
    "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
    "OriginReadTimeout": 30,
    "OriginKeepaliveTimeout": 5,
}
NEW_BEHAVIOR = {
    "ViewerProtocolPolicy": "allow-all",
    "Compress": False,
    "AllowedMethods": {
        "Quantity": 2,
        "Items": ["GET", "HEAD"],
        "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
    },
}
# What CloudFront takes for omitted TTLs:
# https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CacheBehavior.html
NEW_TTLS = {"MinTTL": 0, "DefaultTTL": 86400, "MaxTTL": 31536000}
NEW_FORWARDED = {"QueryString": False, "Cookies": {"Forward": "none"}, "Headers": {"Quantity": 0}}
# https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_AllowedMethods.html
METHOD_SETS = (
    ("GET", "HEAD"),
    ("GET", "HEAD", "OPTIONS"),
    ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"),
)


def wanted_config(caller_reference: str, current: Config, options: Options) -> dict[str, Any]:
    """Return the configuration after the task."""
    new = {"CallerReference": caller_reference, "Comment": caller_reference, "Enabled": True}
    config: dict[str, Any] = new | dict(current)
    config |= _given(options, SIMPLE)
    if options["aliases"] is not None:
        config["Aliases"] = _listed(config.get("Aliases"), options["aliases"])
    if options["certificate"] is not None:
        config["ViewerCertificate"] = _certificate(config.get("ViewerCertificate", {}), options["certificate"])
    if options["origins"] is not None:
        config["Origins"] = _matched(config.get("Origins"), options["origins"], "id", "Id", _origin)
    if options["default_cache_behavior"] is not None:
        config["DefaultCacheBehavior"] = _behavior(
            config.get("DefaultCacheBehavior"), options["default_cache_behavior"], "default_cache_behavior"
        )
    if options["cache_behaviors"] is not None:
        config["CacheBehaviors"] = _matched(
            config.get("CacheBehaviors"), options["cache_behaviors"], "path_pattern", "PathPattern", _behavior
        )
    if options["custom_error_responses"] is not None:
        config["CustomErrorResponses"] = _errors(config.get("CustomErrorResponses"), options["custom_error_responses"])
    _check(config)
    return config


def _check(config: Config) -> None:
    for option, key in (("origins", "Origins"), ("default_cache_behavior", "DefaultCacheBehavior")):
        if not config.get(key):
            raise InputError(f"{option} is missing; a new distribution needs it.")
    origins = [origin["Id"] for origin in config["Origins"]["Items"]]
    for behavior in [config["DefaultCacheBehavior"], *_items(config.get("CacheBehaviors"))]:
        if behavior["TargetOriginId"] not in origins:
            place = behavior.get("PathPattern", "default_cache_behavior")
            raise InputError(
                f"origin_id '{behavior['TargetOriginId']}' of {place} is no origin; allowed are {', '.join(origins)}."
            )


def _matched(current: Any, given: Sequence[Options], option: str, key: str, make: Any) -> dict[str, Any]:
    """Return the given things in their order, each laid over the present one with the same identity."""
    present = {item[key]: item for item in _items(current)}
    names = [one[option] for one in given]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{option} '{twice}' is there twice; each may be there once.")
    made = [make(present.get(one[option]), one, one[option]) for one in given]
    return {"Quantity": len(made)} | ({"Items": made} if made else {})


def _origin(current: Config | None, given: Options, _name: str) -> dict[str, Any]:
    origin = dict(current or NEW_ORIGIN) | {"Id": given["id"]} | _given(given, SIMPLE_ORIGIN)
    custom = _given(given, CUSTOM_ORIGIN)
    if "CustomOriginConfig" in origin or custom or current is None:
        origin["CustomOriginConfig"] = dict(origin.get("CustomOriginConfig") or NEW_CUSTOM_ORIGIN) | custom
        if given["ssl_protocols"] is not None:
            protocols = _listed(origin["CustomOriginConfig"].get("OriginSslProtocols"), given["ssl_protocols"])
            origin["CustomOriginConfig"]["OriginSslProtocols"] = protocols
    if "DomainName" not in origin:
        raise InputError(f"origins: domain_name of the new origin '{given['id']}' is missing.")
    return origin


def _behavior(current: Config | None, given: Options, name: str) -> dict[str, Any]:
    behavior = dict(current or NEW_BEHAVIOR) | _given(given, SIMPLE_BEHAVIOR) | _given(given, POLICIES)
    behavior["AllowedMethods"] = _methods(behavior["AllowedMethods"], given, name)
    legacy = [option for option in (*TTLS, *FORWARDING) if given[option] is not None]
    if given["cache_policy_id"] and legacy:
        raise InputError(
            f"{name} has both cache_policy_id and {legacy[0]}; a cache policy says by itself what is kept."
        )
    if legacy:
        for key in ("CachePolicyId", "OriginRequestPolicyId"):
            behavior.pop(key, None)
    if not behavior.get("CachePolicyId"):
        behavior |= NEW_TTLS | {key: behavior[key] for key in NEW_TTLS if key in behavior} | _given(given, TTLS)
        behavior["ForwardedValues"] = _forwarded(behavior.get("ForwardedValues", NEW_FORWARDED), given)
        _check_ttls(behavior, name)
    if "TargetOriginId" not in behavior:
        raise InputError(f"origin_id of the new behavior {name} is missing.")
    return _without_unused(behavior)


def _check_ttls(behavior: Config, name: str) -> None:
    least, usual, most = (behavior[key] for key in ("MinTTL", "DefaultTTL", "MaxTTL"))
    if not 0 <= least <= usual <= most:
        raise InputError(
            f"{name} has min_ttl {least}, default_ttl {usual}, max_ttl {most}; 0 <= min_ttl <= default_ttl <= max_ttl."
        )


def _methods(current: Config, given: Options, name: str) -> dict[str, Any]:
    allowed = _listed(current, given["allowed_methods"]) if given["allowed_methods"] is not None else dict(current)
    present = current.get("CachedMethods", {})
    cached = given["cached_methods"]
    methods = allowed | {"CachedMethods": _listed(present, cached) if cached is not None else present}
    for option, value, sets in (("allowed_methods", methods, METHOD_SETS),
                                ("cached_methods", methods["CachedMethods"], METHOD_SETS[:2])):  # fmt: skip
        if not any(set(_items(value)) == set(one) for one in sets):
            allowed_texts = "; ".join(", ".join(one) for one in sets)
            raise InputError(f"{option} of {name} is {', '.join(_items(value))}; allowed are {allowed_texts}.")
    return methods


def _forwarded(current: Config, given: Options) -> dict[str, Any]:
    forwarded = dict(current)
    if given["query_string"] is not None:
        forwarded["QueryString"] = given["query_string"]
    if given["query_string_cache_keys"] is not None:
        keys = given["query_string_cache_keys"]
        forwarded["QueryStringCacheKeys"] = _listed(forwarded.get("QueryStringCacheKeys"), keys)
    if given["headers"] is not None:
        forwarded["Headers"] = _listed(forwarded.get("Headers"), given["headers"])
    if given["cookies"] is not None:
        forwarded["Cookies"] = _cookies(forwarded["Cookies"], given["cookies"])
    return forwarded


def _cookies(current: Config, names: Sequence[str]) -> dict[str, Any]:
    if not names or list(names) == ["*"]:
        return {"Forward": "all" if names else "none"}
    return {"Forward": "whitelist", "WhitelistedNames": _listed(current.get("WhitelistedNames"), names)}


def _certificate(current: Config, given: Options) -> dict[str, Any]:
    wanted: dict[str, Any] = {"CloudFrontDefaultCertificate": True}
    if given["acm_certificate_arn"]:
        wanted = {
            "CloudFrontDefaultCertificate": False,
            "ACMCertificateArn": given["acm_certificate_arn"],
            "SSLSupportMethod": given["ssl_support_method"],
            "MinimumProtocolVersion": given["minimum_protocol_version"],
        }
    same = all(current.get(key, False) == value for key, value in wanted.items())
    return dict(current) if same and current else wanted


def _errors(current: Any, given: Sequence[Options]) -> dict[str, Any]:
    made = [
        {
            "ErrorCode": one["error_code"],
            "ResponsePagePath": one["response_page_path"],
            "ResponseCode": str(one["response_code"]) if one["response_code"] is not None else "",
            "ErrorCachingMinTTL": one["error_caching_min_ttl"],
        }
        for one in given
    ]
    empty = {"ResponsePagePath": "", "ResponseCode": ""}
    if sorted((empty | one for one in _items(current)), key=_error_code) == sorted(made, key=_error_code):
        return dict(current or {"Quantity": 0})
    return {"Quantity": len(made)} | ({"Items": made} if made else {})


def _error_code(response: Config) -> int:
    return int(response["ErrorCode"])


def clean(config: Config) -> dict[str, Any]:
    """Return a configuration without what does not count, such as the TTLs next to a cache policy."""
    cleaned = dict(config) | {"DefaultCacheBehavior": _without_unused(config["DefaultCacheBehavior"])}
    behaviors = config.get("CacheBehaviors", {})
    if _items(behaviors):
        cleaned["CacheBehaviors"] = {**behaviors, "Items": [_without_unused(one) for one in behaviors["Items"]]}
    return cleaned


def _without_unused(behavior: Config) -> dict[str, Any]:
    if behavior.get("CachePolicyId"):
        return {key: value for key, value in behavior.items() if key not in ("ForwardedValues", *NEW_TTLS)}
    return {key: value for key, value in behavior.items() if value or key not in POLICIES.values()}


def _given(options: Options, names: Mapping[str, str]) -> dict[str, Any]:
    return {key: options[option] for option, key in names.items() if options.get(option) is not None}


def _items(listed: Any) -> list[Any]:
    return list((listed or {}).get("Items") or [])


def _listed(current: Any, items: Iterable[Any]) -> dict[str, Any]:
    """Return `items` as AWS lists them; the present list where it holds the same, whose order AWS chose."""
    wanted = list(items)
    if current and sorted(_items(current)) == sorted(wanted):
        return dict(current)
    return {"Quantity": len(wanted)} | ({"Items": wanted} if wanted else {})
