# ruff: noqa: N802, N803 (its methods and parameters bear AWS's names)
"""A small model of Elastic Load Balancing: it takes AWS's calls and refuses what AWS refuses, at every single step."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import Call, Learned
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.rule import Rule, rule_from_aws

LISTENER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/shop/0123456789abcdef/0123456789abcdef"
RULES, VALUES, WILDCARDS = 100, 5, 5


class ModelError(Exception):
    """What AWS would refuse; the first argument is its error code."""


class Model:
    """One listener."""

    def __init__(self) -> None:
        self._rules: dict[str, dict[str, Any]] = {}
        self._made = 0

    def rules(self) -> list[Rule]:
        """Return the rules as a module reads them."""
        return [rule_from_aws(one, one["Tags"]) for one in copy.deepcopy(self._rules).values()]

    def apply(self, calls: Iterable[Call]) -> None:
        """Make the calls one after the other."""
        for call in calls:
            self.apply_one(call)

    def apply_one(self, call: Call) -> None:
        """Make one call."""
        getattr(self, f"_{call.operation}")(**copy.deepcopy(dict(call.parameters)))

    def add(self, rule: Rule, parameters: Mapping[str, Any]) -> None:
        """Put somebody's rule there."""
        tags = [{"Key": key, "Value": value} for key, value in rule.tags.items()]
        self._CreateRule(ListenerArn=LISTENER, Priority=rule.priority, Tags=tags, **parameters)

    def _CreateRule(
        self,
        ListenerArn: str,
        Priority: int,
        Conditions: Any,
        Actions: Any,
        Tags: Any = (),
        Transforms: Any = (),
    ) -> str:
        if ListenerArn != LISTENER:
            raise ModelError("ListenerNotFound")
        if len(self._rules) >= RULES:
            raise ModelError("TooManyRules")
        _check(Conditions, Actions)
        self._made += 1
        arn = LISTENER.replace("listener", "listener-rule", 1) + f"/{self._made:016x}"
        self._check_priorities({arn: Priority})
        tags = {tag["Key"]: tag["Value"] for tag in Tags}
        self._rules[arn] = {
            "RuleArn": arn,
            "Priority": str(Priority),
            "Conditions": Conditions,
            "Actions": Actions,
            "Transforms": list(Transforms),
            "Tags": tags,
        }
        return arn

    def _ModifyRule(self, RuleArn: str, ResetTransforms: bool = False, **changed: Any) -> None:
        rule = self._known(RuleArn) | changed
        _check(rule["Conditions"], rule["Actions"])
        self._rules[RuleArn] = rule | ({"Transforms": []} if ResetTransforms else {})

    def _SetRulePriorities(self, RulePriorities: Any) -> None:
        wanted = {pair["RuleArn"]: pair["Priority"] for pair in RulePriorities}
        for arn in wanted:
            self._known(arn)
        self._check_priorities(wanted)
        for arn, priority in wanted.items():
            self._rules[arn]["Priority"] = str(priority)

    def _DeleteRule(self, RuleArn: str) -> None:
        self._known(RuleArn)
        del self._rules[RuleArn]

    def _AddTags(self, ResourceArns: Any, Tags: Any) -> None:
        for arn in ResourceArns:
            self._known(arn)["Tags"] |= {tag["Key"]: tag["Value"] for tag in Tags}

    def _RemoveTags(self, ResourceArns: Any, TagKeys: Any) -> None:
        for arn in ResourceArns:
            for key in TagKeys:
                self._known(arn)["Tags"].pop(key, None)

    def _known(self, arn: str) -> dict[str, Any]:
        if arn not in self._rules:
            raise ModelError("RuleNotFound")
        return self._rules[arn]

    def _check_priorities(self, wanted: Mapping[str, int]) -> None:
        now = {arn: int(rule["Priority"]) for arn, rule in self._rules.items()}
        after = [*(now | wanted).values()]
        if not all(1 <= priority <= 50000 for priority in after):
            raise ModelError("ValidationError")
        if len(set(after)) < len(after):
            raise ModelError("PriorityInUse")


def _check(conditions: Any, actions: Any) -> None:
    values = [value for one in conditions for value in _values(one)]
    if not conditions or not values or len(values) > VALUES or not all(values):
        raise ModelError("ValidationError", "conditions")
    if sum(value.count("*") + value.count("?") for value in values) > WILDCARDS:
        raise ModelError("ValidationError", "wildcards")
    if sum(action["Type"] in ("forward", "redirect", "fixed-response") for action in actions) != 1:
        raise ModelError("ValidationError", "actions")
    if any(isinstance(value, Learned) for action in actions for value in action.values()):
        raise ModelError("ValidationError", "a value that nobody told")


def _values(condition: Mapping[str, Any]) -> list[str]:
    config = next(value for key, value in condition.items() if key.endswith("Config"))
    values = config.get("Values") or config.get("RegexValues")
    return [value if isinstance(value, str) else value["Value"] for value in values]
