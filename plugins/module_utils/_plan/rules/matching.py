# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which requests a rule takes, and which rules leave nothing for others. Pure.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .condition import HEADER, HOST, METHOD, PATH, QUERY, SOURCE, Condition, Conditions
from .pattern import ANY, Pattern, covered, overlap, tokens
from .rule import Rule, in_order


@dataclass(frozen=True)
class Shadow:
    """A rule that can never match, because those in front of it take all that it could."""

    rule: Rule
    by: tuple[Rule, ...]

    @property
    def sentence(self) -> str:
        """Say so."""
        takers = " and ".join(one.label for one in self.by)
        return f"{self.rule.label} can never match: {takers} {'takes' if len(self.by) == 1 else 'take'} its requests."

    def shown(self) -> dict[str, Any]:
        """Return the finding as a result shows it: rules by their name, or by their priority where they have none."""
        return {
            "rule": self.rule.name or str(self.rule.priority),
            "priority": self.rule.priority,
            "by": [one.name or str(one.priority) for one in self.by],
            "message": self.sentence,
        }


def covers(wide: Conditions, narrow: Conditions) -> bool:
    """Tell whether each request that `narrow` takes is one that `wide` takes; False where that is not certain."""
    return all(_implied(condition, narrow) for condition in wide)


def may_overlap(first: Conditions, second: Conditions) -> bool:
    """Tell whether some request may satisfy both; False where certainly none does."""
    return not any(
        one.field == other.field and _disjoint(one, other) for one, other in itertools.product(first, second)
    )


def shadow_of(rule: Rule, earlier: Iterable[Rule]) -> Shadow | None:
    """Return why `rule` can never match behind `earlier`, or None where it may.

    Each of the rule's cases, such as one of two paths, may be taken by another rule.
    """
    earlier = in_order(earlier)
    takers: dict[str, Rule] = {}
    for case in _cases(rule.conditions):
        taker = next((one for one in earlier if covers(one.conditions, case)), None)
        if taker is None:
            return None
        takers[taker.arn] = taker
    return Shadow(rule, tuple(in_order(takers.values())))


def shadows(rules: Iterable[Rule]) -> list[Shadow]:
    """Return each rule of a listener that can never match."""
    ordered = in_order(rules)
    found = (shadow_of(rule, ordered[:place]) for place, rule in enumerate(ordered))
    return [shadow for shadow in found if shadow]


def _cases(conditions: Conditions) -> Iterable[Conditions]:
    """Split a rule by the values of its path, host and method: one value of each."""
    return itertools.product(*map(_split, conditions))


def _split(condition: Condition) -> list[Condition]:
    if condition.field not in (PATH, HOST, METHOD) or condition.regexes:
        return [condition]
    return [Condition(condition.field, (value,)) for value in condition.values]


def _implied(wide: Condition, narrow: Conditions) -> bool:
    """Tell whether one of the narrow conditions makes `wide` true, or every request does."""
    same = [one for one in narrow if one.field == wide.field and one.header.lower() == wide.header.lower()]
    return any(_covers(wide, one) for one in same) or wide.takes_all


def _covers(wide: Condition, narrow: Condition) -> bool:
    if wide.regexes:
        return set(narrow.regexes) <= set(wide.regexes) and bool(narrow.regexes)
    if narrow.regexes:
        return wide.takes_all or (wide.field == HEADER and covered(tokens(ANY), wide.patterns))
    if wide.field == METHOD:
        return set(narrow.values) <= set(wide.values)
    if wide.field == SOURCE:
        return _networks_cover(wide.values, narrow.values)
    if wide.field == QUERY:
        return all(any(_pair_covers(pair, other) for pair in wide.pair_patterns) for other in narrow.pair_patterns)
    return all(covered(pattern, wide.patterns, wide.prefix) for pattern in narrow.patterns)


def _pair_covers(wide: tuple[Pattern, Pattern], narrow: tuple[Pattern, Pattern]) -> bool:
    return all(covered(inner, [outer]) for outer, inner in zip(wide, narrow, strict=True))


def _networks_cover(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    return all(any(_inside(inner, outer) for outer in wide) for inner in narrow)


def _inside(inner: str, outer: str) -> bool:
    small, large = ipaddress.ip_network(inner), ipaddress.ip_network(outer)
    return small.version == large.version and small.subnet_of(large)  # type: ignore[arg-type]


def _disjoint(one: Condition, other: Condition) -> bool:
    """Tell whether no request satisfies both; headers and query strings may be there twice, so they never are."""
    if one.regexes or other.regexes or one.field in (HEADER, QUERY):
        return False
    if one.field == METHOD:
        return not set(one.values) & set(other.values)
    if one.field == SOURCE:
        pairs = itertools.product(one.values, other.values)
        return not any(_inside(a, b) or _inside(b, a) for a, b in pairs)
    return not any(overlap(a, b) for a, b in itertools.product(one.patterns, other.patterns))
