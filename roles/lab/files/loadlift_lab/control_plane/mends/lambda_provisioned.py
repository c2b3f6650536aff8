"""Lambda: provisioned concurrency."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.functions import ALLOCATED, provisioned
from loadlift_lab.control_plane.moto_state import backend
from loadlift_lab.control_plane.registry import Refused, after, answer


@answer("lambda", "PutProvisionedConcurrencyConfig")
def put_configuration(call: Call) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html."""
    requested = int(call.parameters["ProvisionedConcurrentExecutions"])
    key = _key(call)
    if key[1] == "$LATEST":
        raise Refused(
            "InvalidParameterValueException",
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
        )
    if requested < 1:
        raise Refused("InvalidParameterValueException", "ProvisionedConcurrentExecutions is at least 1")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
    provisioned(backend(call, "awslambda"))[key] = {"requested": requested, "modified": now}
    return _told(call, key)


@answer("lambda", "GetProvisionedConcurrencyConfig")
def get_configuration(call: Call) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html."""
    key = _key(call)
    if key not in provisioned(backend(call, "awslambda")):
        raise Refused(
            "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function"
        )
    return _told(call, key)


@answer("lambda", "ListProvisionedConcurrencyConfigs")
def list_configurations(call: Call) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListProvisionedConcurrencyConfigs.html."""
    functions = backend(call, "awslambda")
    function = functions.get_function(call.parameters["FunctionName"])
    keys = [key for key in provisioned(functions) if key[0] == function.function_name]
    arn = function.function_arn
    return {"ProvisionedConcurrencyConfigs": [_told(call, key) | {"FunctionArn": f"{arn}:{key[1]}"} for key in keys]}


@answer("lambda", "DeleteProvisionedConcurrencyConfig")
def delete_configuration(call: Call) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteProvisionedConcurrencyConfig.html."""
    provisioned(backend(call, "awslambda")).pop(_key(call), None)
    return {}


@after("lambda", "DeleteFunction")
def forget(call: Call) -> None:
    """A function takes its configurations with it."""
    functions = backend(call, "awslambda")
    for name, qualifier in list(provisioned(functions)):
        if name not in functions._lambdas._functions:
            del provisioned(functions)[name, qualifier]


def _key(call: Call) -> tuple[str, str]:
    name, qualifier = call.parameters["FunctionName"], call.parameters["Qualifier"]
    return backend(call, "awslambda").get_function(name, qualifier).function_name, qualifier


def _told(call: Call, key: tuple[str, str]) -> dict[str, Any]:
    functions = backend(call, "awslambda")
    request = provisioned(functions)[key]
    allocated = min(ALLOCATED.of(key[0], str(functions.get_function(*key).version)), request["requested"])
    return {
        "RequestedProvisionedConcurrentExecutions": request["requested"],
        "AvailableProvisionedConcurrentExecutions": allocated,
        "AllocatedProvisionedConcurrentExecutions": allocated,
        "Status": "READY" if allocated == request["requested"] else "IN_PROGRESS",
        "LastModified": request["modified"],
    }
