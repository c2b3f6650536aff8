# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which items a DynamoDB table has to be given, and which have to go. Pure.

Items are in DynamoDB's JSON, for example {"product_id": {"S": "P1"}, "total_reviews": {"N": "25"}}:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._plan.parts import in_parts
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import Call, InputError, Plan

Item = Mapping[str, Mapping[str, Any]]
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html: up to 25 requests
WRITES_A_CALL = 25
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html: up to 100 items
READS_A_CALL = 100
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html: 38 digits
NUMBER = Context(prec=38, traps=[Inexact])
LONG = Decimal("1e20")


@dataclass(frozen=True)
class Table:
    """A table's name and its key: attribute -> type (S, N or B), partition key first."""

    name: str
    key: Mapping[str, str]

    def key_of(self, item: Item) -> dict[str, Any]:
        """Return the key attributes of `item`."""
        return {name: item[name] for name in self.key}


def normal(value: Any) -> Any:
    """Return `value` with every number as a Decimal in one form; ValueError for one that DynamoDB cannot hold."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float, Decimal)):
        return _number(value)
    if isinstance(value, Mapping):
        return {name: normal(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [normal(inner) for inner in value]
    return value


def _number(value: float | Decimal) -> Decimal:
    try:
        number = NUMBER.normalize(Decimal(str(value)))
    except Inexact:
        raise ValueError(f"{value} has more than the 38 digits that DynamoDB can hold") from None
    if not number.is_finite():
        raise ValueError(f"{value} is no number that DynamoDB can hold")
    # 25 rather than 2.5E+1
    return Decimal(int(number)) if number == number.to_integral_value() and abs(number) < LONG else number


def check_items(table: Table, items: Sequence[Item]) -> None:
    """Refuse items without a whole key of the right types, and two items with the same key."""
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        _check_key(table, item, index)
        key = _identity(table.key_of(item))
        if key in seen:
            raise InputError(f"items[{seen[key]}] and items[{index}] have the same key {key}.")
        seen[key] = index


def _check_key(table: Table, item: Item, index: int) -> None:
    for name, kind in table.key.items():
        given = next(iter(item.get(name, {"": None})))
        if given != kind:
            problem = f"is of type {given}" if given else "is missing"
            needed = " and ".join(f"{key} ({key_type})" for key, key_type in table.key.items())
            raise InputError(f"items[{index}].{name} {problem}; the key of table '{table.name}' is {needed}.")


def _identity(part: Mapping[str, Any]) -> str:
    return json.dumps(part, sort_keys=True, default=repr)


def plan_items(table: Table, current: Sequence[Item], wanted: Sequence[Item], state: str, purge: bool) -> Plan:
    """Return what makes the table hold the wanted items, or not hold them (`state` absent); `purge` removes all others.

    `current` are the items with the wanted keys, or every item of the table when `purge`.
    """
    has = {_identity(table.key_of(item)): item for item in current}
    named = {_identity(table.key_of(item)): item for item in wanted}
    put = {key: item for key, item in named.items() if state == "present" and has.get(key) != item}
    delete = [key for key in has if (key in named if state == "absent" else purge and key not in named)]
    before = {key: has[key] for key in [*put, *delete] if key in has}
    return Plan(_shown(before), _shown(put), tuple(_writes(table, list(put.values()), [has[key] for key in delete])))


def count_writes(plan: Plan) -> tuple[int, int]:
    """Return how many items a plan of `plan_items` writes and removes."""
    requests = [one for call in plan.calls for batch in call.parameters["RequestItems"].values() for one in batch]
    put = sum("PutRequest" in request for request in requests)
    return put, len(requests) - put


def _shown(items: Mapping[str, Item]) -> dict[str, Any]:
    return {"items": [items[key] for key in sorted(items)]} if items else {}


def _writes(table: Table, put: Sequence[Item], delete: Sequence[Item]) -> Iterator[Call]:
    requests: list[dict[str, Any]] = [{"PutRequest": {"Item": item}} for item in put]
    requests += [{"DeleteRequest": {"Key": table.key_of(item)}} for item in delete]
    for some in in_parts(requests, WRITES_A_CALL):
        yield Call(
            "dynamodb",
            "BatchWriteItem",
            {"RequestItems": {table.name: some}},
            f"table '{table.name}'",
            rest={"RequestItems": "UnprocessedItems"},
        )
