# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The conditions of a listener rule: from options and from AWS into one form, and back to AWS. Pure.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..plan import InputError
from .pattern import ANY, Pattern, covered, tokens

PATH, HOST, METHOD = "path-pattern", "host-header", "http-request-method"
HEADER, QUERY, SOURCE = "http-header", "query-string", "source-ip"
FIELDS = (PATH, HOST, METHOD, HEADER, QUERY, SOURCE)
FOLDED = (HOST, HEADER, QUERY)  # AWS ignores case there, but not in paths and methods
CONFIGS = {
    PATH: "PathPatternConfig",
    HOST: "HostHeaderConfig",
    METHOD: "HttpRequestMethodConfig",
    HEADER: "HttpHeaderConfig",
    QUERY: "QueryStringConfig",
    SOURCE: "SourceIpConfig",
}
# Option of the modules -> field; those of a regular expression apart.
VALUE_OPTIONS = {"path_patterns": PATH, "hosts": HOST, "methods": METHOD, "source_ips": SOURCE}
REGEX_OPTIONS = {"path_regexes": PATH, "host_regexes": HOST}
CONDITION_OPTIONS = (*VALUE_OPTIONS, *REGEX_OPTIONS, "headers", "query_strings")


@dataclass(frozen=True)
class Condition:
    """One condition; any of its values satisfies it. Of values, regexes and pairs it has one kind.

    `pairs` are key and value of a query string, with an empty key where any key will do. `header` is a header's name.
    """

    field: str
    values: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    header: str = ""

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        """What two conditions have in common that match the same: no order, no case where AWS ignores it."""
        values = {value.lower() if self.field in FOLDED else value for value in self.values}
        pairs = {(key.lower(), value.lower()) for key, value in self.pairs}
        parts = tuple(sorted(values)), tuple(sorted(set(self.regexes))), tuple(sorted(pairs))
        return self.field, self.header.lower(), *parts

    @cached_property
    def patterns(self) -> tuple[Pattern, ...]:
        """Its values as patterns."""
        return tuple(tokens(value, ignore_case=self.field in FOLDED) for value in self.values)

    @cached_property
    def pair_patterns(self) -> tuple[tuple[Pattern, Pattern], ...]:
        """Its pairs as patterns of key and value; in them a backslash makes a wildcard an ordinary character."""
        return tuple(
            (tokens(key or ANY, escapes=True, ignore_case=True), tokens(value, escapes=True, ignore_case=True))
            for key, value in self.pairs
        )

    @property
    def prefix(self) -> str:
        """What each text begins with that it is about: a pattern such as /* therefore takes all paths."""
        return "/" if self.field == PATH else ""

    @cached_property
    def takes_all(self) -> bool:
        """Whether every request satisfies it."""
        return self.field in (PATH, HOST) and covered(tokens(ANY), self.patterns, self.prefix)


Conditions = tuple[Condition, ...]


def meaning(conditions: Iterable[Condition]) -> frozenset[tuple[Any, ...]]:
    """Return what equal sets of conditions have in common."""
    return frozenset(condition.meaning for condition in conditions)


def asked_conditions(options: Mapping[str, Any]) -> dict[str, Conditions]:
    """Return, by field, what the options of a module say; a field of which they say nothing is missing.

    An empty list is a field without a condition.
    """
    asked: dict[str, Conditions] = {}
    for option, field in VALUE_OPTIONS.items():
        if options.get(option) is not None:
            asked[field] = _simple(field, values=_values(field, options[option]))
    for option, field in REGEX_OPTIONS.items():
        if options.get(option) is not None:
            _not_both(option, field, options)
            asked[field] = asked.get(field) or _simple(field, regexes=_unique(options[option]))
    if options.get("headers") is not None:
        asked[HEADER] = tuple(_header(one) for one in options["headers"])
    if options.get("query_strings") is not None:
        asked[QUERY] = tuple(Condition(QUERY, pairs=_pairs(one["values"])) for one in options["query_strings"])
    return asked


def _not_both(option: str, field: str, options: Mapping[str, Any]) -> None:
    other = next(name for name, its_field in VALUE_OPTIONS.items() if its_field == field)
    if options[option] and options.get(other):
        raise InputError(f"{option} is {options[option]} and {other} is {options[other]}; a rule takes one of the two.")


def _simple(field: str, values: tuple[str, ...] = (), regexes: tuple[str, ...] = ()) -> Conditions:
    return (Condition(field, values, regexes),) if values or regexes else ()


def _unique(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _values(field: str, values: Sequence[str]) -> tuple[str, ...]:
    return _unique([_network(value) for value in values] if field == SOURCE else values)


def _network(text: str) -> str:
    """Return a source in CIDR notation, as AWS wants it: a single address gets its mask."""
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise InputError(
            f"source_ips has '{text}'; allowed are IP addresses and networks such as 192.0.2.0/24."
        ) from None


def _header(one: Mapping[str, Any]) -> Condition:
    values, regexes = one.get("values") or [], one.get("regexes") or []
    if bool(values) == bool(regexes):
        raise InputError(
            f"headers has '{one['name']}' with values {values} and regexes {regexes}; give one of the two."
        )
    return Condition(HEADER, _unique(values), _unique(regexes), header=one["name"])


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    if not pairs:
        raise InputError("query_strings has an entry without values; allowed are one or more.")
    return tuple(dict.fromkeys((one.get("key") or "", one["value"]) for one in pairs))


def from_aws(described: Iterable[Mapping[str, Any]]) -> Conditions:
    """Return a rule's conditions as DescribeRules tells them, in the old notation or the new one."""
    return tuple(_from_aws(one) for one in described)


def _from_aws(one: Mapping[str, Any]) -> Condition:
    field = one["Field"]
    config = one.get(CONFIGS[field], {})
    regexes = tuple(config.get("RegexValues") or one.get("RegexValues") or ())
    if field == QUERY:
        return Condition(field, pairs=tuple((pair.get("Key", ""), pair["Value"]) for pair in config["Values"]))
    values = tuple(config.get("Values") or one.get("Values") or ())
    return Condition(field, values, regexes, header=config.get("HttpHeaderName", ""))


def to_aws(conditions: Iterable[Condition]) -> list[dict[str, Any]]:
    """Return conditions as CreateRule and ModifyRule take them."""
    return [{"Field": one.field, CONFIGS[one.field]: _config(one)} for one in conditions]


def _config(one: Condition) -> dict[str, Any]:
    if one.field == QUERY:
        return {"Values": [{"Value": value, **({"Key": key} if key else {})} for key, value in one.pairs]}
    values = {"RegexValues": list(one.regexes)} if one.regexes else {"Values": list(one.values)}
    return {"HttpHeaderName": one.header, **values} if one.field == HEADER else values


def shown(conditions: Iterable[Condition]) -> dict[str, Any]:
    """Return conditions by the names of the modules' options; those that a rule does not have are left out."""
    result: dict[str, Any] = {}
    for one in sorted(conditions, key=lambda condition: condition.meaning):
        if one.field == HEADER:
            kind, values = ("regexes", one.regexes) if one.regexes else ("values", one.values)
            result.setdefault("headers", []).append({"name": one.header, kind: sorted(values)})
        elif one.field == QUERY:
            pairs = [{"value": value, **({"key": key} if key else {})} for key, value in sorted(one.pairs)]
            result.setdefault("query_strings", []).append({"values": pairs})
        else:
            names = REGEX_OPTIONS if one.regexes else VALUE_OPTIONS
            option = next(name for name, field in names.items() if field == one.field)
            result[option] = sorted(one.regexes or one.values)
    return result
