#!/usr/bin/python
# Copyright: loadlift.aws maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_target_group_info
version_added: 0.1.0
short_description: Lambda target groups with their function, its health and its permission
description:
  - Reads one target group of type C(lambda) by its name, or all of the region.
author: loadlift.aws maintainers (@loadlift)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
options:
  name:
    description: Name of the target group. Left out, all are read, with four calls for each.
    type: str
attributes:
  check_mode:
    support: full
    description: Reads only.
  diff_mode:
    support: none
    description: Changes nothing.
seealso:
  - module: loadlift.aws.lambda_target_group
"""

EXAMPLES = r"""
- name: Is the function healthy?
  loadlift.aws.lambda_target_group_info:
    name: shop-data
  register: groups

- name: Say it
  ansible.builtin.debug:
    msg: "{{ groups.target_groups[0].target.state }}"
"""

RETURN = r"""
target_groups:
  description:
    - The target groups as M(loadlift.aws.lambda_target_group) returns them; none where O(name) is not there.
    - C(permission) is the statement that M(loadlift.aws.lambda_target_group) keeps, null without it.
  returned: success
  type: list
  elements: dict
"""

from dataclasses import asdict
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.loadlift.aws.plugins.module_utils._aws import awslambda, elbv2
from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import Clients
from ansible_collections.loadlift.aws.plugins.module_utils._plan.target_group import TargetGroup, shown, statement_id
from ansible_collections.loadlift.aws.plugins.module_utils._run import read


def look(name: str | None, clients: Clients) -> dict[str, Any]:
    """Return what the module answers."""
    names = [name] if name else elbv2.lambda_target_group_names(clients)
    found = [elbv2.get_target_group(clients, one, with_tags=True) for one in names]
    return {"target_groups": [told(group, clients) for group in found if group and group.target_type == "lambda"]}


def told(group: TargetGroup, clients: Clients) -> dict[str, Any]:
    """Return a group as a result shows it."""
    function = group.target.function_arn if group.target else None
    permission = awslambda.get_permission(clients, function, statement_id(group.name)) if function else None
    return {
        **shown(group, {permission.function_arn: permission} if permission else {}),
        "arn": group.arn,
        "target": asdict(group.target) if group.target else None,
        "load_balancer_arns": list(group.load_balancer_arns),
        "attributes": dict(group.attributes),
    }


def main() -> None:
    module = AnsibleAWSModule(argument_spec={"name": {"type": "str"}}, supports_check_mode=True)
    read(module, lambda: look(module.params["name"], Clients(module)))


if __name__ == "__main__":
    main()
