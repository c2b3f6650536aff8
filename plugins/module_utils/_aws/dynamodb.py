# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DynamoDB: one function a call; items in DynamoDB's JSON, numbers in one normal form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import AwsError, Clients, ask, ask_until_done
from ansible_collections.loadlift.aws.plugins.module_utils._plan.dynamodb_items import READS_A_CALL, Item, Table, normal
from ansible_collections.loadlift.aws.plugins.module_utils._plan.parts import in_parts

try:
    from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
except ImportError:
    pass  # AnsibleAWSModule says so


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values as an item; ValueError or TypeError for one that DynamoDB cannot hold."""
    serialize = TypeSerializer().serialize
    return {name: serialize(normal(value)) for name, value in values.items()}


def _normal_item(item: Item) -> dict[str, Any]:
    deserialize = TypeDeserializer().deserialize
    return to_item({name: deserialize(dict(value)) for name, value in item.items()})  # type: ignore[arg-type]


def find_table(clients: Clients, name: str) -> Table | None:
    """Return the table `name`, or None.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
    """
    try:
        table = ask(clients, "dynamodb", "DescribeTable", f"table '{name}'", TableName=name)["Table"]
    except AwsError as failure:
        if failure.code == "ResourceNotFoundException":
            return None
        raise
    types = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in table["AttributeDefinitions"]}
    return Table(name, {part["AttributeName"]: types[part["AttributeName"]] for part in table["KeySchema"]})


def get_items(clients: Clients, table: Table, keys: Sequence[Item]) -> Iterator[Item]:
    """Yield the items with `keys` that are there.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
    """
    for some in in_parts(keys, READS_A_CALL):
        asked = {table.name: {"Keys": some, "ConsistentRead": True}}
        rest = {"RequestItems": "UnprocessedKeys"}
        resource = f"table '{table.name}'"
        for answer in ask_until_done(clients, "dynamodb", "BatchGetItem", resource, rest, RequestItems=asked):
            yield from map(_normal_item, answer["Responses"].get(table.name, []))


def scan(clients: Clients, table: Table) -> Iterator[Item]:
    """Yield every item.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
    """
    start: dict[str, Any] = {}
    while True:
        resource = f"table '{table.name}'"
        page = ask(clients, "dynamodb", "Scan", resource, TableName=table.name, ConsistentRead=True, **start)
        yield from map(_normal_item, page["Items"])
        if not page.get("LastEvaluatedKey"):
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
