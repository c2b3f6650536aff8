#!/usr/bin/python
# Copyright: loadlift.aws maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: generated_secret
version_added: 0.1.0
short_description: A Secrets Manager secret whose password AWS generates once
description:
  - Makes a secret that holds a JSON object with a generated password and further values; keeps the password for good
    and the further values as the task says.
  - The password is never an input, so no playbook, inventory or process argument ever holds it.
author: loadlift.aws maintainers (@loadlift)
options:
  name:
    description: Name of the secret.
    type: str
    required: true
  state:
    description: Whether the secret exists. V(absent) removes it at once, without a recovery window.
    type: str
    choices: [present, absent]
    default: present
  values:
    description:
      - Further keys and values of the secret, such as username, host and port. Keys that are not named are left alone.
    type: dict
    default: {}
  password_key:
    description: Key of the generated password.
    type: str
    default: password
  password_length:
    description: Length of a new password, 8 to 128 letters and digits.
    type: int
    default: 32
  tags:
    description: Tags of a new secret.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    description: Can run in check mode and return changed status without changing anything.
  diff_mode:
    support: full
    description: Shows which keys the value has and which of them get another value, never a value.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep the database's password
  loadlift.aws.generated_secret:
    name: loadlift/shop/database
    values: {username: shop, dbname: shop}
  register: secret
  no_log: true
"""

RETURN = r"""
arn:
  description: ARN of the secret; null in check mode before it exists and after it is gone.
  returned: success
  type: str
value:
  description:
    - The secret's value. Register it with C(no_log=true).
    - In check mode before the secret exists, the password is one that is not kept.
  returned: when O(state=present)
  type: dict
plan:
  description: The calls that were made, or would be, without the value.
  returned: success
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.loadlift.aws.plugins.module_utils._aws import secretsmanager
from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import Clients
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import Plan
from ansible_collections.loadlift.aws.plugins.module_utils._plan.secret import (
    Secret,
    check_length,
    plan_absent,
    plan_present,
)
from ansible_collections.loadlift.aws.plugins.module_utils._run import run


def whole_value(clients: Clients, params: Mapping[str, Any], current: Secret | None) -> dict[str, Any]:
    """Return what the secret shall hold; a password that it has stays."""
    value = {**(current.value if current else {}), **params["values"]}
    if params["password_key"] not in value:
        value[params["password_key"]] = secretsmanager.random_password(clients, params["password_length"])
    return value


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "values": {"type": "dict", "default": {}},
            "password_key": {"type": "str", "default": "password", "no_log": False},
            "password_length": {"type": "int", "default": 32, "no_log": False},
            "tags": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    params, clients = module.params, Clients(module)
    told: dict[str, Any] = {}

    def plan() -> Plan:
        check_length(params["password_length"])
        current = secretsmanager.find_secret(clients, params["name"])
        told["arn"] = current.arn if current and params["state"] == "present" else None
        if params["state"] == "absent":
            return plan_absent(current)
        told["value"] = whole_value(clients, params, current)
        return plan_present(current, params["name"], told["value"], params["tags"])

    def result(made: Plan, learned: Mapping[str, Any]) -> dict[str, Any]:
        return {**told, **learned}

    run(module, clients, plan, result)


if __name__ == "__main__":
    main()
