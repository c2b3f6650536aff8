# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way of every module: read and plan, apply unless in check mode, answer.

    def main() -> None:
        module = AnsibleAWSModule(argument_spec=..., supports_check_mode=True)
        clients = Clients(module)

        def plan() -> Plan:  # reads AWS, then decides; raises InputError for bad input
            return plan_secret(get_secret(clients, module.params["name"]), wanted(module.params))

        def result(plan: Plan, learned: Mapping[str, Any]) -> dict[str, Any]:  # learned is empty in check mode
            return {"arn": learned.get("arn"), "secret": dict(plan.after)}

        run(module, clients, plan, result)

`run` ends the module. The answer holds `changed`, `diff` and `plan` (the calls), and what `result` returns; it is the
same in check mode. This is the only place that asks for check mode.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import AwsError, Clients, perform_at_once
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import Call, InputError, Plan, stretches

# Each of several runs at once on one listener may be beaten by every other one.
ATTEMPTS = 20
PAUSE_S = 0.5

MakePlan = Callable[[], Plan]
MakeResult = Callable[[Plan, Mapping[str, Any]], dict[str, Any]]


class NotSettledError(Exception):
    """AWS did not come to rest within the time that the task gives it."""


class OvertakenError(Exception):
    """Somebody else changed what the plan was made for; `error` is what AWS said."""

    def __init__(self, error: AwsError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass
class Progress:
    """What has been done so far: the calls that succeeded, and what they taught."""

    done: list[Call]
    learned: dict[str, Any]


def run(
    module: AnsibleAWSModule, clients: Clients, plan: MakePlan, result: MakeResult, settle: MakeResult | None = None
) -> NoReturn:
    """Plan, apply unless in check mode, and end the module with its answer or one clear error.

    `settle` runs after `changed` was applied: it waits for what AWS does by itself, and adds to the result.
    """
    progress = Progress([], {})
    try:
        end, answer = module.exit_json, _carried_out(module, clients, plan, result, settle, progress)
    except (InputError, AwsError, NotSettledError) as error:
        end, answer = module.fail_json, _told(error) | _so_far(progress)
    end(**answer)
    raise AssertionError  # exit_json and fail_json have ended the process


def read(module: AnsibleAWSModule, look: Callable[[], dict[str, Any]]) -> NoReturn:
    """End an `_info` module with what `look` finds, or one clear error."""
    try:
        end, answer = module.exit_json, {"changed": False, **look()}
    except (InputError, AwsError) as error:
        end, answer = module.fail_json, _told(error)
    end(**answer)
    raise AssertionError  # exit_json and fail_json have ended the process


def _carried_out(
    module: AnsibleAWSModule,
    clients: Clients,
    plan: MakePlan,
    result: MakeResult,
    settle: MakeResult | None,
    progress: Progress,
) -> dict[str, Any]:
    first = last = plan()
    if not module.check_mode:
        last = _apply(clients, first, plan, progress)
    for warning in last.warnings:
        module.warn(warning)
    answer = result(last, progress.learned)
    if settle and first.changed and not module.check_mode:
        answer |= settle(last, progress.learned)
    calls = first.calls if module.check_mode else progress.done
    return {
        "changed": first.before != last.after,
        "diff": {"before": dict(first.before), "after": dict(last.after)},
        "plan": [call.shown() for call in calls],
        **answer,
    }


def _apply(clients: Clients, plan: Plan, plan_again: MakePlan, progress: Progress) -> Plan:
    """Apply `plan`, or the one that has to be made in its place; return the one that was applied to its end."""
    for attempt in range(ATTEMPTS):
        try:
            _perform_all(clients, plan, progress)
        except OvertakenError as overtaken:
            if attempt == ATTEMPTS - 1:
                raise overtaken.error from overtaken
            time.sleep(random.uniform(0, PAUSE_S))
            plan = plan_again()
        else:
            break
    return plan


def _perform_all(clients: Clients, plan: Plan, progress: Progress) -> None:
    for stretch in stretches(plan.calls):
        calls = [call.with_learned(progress.learned) for call in stretch]
        answers = perform_at_once(clients, calls)
        for call, answer in zip(calls, answers, strict=True):
            if isinstance(answer, dict):
                progress.learned |= answer
                progress.done.append(call)
        for call, answer in zip(calls, answers, strict=True):
            if isinstance(answer, AwsError):
                raise OvertakenError(answer) if answer.code in call.stale_on else answer


def _told(error: Exception) -> dict[str, Any]:
    if not isinstance(error, AwsError):
        return {"msg": str(error)}
    told = {"action": error.action, "code": error.code, "message": error.message}
    return {"msg": str(error), "error": told, "request_id": error.request_id}


def _so_far(progress: Progress) -> dict[str, Any]:
    return {"changed": bool(progress.done), "plan": [call.shown() for call in progress.done]}
