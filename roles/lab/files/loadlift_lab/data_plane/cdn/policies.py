"""AWS's managed policies, by their ids: what they put in the cache key and what they forward.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html and
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
"""

from __future__ import annotations

from dataclasses import dataclass

from loadlift_lab.data_plane.cdn.model import ALL, NONE, Choice

YEAR, DAY = 31536000, 86400


@dataclass(frozen=True)
class CachePolicy:
    """A cache policy; the times are in seconds."""

    min_ttl: int = 0
    default_ttl: int = 0
    max_ttl: int = 0
    query_strings: Choice = NONE
    headers: Choice = NONE
    cookies: Choice = NONE


@dataclass(frozen=True)
class OriginRequestPolicy:
    """What goes to the origin beyond the cache key."""

    query_strings: bool = False
    headers: Choice = NONE
    cookies: bool = False
    host: bool = False


_OF_THE_ORIGIN = Choice(names=("host", "origin", "x-http-method", "x-http-method-override", "x-method-override"))

CACHING_DISABLED = CachePolicy()
CACHE_POLICIES = {
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": CACHING_DISABLED,
    "658327ea-f89d-4fab-a63d-7e88639e58f6": CachePolicy(1, DAY, YEAR),  # CachingOptimized
    "b2884449-e4de-46a7-ac36-70bc7f1ddd6d": CachePolicy(1, DAY, YEAR),  # CachingOptimizedForUncompressedObjects
    # UseOriginCacheControlHeaders, and the same with query strings
    "83da9c7e-98b4-4e11-a168-04f0df8e2c65": CachePolicy(0, 0, YEAR, headers=_OF_THE_ORIGIN, cookies=ALL),
    "4cc15a8a-d715-48a4-82b8-cc0b614638fe": CachePolicy(0, 0, YEAR, ALL, _OF_THE_ORIGIN, ALL),
}
ORIGIN_REQUEST_POLICIES = {
    "216adef6-5c7f-47e4-b989-5492eafa07d3": OriginRequestPolicy(True, ALL, True, host=True),  # AllViewer
    "b689b0a8-53d0-40ab-baf2-68738e2966ac": OriginRequestPolicy(True, ALL, True),  # AllViewerExceptHostHeader
    "acba4595-bd28-49b8-b9fe-13317c0390fa": OriginRequestPolicy(headers=Choice(names=("user-agent", "referer"))),
    "59781a5b-3903-41f3-afcb-af62929ccde1": OriginRequestPolicy(headers=Choice(names=("origin",))),  # CORS-CustomOrigin
}
