"""Behind the edge's cache: two hops that collapse requests for one object, and one that asks the origin."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from loadlift_lab.data_plane.cdn.blocks import Lines, block, lines
from loadlift_lab.data_plane.cdn.model import Behavior, Distribution, Origin, Snapshot, Surroundings
from loadlift_lab.data_plane.cdn.quoting import quote, quote_pattern
from loadlift_lab.data_plane.cdn.request import COLLAPSE, IGNORED, ORIGIN, OWN_HEADERS, Route, routes
from loadlift_lab.data_plane.cdn.viewer import own_answer

# nginx lets a waiting request look every 500 ms, or when its time is over. So the first hop lets it go on after 50 ms,
# which is enough for a quick origin, and the second holds it until a slow one has answered.
LOCK_TIMEOUTS = ("50ms", "600s")
# A worker that is killed leaves its locks behind: after this time somebody else asks.
LOCK_AGE = "30s"
# As many may miss at once: a socket whose backlog is full refuses.
BACKLOG = "backlog=4096"
# An origin may be slow three times in a row: the hops before it wait longer than it ever may.
HOP_TIMEOUT = "600s"
PROXYING = (
    "proxy_http_version 1.1;",
    "proxy_buffer_size 32k;",
    "proxy_buffers 16 32k;",
    "proxy_busy_buffers_size 64k;",
    f"proxy_read_timeout {HOP_TIMEOUT};",
    f"proxy_send_timeout {HOP_TIMEOUT};",
    "proxy_pass_header Date;",
    "proxy_pass_header Server;",
    f"proxy_ignore_headers X-Accel-Redirect {IGNORED};",
)
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html: types and sizes.
COMPRESSED_TYPES = (
    "application/dash+xml application/eot application/font application/font-sfnt application/javascript "
    "application/json application/opentype application/otf application/pkcs7-mime application/protobuf "
    "application/rss+xml application/truetype application/ttf application/vnd.apple.mpegurl "
    "application/vnd.ms-fontobject application/xhtml+xml application/xml application/x-font-opentype "
    "application/x-font-truetype application/x-font-ttf application/x-httpd-cgi application/x-javascript "
    "application/x-mpegurl application/x-opentype application/x-otf application/x-perl application/x-ttf font/eot "
    "font/opentype font/otf font/ttf image/svg+xml text/css text/csv text/javascript text/js text/plain text/richtext "
    "text/tab-separated-values text/xml text/x-component text/x-java-source text/x-script vnd.apple.mpegurl"
)
COMPRESS = (
    "gzip on;",
    "gzip_comp_level 5;",
    "gzip_min_length 1000;",
    "gzip_proxied any;",
    f"gzip_types {COMPRESSED_TYPES};",  # text/html always is
)
KEEP = "js_header_filter edge.keep;"
UNREACHABLE = "CloudFront wasn't able to connect to the origin."
UNKNOWN = "CloudFront wasn't able to resolve the origin domain name."
SILENT = "CloudFront attempted to establish a connection with the origin, but the origin did not answer in time."


def servers(snapshot: Snapshot, addresses: Mapping[str, str], place: Surroundings) -> Iterator[str]:
    """Yield the upstreams and servers of every hop."""
    first, second = (_socket(place, f"collapse-{number}") for number in (1, 2))
    origin = _socket(place, "origin")
    yield from _upstream(COLLAPSE, first)
    yield from _upstream(f"{COLLAPSE}_again", second)
    yield from _upstream(ORIGIN, origin)
    yield from _collapse(place, 1, first, f"{COLLAPSE}_again")
    yield from _collapse(place, 2, second, ORIGIN)
    for number, distribution in enumerate(snapshot.distributions):
        for index, one in enumerate(distribution.origins):
            yield from _origin_upstream(_origin_name(number, index), one, _address(one, addresses))
        for route in routes(number, distribution):
            yield from _to_origin(route, addresses, place)


def _socket(place: Surroundings, name: str) -> str:
    return f"unix:{place.socket_directory}/cdn-{place.number}-{name}.sock"


def _upstream(name: str, socket: str) -> Lines:
    return block(
        f"upstream {name}",
        # Twice: a reload may close a connection between two hops just as it is used, and then nginx tries the next one.
        [f"server {quote_pattern(socket)} max_fails=0;"] * 2,
        "keepalive 64;",
        "keepalive_requests 1000000000;",
    )


def _collapse(place: Surroundings, number: int, socket: str, next_hop: str) -> Lines:
    directory = f"{place.folder}/collapse-{number}"
    return lines(
        f"proxy_cache_path {quote_pattern(directory)} keys_zone=collapse_{number}:4m max_size=256m inactive=10m "
        "use_temp_path=off;",
        block(
            "server",
            f"listen {quote_pattern(socket)} {BACKLOG};",
            "access_log off;",
            "open_file_cache off;",  # else a file that was removed seems to be there
            f"set $cdn_collapse_directory {quote(directory)};",
            f'set $cdn_collapse_last "{"1" if number == 1 else ""}";',
            block(
                "location /",
                "js_header_filter edge.share;",
                f"proxy_cache collapse_{number};",
                "proxy_cache_key $cdn_collapse_key;",
                "proxy_cache_lock on;",
                f"proxy_cache_lock_timeout {LOCK_TIMEOUTS[number - 1]};",
                f"proxy_cache_lock_age {LOCK_AGE};",
                *(f"proxy_pass_header {name};" for name in ("Date", "Server", "X-Accel-Expires", "X-Accel-Redirect")),
                "proxy_set_header Host $host;",
                'proxy_set_header Connection "";',
                "proxy_set_header If-None-Match $http_if_none_match;",
                "proxy_set_header If-Modified-Since $http_if_modified_since;",
                f"proxy_pass http://{next_hop};",
            ),
        ),
    )


def _origin_name(number: int, index: int) -> str:
    return f"cdn_origin_{number}_{index}"


def _address(origin: Origin, addresses: Mapping[str, str]) -> str | None:
    return addresses.get(origin.domain_name) if origin.port else None


def _origin_upstream(name: str, origin: Origin, address: str | None) -> Lines:
    if not address:
        return []
    return block(
        f"upstream {name}",
        # Once for each attempt: nginx tries each server once.
        [f"server {address}:{origin.port} max_fails=0;"] * origin.connection_attempts,
        "keepalive 64;",
        "keepalive_requests 1000000000;",
        f"keepalive_timeout {origin.keepalive_timeout}s;",
    )


def _to_origin(route: Route, addresses: Mapping[str, str], place: Surroundings) -> Lines:
    origin, behavior = route.origin, route.behavior
    upstream = _origin_name(route.number, route.distribution.origins.index(origin))
    reachable = _address(origin, addresses) is not None
    first = f" {BACKLOG}" if (route.number, route.index) == (0, 0) else ""
    return block(
        "server",
        f"listen {quote_pattern(_socket(place, 'origin'))}{first};",
        f"server_name {route.hop_name};",
        f"access_log {quote_pattern(place.folder + '/counters/origin_requests')} one_byte buffer=512 flush=100ms;",
        f"set $cdn_lifetimes {quote(json.dumps(_lifetimes(route.distribution, behavior)))};",
        COMPRESS if behavior.compress else "gzip off;",
        "error_page 502 @unreachable;",
        "error_page 504 @silent;",
        block("location /", KEEP, _ask(upstream, origin) if reachable else own_answer(502, UNKNOWN)),
        block("location @unreachable", KEEP, own_answer(502, UNREACHABLE)),
        block("location @silent", KEEP, own_answer(504, SILENT)),
    )


def _lifetimes(distribution: Distribution, behavior: Behavior) -> dict[str, object]:
    return {
        "min": behavior.min_ttl,
        "default": behavior.default_ttl,
        "max": behavior.max_ttl,
        "errors": {
            str(one.status): one.caching_min_ttl
            for one in distribution.error_responses
            if one.caching_min_ttl is not None
        },
    }


def _ask(upstream: str, origin: Origin) -> Lines:
    return [
        "proxy_set_header Host $http_x_lab_host;",
        *(f'proxy_set_header X-Lab-{name} "";' for name in ("Host", "Key", "Direct", "Alone")),
        *(f"proxy_hide_header {name};" for name in OWN_HEADERS),
        'proxy_set_header Connection "";',
        f"proxy_connect_timeout {origin.connection_timeout}s;",
        f"proxy_read_timeout {origin.read_timeout}s;",
        f"proxy_send_timeout {origin.read_timeout}s;",
        "proxy_next_upstream error timeout;",
        f"proxy_next_upstream_tries {origin.connection_attempts};",
        f"proxy_pass http://{upstream};",
    ]
