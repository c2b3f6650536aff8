"""A real HAProxy with rendered configurations: what each rule answers, and what it does with any text."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck as Check
from hypothesis import given, settings
from hypothesis import strategies as st
from loadlift_lab.data_plane.load_balancer.configuration import bad_gateway, render
from loadlift_lab.data_plane.load_balancer.model import (
    Condition,
    FixedResponse,
    Forward,
    HealthCheck,
    Listener,
    LoadBalancer,
    Redirect,
    Rule,
    Snapshot,
    Surroundings,
    Target,
    TargetGroup,
)

ADDRESS = "127.0.22.111"
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "haproxy"
Answer = tuple[int, dict[str, str], str]


class Echo(BaseHTTPRequestHandler):
    """Answers with the request's headers, a header a line; /slow takes longer than anybody waits."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # noqa: N802
        if self.path == "/slow":
            time.sleep(3)
        body = f"{self.server.server_address[1]}\n{self.headers}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def target_server() -> Iterator[int]:
    server = ThreadingHTTPServer((ADDRESS, 0), Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def haproxy(
    rules: list[Rule], groups: tuple[TargetGroup, ...] = (), lambda_port: int = 9, idle_timeout: int = 60
) -> Iterator[int]:
    """Run HAProxy with one listener; yield its port."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="lb") as folder:
        (Path(folder) / "502.http").write_text(bad_gateway(), newline="")
        surroundings = Surroundings(ADDRESS, lambda_port, folder, f"{folder}/state", f"{folder}/502.http")
        balancer = LoadBalancer("test", ADDRESS, (Listener(port, tuple(rules)),), idle_timeout)
        configuration = Path(folder) / "haproxy.cfg"
        configuration.write_text(render(Snapshot((balancer,), groups), surroundings))
        process = subprocess.Popen([HAPROXY, "-db", "-f", str(configuration)], stderr=subprocess.PIPE, text=True)
        try:
            wait_for(lambda: connects(port) or process.poll() is not None)
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            yield port
        finally:
            process.terminate()
            process.communicate(timeout=20)


def connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((ADDRESS, port)) == 0


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def ask(port: int, path: str = "/", method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=20)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


def says(priority: int, body: str, *conditions: Condition) -> Rule:
    return Rule(priority, FixedResponse(200, body=body), conditions)


PATH, HOST, METHOD, SOURCE = "path-pattern", "host-header", "http-request-method", "source-ip"
RULES = [
    says(1, "path", Condition(PATH, ("/img/*.png", "/a?c", "/exact"))),
    says(2, "host", Condition(HOST, ("*.Example.com", "one.test"))),
    says(3, "header", Condition("http-header", ("*beta*", "v?"), header="X-Ring")),
    says(4, "method", Condition(METHOD, ("PUT",)), Condition(PATH, ("/m",))),
    says(5, "query", Condition("query-string", pairs=(("version", "v1"), ("", "*deep*"), ("k*", r"a\*b")))),
    says(6, "elsewhere", Condition(SOURCE, ("10.0.0.0/8",))),
    says(7, "source", Condition(SOURCE, ("127.0.0.0/8", "::1/128")), Condition(PATH, ("/source",))),
    says(8, "regex", Condition(PATH, regex_values=("^/r[0-9]+$",))),
    says(9, "odd header", Condition("http-header", ("yes",), header="X'$|%Odd")),
    says(50001, "default"),
]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with haproxy(RULES) as listening:
        yield listening


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/img/a/b.png", {}, "path"),
        ("/img/a.png?x=1", {}, "path"),
        ("/img/a.PNG", {}, "default"),
        ("/abc", {}, "path"),
        ("/ac", {}, "default"),
        ("/exact", {}, "path"),
        ("/exact/", {}, "default"),
        ("/", {"Host": "WWW.example.COM"}, "host"),
        ("/", {"Host": "www.example.com:8080"}, "host"),
        ("/", {"Host": "example.com"}, "default"),
        ("/", {"Host": "one.test"}, "host"),
        ("/", {"x-ring": "in BETA now"}, "header"),
        ("/", {"X-RING": "V7"}, "header"),
        ("/", {"X-Ring": "v77"}, "default"),
        ("/", {"X'$|%Odd": "Yes"}, "odd header"),
        ("/?version=v1", {}, "query"),
        ("/?a=b&VERSION=V1&c", {}, "query"),
        ("/?version=v12", {}, "default"),
        ("/?xversion=v1", {}, "default"),
        ("/?any=so-DEEP-inside", {}, "query"),
        ("/?so-deep-inside", {}, "default"),
        ("/?key=a*b", {}, "query"),
        ("/?key=axb", {}, "default"),
        ("/?x=%26version=v1", {}, "default"),
        ("/source", {}, "source"),
        ("/r42", {}, "regex"),
        ("/r42x", {}, "default"),
    ],
)
def test_the_rule_that_answers(port: int, path: str, headers: dict[str, str], body: str) -> None:
    assert ask(port, path, **headers)[2] == body


@pytest.mark.parametrize(
    ("method", "path", "body"), [("PUT", "/m", "method"), ("PUT", "/x", "default"), ("GET", "/m", "default")]
)
def test_all_conditions_of_a_rule_must_hold(port: int, method: str, path: str, body: str) -> None:
    assert ask(port, path, method)[2] == body


# A body of more than one line would differ by nothing but HTTP's own limits: 1,024 bytes in the API.
bodies = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=60)


@settings(max_examples=4, deadline=None, suppress_health_check=list(Check))
@given(st.lists(st.tuples(bodies, bodies), min_size=25, max_size=25))
def test_no_value_breaks_the_configuration_or_the_rules_after_it(texts: list[tuple[str, str]]) -> None:
    rules = [says(number, body, Condition(PATH, (f"/{number}",))) for number, (body, _) in enumerate(texts, 1)]
    odd = [
        says(100 + number, "odd", Condition(PATH, (f"/\x01{value}",)), Condition(HOST, (f"\x01{value}",)),
             Condition("query-string", pairs=((f"\x01{value}", value),)))
        for number, (_, value) in enumerate(texts)
    ]  # fmt: skip
    with haproxy([*odd, *rules, says(50001, "default")]) as listening:
        assert [ask(listening, f"/{number}")[2] for number in range(1, 26)] == [body for body, _ in texts]
        assert ask(listening, "/none")[2] == "default"


@pytest.mark.parametrize(
    ("redirect", "path", "location"),
    [
        (Redirect(301, protocol="HTTPS", port="443"), "/a/b?x=1&y=%20", "https://shop.test:443/a/b?x=1&y=%20"),
        (Redirect(302, path="/new/#{path}"), "/a", "http://shop.test:{port}/new/a"),
        (
            Redirect(301, host="www.#{host}", query="from=#{path}&100%"),
            "/a",
            "http://www.shop.test:{port}/a?from=a&100%",
        ),
        (Redirect(301, path="/plain", query=""), "/a?x=1", "http://shop.test:{port}/plain"),
        (Redirect(301, path='/it\'s "$HOME" %[src]', query=""), "/a", 'http://shop.test:{port}/it\'s "$HOME" %[src]'),
    ],
)
def test_redirects(redirect: Redirect, path: str, location: str) -> None:
    with haproxy([Rule(50001, redirect)]) as listening:
        status, headers, _ = ask(listening, path, Host="Shop.test:99")
        assert status == redirect.status
        assert headers["location"].lower() == location.format(port=listening).lower()


def group(name: str, *ports: int, **more: object) -> TargetGroup:
    targets = tuple(Target(f"i-{port}", ADDRESS, port) for port in ports)
    return TargetGroup(f"arn:tg/{name}/1", name, targets=targets, health_check=HealthCheck(interval=5), **more)  # type: ignore[arg-type]


def test_weights_divide_the_requests() -> None:
    with target_server() as one, target_server() as two:
        groups = group("one", one), group("two", two), group("none", two)
        forward = Forward(((groups[0].arn, 3), (groups[1].arn, 1), (groups[2].arn, 0)))
        with haproxy([Rule(50001, forward)], groups) as listening:
            served = [ask(listening)[2].split("\n")[0] for _ in range(400)]
    # 3:1 of 400 is 300 with a deviation of 8.7: six of them are never seen by chance.
    assert 247 < served.count(str(one)) < 353
    assert served.count(str(one)) + served.count(str(two)) == 400


def test_forwarded_headers_and_no_word_of_the_lab_from_outside() -> None:
    with target_server() as one:
        groups = (group("one", one),)
        with haproxy([Rule(50001, Forward(((groups[0].arn, 1),)))], groups) as listening:
            body = ask(listening, X_Forwarded_For="1.2.3.4", X_Forwarded_Proto="https", X_Lab_Function_Arn="evil")[2]
            plain = ask(listening)[2]
    assert "x-forwarded-for: 1.2.3.4, 127." in body.lower()
    assert "x-forwarded-proto: http\n" in body.lower().replace("\r", "")
    assert f"x-forwarded-port: {listening}" in body.lower()
    assert "evil" not in body
    assert "x-forwarded-for: 127." in plain.lower()


def test_a_lambda_target_is_told_which_function_answers() -> None:
    with target_server() as service:
        arn = "arn:aws:lambda:us-east-1:123456789012:function:100%"
        function = TargetGroup("arn:tg/fn/1", "fn", "lambda", function_arn=arn, multi_value_headers=True)
        with haproxy([Rule(50001, Forward(((function.arn, 1),)))], (function,), service) as listening:
            body = ask(listening, X_Lab_Multi_Value="false")[2].lower()
    assert f"x-lab-function-arn: {arn}" in body
    assert "x-lab-target-group-arn: arn:tg/fn/1" in body
    assert body.count("x-lab-multi-value") == 1
    assert "x-lab-multi-value: true" in body


def test_no_target_is_503_a_refused_connection_502_and_a_late_answer_504() -> None:
    with target_server() as slow:
        groups = group("empty"), group("refused", free_port()), group("slow", slow)
        paths = ("/empty", "/refused", "/slow")
        rules = [
            Rule(number, Forward(((one.arn, 1),)), (Condition(PATH, (path,)),))
            for number, (path, one) in enumerate(zip(paths, groups, strict=True), 1)
        ]
        with haproxy([*rules, Rule(50001, Forward((("arn:gone", 1),)))], groups, idle_timeout=1) as listening:
            assert [ask(listening, path)[0] for path in (*paths, "/gone")] == [503, 502, 504, 503]


def test_stickiness_keeps_a_client_at_its_target() -> None:
    with target_server() as one, target_server() as two:
        sticky = group("sticky", one, two, stickiness_seconds=60)
        with haproxy([Rule(50001, Forward(((sticky.arn, 1),)))], (sticky,)) as listening:
            _, headers, body = ask(listening)
            cookie = headers["set-cookie"].split(";")[0]
            served = {ask(listening, Cookie=cookie)[2].split("\n")[0] for _ in range(10)}
    assert cookie.startswith("AWSALB=")
    assert served == {body.split("\n")[0]}
