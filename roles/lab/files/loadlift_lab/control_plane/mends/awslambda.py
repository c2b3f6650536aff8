"""Lambda: what a function's configuration tells."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.utils import iso_8601_datetime_with_nanoseconds
from moto.moto_api._internal import mock_random

from loadlift_lab.control_plane.moto_state import put


def apply() -> None:
    """Tell where a function logs, and that each change makes a new revision."""
    # https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
    initialise, describe = LambdaFunction.__init__, LambdaFunction.get_configuration
    update, update_code = LambdaFunction.update_configuration, LambdaFunction.update_function_code
    describe_code = LambdaFunction.get_code

    def with_logging(self: Any, account_id: str, spec: dict[str, Any], *arguments: Any, **options: Any) -> None:
        initialise(self, account_id, spec, *arguments, **options)
        self.loadlift_logging = logging_of(self.function_name, spec.get("LoggingConfig"))
        _revise(self)

    def described(self: Any, on_create: bool = False) -> dict[str, Any]:
        told: dict[str, Any] = describe(self, on_create)
        return told | {"LoggingConfig": self.loadlift_logging, "RevisionId": self.loadlift_revision}

    def updated(self: Any, changes: dict[str, Any]) -> dict[str, Any]:
        if "LoggingConfig" in changes:
            self.loadlift_logging = logging_of(self.function_name, changes["LoggingConfig"])
        update(self, changes)
        _revise(self)
        told: dict[str, Any] = self.get_configuration()
        return told

    def updated_code(self: Any, code: dict[str, Any]) -> dict[str, Any]:
        update_code(self, code)
        if not code.get("DryRun"):
            _revise(self)
        told: dict[str, Any] = self.get_configuration()
        return told

    def with_code(self: Any) -> dict[str, Any]:
        # https://docs.aws.amazon.com/lambda/latest/api/API_Concurrency.html: moto leaves a 0 out
        told: dict[str, Any] = describe_code(self)
        reserved = self.reserved_concurrency
        return told | ({} if reserved is None else {"Concurrency": {"ReservedConcurrentExecutions": reserved}})

    put(LambdaFunction, "__init__", with_logging)
    put(LambdaFunction, "get_code", with_code)
    put(LambdaFunction, "get_configuration", described)
    put(LambdaFunction, "update_configuration", updated)
    put(LambdaFunction, "update_function_code", updated_code)


def logging_of(function: str, given: dict[str, Any] | None) -> dict[str, Any]:
    """Return a function's LoggingConfig with what was not `given`."""
    # https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
    defaults = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function}"}
    return defaults | {name: value for name, value in (given or {}).items() if value}


def _revise(function: Any) -> None:
    function.loadlift_revision = str(mock_random.uuid4())
    function.last_modified = iso_8601_datetime_with_nanoseconds()
