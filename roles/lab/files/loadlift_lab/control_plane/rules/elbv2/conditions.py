"""The conditions of a listener rule: what AWS takes, and how it gives them back."""

from __future__ import annotations

from collections import Counter
from typing import Any

from moto.elbv2.models import ELBv2Backend

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.moto_state import put
from loadlift_lab.control_plane.registry import Refused, before

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html#rules-quotas
CONDITION_VALUES_PER_RULE = 5
# Five by .../application/rule-condition-types.html, six by the page on quotas since 2025: the stricter one is enforced.
CONDITION_WILDCARDS_PER_RULE = 5
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html
ONCE_A_RULE = ("host-header", "http-request-method", "path-pattern", "source-ip")
WILDCARD_FIELDS = ("host-header", "http-header", "path-pattern", "query-string")
CONFIGURATIONS = {
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "path-pattern": "PathPatternConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
Condition = dict[str, Any]


@before("elbv2", "CreateRule")
def at_least_one_condition(call: Call) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html: Conditions."""
    if not call.parameters.get("Conditions"):
        raise Refused("ValidationError", "At least one condition must be specified")


@before("elbv2", "CreateRule", "ModifyRule")
def conditions_are_legal(call: Call) -> None:
    """Refuse conditions that AWS refuses."""
    check_conditions(call.parameters.get("Conditions") or [])


def check_conditions(conditions: list[Condition]) -> None:
    """Raise Refused if a rule may not have these conditions."""
    for condition in conditions:
        _check_values(condition)
    _check_repetitions(conditions)
    _check_quotas(conditions)


def values_of(condition: Condition) -> list[str]:
    """Return the values of a condition as texts, however they were given."""
    configuration = condition.get(CONFIGURATIONS.get(condition.get("Field", ""), ""), {})
    values = condition.get("Values") or configuration.get("Values") or regexes_of(condition)
    return [value if isinstance(value, str) else _pair(value) for value in values]


def regexes_of(condition: Condition) -> list[str]:
    """Return the regular expressions of a condition, which stand in place of values."""
    configuration = condition.get(CONFIGURATIONS.get(condition.get("Field", ""), ""), {})
    return list(condition.get("RegexValues") or configuration.get("RegexValues") or [])


def wildcards_of(condition: Condition) -> int:
    """Return how many wildcards a condition has; a regular expression has none."""
    if condition.get("Field") not in WILDCARD_FIELDS or regexes_of(condition):
        return 0
    return sum(value.count("*") + value.count("?") for value in values_of(condition))


def _pair(pair: dict[str, str]) -> str:
    return "=".join(filter(None, (pair.get("Key"), pair.get("Value"))))


def _check_values(condition: Condition) -> None:
    # "The value for a condition can't be empty": API_RuleCondition.
    values = values_of(condition)
    if not values or not all(values):
        raise Refused("ValidationError", "A condition value must be specified")


def _check_repetitions(conditions: list[Condition]) -> None:
    # "Up to one of each": API_RuleCondition.
    counts = Counter(condition.get("Field") for condition in conditions)
    for field in ONCE_A_RULE:
        if counts[field] > 1:
            raise Refused("ValidationError", f"A rule can only have one '{field}' condition")


def _check_quotas(conditions: list[Condition]) -> None:
    if sum(len(values_of(condition)) for condition in conditions) > CONDITION_VALUES_PER_RULE:
        raise Refused("ValidationError", f"A rule can only have '{CONDITION_VALUES_PER_RULE}' condition values")
    if sum(map(wildcards_of, conditions)) > CONDITION_WILDCARDS_PER_RULE:
        raise Refused("ValidationError", f"A rule can only have '{CONDITION_WILDCARDS_PER_RULE}' condition wildcards")


def told(condition: Condition) -> Condition:
    """Return a condition as DescribeRules tells it: host and path values twice, in both notations."""
    # https://docs.aws.amazon.com/cli/latest/reference/elbv2/describe-rules.html#examples
    field = condition.get("Field", "")
    if field not in ("host-header", "path-pattern"):
        return condition
    name = "RegexValues" if regexes_of(condition) else "Values"
    values = values_of(condition)
    return {"Field": field, name: values, CONFIGURATIONS[field]: {name: values}}


def apply() -> None:
    """Let moto keep conditions as AWS tells them."""
    create_rule, modify_rule = ELBv2Backend.create_rule, ELBv2Backend.modify_rule
    validate = ELBv2Backend._validate_conditions

    def validate_values(self: Any, conditions: list[Condition]) -> None:
        validate(self, [condition for condition in conditions if not regexes_of(condition)])

    def create(self: Any, *arguments: Any, **options: Any) -> Any:
        rule = create_rule(self, *arguments, **options)
        rule.conditions = [told(condition) for condition in rule.conditions]
        return rule

    def modify(self: Any, *arguments: Any, **options: Any) -> Any:
        rule = modify_rule(self, *arguments, **options)
        rule.conditions = [told(condition) for condition in rule.conditions]
        return rule

    put(ELBv2Backend, "_validate_conditions", validate_values)
    put(ELBv2Backend, "create_rule", create)
    put(ELBv2Backend, "modify_rule", modify)
