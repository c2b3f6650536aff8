# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A rule of a listener. Pure.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Rule.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..tags import Tags
from . import action, condition
from .action import Actions, Transforms
from .condition import Conditions

NAME_TAG = "Name"


@dataclass(frozen=True)
class Rule:
    """One rule, other than the listener's default one. `tags` is empty where nobody asked for them."""

    arn: str
    priority: int
    conditions: Conditions
    actions: Actions
    transforms: Transforms = ()
    tags: Tags = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The Name tag, empty without one."""
        return self.tags.get(NAME_TAG, "")

    @property
    def label(self) -> str:
        """What to call the rule in a message."""
        return (
            f"rule '{self.name}' (priority {self.priority})" if self.name else f"the rule of priority {self.priority}"
        )


def rule_from_aws(described: Mapping[str, Any], tags: Tags) -> Rule:
    """Return a rule as DescribeRules tells it."""
    return Rule(
        arn=described["RuleArn"],
        priority=int(described["Priority"]),
        conditions=condition.from_aws(described.get("Conditions", [])),
        actions=action.actions_from_aws(described.get("Actions", [])),
        transforms=action.transforms_from_aws(described.get("Transforms", [])),
        tags=tags,
    )


def shown(rule: Rule, with_tags: bool) -> dict[str, Any]:
    """Return a rule by the names of the modules' options, without its ARN; kinds that it does not have are left out."""
    return {
        **({"name": rule.name} if rule.name else {}),
        "priority": rule.priority,
        **condition.shown(rule.conditions),
        **action.shown(rule.actions),
        **({"transforms": action.transforms_shown(rule.transforms)} if rule.transforms else {}),
        **({"tags": dict(rule.tags)} if with_tags else {}),
    }


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """Return rules as the load balancer goes through them."""
    return sorted(rules, key=lambda rule: rule.priority)
