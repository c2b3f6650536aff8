"""The load balancer's events and responses for Lambda functions, as tables and as properties."""

from __future__ import annotations

import base64
import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loadlift_lab.function_policy import may_invoke
from loadlift_lab.lambda_service.concurrency import Concurrency
from loadlift_lab.lambda_service.events import Request, event_of
from loadlift_lab.lambda_service.functions import Alias, Catalogue, Entry, Function, UnknownFunctionError, catalogue_of
from loadlift_lab.lambda_service.invocations import Failure, ThrottledError, exited, reported, timed_out
from loadlift_lab.lambda_service.responses import InvalidAnswerError, response_of
from loadlift_lab.lambda_service.tracing import forwarded_trace, new_trace, runtime_trace

GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/fn/1"
TRACE = "Root=1-5bdb40ca-556d8b0c50dc66f0511bf520"


def event(target: str = "/", *headers: tuple[str, str], body: bytes = b"", multi_value: bool = False) -> dict[str, Any]:
    return event_of(Request("POST", target, headers, body), GROUP, multi_value, TRACE)


def test_the_whole_event() -> None:
    headers = (("Host", "shop.test"), ("X-Lab-Multi-Value", "false"), ("Content-Type", "application/json"))
    assert event("/data?a=1", *headers, body=b"{}") == {
        "requestContext": {"elb": {"targetGroupArn": GROUP}},
        "httpMethod": "POST",
        "path": "/data",
        "queryStringParameters": {"a": "1"},
        "headers": {"host": "shop.test", "content-type": "application/json", "x-amzn-trace-id": TRACE},
        "body": "{}",
        "isBase64Encoded": False,
    }


def test_the_whole_event_with_multi_value_headers() -> None:
    told = event("/?a=1&b&a=2", ("Cookie", "x=1"), ("cookie", "y=2"), multi_value=True)
    assert told["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [""]}
    assert told["multiValueHeaders"] == {"cookie": ["x=1", "y=2"], "x-amzn-trace-id": [TRACE]}
    assert not {"headers", "queryStringParameters"} & told.keys()


@pytest.mark.parametrize(
    ("target", "path", "parameters"),
    [
        ("/", "/", {}),
        ("/?", "/", {}),
        ("/a%20b//c", "/a%20b//c", {}),
        ("/x?&myKey=val1&myKey=val2", "/x", {"myKey": "val2"}),
        ("/x?q=a%26b+c&%C3%A9=1", "/x", {"q": "a%26b+c", "%C3%A9": "1"}),
        ("/x?a=b=c&d", "/x", {"a": "b=c", "d": ""}),
        ("/x?a=1?b=2", "/x", {"a": "1?b=2"}),
    ],
)
def test_path_and_query_as_received(target: str, path: str, parameters: dict[str, str]) -> None:
    told = event(target)
    assert (told["path"], told["queryStringParameters"]) == (path, parameters)


@pytest.mark.parametrize(
    ("content_type", "encoding", "encoded"),
    [
        ("text/plain", "", False),
        ("text/csv; charset=utf-8", "", False),
        ("application/json", "", False),
        ("Application/JSON;charset=utf-8", "", False),
        ("application/javascript", "", False),
        ("application/xml", "", False),
        ("application/x-www-form-urlencoded", "", True),
        ("application/octet-stream", "", True),
        ("image/svg+xml", "", True),
        ("", "", True),
        ("application/json", "gzip", True),
    ],
)
def test_which_body_is_base64(content_type: str, encoding: str, encoded: bool) -> None:
    headers = [("Content-Type", content_type)] * bool(content_type) + [("Content-Encoding", encoding)] * bool(encoding)
    told = event("/", *headers, body=b"caf\xc3\xa9")
    assert told["isBase64Encoded"] is encoded
    assert told["body"] == (base64.b64encode(b"caf\xc3\xa9").decode() if encoded else "café")


@pytest.mark.parametrize(
    "name", ["Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "X-Lab-Function-Arn"]
)
def test_headers_that_no_function_sees(name: str) -> None:
    assert event("/", (name, "x"), ("Accept", "y"))["headers"] == {"accept": "y", "x-amzn-trace-id": TRACE}


def test_headers_that_connection_names_are_hop_by_hop() -> None:
    told = event("/", ("Connection", "close, X-Hop"), ("X-Hop", "1"), ("X-Kept", "2"))
    assert told["headers"] == {"x-kept": "2", "x-amzn-trace-id": TRACE}


token = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=12)


@given(
    st.lists(st.tuples(token, st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20)), max_size=8),
    st.binary(max_size=200),
    st.sampled_from(["text/plain", "application/json", "image/png", ""]),
    st.booleans(),
)
def test_no_request_breaks_the_event_and_its_body_arrives(
    headers: list[tuple[str, str]], body: bytes, content_type: str, multi_value: bool
) -> None:
    told = json.loads(
        json.dumps(event("/", *headers, ("content-type", content_type), body=body, multi_value=multi_value))
    )
    sent = base64.b64decode(told["body"]) if told["isBase64Encoded"] else told["body"].encode()
    assert sent == body
    names = told["multiValueHeaders" if multi_value else "headers"]
    assert all(name == name.lower() for name in names)


