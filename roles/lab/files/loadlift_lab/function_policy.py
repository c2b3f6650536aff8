"""Whether a function's resource policy lets Elastic Load Balancing invoke it: pure.

https://docs.aws.amazon.com/lambda/latest/dg/services-alb.html
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any

PRINCIPAL = "elasticloadbalancing.amazonaws.com"
INVOKING_ACTIONS = ("lambda:InvokeFunction", "lambda:*", "*")


def may_invoke(statements: Iterable[Mapping[str, Any]], source_arn: str) -> bool:
    """Tell whether one of the policy's statements allows an invocation from `source_arn`, a target group."""
    return any(_allows(statement, source_arn) for statement in statements)


def _allows(statement: Mapping[str, Any], source_arn: str) -> bool:
    principal = statement.get("Principal", {})
    service = principal.get("Service") if isinstance(principal, dict) else principal
    if statement.get("Effect") != "Allow" or service not in (PRINCIPAL, "*"):
        return False
    if statement.get("Action") not in INVOKING_ACTIONS:
        return False
    return all(fnmatch.fnmatchcase(source_arn, pattern) for pattern in _source_arns(statement.get("Condition", {})))


def _source_arns(condition: Mapping[str, Mapping[str, str]]) -> list[str]:
    pairs = [pair for test in condition.values() for pair in test.items()]
    return [value for key, value in pairs if key.lower() == "aws:sourcearn"]
