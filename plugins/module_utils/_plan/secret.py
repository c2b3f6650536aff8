# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Secrets Manager secret whose value is a JSON object with a generated password. Pure; no value reaches a state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import HIDDEN, Call, InputError, Plan

SHORTEST, LONGEST = 8, 128
SERVICE = "secretsmanager"


@dataclass(frozen=True)
class Secret:
    """A secret with its value, which stays out of its repr, so that no traceback shows it."""

    arn: str
    name: str
    value: Mapping[str, Any] = field(repr=False)


def check_length(length: int) -> None:
    """Raise InputError for a password that is too short or too long."""
    if not SHORTEST <= length <= LONGEST:
        raise InputError(f"password_length is {length}; allowed are {SHORTEST} to {LONGEST}.")


def parse_value(name: str, text: str) -> dict[str, Any]:
    """Return the value of the secret `name`; raise InputError where it is no JSON object."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InputError(f"secret '{name}' holds no JSON object, so it is left alone; name another one.")
    return value


def plan_present(current: Secret | None, name: str, value: Mapping[str, Any], tags: Mapping[str, str]) -> Plan:
    """Make the secret hold `value`, whole; `tags` are those of a new secret."""
    before = dict(current.value) if current else {}
    states = _state(name, before, before) if current else {}, _state(name, value, before)
    if current and current.value == value:
        return Plan(states[0], states[0])
    return Plan(*states, [_put(current, value) if current else _create(name, value, tags)])


def plan_absent(current: Secret | None) -> Plan:
    """Remove the secret at once, without a recovery window, so that its name is free again."""
    if current is None:
        return Plan({}, {})
    parameters = {"SecretId": current.arn, "ForceDeleteWithoutRecovery": True}
    delete = Call(SERVICE, "DeleteSecret", parameters, _about(current.name), done_by=["ResourceNotFoundException"])
    return Plan(_state(current.name, current.value, current.value), {}, [delete])


def _state(name: str, value: Mapping[str, Any], former: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state as a diff shows it: which keys there are, and which of them get another value."""
    told = {key: HIDDEN if former.get(key, one) == one else f"{HIDDEN} (new)" for key, one in value.items()}
    return {"name": name, "value": told}


def _create(name: str, value: Mapping[str, Any], tags: Mapping[str, str]) -> Call:
    tag_list = [{"Key": key, "Value": text} for key, text in tags.items()]
    parameters = {"Name": name, "SecretString": json.dumps(value), "Tags": tag_list}
    return Call(SERVICE, "CreateSecret", parameters, _about(name), learns={"arn": "ARN"}, hidden=["SecretString"])


def _put(current: Secret, value: Mapping[str, Any]) -> Call:
    parameters = {"SecretId": current.arn, "SecretString": json.dumps(value)}
    return Call(SERVICE, "PutSecretValue", parameters, _about(current.name), hidden=["SecretString"])


def _about(name: str) -> str:
    return f"secret '{name}'"
