#!/usr/bin/python
# Copyright: loadlift.aws maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dynamodb_items
version_added: 0.1.0
short_description: Items of a DynamoDB table
description:
  - Makes a table hold the given items, whole - an attribute that the table's item has and the task's item does not is
    removed. With O(purge=true) the table holds these items and no others.
  - Reads the named items with one C(BatchGetItem) call for every 100, or the whole table by C(Scan) with O(purge=true),
    and writes only what differs, 25 items a C(BatchWriteItem) call. What AWS leaves unprocessed is sent again.
  - Meant for tables of up to some thousand items. A batch is not a transaction - a reader may meet some items of it
    before the others.
author: loadlift.aws maintainers (@loadlift)
options:
  table:
    description: Name of the table. The module finds out its key.
    type: str
    required: true
  items:
    description:
      - The items, as plain values - strings, numbers, booleans, null, lists and dictionaries. Each has the attributes
        of the table's key, no two have the same key.
      - A fraction is stored with the shortest digits that mean it, 4.1 as 4.1.
      - With O(state=absent) the attributes of the key are enough.
    type: list
    elements: dict
    required: true
  state:
    description: Whether the table holds the items. With V(absent), a table that does not exist is fine.
    type: str
    choices: [present, absent]
    default: present
  purge:
    description: Whether to remove every other item of the table. Only with O(state=present).
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Can run in check mode and return changed status without changing anything.
  diff_mode:
    support: full
    description: Shows the items that differ, before and after, in DynamoDB's JSON.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Hold exactly these products
  loadlift.aws.dynamodb_items:
    table: LoadTestDataStore
    items:
      - {product_id: P01, total_reviews: 412, product_title: Wiper blade, average_rating: 4.25}
      - {product_id: P02, total_reviews: 398, product_title: Phone mount, average_rating: 3.9}
    purge: true

- name: Remove one product, leave the others alone
  loadlift.aws.dynamodb_items:
    table: LoadTestDataStore
    items:
      - {product_id: P02, total_reviews: 398}
    state: absent
"""

RETURN = r"""
table:
  description: Name of the table.
  returned: success
  type: str
put:
  description: How many items were written, or would be.
  returned: success
  type: int
deleted:
  description: How many items were removed, or would be.
  returned: success
  type: int
unchanged:
  description: How many of the given items were right already.
  returned: success
  type: int
plan:
  description: The calls that were made, or would be.
  returned: success
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.loadlift.aws.plugins.module_utils._aws import dynamodb
from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import Clients
from ansible_collections.loadlift.aws.plugins.module_utils._plan.dynamodb_items import (
    Item,
    Table,
    check_items,
    count_writes,
    plan_items,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError, Plan
from ansible_collections.loadlift.aws.plugins.module_utils._run import run


def given_items(items: list[dict[str, Any]]) -> list[Item]:
    """Return the items of the task in DynamoDB's JSON."""
    converted: list[Item] = []
    for index, item in enumerate(items):
        try:
            converted.append(dynamodb.to_item(item))
        except (ValueError, TypeError) as error:
            raise InputError(f"items[{index}] cannot be stored: {error}.") from error
    return converted


def plan_task(clients: Clients, params: Mapping[str, Any]) -> Plan:
    """Read what the task is about, and decide."""
    wanted = given_items(params["items"])
    table = dynamodb.find_table(clients, params["table"])
    if table is None:
        if params["state"] == "absent":
            return Plan({}, {})
        raise InputError(f"table '{params['table']}' does not exist in this region.")
    check_items(table, wanted)
    current = dynamodb.scan(clients, table) if params["purge"] else get_named(clients, table, wanted)
    return plan_items(table, list(current), wanted, params["state"], params["purge"])


def get_named(clients: Clients, table: Table, wanted: list[Item]) -> Any:
    return dynamodb.get_items(clients, table, [table.key_of(item) for item in wanted])


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "table": {"type": "str", "required": True},
            "items": {"type": "list", "elements": "dict", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "purge": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    clients = Clients(module)

    def plan() -> Plan:
        if module.params["purge"] and module.params["state"] == "absent":
            raise InputError("purge is true with state absent; it is allowed with state present only.")
        return plan_task(clients, module.params)

    def result(made: Plan, learned: Mapping[str, Any]) -> dict[str, Any]:
        put, deleted = count_writes(made)
        unchanged = len(module.params["items"]) - put if module.params["state"] == "present" else 0
        return {"table": module.params["table"], "put": put, "deleted": deleted, "unchanged": unchanged}

    run(module, clients, plan, result)


if __name__ == "__main__":
    main()
