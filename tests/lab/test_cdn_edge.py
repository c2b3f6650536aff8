"""One edge of the CDN: a real nginx with a rendered configuration, in front of an origin that counts."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from counting_origin import CountingOrigin, counting_origin
from loadlift_lab.data_plane.cdn import process
from loadlift_lab.data_plane.cdn.configuration import render
from loadlift_lab.data_plane.cdn.model import (
    ALL,
    Behavior,
    Choice,
    Distribution,
    ErrorResponse,
    Origin,
    Snapshot,
    Surroundings,
)
from loadlift_lab.settings import LabSettings
from supervised_lab import PACKAGES, wait_for

SUBNET, ORIGIN_ADDRESS, ORIGIN_PORT = "127.0.31", "127.0.31.150", 9000
DOMAIN = "web.elb.amazonaws.com"
SECRET = 'a$b"c\\;'
EVERY = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")

QUERY = Behavior("web", query_strings_forwarded=True, query_strings_in_key=ALL)
SESSION = Choice(names=("session*",))
MAIN = Distribution(
    "EMAIN",
    "main.cloudfront.net",
    origins=(
        Origin("web", DOMAIN, ORIGIN_PORT, "", (("X-Origin-Secret", SECRET),), connection_attempts=1, read_timeout=1),
        Origin("below", DOMAIN, ORIGIN_PORT, path="/below"),
        Origin("closed", DOMAIN, 9),
        Origin("unknown", "nobody.example.com", 80),
    ),
    behaviors=(
        replace(QUERY, path_pattern="data*", default_ttl=1, max_ttl=1, allowed_methods=EVERY),
        replace(QUERY, path_pattern="/min0/*", default_ttl=100, max_ttl=1000),
        replace(QUERY, path_pattern="/min50/*", min_ttl=50, default_ttl=100, max_ttl=1000),
        replace(QUERY, path_pattern="/never/*", default_ttl=0, max_ttl=0),
        replace(QUERY, path_pattern="/some/*", query_strings_in_key=Choice(names=("color", "size"))),
        replace(QUERY, path_pattern="/compressed/*", compress=True),
        replace(QUERY, path_pattern="/https/*", viewer_protocol_policy="redirect-to-https"),
        replace(QUERY, path_pattern="/only/*", viewer_protocol_policy="https-only"),
        replace(
            QUERY, path_pattern="/headers/*", headers_in_key=Choice(names=("Accept-Language", "Host")),
            headers_forwarded=Choice(names=("Accept-Language", "Host")), host_forwarded=True,
        ),
        replace(QUERY, path_pattern="/everything/*", headers_in_key=ALL, headers_forwarded=ALL, host_forwarded=True),
        replace(QUERY, path_pattern="/session/*", cookies_in_key=SESSION, cookies_forwarded=SESSION),
        replace(QUERY, path_pattern="/cookies/*", cookies_in_key=ALL, cookies_forwarded=ALL),
        replace(QUERY, path_pattern="/closed/*", origin_id="closed"),
        replace(QUERY, path_pattern="/unknown/*", origin_id="unknown"),
        replace(QUERY, path_pattern="/m?rk/*.gif", default_ttl=0),
        Behavior("web", default_ttl=600, max_ttl=600),
    ),
    error_responses=(ErrorResponse(503, 2), ErrorResponse(502, 2), ErrorResponse(504, 2)),
)  # fmt: skip
OTHER = Distribution(
    "EOTHER",
    "other.cloudfront.net",
    aliases=("www.example.com", "*.example.org"),
    origins=(Origin("below", DOMAIN, ORIGIN_PORT, path="/below"),),
    behaviors=(Behavior("below", query_strings_forwarded=True, query_strings_in_key=ALL),),
    error_responses=(ErrorResponse(404, 1, "/sorry.html", "200"),),
    default_root_object="index.html",
)
SNAPSHOT = Snapshot((MAIN, OTHER), disabled_names=("off.cloudfront.net",))


@dataclass(frozen=True)
class Answer:
    status: int
    result: str
    headers: dict[str, str]
    body: bytes
    seconds: float


@dataclass(frozen=True)
class Edge:
    place: Surroundings

    def get(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection(self.place.address, self.place.port, timeout=20)
        begun = time.monotonic()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=named)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        result = (answer.getheader("X-Cache") or "").removesuffix(" from cloudfront")
        return Answer(answer.status, result, dict(answer.getheaders()), text, time.monotonic() - begun)

    def together(self, path: str, count: int) -> list[Answer]:
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda _: self.get(path), range(count)))


@pytest.fixture(scope="module")
def origin() -> Iterator[CountingOrigin]:
    with counting_origin(ORIGIN_ADDRESS, ORIGIN_PORT) as server:
        yield server


@pytest.fixture(scope="module")
def edge(origin: CountingOrigin) -> Iterator[Edge]:
    with tempfile.TemporaryDirectory(prefix="cdn") as folder:
        place = process.surroundings(LabSettings(Path(folder), Path(folder), subnet=SUBNET), 1)
        process.write(place, render(SNAPSHOT, {DOMAIN: ORIGIN_ADDRESS}, place))
        command = [sys.executable, "-m", "loadlift_lab.data_plane.cdn.launch", place.folder]
        nginx = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": PACKAGES}, stderr=subprocess.PIPE, text=True)
        try:
            wait_for(lambda: process.status(place) or nginx.poll() is not None, 20)
            assert nginx.poll() is None, nginx.stderr.read() if nginx.stderr else ""
            yield Edge(place)
        finally:
            nginx.terminate()
            nginx.communicate(timeout=20)


def lifetime(edge: Edge, behavior: int, path: str) -> int | None:
    """Return for how many seconds the hop to the origin wants an answer kept; None when not at all."""
    connection = http.client.HTTPConnection("edge", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(f"{edge.place.socket_directory}/cdn-1-origin.sock")
    connection.request("GET", path, headers={"Host": f"d0b{behavior}", "X-Lab-Direct": "1", "X-Lab-Host": DOMAIN})
    told = connection.getresponse().getheader("X-Accel-Expires") or ""
    connection.close()
    return None if told == "0" else round(int(told.removeprefix("@")) + 1 - time.time())


MIN_0, MIN_50 = 1, 2  # the behaviors with TTLs of 0/100/1000 s and 50/100/1000 s
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html, row by row
LIFETIMES: list[tuple[int, dict[str, Any], int | None]] = [
    (MIN_0, {}, 100),
    (MIN_50, {}, 100),
    (MIN_0, {"cc": "max-age=10"}, 10),
    (MIN_0, {"cc": "max-age=5000"}, 1000),
    (MIN_50, {"cc": "max-age=10"}, 50),
    (MIN_50, {"cc": "max-age=70"}, 70),
    (MIN_50, {"cc": "max-age=5000"}, 1000),
    (MIN_0, {"cc": "max-age=10, s-maxage=20"}, 20),
    (MIN_0, {"cc": "S-MaxAge=20 , public"}, 20),
    (MIN_50, {"cc": "max-age=500, s-maxage=20"}, 50),
    (MIN_0, {"expires": 30}, 30),
    (MIN_0, {"expires": 5000}, 1000),
    (MIN_0, {"expires": -30}, 0),
    (MIN_50, {"expires": 30}, 50),
    (MIN_0, {"cc": "max-age=10", "expires": 60}, 10),
    (MIN_0, {"cc": "public"}, 100),
    (MIN_0, {"cc": "max-age=soon"}, 100),
    (MIN_0, {"cc": "max-age=0"}, 0),
    (MIN_0, {"cc": "no-cache"}, 0),
    (MIN_0, {"cc": "no-store"}, None),
    (MIN_0, {"cc": "private, max-age=60"}, None),
    (MIN_50, {"cc": "no-cache"}, 50),
    (MIN_50, {"cc": "no-store"}, 50),
    (MIN_50, {"cc": "private, max-age=60"}, 50),
    (MIN_0, {"vary": "*"}, 0),
    (MIN_50, {"vary": "*"}, 50),
    (MIN_0, {"status": 302}, 100),
    # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
    (MIN_0, {"status": 404}, 10),
    (MIN_50, {"status": 404}, 10),
    (MIN_0, {"status": 404, "cc": "max-age=30"}, 30),
    (MIN_0, {"status": 404, "cc": "max-age=5"}, 10),
    (MIN_0, {"status": 404, "cc": "no-store"}, 10),
    (MIN_0, {"status": 404, "expires": 40}, 40),
    (MIN_0, {"status": 404, "cc": "max-age=5000"}, 1000),
    (MIN_0, {"status": 405}, 10),
    (MIN_0, {"status": 414}, 10),
    (MIN_0, {"status": 500}, 10),
    (MIN_0, {"status": 501}, 10),
    (MIN_0, {"status": 503}, 2),  # the distribution's own error caching minimum TTL
    (MIN_0, {"status": 403}, None),
    (MIN_0, {"status": 403, "cc": "max-age=30"}, 30),
    (MIN_0, {"status": 400, "cc": "s-maxage=5"}, 10),
    (MIN_0, {"status": 401}, None),
    (MIN_0, {"status": 401, "cc": "max-age=30"}, None),
    (MIN_0, {"status": 416}, None),
    (MIN_0, {"status": 429}, None),
]


@pytest.mark.parametrize(("behavior", "wish", "seconds"), LIFETIMES)
def test_an_answer_is_kept_as_long_as_cloudfront_says(
    edge: Edge, behavior: int, wish: dict[str, Any], seconds: int | None
) -> None:
    told = lifetime(edge, behavior, f"/lifetime?{urlencode(wish)}")
    assert (told is None) == (seconds is None)
    assert abs((told or 0) - (seconds or 0)) <= 1


def test_an_object_expires_after_its_ttl_and_not_before(edge: Edge, origin: CountingOrigin) -> None:
    assert [edge.get("/data?ttl").result for _ in range(2)] == ["Miss", "Hit"]
    time.sleep(1.6)
    assert edge.get("/data?ttl").result == "Miss"
    assert origin.seen("/data?ttl") == 2


@pytest.mark.parametrize(
    "path", ["/min0/a?cc=no-store", "/min0/b?cc=private", "/never/c", "/mark/x.gif", "/everything/"]
)
def test_what_is_not_kept_is_asked_for_each_time(edge: Edge, origin: CountingOrigin, path: str) -> None:
    assert [edge.get(path).result for _ in range(3)] == ["Miss"] * 3
    assert origin.seen(path) == 3


def test_an_error_is_kept_even_where_nothing_else_is(edge: Edge, origin: CountingOrigin) -> None:
    assert [edge.get("/never/e?status=404").result for _ in range(3)] == ["Error"] * 3
    assert origin.seen("/never/e?status=404") == 1


def test_an_expired_object_is_confirmed_by_the_origin(edge: Edge, origin: CountingOrigin) -> None:
    path = "/min0/etag?cc=no-cache&etag=v1"
    assert [edge.get(path).result for _ in range(4)] == ["Miss", "RefreshHit", "RefreshHit", "RefreshHit"]
    assert origin.last[path]["headers"]["If-None-Match"] == '"v1"'
    path = "/data/etag?etag=v1"
    assert edge.get(path).result == "Miss"
    time.sleep(1.6)
    answers = [edge.get(path) for _ in range(2)]
    assert [answer.result for answer in answers] == ["RefreshHit", "Hit"]
    assert json.loads(answers[1].body)["count"] == 1


@pytest.mark.parametrize(
    ("paths", "asked"),
    [
        (["/data/q?a=1", "/data/q?a=2", "/data/q"], 3),
        (["/plain/q?a=1", "/plain/q?a=2", "/plain/q"], 1),
        (["/some/q?color=r&x=1", "/some/q?x=2&color=r", "/some/q?color=r"], 1),
        (["/some/r?color=r", "/some/r?color=b", "/some/r?size=1&color=b", "/some/r?color=b&size=1"], 3),
        (["/plain/Case", "/plain/case", "/Data?a", "/Data?b"], 3),  # patterns mind case: /Data has no query string
    ],
)
def test_query_strings_are_in_the_key_where_forwarded(
    edge: Edge, origin: CountingOrigin, paths: list[str], asked: int
) -> None:
    before = sum(origin.asked.values())
    for path in paths:
        assert edge.get(path).status == 200
    assert sum(origin.asked.values()) - before == asked


def test_a_query_string_that_is_not_forwarded_does_not_reach_the_origin(edge: Edge) -> None:
    assert json.loads(edge.get("/plain/bare?status=500").body)["path"] == "/plain/bare"


def test_the_path_reaches_the_origin_as_it_was_sent(edge: Edge) -> None:
    assert json.loads(edge.get("/plain/a%2Fb//%C3%A4%20+").body)["path"] == "/plain/a%2Fb//%C3%A4%20+"


def test_the_origin_sees_cloudfronts_headers(edge: Edge, origin: CountingOrigin) -> None:
    edge.get(
        "/plain/headers", Accept="text/x", Accept_Language="de", Authorization="Basic x", Cookie="a=1", Referer="/r",
        User_Agent="me", Via="1.0 proxy", X_Forwarded_For="192.0.2.4", X_Mine="1", X_Lab_Key="forged",
        X_Real_IP="1.2.3.4", Accept_Encoding="br, gzip;q=1.0",
    )  # fmt: skip
    headers = origin.last["/plain/headers"]["headers"]
    assert headers.pop("X-Amz-Cf-Id")
    assert headers == {
        "Host": DOMAIN,
        "User-Agent": "Amazon CloudFront",
        "Via": "1.0 proxy, 1.1 main.cloudfront.net (CloudFront)",
        "X-Forwarded-For": "192.0.2.4, 127.0.0.1",
        "X-Mine": "1",
        "X-Origin-Secret": SECRET,
        "Accept-Encoding": "gzip",
    }


def test_named_headers_are_forwarded_and_in_the_key(edge: Edge, origin: CountingOrigin) -> None:
    results = [edge.get("/headers/x", Accept_Language=language).result for language in ("de", "fr", "de")]
    assert results == ["Miss", "Miss", "Hit"]
    assert edge.get("/headers/x", Accept_Language="de", Host="other.name").result == "Miss"
    assert origin.last["/headers/x"]["headers"]["Accept-Language"] == "de"
    assert origin.last["/headers/x"]["headers"]["Host"] == "other.name"


def test_all_headers_are_forwarded_where_the_behavior_says_so(edge: Edge, origin: CountingOrigin) -> None:
    edge.get("/everything/x", User_Agent="me", Accept="text/x", Authorization="Basic x")
    headers = origin.last["/everything/x"]["headers"]
    assert (headers["User-Agent"], headers["Accept"], headers["Authorization"]) == ("me", "text/x", "Basic x")


@pytest.mark.parametrize(
    ("path", "forwarded"),
    [("/plain/c", None), ("/session/c", "session=1; sessionid=2"), ("/cookies/c", "z=0; sessionid=2; session=1")],
)
def test_cookies_are_forwarded_as_the_behavior_says(
    edge: Edge, origin: CountingOrigin, path: str, forwarded: str | None
) -> None:
    assert edge.get(path, Cookie="z=0; sessionid=2; session=1").result == "Miss"
    assert origin.last[path]["headers"].get("Cookie") == forwarded
    assert edge.get(path, Cookie="z=9; sessionid=2; session=1").result == ("Miss" if path == "/cookies/c" else "Hit")


def test_set_cookie_is_shown_only_where_cookies_are_forwarded(edge: Edge) -> None:
    assert edge.get("/cookies/s?cookie=a%3D1").headers["Set-Cookie"] == "a=1"
    assert "Set-Cookie" not in edge.get("/data/s?cookie=a%3D1").headers


def test_methods_are_those_that_the_behavior_allows(edge: Edge, origin: CountingOrigin) -> None:
    refused = edge.get("/plain/post", "POST", body="x")
    assert (refused.status, refused.result) == (403, "Error")
    assert b"not configured to allow the HTTP request method" in refused.body
    assert origin.seen("/plain/post") == 0
    answers = [edge.get("/data/post", "POST", body="x=1", Authorization="Basic x") for _ in range(2)]
    assert [answer.result for answer in answers] == ["Miss", "Miss"]
    last = origin.last["/data/post"]
    assert (last["method"], last["body"], last["headers"]["Authorization"]) == ("POST", "x=1", "Basic x")


def test_head_is_answered_from_the_cache(edge: Edge) -> None:
    whole = edge.get("/plain/head")
    head = edge.get("/plain/head", "HEAD")
    assert (head.result, head.body, head.headers["Content-Length"]) == ("Hit", b"", str(len(whole.body)))


def test_plain_http_is_redirected_or_refused_as_the_policy_says(edge: Edge) -> None:
    redirected = edge.get("/https/x?a=1", Host="main.cloudfront.net")
    assert (redirected.status, redirected.result) == (301, "Redirect")
    assert redirected.headers["Location"] == "https://main.cloudfront.net/https/x?a=1"
    assert edge.get("/only/x").status == 403


def test_an_answer_bears_cloudfronts_headers(edge: Edge) -> None:
    first = edge.get("/plain/answer")
    time.sleep(1.1)
    second = edge.get("/plain/answer")
    assert "Age" not in first.headers
    assert second.headers["Age"] in ("1", "2")
    assert second.headers["Via"] == "1.1 main.cloudfront.net (CloudFront)"
    assert second.headers["X-Amz-Cf-Pop"] == "LAB1-P1"
    assert second.headers["X-Amz-Cf-Id"] != first.headers["X-Amz-Cf-Id"]
    assert second.headers["Date"] == first.headers["Date"]
    assert not [name for name in second.headers if name.startswith(("X-Lab", "X-Accel"))]


def test_an_origin_cannot_speak_for_the_edge(edge: Edge, origin: CountingOrigin) -> None:
    assert [edge.get("/min0/f?forged=1&cc=no-store").status for _ in range(2)] == [200, 200]
    assert origin.seen("/min0/f?forged=1&cc=no-store") == 2


def test_a_viewers_own_copy_is_confirmed_by_the_edge(edge: Edge, origin: CountingOrigin) -> None:
    path = "/min0/mine?etag=v1"
    edge.get(path)
    answer = edge.get(path, If_None_Match='"v1"')
    assert (answer.status, answer.result, origin.seen(path)) == (304, "Hit", 1)


def test_answers_are_compressed_where_wanted_and_kept_so(edge: Edge, origin: CountingOrigin) -> None:
    path = "/compressed/x?size=5000"
    answers = [edge.get(path, Accept_Encoding="gzip, br") for _ in range(2)]
    assert [answer.result for answer in answers] == ["Miss", "Hit"]
    assert answers[1].headers["Content-Encoding"] == "gzip"
    assert len(gzip.decompress(answers[1].body)) == 5000
    plain = edge.get(path)
    assert (plain.result, len(plain.body), origin.seen(path)) == ("Miss", 5000, 2)
    assert "Content-Encoding" not in edge.get("/compressed/y?size=900", Accept_Encoding="gzip").headers
    assert "Content-Encoding" not in edge.get("/data/z?size=5000", Accept_Encoding="gzip").headers


def test_errors_are_kept_for_the_error_caching_minimum_ttl(edge: Edge, origin: CountingOrigin) -> None:
    path = "/data/sick?status=503"
    assert [edge.get(path).status for _ in range(3)] == [503] * 3
    assert origin.seen(path) == 1
    time.sleep(2.6)
    assert edge.get(path).status == 503
    assert origin.seen(path) == 2


def test_an_expired_object_is_shown_while_the_origin_fails(edge: Edge, origin: CountingOrigin) -> None:
    assert edge.get("/data/stale").status == 200
    time.sleep(1.6)
    origin.failing = True
    try:
        assert [edge.get("/data/stale").status for _ in range(5)] == [200] * 5
        assert origin.seen("/data/stale") == 2  # asked once more, then not for the error's time
        assert edge.get("/data/no-copy").status == 503
    finally:
        origin.failing = False


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/closed/x", 502, b"connect to the origin"),
        ("/unknown/x", 502, b"resolve the origin"),
        ("/data/silent?delay=1.5", 504, b"did not answer in time"),
        ("/data/drop?drop=1", 502, b"connect to the origin"),
    ],
)
def test_an_origin_that_does_not_answer_is_a_gateway_error(edge: Edge, path: str, status: int, reason: bytes) -> None:
    answer = edge.get(path)
    assert (answer.status, answer.result) == (status, "Error")
    assert reason in answer.body


def test_one_request_asks_the_origin_for_all_that_wait(edge: Edge, origin: CountingOrigin) -> None:
    path = "/data/slow?delay=0.8"
    for round_number in (1, 2):  # a new object, and one that has expired
        answers = edge.together(path, 20)
        assert Counter((answer.status, answer.result) for answer in answers) == {(200, "Miss"): 1, (200, "Hit"): 19}
        assert origin.seen(path) == round_number
        assert max(answer.seconds for answer in answers) < 1.6
        time.sleep(1.6)


def test_waiting_for_a_quick_origin_is_short(edge: Edge, origin: CountingOrigin) -> None:
    answers = edge.together("/data/quick?delay=0.02", 20)
    assert origin.seen("/data/quick?delay=0.02") == 1
    assert sorted(answer.seconds for answer in answers)[15] < 0.3


def test_what_is_private_is_shared_with_nobody(edge: Edge, origin: CountingOrigin) -> None:
    path = "/min0/private?delay=0.3&cc=private"
    bodies = {answer.body for answer in edge.together(path, 10)}
    assert origin.seen(path) == 10
    assert len(bodies) == 10
    begun = time.monotonic()  # from now on nobody waits for anybody
    edge.together(path, 10)
    assert time.monotonic() - begun < 0.9


def test_hosts_choose_the_distribution(edge: Edge) -> None:
    def path(host: str) -> str:
        return str(json.loads(edge.get("/host", Host=host).body)["path"])

    assert path("main.cloudfront.net") == path("127.0.31.1:8000") == path("whoever") == "/host"
    assert path("other.cloudfront.net") == path("www.example.com") == path("a.example.org") == "/below/host"
    assert edge.get("/host", Host="off.cloudfront.net").status == 403


def test_the_root_object_and_the_error_page_are_shown(edge: Edge, origin: CountingOrigin) -> None:
    assert json.loads(edge.get("/", Host="other.cloudfront.net").body)["path"] == "/below/index.html"
    page = edge.get("/lost?status=404", Host="other.cloudfront.net")
    assert (page.status, json.loads(page.body)["path"]) == (200, "/below/sorry.html")
    assert edge.get("/lost?status=404", Host="other.cloudfront.net").status == 200
    assert origin.seen("/below/lost?status=404") == 1


def test_every_request_is_counted_once(edge: Edge, origin: CountingOrigin) -> None:
    time.sleep(0.3)
    before, asked = process.status(edge.place), sum(origin.asked.values())
    paths = ["/plain/count"] * 150 + ["/data/count?cc=no-store"] * 30 + ["/never/c?status=500"] * 20
    with ThreadPoolExecutor(20) as pool:
        sent = Counter(answer.result for answer in pool.map(edge.get, paths))
    time.sleep(0.3)
    after = process.status(edge.place)
    grown = {name: after[name] - before[name] for name in ("requests", "hits", "misses", "errors", "origin_requests")}
    assert grown == {
        "requests": 200,
        "hits": sent["Hit"],
        "misses": sent["Miss"],
        "errors": 20,
        "origin_requests": sum(origin.asked.values()) - asked,
    }
    classes = {name: after["by_status"][name] - before["by_status"][name] for name in after["by_status"]}
    assert classes == {"2xx": 180, "3xx": 0, "4xx": 0, "5xx": 20, "000": 0}
