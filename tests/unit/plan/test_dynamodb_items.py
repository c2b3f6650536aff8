"""Which items are written and removed, and how numbers are kept."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._aws.dynamodb import to_item
from ansible_collections.loadlift.aws.plugins.module_utils._plan.dynamodb_items import (
    Item,
    Table,
    check_items,
    count_writes,
    normal,
    plan_items,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from hypothesis import given
from hypothesis import strategies as st

TABLE = Table("T", {"id": "S", "n": "N"})
# What DynamoDB holds: 38 digits, 1e-130 to 1e125
NUMBERS = st.integers(-(10**37), 10**37) | st.floats(1e-100, 1e100) | st.decimals(-1000, 1000, places=4)


def item(identifier: str, number: int, **values: Any) -> Item:
    return to_item({"id": identifier, "n": number, **values})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (25, "25"),
        (25.0, "25"),
        (Decimal("25.00"), "25"),
        (100, "100"),
        (4.1, "4.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (0, "0"),
        (-0.0, "0"),
        (12345678901234567890123456789012345678, "1.2345678901234567890123456789012345678E+37"),
    ],
)
def test_one_form_of_a_number(value: Any, text: str) -> None:
    assert Decimal(to_item({"n": value})["n"]["N"]) == Decimal(text)
    assert to_item({"n": value}) == to_item({"n": Decimal(text)})


@given(NUMBERS)
def test_a_number_keeps_its_value(number: Any) -> None:
    assert normal(normal(number)) == normal(number) == Decimal(str(number))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), 10**38 + 1])
def test_numbers_that_cannot_be_held(value: Any) -> None:
    with pytest.raises(ValueError, match="DynamoDB can hold"):
        to_item({"n": [value]})


def test_true_is_not_one() -> None:
    assert to_item({"a": True, "b": 1, "c": None}) == {"a": {"BOOL": True}, "b": {"N": "1"}, "c": {"NULL": True}}


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ([{"id": "a"}], r"items\[0\]\.n is missing; the key of table 'T' is id \(S\) and n \(N\)\."),
        ([{"id": "a", "n": 1}, {"id": 2, "n": 1}], r"items\[1\]\.id is of type N; the key of table 'T' is"),
        ([{"id": "a", "n": "1"}], r"items\[0\]\.n is of type S"),
        ([{"id": "a", "n": 1}, {"id": "b", "n": 1}, {"n": 1.0, "id": "a"}], r"items\[0\] and items\[2\] have the same"),
    ],
)
def test_bad_items(items: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        check_items(TABLE, [to_item(one) for one in items])


@pytest.mark.parametrize(
    ("state", "purge", "wanted", "writes"),
    [
        ("present", False, [item("a", 1), item("b", 1, x=2)], (0, 0)),
        ("present", False, [item("b", 1)], (1, 0)),  # an attribute less
        ("present", False, [item("b", 1, x=3), item("c", 1)], (2, 0)),
        ("present", True, [item("a", 1)], (0, 1)),
        ("present", True, [], (0, 2)),
        ("present", True, [item("a", 2), item("b", 1, x=2)], (1, 1)),  # another key
        ("absent", False, [item("a", 1), item("c", 1)], (0, 1)),
        ("absent", False, [], (0, 0)),
    ],
)
def test_what_is_written_and_removed(state: str, purge: bool, wanted: list[Item], writes: tuple[int, int]) -> None:
    current = [item("a", 1), item("b", 1, x=2)]
    plan = plan_items(TABLE, current, wanted, state, purge)
    assert count_writes(plan) == writes
    assert plan.changed == (writes != (0, 0))


def test_twenty_five_writes_a_call() -> None:
    plan = plan_items(TABLE, [item("old", 1)], [item("a", n) for n in range(50)], "present", True)
    assert [len(call.parameters["RequestItems"]["T"]) for call in plan.calls] == [25, 25, 1]
    assert plan.before == {"items": [item("old", 1)]}


KEYS = st.tuples(st.sampled_from("abc"), st.integers(1, 3))
STORES = st.dictionaries(KEYS, st.integers(0, 2), max_size=6)


@given(STORES, STORES, st.booleans())
def test_the_writes_lead_to_what_is_wanted(current: Any, wanted: Any, purge: bool) -> None:
    def items(store: Any) -> list[Item]:
        return [item(*key, x=value) for key, value in store.items()]

    plan = plan_items(TABLE, items(current), items(wanted), "present", purge)
    table = {str(TABLE.key_of(one)): one for one in items(current)}
    for call in plan.calls:
        for request in call.parameters["RequestItems"]["T"]:
            if "PutRequest" in request:
                table[str(TABLE.key_of(request["PutRequest"]["Item"]))] = request["PutRequest"]["Item"]
            else:
                del table[str(request["DeleteRequest"]["Key"])]
    expected = wanted if purge else current | wanted
    assert table == {str(TABLE.key_of(one)): one for one in items(expected)}
    assert plan.changed == bool(plan.calls)
