"""HAProxy's configuration from values: quoting, wildcards, names, state and health, without HAProxy itself."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loadlift_lab.data_plane.load_balancer import account, addresses, health, server_state
from loadlift_lab.data_plane.load_balancer.conditions import acl_lines, wildcard_match, wildcard_regex
from loadlift_lab.data_plane.load_balancer.configuration import backend_name, identity_in, render
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
from loadlift_lab.data_plane.load_balancer.quoting import UnusableValueError, name_of, quote

SURROUNDINGS = Surroundings("127.0.22.1", 9001, "/run/lab", "/lab/server-state", "/lab/502.http")
text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def words(line: str) -> list[bytes]:
    """Split a line as section 2.2 of HAProxy's manual says."""
    result, word, position, raw = [], None, 0, line.encode()
    while position < len(raw):
        byte = raw[position : position + 1]
        if byte == b"'":
            end = raw.index(b"'", position + 1)
            word, position = (word or b"") + raw[position + 1 : end], end + 1
        elif byte == b"\\":
            assert raw[position + 1 : position + 2] == b"x"
            word, position = (word or b"") + bytes.fromhex(raw[position + 2 : position + 4].decode()), position + 4
        elif byte == b" ":
            result, word, position = [*result, word] if word is not None else result, None, position + 1
        else:
            assert byte not in b'"#$\n\r'
            word, position = (word or b"") + byte, position + 1
    return [*result, word] if word is not None else result


@given(st.lists(text, min_size=1, max_size=4))
def test_any_text_is_one_word_and_stays_what_it_is(texts: list[str]) -> None:
    assert words(" ".join(map(quote, texts))) == [one.encode() for one in texts]


def test_a_nul_is_refused() -> None:
    with pytest.raises(UnusableValueError, match="NUL"):
        quote("a\0b")


@pytest.mark.parametrize(
    ("value", "method", "pattern"),
    [
        ("/data", "str", "/data"),
        ("/data/*", "beg", "/data/"),
        ("*.png", "end", ".png"),
        ("*img*", "sub", "img"),
        ("*", "reg", "^.*$"),
        ("**", "reg", "^.*.*$"),
        ("", "reg", "^$"),
        ("/img/*.png", "reg", r"^/img/.*\.png$"),
        ("/a?c", "reg", "^/a.c$"),
        (r"a\*b", "str", "a*b"),
        (r"a\?*", "beg", "a?"),
    ],
)
def test_wildcards_use_the_cheapest_match(value: str, method: str, pattern: str) -> None:
    assert wildcard_match(value) == (method, pattern)


MATCHES = {
    "str": lambda pattern, subject: subject == pattern,
    "beg": lambda pattern, subject: subject.startswith(pattern),
    "end": lambda pattern, subject: subject.endswith(pattern),
    "sub": lambda pattern, subject: pattern in subject,
    "reg": lambda pattern, subject: re.search(pattern, subject) is not None,
}


@given(st.text("ab/*?", max_size=6), st.text("ab/", max_size=8))
def test_every_match_method_means_the_same_as_the_regular_expression(value: str, subject: str) -> None:
    method, pattern = wildcard_match(value)
    expected = re.fullmatch(wildcard_regex(value, "."), subject) is not None
    assert MATCHES[method](pattern, subject) is expected


@given(st.sampled_from(["path-pattern", "host-header", "http-request-method", "query-string"]), text)
def test_no_value_of_a_condition_ends_its_line(field: str, value: str) -> None:
    lines = acl_lines("r1c0", Condition(field, (value,), pairs=((value, value),)))
    assert all(words(line)[:2] == [b"acl", b"r1c0"] for line in lines)


@pytest.mark.parametrize(
    "condition",
    [
        Condition("source-ip", ("10.0.0.0/33",)),
        Condition("http-header", ("x",), header="X Y"),
        Condition("http-header", ("x",), header='a")'),
        Condition("path-pattern", regex_values=("(",)),
        Condition("no-such-field", ("x",)),
    ],
)
def test_an_unusable_condition_is_refused(condition: Condition) -> None:
    with pytest.raises(UnusableValueError):
        acl_lines("r1c0", condition)


def test_a_rule_with_an_unusable_value_is_left_out_and_the_others_stay() -> None:
    bad = Rule(1, FixedResponse(200, body="bad"), (Condition("source-ip", ("nonsense",)),))
    good = Rule(2, FixedResponse(200, body="good"), (Condition("path-pattern", ("/x",)),))
    rendered = render(Snapshot((LoadBalancer("lb", "127.0.22.11", (Listener(80, (bad, good)),)),)), SURROUNDINGS)
    assert "string good" in rendered
    assert "string bad" not in rendered


