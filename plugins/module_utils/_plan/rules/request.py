# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which rule of a listener takes a request, and why the ones in front of it do not. Pure.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..plan import InputError
from .condition import FOLDED, HEADER, HOST, METHOD, PATH, QUERY, SOURCE, Condition
from .condition import shown as shown_conditions
from .pattern import matches
from .rule import Rule, in_order

REQUEST_SPEC: dict[str, Any] = {
    "path": {"type": "str", "default": "/"},
    "method": {"type": "str", "default": "GET"},
    "host": {"type": "str", "default": ""},
    "headers": {"type": "dict", "default": {}},
    "query": {"type": "str", "default": ""},
    "source_ip": {"type": "str", "default": ""},
}


@dataclass(frozen=True)
class Request:
    """A request as the load balancer sees it. `query` is what follows the question mark, as it was sent."""

    path: str = "/"
    method: str = "GET"
    host: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    source_ip: str = ""


@dataclass(frozen=True)
class Miss:
    """A rule that does not take a request, and the first of its conditions that the request does not satisfy."""

    rule: Rule
    condition: Condition

    @property
    def unmet(self) -> str:
        """Say which condition it was."""
        return " and ".join(f"{option} {values}" for option, values in shown_conditions([self.condition]).items())

    def shown(self, request: Request) -> dict[str, Any]:
        """Return it as a result shows it, with what the request has in its place."""
        reason = f"{_has(self.condition, request)} is none of {self.unmet}"
        return {"name": self.rule.name, "priority": self.rule.priority, "condition": self.unmet, "reason": reason}


def _has(condition: Condition, request: Request) -> str:
    if condition.field == HEADER:
        values = _header_values(condition, request)
        return f"header {condition.header} '{', '.join(values)}'" if values else f"header {condition.header}, not sent,"
    has = {PATH: request.path, HOST: request.host, METHOD: request.method, QUERY: request.query}
    name = {PATH: "path", HOST: "host", METHOD: "method", QUERY: "query", SOURCE: "source_ip"}[condition.field]
    text = has.get(condition.field, request.source_ip)
    return f"{name} '{text}'" if text else f"{name}, not given,"


def taken_by(rules: Iterable[Rule], request: Request) -> tuple[Rule | None, list[Miss]]:
    """Return the rule that takes the request, None for the default one, and the earlier ones with why they do not."""
    misses: list[Miss] = []
    for rule in in_order(rules):
        unmet = next((one for one in rule.conditions if not satisfied(one, request)), None)
        if unmet is None:
            return rule, misses
        misses.append(Miss(rule, unmet))
    return None, misses


def satisfied(condition: Condition, request: Request) -> bool:
    """Tell whether a request satisfies a condition: one of its values has to match."""
    return _CHECKS[condition.field](condition, request)


def _path(condition: Condition, request: Request) -> bool:
    return _text(condition, request.path)


def _host(condition: Condition, request: Request) -> bool:
    return _text(condition, request.host)


def _method(condition: Condition, request: Request) -> bool:
    return request.method in condition.values


def _header(condition: Condition, request: Request) -> bool:
    return any(_text(condition, value) for value in _header_values(condition, request))


def _header_values(condition: Condition, request: Request) -> list[str]:
    return [str(value) for name, value in request.headers.items() if name.lower() == condition.header.lower()]


def _text(condition: Condition, text: str) -> bool:
    if condition.regexes:
        return any(re.search(regex, text) for regex in condition.regexes)
    folded = text.lower() if condition.field in FOLDED else text
    return any(matches(pattern, folded) for pattern in condition.patterns)


def _query(condition: Condition, request: Request) -> bool:
    sent = [tuple(part.partition("=")[::2]) for part in request.query.lower().split("&") if part]
    wanted = condition.pair_patterns
    return any(matches(key, name) and matches(value, text) for key, value in wanted for name, text in sent)


def _source(condition: Condition, request: Request) -> bool:
    if not request.source_ip:
        return False
    address = ipaddress.ip_address(request.source_ip)
    return any(address in ipaddress.ip_network(network) for network in condition.values)


def check_request(request: Request) -> None:
    """Raise InputError for a request that nobody can send."""
    if not request.path.startswith("/") or "?" in request.path:
        raise InputError(f"path is '{request.path}'; allowed are paths that begin with '/', without the query string.")
    if not re.fullmatch(r"[A-Z_-]+", request.method):
        raise InputError(f"method is '{request.method}'; allowed are HTTP methods in capitals, such as GET.")
    if request.query.startswith("?"):
        raise InputError(f"query is '{request.query}'; allowed is what follows the '?', without it.")
    if request.source_ip:
        try:
            ipaddress.ip_address(request.source_ip)
        except ValueError:
            raise InputError(f"source_ip is '{request.source_ip}'; allowed is an IP address.") from None


_CHECKS = {PATH: _path, HOST: _host, METHOD: _method, HEADER: _header, QUERY: _query, SOURCE: _source}
