"""Priorities of listener rules, how many rules there may be, and what may not be done to the default rule."""

from __future__ import annotations

from typing import Any

from moto.elbv2.exceptions import RuleNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeRule
from moto.moto_api._internal import mock_random

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.moto_state import backend, put
from loadlift_lab.control_plane.registry import Refused, before
from loadlift_lab.control_plane.rules.elbv2.actions import load_balancer_of

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html: Priority
LOWEST, HIGHEST = 1, 50000
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html: without default rules
RULES_PER_LOAD_BALANCER = 100


@before("elbv2", "CreateRule", "SetRulePriorities")
def priority_is_in_range(call: Call) -> None:
    """Refuse a priority that is out of range."""
    for pair in call.parameters.get("RulePriorities") or [call.parameters]:
        check_priority(int(pair["Priority"]))


def check_priority(priority: int) -> None:
    """Raise Refused if no rule may have this priority."""
    if LOWEST <= priority <= HIGHEST:
        return
    bound = f"less than or equal to {HIGHEST}" if priority > HIGHEST else f"greater than or equal to {LOWEST}"
    raise Refused(
        "ValidationError",
        f"1 validation error detected: Value '{priority}' at 'priority' failed to satisfy constraint: "
        f"Member must have value {bound}",
    )


@before("elbv2", "CreateRule")
def there_is_room(call: Call) -> None:
    """Refuse one rule more than the quota."""
    balancer = backend(call, "elbv2").load_balancers.get(load_balancer_of(call.parameters["ListenerArn"]))
    listeners = balancer.listeners.values() if balancer else []
    if sum(len(listener._non_default_rules) for listener in listeners) >= RULES_PER_LOAD_BALANCER:
        raise Refused("TooManyRules", "You've reached the limit on the number of rules per load balancer.")


@before("elbv2", "DeleteRule", "ModifyRule", "SetRulePriorities")
def default_rule_stays(call: Call) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html: default rules."""
    pairs = call.parameters.get("RulePriorities") or [call.parameters]
    for arn in (pair["RuleArn"] for pair in pairs):
        if _is_default(backend(call, "elbv2"), arn):
            raise Refused("OperationNotPermitted", f"Default rule '{arn}' cannot be modified or deleted")


def _is_default(state: Any, rule_arn: str) -> bool:
    balancer = state.load_balancers.get(load_balancer_of(rule_arn))
    listeners = balancer.listeners.values() if balancer else []
    return any(listener._default_rule[0].arn == rule_arn for listener in listeners)


def conflict(current: dict[str, int], wanted: dict[str, int]) -> int | None:
    """Return a priority that two rules of one listener would share after the change from `current`, or None."""
    taken = {priority for arn, priority in current.items() if arn not in wanted}
    for priority in wanted.values():
        if priority in taken:
            return priority
        taken.add(priority)
    return None


def set_rule_priorities(self: Any, rule_priorities: list[dict[str, Any]]) -> list[Any]:
    """Give all rules their new priority at once, or none: in place of moto's, which refuses to swap two."""
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetRulePriorities.html
    wanted = {pair["RuleArn"]: int(pair["Priority"]) for pair in rule_priorities}
    rules = self.describe_rules(listener_arn=None, rule_arns=list(wanted))
    if len(rules) != len(wanted):
        raise RuleNotFoundError()
    for listener in self.describe_listeners(None, sorted({rule.listener_arn for rule in rules})):
        current = {rule.arn: int(rule.priority) for rule in listener._non_default_rules.values()}
        taken = conflict(current, {arn: priority for arn, priority in wanted.items() if arn in current})
        if taken is not None:
            raise Refused("PriorityInUse", f"Priority '{taken}' is currently in use")
    for rule in rules:
        rule.priority = wanted[rule.arn]
    return list(rules)


def _rules_in_order(self: Any) -> dict[Any, Any]:
    ordered = sorted(self._non_default_rules.items(), key=lambda item: int(item[1].priority))
    return dict(ordered) | dict(self._default_rule)


def apply() -> None:
    """Mend moto's SetRulePriorities, its order of rules, and the ARN of the default rule."""
    initialise = FakeRule.__init__

    def with_lasting_arn(self: Any, *arguments: Any, **options: Any) -> None:
        # moto takes the object's address in memory, which another process will not have.
        initialise(self, *arguments, **options)
        self.arn = self.arn.rpartition("/")[0] + f"/{mock_random.get_random_hex(16)}"

    put(FakeRule, "__init__", with_lasting_arn)
    put(FakeListener, "rules", property(_rules_in_order))
    put(ELBv2Backend, "set_rule_priorities", set_rule_priorities)
