# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets Manager: one function a call."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code


@dataclass(frozen=True)
class Secret:
    """A secret whose value is a JSON object; the value stays out of its repr, so that no traceback shows it."""

    arn: str
    name: str
    value: dict[str, Any] = field(repr=False)


def get_secret(client: Any, name: str) -> Secret | None:
    """Return the secret `name` with its current value, or None; raises ValueError where the value is no JSON object.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
    """
    try:
        found = client.get_secret_value(SecretId=name)
    except is_boto3_error_code("ResourceNotFoundException"):
        return None
    value = json.loads(found["SecretString"])
    if not isinstance(value, dict):
        raise ValueError(f"secret '{name}' holds no JSON object")
    return Secret(found["ARN"], found["Name"], value)


def create_secret(client: Any, name: str, value: dict[str, Any], tags: dict[str, str]) -> str:
    """Make the secret and return its ARN."""
    tag_list = [{"Key": key, "Value": text} for key, text in tags.items()]
    created: dict[str, Any] = client.create_secret(Name=name, SecretString=json.dumps(value), Tags=tag_list)
    return str(created["ARN"])


def put_secret_value(client: Any, name: str, value: dict[str, Any]) -> None:
    """Give the secret a new current value."""
    client.put_secret_value(SecretId=name, SecretString=json.dumps(value))


def delete_secret(client: Any, name: str) -> None:
    """Remove the secret at once, without a recovery window, so that its name is free again."""
    client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def get_random_password(client: Any, length: int) -> str:
    """Return a password of letters and digits that AWS generated."""
    answer: dict[str, Any] = client.get_random_password(PasswordLength=length, ExcludePunctuation=True)
    return str(answer["RandomPassword"])
