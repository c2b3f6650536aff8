# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets Manager: one function a call."""

from __future__ import annotations

from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import AwsError, Clients, ask
from ansible_collections.loadlift.aws.plugins.module_utils._plan.secret import Secret, parse_value


def find_secret(clients: Clients, name: str) -> Secret | None:
    """Return the secret `name` with its current value, or None; raise InputError where that is no JSON object.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
    """
    try:
        found = ask(clients, "secretsmanager", "GetSecretValue", f"secret '{name}'", SecretId=name)
    except AwsError as failure:
        if failure.code == "ResourceNotFoundException":
            return None
        raise
    return Secret(found["ARN"], found["Name"], parse_value(name, found.get("SecretString", "")))


def random_password(clients: Clients, length: int) -> str:
    """Return a password of letters and digits that AWS generated; nothing is kept of it.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
    """
    answer = ask(
        clients,
        "secretsmanager",
        "GetRandomPassword",
        "a new password",
        PasswordLength=length,
        ExcludePunctuation=True,
    )
    return str(answer["RandomPassword"])
