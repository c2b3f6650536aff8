#!/usr/bin/python
# Copyright: loadlift.aws maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_outputs_info
version_added: 0.1.0
short_description: Read what the tiers of a stack have published
description:
  - Reads the results that the tier roles keep as JSON in Systems Manager Parameter Store under
    C(/loadlift/<stack>/<tier>), so that a job that is started alone finds what an earlier job built.
  - One C(GetParametersByPath) call for up to ten tiers.
author: loadlift.aws maintainers (@loadlift)
options:
  stack:
    description: Name of the stack.
    type: str
    required: true
  required_tiers:
    description: Tiers that must have published a result; the module fails and names the missing ones.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: Reads only.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Find what the web tier made
  loadlift.aws.stack_outputs_info:
    stack: shop
    required_tiers: [web]
  register: stack
"""

RETURN = r"""
outputs:
  description: The results, by tier.
  returned: success
  type: dict
  sample: {"network": {"vpc_id": "vpc-0123456789abcdef0"}}
"""

import json

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

try:
    import botocore
except ImportError:
    pass  # AnsibleAWSModule says so

from ansible_collections.loadlift.aws.plugins.module_utils._aws.ssm import get_parameters_by_path


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "stack": {"type": "str", "required": True},
            "required_tiers": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    path = f"/loadlift/{module.params['stack']}"
    try:
        parameters = get_parameters_by_path(module.client("ssm", retry_decorator=AWSRetry.jittered_backoff()), path)
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"Cannot read the parameters under {path}")
    missing = sorted(set(module.params["required_tiers"]) - set(parameters))
    if missing:
        stack = module.params["stack"]
        module.fail_json(msg=f"Stack '{stack}' has no result of {', '.join(missing)}: provision it first.")
    module.exit_json(changed=False, outputs={tier: json.loads(value) for tier, value in parameters.items()})


if __name__ == "__main__":
    main()
