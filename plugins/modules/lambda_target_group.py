#!/usr/bin/python
# Copyright: loadlift.aws maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_target_group
version_added: 0.1.0
short_description: A target group whose target is a Lambda function
description:
  - Makes a target group of type C(lambda), allows Elastic Load Balancing to invoke the function from this group and no
    other, waits until that permission has reached the load balancer, and registers the function - one task does it all.
  - An option that is left out is left alone. A run with nothing to do makes four calls, five where O(tags) is given.
  - Another O(function) takes the place of the registered one. A target group of this type holds a single function, so
    requests fail between the two. The gap lasts for three calls (up to 20 ms in the lab) and until the load balancer
    has followed - under 600 requests a second the lab's answered 502 for 0.2 to 0.3 s - and on AWS some seconds more
    until a new permission has reached it. To change code without any gap give a function with an alias, and move the
    alias.
  - A task that is run again after it was cut off at any point reaches the wanted state.
author: loadlift.aws maintainers (@loadlift)
options:
  name:
    description: Name of the target group, 1 to 32 letters, digits and hyphens.
    type: str
    required: true
  state:
    description:
      - Whether the target group exists.
      - V(absent) refuses while a rule forwards to the group, and names the rule; then it removes permission and group.
    type: str
    choices: [present, absent]
    default: present
  function:
    description:
      - The function, by name, partial ARN (C(123456789012:function:name)) or full ARN, each with a version or an alias
        if wanted (C(name:alias)). It is in the account and region of the target group.
      - Needed to make a target group. With O(state=absent), needed only to remove a permission whose group is gone.
    type: str
  qualifier:
    description: Version or alias of the function, where O(function) does not say it.
    type: str
  health_check:
    description:
      - The health check of the target. A new group has none unless asked for, as in AWS. Each check invokes the
        function.
      - What is left out keeps its value; for a new health check it is AWS's default.
    type: dict
    suboptions:
      enabled:
        description: Whether the function is checked.
        type: bool
        default: true
      path:
        description: Path of the request. AWS's default is C(/).
        type: str
      interval:
        description: Seconds between two checks, 5 to 300, more than the timeout. AWS's default is 35.
        type: int
      timeout:
        description: Seconds until a check has failed, 2 to 120. AWS's default is 30.
        type: int
      healthy_threshold:
        description: Checks in a row that make a target healthy, 2 to 10. AWS's default is 5.
        type: int
      unhealthy_threshold:
        description: Failed checks in a row that make a target unhealthy, 2 to 10. AWS's default is 2.
        type: int
      matcher:
        description: HTTP codes of a healthy target, such as V(200) or V(200-299,404). AWS's default is V(200).
        type: str
  multi_value_headers:
    description:
      - Whether the function gets and gives headers and query parameters as lists of values.
      - A new group has this off, as in AWS.
    type: bool
  manage_permission:
    description:
      - Whether the function's resource policy is kept, under the statement id C(loadlift-<name>).
      - With V(false) the policy is neither read nor changed; the permission has to be there before the task.
    type: bool
    default: true
  tags:
    description: Tags of the target group; an empty dictionary with O(purge_tags=true) removes all.
    type: dict
  purge_tags:
    description: Whether tags that are not in O(tags) are removed. Without O(tags) nothing is.
    type: bool
    default: true
  wait:
    description:
      - After a change, whether to wait until the target is healthy. It counts as settled when no rule uses the group
        yet, or when it has no health check.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait at most; as long at most for a function that is still being made.
    type: int
    default: 300
attributes:
  check_mode:
    support: full
    description: Can run in check mode and return changed status without changing anything.
  diff_mode:
    support: full
    description: Returns what has changed, in check mode too.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: loadlift.aws.alb_path_rule
"""

EXAMPLES = r"""
- name: Put a function behind a target group
  loadlift.aws.lambda_target_group:
    name: shop-data
    function: QueryFunction

- name: Follow an alias, so that new code goes live without a gap
  loadlift.aws.lambda_target_group:
    name: shop-data
    function: QueryFunction
    qualifier: live
    multi_value_headers: true
    health_check:
      path: /data
      interval: 60
      matcher: 200-299
    tags: {team: shop}

