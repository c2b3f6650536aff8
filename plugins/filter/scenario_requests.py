# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filters `loadlift.aws.scenario_requests` and `scenario_problem`; documentation in the .yml files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.loadlift.aws.plugins.module_utils._plan import scenario
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError


def scenario_requests(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the requests, checked and with every field filled in."""
    try:
        return scenario.requests(told)
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error


def scenario_problem(told: list[dict[str, Any]]) -> str:
    """Return in one sentence why the requests are refused, or an empty text."""
    try:
        scenario.requests(told)
    except InputError as error:
        return str(error)
    return ""


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"scenario_requests": scenario_requests, "scenario_problem": scenario_problem}
