"""dynamodb_items against both emulators."""

from __future__ import annotations

from typing import Any

import pytest

from integration.account import Account

MODULE = "dynamodb_items"
PRODUCTS = [
    {"product_id": "P1", "total_reviews": 412, "product_title": "Wiper blade", "average_rating": 4.25},
    {"product_id": "P2", "total_reviews": 398, "product_title": "Phone mount", "average_rating": 4.0, "sold": True},
]


@pytest.fixture
def table(aws: Account) -> str:
    return make_table(aws)


def make_table(account: Account) -> str:
    name = f"{account.prefix}-items"
    account.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "product_id", "AttributeType": "S"},
            {"AttributeName": "total_reviews", "AttributeType": "N"},
        ],
        KeySchema=[
            {"AttributeName": "product_id", "KeyType": "HASH"},
            {"AttributeName": "total_reviews", "KeyType": "RANGE"},
        ],
    )
    return name


def held(account: Account, table: str) -> dict[str, Any]:
    items = account.client("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
    return {item["product_id"]["S"]: item for item in items}


def test_seven_steps(aws: Account, table: str) -> None:
    made = aws.same_in_check_mode(MODULE, table=table, items=PRODUCTS)
    assert made["changed"]
    assert made["diff"]["before"] == {}
    assert (made["put"], made["deleted"], made["unchanged"]) == (2, 0, 0)
    assert held(aws, table)["P2"] == {
        "product_id": {"S": "P2"},
        "total_reviews": {"N": "398"},
        "product_title": {"S": "Phone mount"},
        "average_rating": {"N": "4"},
        "sold": {"BOOL": True},
    }

    again = aws.run(MODULE, table=table, items=PRODUCTS)
    assert not again["changed"]
    assert (again["plan"], again["unchanged"]) == ([], 2)

    dearer = aws.same_in_check_mode(MODULE, table=table, items=[PRODUCTS[0] | {"average_rating": 4.3}])
    assert [item["average_rating"] for item in dearer["diff"]["before"]["items"]] == [{"N": "4.25"}]
    assert [item["average_rating"] for item in dearer["diff"]["after"]["items"]] == [{"N": "4.3"}]
    assert held(aws, table)["P1"]["average_rating"] == {"N": "4.3"}

    plain = {name: value for name, value in PRODUCTS[1].items() if name != "sold"}
    fewer = aws.same_in_check_mode(MODULE, table=table, items=[plain])
    assert fewer["changed"]
    assert "sold" not in held(aws, table)["P2"]

    key = {"product_id": "P2", "total_reviews": 398}
    gone = aws.same_in_check_mode(MODULE, table=table, items=[key], state="absent")
    assert (gone["changed"], gone["deleted"]) == (True, 1)
    assert gone["diff"]["after"] == {}
    assert set(held(aws, table)) == {"P1"}
    assert not aws.run(MODULE, table=table, items=[key], state="absent")["changed"]


def test_others_stay_unless_purged(aws: Account, table: str) -> None:
    aws.run(MODULE, table=table, items=PRODUCTS)
    newer = PRODUCTS[0] | {"product_id": "P3"}
    assert aws.run(MODULE, table=table, items=[newer])["put"] == 1
    assert set(held(aws, table)) == {"P1", "P2", "P3"}

    exact = aws.same_in_check_mode(MODULE, table=table, items=[newer, PRODUCTS[0]], purge=True)
    assert (exact["put"], exact["deleted"], exact["unchanged"]) == (0, 1, 2)
    assert set(held(aws, table)) == {"P1", "P3"}
    assert not aws.run(MODULE, table=table, items=[newer, PRODUCTS[0]], purge=True)["changed"]


def test_few_calls(lab: Account) -> None:
    table = make_table(lab)
    items = [{"product_id": f"P{number:03}", "total_reviews": number} for number in range(130)]
    lab.calls()
    lab.run(MODULE, table=table, items=items)
    assert lab.calls() == {"dynamodb.DescribeTable": 1, "dynamodb.BatchGetItem": 2, "dynamodb.BatchWriteItem": 6}
    lab.run(MODULE, table=table, items=items, purge=True)
    assert lab.calls() == {"dynamodb.DescribeTable": 1, "dynamodb.Scan": 1}


@pytest.mark.parametrize("kind", ["throttle", "drop", "drop_after"])
def test_a_call_that_fails_once_is_made_again(lab: Account, kind: str) -> None:
    table = make_table(lab)
    lab.emulator.own("PUT", "faults", [{"service": "dynamodb", "operation": "BatchWriteItem", "kind": kind}])
    assert lab.run(MODULE, table=table, items=PRODUCTS)["put"] == 2
    assert set(held(lab, table)) == {"P1", "P2"}


def test_bad_input_is_refused_before_anything_changes(lab: Account) -> None:
    table = make_table(lab)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"items": [PRODUCTS[0], {"product_id": "P2"}]}, "items[1].total_reviews is missing"),
        ({"items": [PRODUCTS[0], PRODUCTS[0]]}, "items[0] and items[1] have the same key"),
        ({"items": PRODUCTS, "state": "absent", "purge": True}, "purge is true with state absent"),
        ({"items": PRODUCTS, "table": "nowhere"}, "table 'nowhere' does not exist in this region."),
    ]
    for options, problem in cases:
        answer = lab.fail(MODULE, **{"table": table} | options)
        assert problem in answer["msg"]
        assert not answer["changed"]
    assert held(lab, table) == {}
    assert not lab.run(MODULE, table="nowhere", items=PRODUCTS, state="absent")["changed"]