- name: Let new code go live without a gap - publish a version, and move the alias to it
  amazon.aws.lambda_alias:
    function_name: QueryFunction
    name: live
    function_version: 7

- name: Remove the target group and the permission
  loadlift.aws.lambda_target_group:
    name: shop-data
    state: absent
"""

RETURN = r"""
target_group:
  description: The target group; empty when it is absent. In check mode, what it would be.
  returned: success
  type: dict
  contains:
    name: {description: Its name., type: str, returned: when present}
    arn: {description: Its ARN; null in check mode before it exists., type: str, returned: when present}
    function_arn: {description: The function that is registered., type: str, returned: when present}
    health_check:
      description: The health check; only C(enabled) where there is none.
      type: dict
      returned: when present
    multi_value_headers: {description: Whether headers are lists of values., type: bool, returned: when present}
    permission:
      description: The statement in the function's policy; null without one, and with O(manage_permission=false).
      type: dict
      returned: when present
    tags: {description: The tags., type: dict, returned: when O(tags) is given}
    target:
      description: The registered target with its health, C(state), C(reason) and C(description).
      type: dict
      returned: when present
    load_balancer_arns: {description: Load balancers whose rules forward here., type: list, returned: when present}
    attributes: {description: AWS's attributes of the group before the task., type: dict, returned: when present}
plan:
  description: The calls of AWS's API that were made, in their order; in check mode, those that would be.
  returned: always
  type: list
  elements: dict
  sample:
    - service: elbv2
      operation: CreateTargetGroup
      parameters: {HealthCheckEnabled: false, Name: shop-data, TargetType: lambda}
error:
  description: AWS's error, with C(action), C(code) and C(message).
  returned: when a call failed
  type: dict
request_id:
  description: AWS's request id of the call that failed.
  returned: when a call failed
  type: str
"""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.loadlift.aws.plugins.module_utils._aws import awslambda, elbv2
from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import Clients
from ansible_collections.loadlift.aws.plugins.module_utils._plan.function import (
    check_found,
    check_place,
    check_state,
    parse_function,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import Plan
from ansible_collections.loadlift.aws.plugins.module_utils._plan.target_group import (
    ARN,
    Permission,
    Target,
    TargetGroup,
    WantedTargetGroup,
    check_room,
    check_wanted,
    plan_absent,
    plan_present,
    statement_id,
)
from ansible_collections.loadlift.aws.plugins.module_utils._run import NotSettledError, run

POLL_S = 2.0


class LambdaTargetGroup:
    """What one task does."""

    def __init__(self, module: AnsibleAWSModule, clients: Clients) -> None:
        self.params, self.region, self.clients = module.params, module.region, clients
        self.current: TargetGroup | None = None
        self.pending = False

    def plan(self) -> Plan:
        """Read and decide."""
        params = self.params
        check_wanted(params["name"], params["health_check"], params["wait_timeout"])
        if params["function"]:
            check_place(parse_function(params["function"], params["qualifier"]), self.region)
        self.current = elbv2.get_target_group(self.clients, params["name"], params["tags"] is not None)
        return self._plan_absent() if params["state"] == "absent" else self._plan_present()

    def result(self, plan: Plan, learned: Mapping[str, Any]) -> dict[str, Any]:
        """Return the group as it is after `plan`."""
        if not plan.after:
            return {"target_group": {}}
        current = self.current
        known = {
            "arn": current.arn if current else learned.get(ARN),
            "target": _shown(current.target if current else None),
            "load_balancer_arns": list(current.load_balancer_arns) if current else [],
            "attributes": dict(current.attributes) if current else {},
        }
        return {"target_group": {**plan.after, **known}}

    def settle(self, plan: Plan, learned: Mapping[str, Any]) -> dict[str, Any]:
        """Return the group with its target's health, once that has settled."""
        answer = self.result(plan, learned)
        if plan.after:
            answer["target_group"]["target"] = _shown(self._settled_target(answer["target_group"]["arn"]))
        return answer

    def _plan_present(self) -> Plan:
        params = self.params
        function_arn = self._function_arn() if params["function"] else None
        wanted = WantedTargetGroup(
            name=params["name"],
            function_arn=function_arn,
            health_check=params["health_check"],
            multi_value_headers=params["multi_value_headers"],
            tags=params["tags"],
            purge_tags=params["purge_tags"],
            manage_permission=params["manage_permission"],
            function_pending=self.pending,
            patience_s=params["wait_timeout"],
        )
        if self.current is None:
            check_room(*elbv2.target_groups_there_and_allowed(self.clients))
        return plan_present(self.current, wanted, self._permissions(function_arn))

    def _plan_absent(self) -> Plan:
        forwarding = elbv2.describe_forwarding(self.clients, self.current) if self.current else []
        function_arn = None
        if self.params["function"] and not (self.current and self.current.target):
            wanted = parse_function(self.params["function"], self.params["qualifier"])
            found = awslambda.get_function(self.clients, wanted.name, wanted.qualifier)
            function_arn = found.arn if found else None
        return plan_absent(self.params["name"], self.current, self._permissions(function_arn), forwarding)

    def _function_arn(self) -> str:
        """Return the wanted function's ARN: the registered one's where that is meant, to save a call."""
        wanted = parse_function(self.params["function"], self.params["qualifier"])
        registered = self.current.target if self.current else None
        if registered and wanted.is_named_by(registered.function_arn):
            return registered.function_arn
        found = awslambda.get_function(self.clients, wanted.name, wanted.qualifier) or awslambda.NO_FUNCTION
        check_found(self.params["function"], wanted, found.arn, self.region)
        check_state(self.params["function"], found.state, found.state_reason)
        self.pending = found.state == "Pending"
        return found.arn

    def _permissions(self, function_arn: str | None) -> dict[str, Permission]:
        """Return our statement of the wanted and of the registered function, where there is one."""
        if not self.params["manage_permission"]:
            return {}
        registered = self.current.target.function_arn if self.current and self.current.target else None
        arns = sorted({arn for arn in (function_arn, registered) if arn})
        sid = statement_id(self.params["name"])
        found = {arn: awslambda.get_permission(self.clients, arn, sid) for arn in arns}
        return {arn: permission for arn, permission in found.items() if permission}

    def _settled_target(self, arn: str) -> Target | None:
        """Return the target; with `wait`, once its health is no longer open."""
        deadline = time.monotonic() + self.params["wait_timeout"]
        while True:
            target = elbv2.get_target(self.clients, arn, f"target group '{self.params['name']}'")
            if not self.params["wait"] or target is None or target.state not in ("initial", "unhealthy"):
                return target
            if time.monotonic() > deadline:
                raise NotSettledError(
                    f"Target '{target.function_arn}' of target group '{self.params['name']}' is {target.state} after "
                    f"wait_timeout={self.params['wait_timeout']} seconds: {target.reason}: {target.description}."
                )
            time.sleep(POLL_S)


def _shown(target: Target | None) -> dict[str, Any] | None:
    return asdict(target) if target else None


HEALTH_CHECK_SPEC = {
    "enabled": {"type": "bool", "default": True},
    "path": {"type": "str"},
    "interval": {"type": "int"},
    "timeout": {"type": "int"},
    "healthy_threshold": {"type": "int"},
    "unhealthy_threshold": {"type": "int"},
    "matcher": {"type": "str"},
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "function": {"type": "str"},
            "qualifier": {"type": "str"},
            "health_check": {"type": "dict", "options": HEALTH_CHECK_SPEC},
            "multi_value_headers": {"type": "bool"},
            "manage_permission": {"type": "bool", "default": True},
            "tags": {"type": "dict"},
            "purge_tags": {"type": "bool", "default": True},
            "wait": {"type": "bool", "default": True},
            "wait_timeout": {"type": "int", "default": 300},
        },
        required_by={"qualifier": "function"},
        supports_check_mode=True,
    )
    clients = Clients(module)
    task = LambdaTargetGroup(module, clients)
    run(module, clients, task.plan, task.result, task.settle)


if __name__ == "__main__":
    main()
