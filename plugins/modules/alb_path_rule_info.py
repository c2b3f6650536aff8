#!/usr/bin/python
# Copyright: loadlift.aws maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: alb_path_rule_info
version_added: 0.1.0
short_description: The rules of a listener, which can never match, and which one takes a request
description:
  - Reads the rules of an Application Load Balancer's listener in their order, by the names of the options of
    M(loadlift.aws.alb_path_rule), without the default rule.
  - Says which rules can never match, because those in front of them take all their requests.
  - With O(request) it answers which rule takes this request, and why the earlier ones do not.
author: loadlift.aws maintainers (@loadlift)
extends_documentation_fragment:
  - loadlift.aws.alb_listener
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
options:
  name:
    description: Only the rules of this name. Shadows and the answer to O(request) are about all rules nevertheless.
    type: str
  request:
    description: A request as it would reach the load balancer.
    type: dict
    suboptions:
      path:
        description: Path, without the query string.
        type: str
        default: /
      method:
        description: HTTP method.
        type: str
        default: GET
      host:
        description: Host name.
        type: str
        default: ""
      headers:
        description: HTTP headers.
        type: dict
        default: {}
      query:
        description: Query string, as it is sent.
        type: str
        default: ""
      source_ip:
        description: Address from which it comes. Left out, no condition on the source is satisfied.
        type: str
        default: ""
attributes:
  check_mode:
    support: full
    description: Reads only.
  diff_mode:
    support: none
    description: Changes nothing.
seealso:
  - module: loadlift.aws.alb_path_rule
"""

EXAMPLES = r"""
- name: Which rule takes this request?
  loadlift.aws.alb_path_rule_info:
    load_balancer: shop
    listener_port: 80
    request:
      path: /data
      host: shop.example.com
      headers: {User-Agent: curl}
  register: routing

- name: Say it
  ansible.builtin.debug:
    msg: "{{ routing.taken_by.name | default('the default rule') }}"
"""

RETURN = r"""
listener_arn:
  description: The listener.
  returned: success
  type: str
rules:
  description: The rules in their order, by the names of the options of M(loadlift.aws.alb_path_rule), with C(arn).
  returned: success
  type: list
  elements: dict
shadows:
  description: The rules that can never match, with those that take their requests.
  returned: success
  type: list
  elements: dict
taken_by:
  description: The rule that takes the request; empty where it is the default rule.
  returned: when O(request) is given
  type: dict
misses:
  description:
    - The rules in front of it, by C(name) and C(priority), with the first C(condition) that the request does not
      satisfy, and the C(reason) in a sentence.
  returned: when O(request) is given
  type: list
  elements: dict
  sample:
    - name: api
      priority: 1
      condition: "path_patterns ['/api/*']"
      reason: "path '/data' is none of path_patterns ['/api/*']"
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.loadlift.aws.plugins.module_utils._aws import elbv2_rules
from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import Clients
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.listener import (
    LISTENER_CONSTRAINTS,
    LISTENER_SPEC,
    check_listener,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.matching import shadows
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.request import (
    REQUEST_SPEC,
    Request,
    check_request,
    taken_by,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.rule import Rule, in_order, shown
from ansible_collections.loadlift.aws.plugins.module_utils._run import read


def look(params: dict[str, Any], clients: Clients) -> dict[str, Any]:
    """Return what the module answers."""
    check_listener(params)
    request = Request(**params["request"]) if params["request"] is not None else None
    if request:
        check_request(request)
    listener_arn = elbv2_rules.listener_arn_of(params, clients)
    rules = in_order(elbv2_rules.describe_rules(clients, listener_arn, with_tags=True))
    named = [rule for rule in rules if params["name"] in (None, rule.name)]
    return {
        "listener_arn": listener_arn,
        "rules": [with_arn(rule) for rule in named],
        "shadows": [shadow.shown() for shadow in shadows(rules)],
        **(answer(rules, request) if request else {}),
    }


def answer(rules: list[Rule], request: Request) -> dict[str, Any]:
    """Return which rule takes a request, and why the earlier ones do not."""
    taker, misses = taken_by(rules, request)
    return {"taken_by": with_arn(taker) if taker else {}, "misses": [miss.shown(request) for miss in misses]}


def with_arn(rule: Rule) -> dict[str, Any]:
    """Return a rule as a result shows it."""
    return {"arn": rule.arn, **shown(rule, with_tags=True)}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={**LISTENER_SPEC, "name": {"type": "str"}, "request": {"type": "dict", "options": REQUEST_SPEC}},
        supports_check_mode=True,
        **LISTENER_CONSTRAINTS,
    )
    read(module, lambda: look(module.params, Clients(module)))


if __name__ == "__main__":
    main()
