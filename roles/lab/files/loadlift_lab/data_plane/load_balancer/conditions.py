"""ELBv2 rule conditions as HAProxy ACLs.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from loadlift_lab.data_plane.load_balancer.model import Condition
from loadlift_lab.data_plane.load_balancer.quoting import UnusableValueError, quote

# "\*" and "\?" stand for the characters themselves.
WILDCARD_TOKEN = re.compile(r"\\[*?\\]|.", re.DOTALL)
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def acl_lines(name: str, condition: Condition) -> list[str]:
    """Return the lines that define the ACL `name`, true when any value of the condition matches."""
    try:
        return [f"acl {name} {test}" for test in TESTS[condition.field](condition)]
    except KeyError:
        raise UnusableValueError(f"the condition field {condition.field} is not known") from None


def _path(condition: Condition) -> Iterator[str]:
    yield from _texts("path", condition, ignore_case=False)


def _host(condition: Condition) -> Iterator[str]:
    yield from _texts("req.hdr(host),host_only", condition, ignore_case=True)


def _header(condition: Condition) -> Iterator[str]:
    if not HEADER_NAME.fullmatch(condition.header):
        raise UnusableValueError(f"{condition.header!r} is no header name")
    yield from _texts(quote(f'req.fhdr("{condition.header}")'), condition, ignore_case=True)


def _method(condition: Condition) -> Iterator[str]:
    for value in condition.values:
        yield f"method -m str -- {quote(value)}"


def _query(condition: Condition) -> Iterator[str]:
    for key, value in condition.pairs:
        # Without a key, any key that is set to the value; one without "=" is set to nothing, which only * matches.
        any_key = "([^=&]*=)?" if set(value) == {"*"} else "[^=&]*="
        wanted = f"{wildcard_regex(key, '[^=&]')}=" if key else any_key
        pair = f"(^|&){wanted}{wildcard_regex(value, '[^&]')}(&|$)"
        yield f"query -m reg -i -- {quote(pair)}"


def _source(condition: Condition) -> Iterator[str]:
    for value in condition.values:
        try:
            yield f"src {ipaddress.ip_network(value, strict=False)}"
        except ValueError:
            raise UnusableValueError(f"{value!r} is no CIDR block") from None


TESTS: dict[str, Callable[[Condition], Iterator[str]]] = {
    "path-pattern": _path,
    "host-header": _host,
    "http-header": _header,
    "http-request-method": _method,
    "query-string": _query,
    "source-ip": _source,
}


def _texts(sample: str, condition: Condition, *, ignore_case: bool) -> Iterator[str]:
    for value in condition.values:
        method, pattern = wildcard_match(value)
        yield f"{sample} -m {method} {'-i ' if ignore_case else ''}-- {quote(pattern)}"
    for regex in condition.regex_values:
        yield f"{sample} -m reg {'-i ' if ignore_case else ''}-- {quote(_checked(regex))}"


def _checked(regex: str) -> str:
    try:
        re.compile(regex)
    except re.error as error:
        raise UnusableValueError(f"{regex!r} is no regular expression: {error}") from None
    return regex


def wildcard_match(value: str) -> tuple[str, str]:
    """Return HAProxy's cheapest match method for a value with * and ?, and its pattern."""
    tokens = WILDCARD_TOKEN.findall(value)
    inner = tokens[tokens[:1] == ["*"] : len(tokens) - (tokens[-1:] == ["*"] and len(tokens) > 1)]
    if not inner or "*" in inner or "?" in inner:
        return "reg", f"^{wildcard_regex(value, '.')}$"
    begins, ends = tokens[0] != "*", tokens[-1] != "*"
    method = {(True, True): "str", (True, False): "beg", (False, True): "end", (False, False): "sub"}[begins, ends]
    return method, "".join(map(_literal, inner))


def wildcard_regex(value: str, any_character: str) -> str:
    """Return a regular expression for a value with * (none or more of `any_character`) and ? (one)."""
    special = {"*": f"{any_character}*", "?": any_character}
    return "".join(special.get(token) or re.escape(_literal(token)) for token in WILDCARD_TOKEN.findall(value))


def _literal(token: str) -> str:
    return token[-1]
