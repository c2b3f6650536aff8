"""Lambda: permissions."""

from __future__ import annotations

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.moto_state import backend
from loadlift_lab.control_plane.registry import Refused, before


@before("lambda", "AddPermission")
def statement_is_new(call: Call) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html: ResourceConflictException."""
    name, qualifier = call.parameters["FunctionName"], call.parameters.get("Qualifier")
    function = backend(call, "awslambda").get_function(name, qualifier)
    statement = call.parameters["StatementId"]
    if function.policy and any(known.get("Sid") == statement for known in function.policy.statements):
        raise Refused(
            "ResourceConflictException",
            f"The statement id ({statement}) provided already exists. Please provide a new statement id, "
            "or remove the existing statement.",
        )
