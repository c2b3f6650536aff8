"""How an edge asks on a viewer's behalf: the cache key, the headers it sends on, the hop it asks."""

from __future__ import annotations

import json
from dataclasses import dataclass

from loadlift_lab.data_plane.cdn.blocks import Lines, lines, when
from loadlift_lab.data_plane.cdn.model import NONE, Behavior, Choice, Distribution, Origin
from loadlift_lab.data_plane.cdn.quoting import header_variable, quote

# The hops of a request: each the name of an nginx upstream.
COLLAPSE, ORIGIN = "cdn_collapse", "cdn_origin"
# What the hops tell one another: no origin may say it, and no viewer sees it.
OWN_HEADERS = ("X-Lab-Expires", "X-Lab-Alone", "X-Lab-Shared", "X-Lab-Since")
# CloudFront sets these in its answers itself.
REPLACED_IN_ANSWERS = ("Age", "Via", "X-Cache", "X-Amz-Cf-Id", "X-Amz-Cf-Pop")
# What keeps an answer, and how long, is for X-Accel-Expires alone to say.
IGNORED = "Cache-Control Expires Set-Cookie Vary X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset"
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html: the
# headers that are taken off, or replaced, unless the behavior forwards them. Authorization stays in PUT and its like.
REPLACED_HEADERS = {
    "Accept": '""',
    "Accept-Charset": '""',
    "Accept-Language": '""',
    "Authorization": "$cdn_authorization",
    "Referer": '""',
    "User-Agent": '"Amazon CloudFront"',
    "X-HTTP-Method-Override": '""',
}
NEVER_FORWARDED = (
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Upgrade",
    "X-Forwarded-Proto",
    "X-Real-IP",
)
# The edge asks as CloudFront does, whatever the viewer said of these.
SET_BY_THE_EDGE = {"accept-encoding", "cookie"}
GENERATED_HEADERS = {"cloudfront-forwarded-proto": "$scheme"}


@dataclass(frozen=True)
class Route:
    """A cache behavior of a distribution, each with its number, and what nginx has for the path to ask for."""

    number: int
    distribution: Distribution
    index: int
    behavior: Behavior
    path: str

    @property
    def hop_name(self) -> str:
        """The name by which the hop to the origin knows the behavior."""
        return f"d{self.number}b{self.index}"

    @property
    def origin(self) -> Origin:
        """The behavior's origin; raises LookupError for one that the distribution does not have."""
        for origin in self.distribution.origins:
            if origin.id == self.behavior.origin_id:
                return origin
        raise LookupError(f"The distribution {self.distribution.id} has no origin {self.behavior.origin_id}.")


def routes(number: int, distribution: Distribution) -> list[Route]:
    """Return a route a behavior, for the path that the viewer asked for."""
    path = f"$cdn_path_{number}" if distribution.default_root_object else "$cdn_path"
    return [Route(number, distribution, *indexed, path) for indexed in enumerate(distribution.behaviors)]


def request(route: Route) -> Lines:
    """Return the directives that are the same whichever hop is asked."""
    behavior, origin = route.behavior, route.origin
    return lines(
        _script_values(behavior),
        _cache(route),
        when(behavior.cookies_forwarded == NONE, "proxy_hide_header Set-Cookie;"),
        (f"proxy_hide_header {name};" for name in (*REPLACED_IN_ANSWERS, *OWN_HEADERS)),
        f"proxy_set_header Host {route.hop_name};",
        f"proxy_set_header X-Lab-Host {'$http_host' if behavior.host_forwarded else quote(origin.domain_name)};",
        f'proxy_set_header Via "${{cdn_via}}1.1 {route.distribution.domain_name} (CloudFront)";',
        f"proxy_set_header Cookie {_cookies(behavior.cookies_forwarded)};",
        _forwarded_headers(behavior),
        (f"proxy_set_header {_header_name(name)} {quote(value)};" for name, value in origin.headers),
    )


def ask(route: Route, hop: str) -> str:
    """Return the directive that asks `hop`, an upstream or a variable that holds one."""
    query = "$is_args$args" if route.behavior.query_strings_forwarded else ""
    return f'proxy_pass "http://{hop}{quote(route.origin.path)[1:-1]}{route.path}{query}";'


def _script_values(behavior: Behavior) -> Lines:
    """Return the names that the script chooses by."""
    cookies, query_strings = behavior.cookies_in_key.names, behavior.query_strings_in_key.names
    return [
        *when(cookies, f"set $cdn_cookies {quote(json.dumps(cookies))};"),
        *when(query_strings, f"set $cdn_query_strings {quote(json.dumps(query_strings))};"),
    ]


def _header_name(name: str) -> str:
    header_variable(name)  # raises when it is none
    return name


def _cookies(choice: Choice) -> str:
    if choice.all:
        return "$http_cookie"
    return "$cdn_chosen_cookies" if choice.names else '""'


def _forwarded_headers(behavior: Behavior) -> Lines:
    named = {name.lower() for name in behavior.headers_forwarded.names}
    return [
        *(f'proxy_set_header {name} "";' for name in NEVER_FORWARDED),
        *(
            f"proxy_set_header {name} {value};"
            for name, value in REPLACED_HEADERS.items()
            if not behavior.headers_forwarded.all and name.lower() not in named
        ),
        *(f"proxy_set_header {name} {value};" for name, value in GENERATED_HEADERS.items() if name in named),
        "proxy_set_header Accept-Encoding $cdn_encoding;",
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "proxy_set_header X-Amz-Cf-Id $request_id;",
        "proxy_set_header X-Lab-Key $cdn_key;",
        'proxy_set_header Connection "";',
    ]


def _cache(route: Route) -> Lines:
    if not route.behavior.caches:
        return ['set $cdn_key "";', "proxy_cache off;"]
    return [
        f'set $cdn_key "{"|".join(_key(route))}";',
        "proxy_cache edge;",
        "proxy_cache_key $cdn_key;",
        "proxy_cache_revalidate on;",
        "proxy_cache_use_stale error timeout invalid_header http_500 http_502 http_503 http_504;",
    ]


def _key(route: Route) -> Lines:
    """What tells one object from another; a new invalidation makes another object of the same path."""
    distribution, behavior = route.distribution, route.behavior
    named_query = "$cdn_chosen_query_strings" if behavior.query_strings_in_key.names else ""
    return [
        distribution.id,
        f"$cdn_generation_{route.number}" if distribution.invalidations else "",
        route.path,
        "$args" if behavior.query_strings_in_key.all else named_query,
        *(header_variable(name) for name in sorted(behavior.headers_in_key.names) if _is_keyed(name)),
        _cookies(behavior.cookies_in_key).strip('"'),
        "$cdn_encoding",
    ]


def _is_keyed(name: str) -> bool:
    return name.lower() not in SET_BY_THE_EDGE and name.lower() not in GENERATED_HEADERS