pairs = st.lists(st.tuples(token, token), max_size=8)


@given(pairs)
def test_the_last_value_counts_and_multi_value_keeps_all(parameters: list[tuple[str, str]]) -> None:
    target = "/?" + "&".join(f"{name}={value}" for name, value in parameters)
    assert event(target)["queryStringParameters"] == dict(parameters)
    grouped = event(target, multi_value=True)["multiValueQueryStringParameters"]
    assert sorted((name, value) for name, values in grouped.items() for value in values) == sorted(parameters)


@pytest.mark.parametrize(
    ("received", "forwarded"),
    [
        ("", "Root=NEW"),
        ("Root=1-2-3", "Self=NEW;Root=1-2-3"),
        ("Root=1-2-3;Parent=4;Sampled=1", "Self=NEW;Root=1-2-3;Parent=4;Sampled=1"),
        ("Self=old;Root=1-2-3", "Self=NEW;Root=1-2-3"),
        ("CalledFrom=app", "Self=NEW;Root=NEW;CalledFrom=app"),
        ("Self=old", "Root=NEW"),
    ],
)
def test_trace_ids(received: str, forwarded: str) -> None:
    assert forwarded_trace(received, "NEW") == forwarded


def test_a_trace_holds_the_time_and_a_function_its_root() -> None:
    assert new_trace(0x5BDB40CA, (1 << 200) | 0xAB) == "1-5bdb40ca-0000000000000000000000ab"
    assert runtime_trace("Self=x;Root=1-2-3", 0xFF) == "Root=1-2-3;Parent=00000000000000ff;Sampled=0"


def answer(**fields: Any) -> bytes:
    return json.dumps({"statusCode": 200, **fields}).encode()


def test_a_response() -> None:
    described = answer(statusDescription="200 All fine", headers={"Content-Type": "text/plain"}, body="café")
    response = response_of(described, multi_value=False)
    assert (response.status, response.reason, response.body) == (200, "All fine", "café".encode())
    assert response.headers == (("Content-Type", "text/plain"),)


def test_a_binary_response() -> None:
    body = base64.b64encode(b"\x00\xff").decode()
    assert response_of(answer(isBase64Encoded=True, body=body), multi_value=False).body == b"\x00\xff"


@pytest.mark.parametrize(("multi_value", "kept"), [(False, (("A", "1"),)), (True, (("B", "2"), ("B", "3")))])
def test_which_headers_count(multi_value: bool, kept: tuple[tuple[str, str], ...]) -> None:
    both = answer(headers={"A": "1"}, multiValueHeaders={"B": ["2", "3"]})
    assert response_of(both, multi_value).headers == kept


