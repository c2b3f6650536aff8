"""What is done about an answer that leaves a part undone: no emulator gives one, so the client here is scripted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._aws import calls
from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import AwsError, perform
from ansible_collections.loadlift.aws.plugins.module_utils._plan.dynamodb_items import Table, plan_items


class ScriptedDynamoDB:
    """Writes at most `least` items a call and leaves the rest, as DynamoDB does under load."""

    def __init__(self, least: int) -> None:
        self.least = least
        self.asked: list[int] = []

    def of(self, service: str) -> ScriptedDynamoDB:
        assert service == "dynamodb"
        return self

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        self.asked.append(len(RequestItems["T"]))
        rest = RequestItems["T"][self.least :]
        return {"UnprocessedItems": {"T": rest} if rest else {}}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls.time, "sleep", lambda seconds: None)


def write(client: Any) -> None:
    items = [{"id": {"S": str(number)}} for number in range(5)]
    [call] = plan_items(Table("T", {"id": "S"}), [], items, "present", False).calls
    perform(client, call)


def test_the_rest_is_sent_again() -> None:
    client = ScriptedDynamoDB(least=2)
    write(client)
    assert client.asked == [5, 3, 1]


def test_a_rest_that_stays_is_an_error() -> None:
    client = ScriptedDynamoDB(least=0)
    with pytest.raises(AwsError, match="BatchWriteItem of table 'T' failed with Unprocessed: AWS left a part undone"):
        write(client)
    assert client.asked == [5] * calls.PATIENCE["retries"]
