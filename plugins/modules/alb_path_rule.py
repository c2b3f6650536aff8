#!/usr/bin/python
# Copyright: loadlift.aws maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: alb_path_rule
version_added: 0.1.0
short_description: One rule of an Application Load Balancer's listener
description:
  - Makes, changes or removes a single rule, without restating the listener.
  - An option that is left out is left alone; an empty list removes what is there. A condition that the rule has and the
    task does not name as wanted is a difference, too.
  - No other rule is ever modified or removed. Where there is no room for the rule, others get another number, all in
    one atomic call, and keep their order.
  - The rule is found by its C(Name) tag, if O(name) is given, else by its conditions. A rule without a name that has
    exactly the conditions of the task gets the name.
  - A run with nothing to do makes two calls where O(listener_arn) is given and the listener has up to 20 rules.
author: loadlift.aws maintainers (@loadlift)
extends_documentation_fragment:
  - loadlift.aws.alb_rule
  - loadlift.aws.alb_listener
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
options:
  state:
    description: Whether the rule exists.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    support: full
    description: Can run in check mode and return changed status without changing anything.
  diff_mode:
    support: full
    description: Returns what has changed, in check mode too.
seealso:
  - module: loadlift.aws.lambda_target_group
"""

EXAMPLES = r"""
- name: Send a path to Lambda
  loadlift.aws.alb_path_rule:
    listener_arn: "{{ listener_arn }}"
    name: shop-data
    path_patterns: [/data]
    forward:
      - target_group: shop-data

- name: Give a tenth of the requests to the new version
  loadlift.aws.alb_path_rule:
    load_balancer: shop
    listener_port: 443
    name: shop-api
    path_patterns: [/api/*]
    methods: [GET, HEAD]
    forward:
      - {target_group: api-v1, weight: 9}
      - {target_group: api-v2, weight: 1}
    stickiness: 600
    before: catch-all

- name: Redirect an old path
  loadlift.aws.alb_path_rule:
    listener_arn: "{{ listener_arn }}"
    path_patterns: [/old/*]
    redirect: {path: /new, status_code: 301}

- name: Remove a rule
  loadlift.aws.alb_path_rule:
    listener_arn: "{{ listener_arn }}"
    name: shop-data
    state: absent
"""

RETURN = r"""
rule:
  description:
    - The rule, by the names of the options; empty when it is absent. In check mode, what it would be.
    - Conditions and actions that it does not have are left out.
  returned: success
  type: dict
  contains:
    arn: {description: Its ARN; null in check mode before it exists., type: str, returned: when present}
    name: {description: Its name., type: str, returned: when it has one}
    priority: {description: Its priority., type: int, returned: when present}
    path_patterns: {description: Its path patterns., type: list, elements: str, returned: when it has some}
    forward:
      description: Its target groups, C(target_group_arn) and C(weight) of each.
      type: list
      elements: dict
      returned: when it forwards
    stickiness: {description: Seconds of stickiness; 0 is off., type: int, returned: when it forwards}
    tags: {description: Its tags., type: dict, returned: when O(tags) is given}
priority:
  description: The rule's priority; null when it is absent.
  returned: success
  type: int
listener_arn:
  description: The listener.
  returned: success
  type: str
shadows:
  description: Rules that can never match, where this rule is one of them or takes their requests.
  returned: success
  type: list
  elements: dict
  sample:
    - rule: shop-data
      priority: 20
      by: [catch-all]
      message: "rule 'shop-data' (priority 20) can never match: rule 'catch-all' (priority 1) takes its requests."
plan:
  description: The calls of AWS's API that were made, in their order; in check mode, those that would be.
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
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.options import (
    check_options,
    known_groups,
    named_groups,
    needs_tags,
    wanted_rule,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.path_rule import (
    RULE_ARN,
    RulePlan,
    find,
    plan_absent,
    plan_present,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.spec import RULE_EXCLUSIVE, RULE_SPEC
from ansible_collections.loadlift.aws.plugins.module_utils._run import run


class PathRule:
    """What one task does."""

    def __init__(self, module: AnsibleAWSModule, clients: Clients) -> None:
        self.params, self.clients = module.params, clients
        self.listener_arn = ""
        self.planned: RulePlan | None = None

    def plan(self) -> Plan:
        """Read and decide."""
        absent = self.params["state"] == "absent"
        options = {**self.params, "forward": None} if absent else self.params  # its groups may be gone
        check_options(options)
        names = named_groups(options)
        self.listener_arn = self.listener_arn or elbv2_rules.listener_arn_of(self.params, self.clients)
        rules = elbv2_rules.describe_rules(self.clients, self.listener_arn, needs_tags(options), may_be_gone=absent)
        groups = known_groups(rules)
        groups |= elbv2_rules.target_group_arns(self.clients, [name for name in names if name not in groups])
        wanted = wanted_rule(options, groups)
        if absent:
            self.planned = plan_absent(rules, wanted)
        else:
            allowed = elbv2_rules.rules_allowed(self.clients, len(rules) + (find(rules, wanted) is None))
            self.planned = plan_present(self.listener_arn, rules, wanted, allowed)
        return self.planned.plan

    def result(self, plan: Plan, learned: Mapping[str, Any]) -> dict[str, Any]:
        """Return the rule as it is after `plan`."""
        rule = self.planned.after if self.planned else None
        shadows = self.planned.shadows if self.planned else ()
        own = {key: value for key, value in plan.after.items() if key not in ("moved", "client_secret")}
        return {
            "rule": {**own, "arn": rule.arn or learned.get(RULE_ARN)} if rule else {},
            "priority": rule.priority if rule else None,
            "listener_arn": self.listener_arn,
            "shadows": [shadow.shown() for shadow in shadows],
        }


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            **LISTENER_SPEC,
            **RULE_SPEC,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
        **{
            **LISTENER_CONSTRAINTS,
            "mutually_exclusive": [*LISTENER_CONSTRAINTS["mutually_exclusive"], *RULE_EXCLUSIVE],
        },
    )
    clients = Clients(module)
    task = PathRule(module, clients)
    run(module, clients, task.plan, task.result)


if __name__ == "__main__":
    main()