def test_hop_by_hop_headers_and_the_length_are_the_load_balancers() -> None:
    headers = {"Connection": "close", "transfer-encoding": "chunked", "Content-Length": "99", "ETag": "x"}
    assert response_of(answer(headers=headers), multi_value=False).headers == (("ETag", "x"),)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"", "not JSON"),
        (b"null", "is null, not an object"),
        (b'"hello"', "is str, not an object"),
        (b"[1]", "is list"),
        (b"{}", "statusCode is null"),
        (answer(statusCode="200"), "statusCode is str"),
        (answer(statusCode=True), "statusCode is bool"),
        (answer(statusCode=200.0), "statusCode is float"),
        (answer(statusCode=99), "not 200..599"),
        (answer(statusCode=600), "not 200..599"),
        (answer(statusDescription=7), "statusDescription"),
        (answer(statusDescription="200 OK\r\nX: y"), "statusDescription"),
        (answer(headers=None), "headers is null"),
        (answer(headers=[]), "headers is list"),
        (answer(headers={"A": True}), "header A is bool"),
        (answer(headers={"A": 1}), "header A is int"),
        (answer(headers={"A": "1\r\nB: 2"}), "not one line"),
        (answer(headers={"A B": "1"}), "no name"),
        (answer(body={"a": 1}), "body is dict"),
        (answer(isBase64Encoded="yes", body="x"), "isBase64Encoded is str"),
        (answer(isBase64Encoded=True, body="not base64!"), "not Base64"),
        (answer(body="x" * 1024 * 1024), "more than 1048576"),
    ],
)
def test_answers_that_are_no_response(payload: bytes, problem: str) -> None:
    with pytest.raises(InvalidAnswerError, match=problem):
        response_of(payload, multi_value=False)


@pytest.mark.parametrize("value", ["x", 1, None, ["x", 1]])
def test_multi_value_headers_are_lists_of_strings(value: object) -> None:
    with pytest.raises(InvalidAnswerError, match="multiValueHeaders|header A"):
        response_of(answer(multiValueHeaders={"A": value}), multi_value=True)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
fields = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("statusCode", "statusDescription", "headers", "multiValueHeaders", "body"), json_values),
)


@given(fields | json_values, st.booleans())
def test_any_answer_is_a_response_or_refused(described: Any, multi_value: bool) -> None:
    try:
        response = response_of(json.dumps(described).encode(), multi_value)
    except InvalidAnswerError:
        return
    assert 200 <= response.status <= 599
    assert not any("\n" in value or "\r" in value for _, value in response.headers)


def function(version: str = "$LATEST") -> Function:
    return Function("fn", version, f"arn:fn:{version}", "python3.12", "app.handler", "sha")


def entry(**more: Any) -> Entry:
    return Entry("fn", {version: function(version) for version in ("$LATEST", "1", "2")}, **more)


@pytest.mark.parametrize(
    ("reference", "qualifier"),
    [
        ("fn", "$LATEST"),
        ("fn:1", "1"),
        ("123456789012:function:fn", "$LATEST"),
        ("arn:aws:lambda:us-east-1:123456789012:function:fn", "$LATEST"),
        ("arn:aws:lambda:us-east-1:123456789012:function:fn:live", "live"),
        ("arn:aws:lambda:us-east-1:123456789012:function:fn:$LATEST", "$LATEST"),
    ],
)
def test_ways_to_name_a_function(reference: str, qualifier: str) -> None:
    assert Catalogue({"fn": entry()}).find(reference) == (entry(), qualifier)


@pytest.mark.parametrize("reference", ["other", "", "arn:aws:s3:::fn", "fn:1:2"])
def test_a_function_that_is_not_there(reference: str) -> None:
    with pytest.raises(UnknownFunctionError):
        Catalogue({"fn": entry()}).find(reference)


