"""nginx.conf of one edge: what viewers meet, the hops that collapse requests, the hop to the origin, the counters.

A request that the edge's cache cannot answer goes on to two hops of the same nginx that let one request for an object
through and hold the others until it has its answer, and then to a hop that asks the origin and tells, by a script
(edge.js), how long CloudFront would keep the answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from loadlift_lab.data_plane.cdn import hops, request, viewer
from loadlift_lab.data_plane.cdn.blocks import Lines, block, lines, mapping
from loadlift_lab.data_plane.cdn.model import Snapshot, Surroundings
from loadlift_lab.data_plane.cdn.quoting import quote, quote_pattern

# Descriptors that are no connections: listeners, logs, cache files kept open, the hops' own.
RESERVED_FILES = 1000
# Each counter is a log of one byte a request: its size is the count, exact over reloads and killed processes.
RESULTS = {"Hit": "hits", "RefreshHit": "refresh_hits", "Miss": "misses", "Error": "errors", "Redirect": "redirects"}
CLASSES = {"2": "2xx", "3": "3xx", "4": "4xx", "5": "5xx", "0": "000"}
COUNTER_OPTIONS = "one_byte buffer=512 flush=100ms"
IDENTITY = "set $cdn_configuration "


def render(snapshot: Snapshot, addresses: Mapping[str, str], place: Surroundings) -> str:
    """Return an edge's configuration; `addresses` are DNS name -> address of the origins that there are."""
    body = "\n".join(lines(_main(place), block("http", _http(snapshot, addresses, place)), ""))
    identity = hashlib.sha256(body.encode(errors="surrogateescape")).hexdigest()[:16]
    return body.replace(f"{IDENTITY}-;", f"{IDENTITY}{identity};")


def identity_in(configuration: str) -> str:
    """Return the name that `render` gave to `configuration`: `/status` tells it."""
    return configuration.split(IDENTITY, 1)[1].split(";", 1)[0]


def counter_files(place: Surroundings) -> dict[str, str]:
    """Return counter -> the file whose size it is."""
    names = [*RESULTS.values(), *CLASSES.values(), "origin_requests"]
    return {name: f"{place.folder}/counters/{name}" for name in names}


def _main(place: Surroundings) -> Lines:
    return lines(
        "# Written by the data plane from the API's distributions.",
        f"load_module {quote_pattern(place.js_module)};",
        "daemon off;",
        [f"user {place.user};"] if place.user else [],
        "worker_processes 1;",
        f"worker_rlimit_nofile {place.open_files};",
        f"pid {quote_pattern(place.folder + '/nginx.pid')};",
        "error_log stderr error;",
        block("events", f"worker_connections {place.open_files - RESERVED_FILES};", "multi_accept on;"),
    )


def _http(snapshot: Snapshot, addresses: Mapping[str, str], place: Surroundings) -> Iterator[str]:
    yield from _general(place)
    yield from _variables(snapshot)
    yield from _counters(place)
    yield from hops.servers(snapshot, addresses, place)
    for number, distribution in enumerate(snapshot.distributions):
        yield from viewer.server(number, distribution, place)
    yield from viewer.disabled_server(snapshot.disabled_names, place)
    yield from _status(place)


def _general(place: Surroundings) -> Lines:
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return [
        f"js_path {quote_pattern(place.script_directory)};",
        "js_import edge from edge.js;",
        *(f"{kind}_temp_path {quote_pattern(f'{place.folder}/temporary/{kind}')};" for kind in temporary),
        "server_tokens off;",
        "default_type text/html;",
        "merge_slashes off;",
        "server_names_hash_bucket_size 256;",
        "client_max_body_size 0;",
        "large_client_header_buffers 4 32k;",
        # A user of a load test waits up to 15 s, and CloudFront keeps viewers' connections for minutes.
        "keepalive_timeout 300s;",
        "keepalive_requests 1000000000;",
        "reset_timedout_connection on;",
        "sendfile off;",
        "output_buffers 1 128k;",
        "open_file_cache max=512 inactive=60s;",
        "open_file_cache_valid 60s;",
        f"proxy_cache_path {quote_pattern(f'{place.folder}/cache')} levels=1:2 keys_zone=edge:16m max_size=2g "
        "inactive=24h use_temp_path=off;",
        *hops.PROXYING,
    ]


