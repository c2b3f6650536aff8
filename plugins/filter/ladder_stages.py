# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filters `loadlift.aws.ladder_*` of ladders of swarms; documentation in the .yml files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.loadlift.aws.plugins.module_utils._plan import ladder
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError


def ladder_stages(
    profiles: dict[str, Any], profile: str, run_id: str, targets: dict[str, Any], steps: list[str]
) -> list[dict[str, Any]]:
    """Return the stages of a profile, checked and with every field filled in."""
    try:
        return ladder.stages(profiles, profile, run_id, targets, steps)
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error


def ladder_problem(
    profiles: dict[str, Any], profile: str, run_id: str, targets: dict[str, Any], steps: list[str]
) -> str:
    """Return in one sentence why the stages of a profile are refused, or an empty text."""
    try:
        ladder.stages(profiles, profile, run_id, targets, steps)
    except InputError as error:
        return str(error)
    return ""


def ladder_begin(earlier: dict[str, Any], fresh: dict[str, Any], stages: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how a run begins or goes on, or in `problem` why it cannot."""
    try:
        return {"problem": "", **ladder.begin(earlier, fresh, stages)}
    except InputError as error:
        return {"problem": str(error)}


def ladder_interrupted(earlier: dict[str, Any]) -> str:
    """Return in one sentence what became of a run that was interrupted, or an empty text."""
    return ladder.interrupted(earlier)


def ladder_verdict(summaries: list[dict[str, Any]], stages: list[dict[str, Any]]) -> dict[str, str]:
    """Return the ladder's verdict and the reason."""
    verdict, reason = ladder.verdict(summaries, {stage["stage"]: stage["must_pass"] for stage in stages})
    return {"verdict": verdict, "reason": reason}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "ladder_begin": ladder_begin,
            "ladder_interrupted": ladder_interrupted,
            "ladder_problem": ladder_problem,
            "ladder_stages": ladder_stages,
            "ladder_verdict": ladder_verdict,
        }