def test_aliases_lead_to_versions_by_weight() -> None:
    known = entry(aliases={"live": Alias("1", (("2", 0.25),))}, provisioned={"live": 2, "1": 1})
    assert [known.version("live", chance).version for chance in (0.0, 0.24, 0.25, 0.99)] == ["2", "2", "1", "1"]
    assert known.version("2").version == "2"
    assert (known.kept_warm("1"), known.kept_warm("2")) == (3, 0)
    with pytest.raises(UnknownFunctionError):
        known.version("gone")


def test_the_listing_of_the_control_plane() -> None:
    configuration = {
        "FunctionName": "fn",
        "Version": "$LATEST",
        "FunctionArn": "arn",
        "CodeSha256": "sha",
        "Timeout": 9,
        "MemorySize": 256,
        "Environment": {"Variables": {"B": "2", "A": "1"}},
        "LoggingConfig": {"LogGroup": "/mine"},
    }
    listed = {
        "name": "fn",
        "versions": [configuration],
        "aliases": {"live": {"version": "$LATEST", "weights": {}}},
        "reserved": 0,
        "provisioned": {},
        "retries": 2,
        "policy": [],
    }
    known = catalogue_of([listed]).entries["fn"]
    assert known.reserved == 0
    assert known.versions["$LATEST"].environment == (("A", "1"), ("B", "2"))
    assert known.versions["$LATEST"].log_group == "/mine"


def test_reserved_concurrency_is_the_functions_own_and_the_accounts_no_more() -> None:
    catalogue = Catalogue({"fn": entry(reserved=1), "other": Entry("other", {})})
    count = Concurrency()
    assert catalogue.unreserved(1000) == 999
    with count.one_more(catalogue, catalogue.entries["fn"]):
        with (
            pytest.raises(ThrottledError, match="ReservedFunction"),
            count.one_more(catalogue, catalogue.entries["fn"]),
        ):
            pass
        with count.one_more(catalogue, catalogue.entries["other"]):
            pass
    with count.one_more(catalogue, catalogue.entries["fn"]):
        pass


def test_all_reserved_leaves_nothing_to_the_others() -> None:
    catalogue = Catalogue({"fn": entry(reserved=1000), "other": Entry("other", {})})
    with (
        pytest.raises(ThrottledError, match="^Concurrent"),
        Concurrency().one_more(catalogue, catalogue.entries["other"]),
    ):
        pass


def statement(**more: Any) -> dict[str, Any]:
    allowed = {"Effect": "Allow", "Principal": {"Service": "elasticloadbalancing.amazonaws.com"}}
    return allowed | {"Action": "lambda:InvokeFunction"} | more


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([], False),
        ([statement()], True),
        ([statement(Condition={"ArnLike": {"AWS:SourceArn": GROUP}})], True),
        ([statement(Condition={"ArnLike": {"AWS:SourceArn": GROUP[:-1] + "*"}})], True),
        ([statement(Condition={"ArnLike": {"AWS:SourceArn": GROUP + "2"}})], False),
        ([statement(Effect="Deny")], False),
        ([statement(Principal={"Service": "s3.amazonaws.com"})], False),
        ([statement(Action="lambda:GetFunction")], False),
        ([statement(Action="lambda:GetFunction"), statement(Principal="*")], True),
    ],
)
def test_who_may_invoke(statements: list[dict[str, Any]], allowed: bool) -> None:
    assert may_invoke(statements, GROUP) is allowed


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (exited(1), "RequestId: r Error: Runtime exited with error: exit status 1"),
        (exited(-9), "RequestId: r Error: Runtime exited with error: signal: killed"),
        (exited(0), "RequestId: r Error: Runtime exited without providing a reason"),
        (timed_out(3), "RequestId: r Error: Task timed out after 3.00 seconds"),
        (reported(b'{"errorType": "Runtime.ImportModuleError", "errorMessage": "No module"}'), "No module"),
        (reported(b"[]"), "RequestId: r Error: []"),
    ],
)
def test_what_the_caller_gets_of_a_failure(failure: Failure, message: str) -> None:
    assert json.loads(failure.payload("r"))["errorMessage"] == message