def _variables(snapshot: Snapshot) -> Iterator[str]:
    yield from block("geo $dollar", 'default "$";')
    yield from mapping("$request_uri", "$cdn_path", {'"~^(?<cdn_raw>[^?]*)"': "$cdn_raw"}, "/")
    yield from mapping(
        "$request_method", "$cdn_hop", {"GET": request.COLLAPSE, "HEAD": request.COLLAPSE}, request.ORIGIN
    )
    yield from mapping("$request_method", "$cdn_direct", {"GET": '""', "HEAD": '""'}, "1")
    yield from mapping("$request_method", "$cdn_authorization", {"GET": '""', "HEAD": '""'}, "$http_authorization")
    yield from mapping('"$server_protocol:$http_accept_encoding"', "$cdn_encoding", {'"~^HTTP/1.1:.*gzip"': "gzip"})
    yield from mapping("$http_via", "$cdn_via", {'""': '""'}, '"$http_via, "')
    yield from mapping("$upstream_cache_status", "$cdn_age", {"HIT": "$cdn_age_of_hit", "STALE": "$cdn_age_of_hit"})
    yield "js_set $cdn_age_of_hit edge.age;"
    yield "js_set $cdn_collapse_key edge.collapseKey;"
    yield "js_set $cdn_chosen_cookies edge.cookies;"
    yield "js_set $cdn_chosen_query_strings edge.queryStrings;"
    for number, distribution in enumerate(snapshot.distributions):
        if distribution.invalidations:
            paths = viewer.generation_map(distribution)
            yield from mapping("$request_uri", f"$cdn_generation_{number}", paths)
        if distribution.default_root_object:
            root = quote("/" + distribution.default_root_object)
            yield from mapping("$cdn_path", f"$cdn_path_{number}", {"/": root}, "$cdn_path")


def _counters(place: Surroundings) -> Iterator[str]:
    files = counter_files(place)
    yield 'log_format one_byte "";'
    yield from mapping("$upstream_cache_status", "$cdn_fetched", _RESULT_OF_CACHE, "$cdn_collapsed")
    yield from mapping("$upstream_http_x_lab_shared", "$cdn_collapsed", {"1": "Hit"}, "Miss")
    yield from mapping("$status", "$cdn_answered", {'"~^[45]"': "Error"}, "$cdn_fetched")
    yield from mapping("$cdn_own", "$cdn_result", {'""': "$cdn_answered"}, "$cdn_own")
    yield from mapping("$status", "$cdn_class", {'"499"': "0", '"~^(?<cdn_digit>[2-5])"': "$cdn_digit"}, "0")
    for variable, names in (("$cdn_result", RESULTS), ("$cdn_class", CLASSES)):
        for value, counter in names.items():
            yield from mapping(variable, f"$cdn_is_{counter}", {value: "1"})
            yield f"access_log {quote_pattern(files[counter])} {COUNTER_OPTIONS} if=$cdn_is_{counter};"


# STALE: the origin failed, so the object that it gave before is shown.
_RESULT_OF_CACHE = {"HIT": "Hit", "STALE": "Hit", "UPDATING": "Hit", "REVALIDATED": "RefreshHit"}


def _status(place: Surroundings) -> Lines:
    return block(
        "server",
        f"listen {place.address}:{place.status_port};",
        "access_log off;",
        f"set $cdn_edge {place.address};",
        f"{IDENTITY}-;",
        f"set $cdn_counters {quote(place.folder + '/counters')};",
        block("location = /status", "js_content edge.status;"),
        block("location /", "return 404;"),
    )
