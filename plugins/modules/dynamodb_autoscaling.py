#!/usr/bin/python
# Copyright: loadlift.aws maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dynamodb_autoscaling
version_added: 0.1.0
short_description: Let the provisioned capacity of a DynamoDB table follow its load
description:
  - Registers the read and write capacity of a table with Application Auto Scaling and keeps one target tracking policy
    for each. With O(state=absent) both are deregistered, with every policy of them.
  - Unlike M(community.aws.application_autoscaling_policy) it changes nothing in check mode, updates bounds, and removes
    the scalable target too.
author: loadlift.aws maintainers (@loadlift)
options:
  table:
    description: Name of the table, whose billing mode is C(PROVISIONED).
    type: str
    required: true
  state:
    description: Whether the table's capacity is scaled.
    type: str
    choices: [present, absent]
    default: present
  read_capacity:
    description: How the read capacity is scaled. Left alone if omitted.
    type: dict
    suboptions: &scaling
      minimum:
        description: Fewest capacity units, at least 1.
        type: int
        required: true
      maximum:
        description: Most capacity units.
        type: int
        required: true
      target_percent:
        description: Use of the capacity that scaling keeps, 20 to 90 percent.
        type: int
        default: 70
  write_capacity:
    description: How the write capacity is scaled. Left alone if omitted.
    type: dict
    suboptions: *scaling
attributes:
  check_mode:
    support: full
    description: Can run in check mode and return changed status without changing anything.
  diff_mode:
    support: full
    description: Shows the scaling of each capacity before and after.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read with 5 to 100 units, write with 1 to 10
  loadlift.aws.dynamodb_autoscaling:
    table: LoadTestDataStore
    read_capacity: {minimum: 5, maximum: 100}
    write_capacity: {minimum: 1, maximum: 10, target_percent: 60}
"""

RETURN = r"""
scaling:
  description: The scaling of each capacity that has one.
  returned: success
  type: dict
  sample: {"read_capacity": {"minimum": 5, "maximum": 100, "target_percent": 70}}
plan:
  description: The calls that were made, or would be.
  returned: success
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.loadlift.aws.plugins.module_utils._aws.autoscaling import (
    describe_scalable_targets,
    describe_scaling_policies,
)
from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import Clients
from ansible_collections.loadlift.aws.plugins.module_utils._plan.dynamodb_autoscaling import (
    DIMENSIONS,
    Scaling,
    current_scaling,
    plan_scaling,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import Plan
from ansible_collections.loadlift.aws.plugins.module_utils._run import run

SCALING = {
    "minimum": {"type": "int", "required": True},
    "maximum": {"type": "int", "required": True},
    "target_percent": {"type": "int", "default": 70},
}


def read_scaling(clients: Clients, table: str) -> dict[str, Scaling]:
    """Return the table's scaling as it is."""
    place = ("dynamodb", f"table/{table}")
    targets = describe_scalable_targets(clients, *place)
    policies = describe_scaling_policies(clients, *place) if targets else []
    return current_scaling(table, targets, policies)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "table": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "read_capacity": {"type": "dict", "options": SCALING},
            "write_capacity": {"type": "dict", "options": SCALING},
        },
        supports_check_mode=True,
    )
    clients = Clients(module)
    params = module.params

    def plan() -> Plan:
        wanted = {option: Scaling.wanted(option, params[option]) for option in DIMENSIONS if params[option]}
        return plan_scaling(params["table"], read_scaling(clients, params["table"]), wanted, params["state"])

    def result(made: Plan, learned: Mapping[str, Any]) -> dict[str, Any]:
        return {"scaling": dict(made.after)}

    run(module, clients, plan, result)


if __name__ == "__main__":
    main()
