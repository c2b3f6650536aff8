#!/usr/bin/python
# Copyright: loadlift.aws maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: alb_path_rules
version_added: 0.1.0
short_description: The rules of an Application Load Balancer's listener as one set
description:
  - Makes, changes and removes many rules of a listener in one task, planned as a whole.
  - Reads the listener once, and makes the fewest calls. All moves are one atomic call, so that rules may swap their
    places. Calls that may come in any order are made ten at a time.
  - While the rules change, every request gets the target that it had before or the one that it has afterwards, never a
    third. Where no order of the calls does that - the listener is full, or two rules hand requests to each other - the
    task warns, in check mode too, and names the rules.
  - Each rule is treated as by M(loadlift.aws.alb_path_rule) - what is left out is left alone, and nobody else's rule is
    modified or removed.
author: loadlift.aws maintainers (@loadlift)
extends_documentation_fragment:
  - loadlift.aws.alb_listener
  - loadlift.aws.alb_rule_set
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
options:
  owner:
    description: Tags that every rule of the set bears, by which O(purge=owned) knows them.
    type: dict
  purge:
    description:
      - Which rules of the listener that are not in O(rules) are removed - none, those that bear all tags of O(owner),
        or all, whoever made them.
    type: str
    choices: [none, owned, all]
    default: none
attributes:
  check_mode:
    support: full
    description: Can run in check mode and return changed status without changing anything.
  diff_mode:
    support: full
    description: Returns what has changed, in check mode too.
seealso:
  - module: loadlift.aws.alb_path_rule
  - module: loadlift.aws.alb_path_rule_info
"""

EXAMPLES = r"""
- name: Route the paths of the shop, and no others of ours
  loadlift.aws.alb_path_rules:
    load_balancer: shop
    listener_port: 80
    owner: {managed-by: shop}
    purge: owned
    rules:
      - name: data
        path_patterns: [/data]
        forward: [{target_group: shop-data}]
      - name: api
        path_patterns: [/api/*]
        forward: [{target_group: shop-api}]
      - name: old
        path_patterns: [/old/*]
        redirect: {path: /, status_code: 301}
"""

RETURN = r"""
rules:
  description: The rules of the set with C(arn), in the order of their priorities; in check mode, what they would be.
  returned: success
  type: list
  elements: dict
removed:
  description: The rules that are removed, by C(arn), C(name) and C(priority).
  returned: success
  type: list
  elements: dict
listener_arn:
  description: The listener.
  returned: success
  type: str
shadows:
  description: Rules that can never match, where a rule of the set is one of them or takes their requests.
  returned: success
  type: list
  elements: dict
plan:
  description: The calls of AWS's API that were made, in the order of the plan; in check mode, those that would be.
  returned: always
  type: list
  elements: dict
error:
  description: AWS's error, with C(action), C(code) and C(message).
  returned: when a call failed
  type: dict
request_id:
  description: AWS's request id of the call that failed.
  returned: when a call failed
  type: str
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.loadlift.aws.plugins.module_utils._aws import elbv2_rules
from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import Clients
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import Plan
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.listener import (
    LISTENER_CONSTRAINTS,
    LISTENER_SPEC,
    check_listener,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.options import (
    check_options,
    known_groups,
    named_groups,
    needs_tags,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.rule import shown
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.rule_set import (
    PURGE_OWNED,
    SetPlan,
    count_new,
    plan_set,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.set_options import wanted_set
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.spec import RULE_EXCLUSIVE, RULE_SPEC
from ansible_collections.loadlift.aws.plugins.module_utils._run import run


class PathRules:
    """What one task does."""

    def __init__(self, module: AnsibleAWSModule, clients: Clients) -> None:
        self.params, self.clients = module.params, clients
        self.listener_arn = ""
        self.planned: SetPlan | None = None

    def plan(self) -> Plan:
        """Read and decide."""
        entries = self.params["rules"]
        check_listener(self.params)
        for entry in entries:
            check_options(entry)
        names = dict.fromkeys(name for entry in entries for name in named_groups(entry))
        self.listener_arn = self.listener_arn or elbv2_rules.listener_arn_of(self.params, self.clients)
        rules = elbv2_rules.describe_rules(self.clients, self.listener_arn, self._needs_tags())
        groups = known_groups(rules)
        groups |= elbv2_rules.target_group_arns(self.clients, [name for name in names if name not in groups])
        wanted = wanted_set(self.params, groups)
        allowed = elbv2_rules.rules_allowed(self.clients, len(rules) + count_new(rules, wanted))
        self.planned = plan_set(self.listener_arn, rules, wanted, allowed)
        return self.planned.plan

    def _needs_tags(self) -> bool:
        owned = bool(self.params["owner"]) or self.params["purge"] == PURGE_OWNED
        return owned or any(needs_tags(entry) for entry in self.params["rules"])

    def result(self, plan: Plan, learned: Mapping[str, Any]) -> dict[str, Any]:
        """Return the set as it is after `plan`."""
        planned = self.planned
        members = sorted(planned.members, key=lambda member: member.after.priority) if planned else []
        return {
            "rules": [
                {
                    "arn": member.after.arn or learned.get(member.key),
                    **shown(member.after, with_tags=member.wanted.tags is not None),
                }
                for member in members
            ],
            "removed": [
                {"arn": rule.arn, "name": rule.name, "priority": rule.priority}
                for rule in (planned.removed if planned else ())
            ],
            "listener_arn": self.listener_arn,
            "shadows": [shadow.shown() for shadow in (planned.shadows if planned else ())],
        }


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            **LISTENER_SPEC,
            "rules": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": RULE_SPEC,
                "mutually_exclusive": RULE_EXCLUSIVE,
            },
            "owner": {"type": "dict"},
            "purge": {"type": "str", "choices": ["none", "owned", "all"], "default": "none"},
        },
        supports_check_mode=True,
        **LISTENER_CONSTRAINTS,
    )
    clients = Clients(module)
    task = PathRules(module, clients)
    run(module, clients, task.plan, task.result)


if __name__ == "__main__":
    main()