def test_the_configuration_names_itself_by_its_content() -> None:
    one, same, other = (
        render(Snapshot((LoadBalancer("lb", "127.0.22.11", (Listener(80, ()),), idle),)), SURROUNDINGS)
        for idle in (60, 60, 61)
    )
    assert identity_in(one) == identity_in(same) != identity_in(other)


@given(text)
def test_names_hold_only_what_haproxy_allows(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.:-]*", name_of(name))


@given(st.lists(st.sets(st.sampled_from("abcdef")), max_size=8))
def test_a_load_balancer_keeps_its_number_and_no_two_share_one(history: list[set[str]]) -> None:
    kept: dict[str, int] = {}
    for arns in history:
        chosen = addresses.numbers(kept, arns)
        assert chosen.keys() == arns
        assert len(set(chosen.values())) == len(arns)
        assert all(chosen[arn] == kept[arn] for arn in arns & kept.keys())
        assert all(1 <= number <= 6 for number in chosen.values())
        kept = chosen


def configuration_of(group: TargetGroup) -> str:
    return render(Snapshot((), (group,)), SURROUNDINGS)


GROUP = TargetGroup(
    "arn:tg/web/1", "web", targets=(Target("i-1", "127.22.0.4", 80), Target("i-2", "127.22.0.5", 80)),
    health_check=HealthCheck(healthy_threshold=3),
)  # fmt: skip


def test_a_new_server_is_down_until_one_check_and_a_known_one_stays_as_it_was() -> None:
    known = f"1\n# header\n7 {backend_name(GROUP)} 1 127.22.0.4:80 127.22.0.4 2 0 1 1 9 6 3 4 6 0 0 0 - 80 - 0 0 - - 0"
    states = server_state.with_new_servers(known, configuration_of(GROUP)).splitlines()[2:]
    assert states[0] == known.splitlines()[-1]
    fields = states[1].split()
    assert (fields[3], fields[5], fields[12]) == ("127.22.0.5:80", "0", "2")


@pytest.mark.parametrize(
    ("status", "check", "failed", "state", "reason"),
    [
        ("UP", "L7OK", "0", "healthy", None),
        ("UP 1/2", "L7STS", "1", "healthy", None),
        ("DOWN", "INI", "0", "initial", "Elb.InitialHealthChecking"),
        ("DOWN", "L4CON", "1", "unhealthy", "Target.FailedHealthChecks"),
        ("DOWN", "* L7TOUT", "2", "unhealthy", "Target.Timeout"),
        ("DOWN", "L7STS", "2", "unhealthy", "Target.ResponseCodeMismatch"),
        ("no check", "", "", "unavailable", "Target.HealthCheckDisabled"),
    ],
)
def test_health_is_told_in_the_words_of_the_api(
    status: str, check: str, failed: str, state: str, reason: str | None
) -> None:
    row = {"pxname": backend_name(GROUP), "svname": "127.22.0.4:80", "status": status, "check_status": check}
    told = health.measured(Snapshot((), (GROUP,)), [row | {"chkfail": failed, "check_code": "500"}])
    assert [(one.id, one.port, one.state, one.reason) for one in told] == [("i-1", 80, state, reason)]


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ([{"Type": "forward", "TargetGroupArn": "a"}], Forward((("a", 1),))),
        (
            [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "a", "Weight": 0}]}}],
            Forward((("a", 0),)),
        ),
        (
            [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_302", "Port": "443", "Query": ""}}],
            Redirect(302, port="443", query=""),
        ),
        ([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}], FixedResponse(404)),
    ],
)
def test_actions_are_read_as_the_api_describes_them(described: list[dict[str, object]], expected: object) -> None:
    assert account.action(described) == expected


def test_conditions_are_read_in_the_older_and_the_newer_form() -> None:
    older = {"Field": "path-pattern", "Values": ["/x"]}
    newer = {"Field": "path-pattern", "Values": ["/x"], "PathPatternConfig": {"Values": ["/x"]}}
    assert account.condition(older) == account.condition(newer) == Condition("path-pattern", ("/x",))
    query = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a", "Value": "1"}, {"Value": "2"}]}}
    assert account.condition(query).pairs == (("a", "1"), ("", "2"))
