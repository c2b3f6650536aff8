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
  description: The secret's value. Register it with C(no_log=true).
  returned: when O(state=present)
  type: dict
"""

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.loadlift.aws.plugins.module_utils._aws import secretsmanager

try:
    import botocore
except ImportError:
    pass  # AnsibleAWSModule says so

PLACEHOLDER = "generated-when-not-in-check-mode"


def ensure_present(module: AnsibleAWSModule, client: Any) -> dict[str, Any]:
    """Make the secret, or bring its values to what the task says."""
    current = secretsmanager.get_secret(client, module.params["name"])
    password_key = module.params["password_key"]
    value = (current.value if current else {}) | module.params["values"]
    if password_key not in value:
        value[password_key] = PLACEHOLDER if module.check_mode else new_password(module, client)
    changed = current is None or value != current.value
    arn = current.arn if current else None
    if changed and not module.check_mode:
        if current:
            secretsmanager.put_secret_value(client, current.name, value)
        else:
            arn = secretsmanager.create_secret(client, module.params["name"], value, module.params["tags"])
    return {"changed": changed, "arn": arn, "value": value}


def new_password(module: AnsibleAWSModule, client: Any) -> str:
    return secretsmanager.get_random_password(client, module.params["password_length"])


def ensure_absent(module: AnsibleAWSModule, client: Any) -> dict[str, Any]:
    """Remove the secret."""
    current = secretsmanager.get_secret(client, module.params["name"])
    if current and not module.check_mode:
        secretsmanager.delete_secret(client, current.name)
    return {"changed": current is not None, "arn": None}


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
    if not 8 <= module.params["password_length"] <= 128:
        module.fail_json(msg=f"password_length is {module.params['password_length']}; allowed are 8 to 128.")
    client = module.client("secretsmanager", retry_decorator=AWSRetry.jittered_backoff())
    ensure = ensure_present if module.params["state"] == "present" else ensure_absent
    try:
        module.exit_json(**ensure(module, client))
    except json.JSONDecodeError:
        module.fail_json(msg=f"Secret '{module.params['name']}' holds no JSON object; this module would overwrite it.")
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"Cannot keep secret '{module.params['name']}'")


if __name__ == "__main__":
    main()
