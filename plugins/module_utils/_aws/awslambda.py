# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lambda: one function a call, normalised results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import AwsError, Clients, ask
from ansible_collections.loadlift.aws.plugins.module_utils._plan.function import split_arn
from ansible_collections.loadlift.aws.plugins.module_utils._plan.target_group import Permission

MISSING = "ResourceNotFoundException"


@dataclass(frozen=True)
class Function:
    """A function, or its version or alias; `state` is empty where AWS does not tell it."""

    arn: str
    state: str
    state_reason: str


NO_FUNCTION = Function("", "", "")


def get_function(clients: Clients, name: str, qualifier: str) -> Function | None:
    """Return the function, its version or alias, or None.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
    """
    parameters = {"FunctionName": name, **({"Qualifier": qualifier} if qualifier else {})}
    try:
        found = ask(clients, "lambda", "GetFunction", f"function '{name}'", **parameters)["Configuration"]
    except AwsError as error:
        if error.code == MISSING:
            return None
        raise
    bare = split_arn(found["FunctionArn"])[0]
    arn = f"{bare}:{qualifier}" if qualifier else bare
    return Function(arn, found.get("State", ""), found.get("StateReason", ""))


def get_permission(clients: Clients, function_arn: str, statement_id: str) -> Permission | None:
    """Return one statement of the resource policy of a function, its version or alias, or None.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html
    """
    function, qualifier = split_arn(function_arn)
    parameters = {"FunctionName": function, **({"Qualifier": qualifier} if qualifier else {})}
    try:
        policy = json.loads(ask(clients, "lambda", "GetPolicy", f"function '{function_arn}'", **parameters)["Policy"])
    except AwsError as error:
        if error.code == MISSING:
            return None
        raise
    for statement in policy.get("Statement", []):
        if statement.get("Sid") == statement_id:
            return _permission(function_arn, statement)
    return None


def _permission(function_arn: str, statement: Mapping[str, Any]) -> Permission:
    principal = statement.get("Principal", "")
    conditions = _conditions(statement)
    return Permission(
        function_arn=function_arn,
        statement_id=statement["Sid"],
        principal=principal.get("Service", "") if isinstance(principal, dict) else principal,
        action=statement.get("Action", ""),
        source_arn=conditions.get("aws:sourcearn", ""),
        source_account=conditions.get("aws:sourceaccount", ""),
    )


def _conditions(statement: Mapping[str, Any]) -> dict[str, str]:
    pairs = (pair for operator in statement.get("Condition", {}).values() for pair in operator.items())
    return {key.lower(): value for key, value in pairs}
