"""DynamoDB: a table has an identifier."""

from __future__ import annotations

from typing import Any

from moto.dynamodb.models.table import Table
from moto.moto_api._internal import mock_random

from loadlift_lab.control_plane.moto_state import put


def apply() -> None:
    """Tell a table's TableId."""
    # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
    initialise, describe = Table.__init__, Table.describe

    def with_identifier(self: Any, *arguments: Any, **options: Any) -> None:
        initialise(self, *arguments, **options)
        self.table_id = str(mock_random.uuid4())

    def described(self: Any, base_key: str = "TableDescription") -> dict[str, Any]:
        told: dict[str, Any] = describe(self, base_key)
        told[base_key]["TableId"] = self.table_id
        return told

    put(Table, "__init__", with_identifier)
    put(Table, "describe", described)
