# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action plugin `loadlift.aws.locust_swarm`; documentation in plugins/modules/locust_swarm.py.

It runs on the controller, where the results belong and where progress can be shown.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.loadlift.aws.plugins.module_utils._locust.options import CONNECTION, locust
from ansible_collections.loadlift.aws.plugins.module_utils._locust.results import Results
from ansible_collections.loadlift.aws.plugins.module_utils._locust.swarm import LostError, Swarm
from ansible_collections.loadlift.aws.plugins.module_utils._locust.web import RefusedError, UnreachableError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_order import order
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_summary import is_valid

TEXTS = {"type": "list", "elements": "str", "default": []}
ARGUMENTS: dict[str, Any] = {
    **CONNECTION,
    "state": {
        "type": "str",
        "choices": ["finished", "started", "scaled", "stopped", "checked"],
        "default": "finished",
    },
    "run_id": {"type": "str", "required": True},
    "stage": {"type": "str", "required": True},
    "title": {"type": "str", "default": ""},
    "target": {"type": "str"},
    "addresses": TEXTS,
    "users": {"type": "int"},
    "spawn_rate": {"type": "float"},
    "hold": {"type": "float", "default": 60.0},
    "shape": {"type": "list", "elements": "dict", "default": []},
    "reset_statistics": {"type": "bool", "default": True},
    "objectives": TEXTS,
    "on_breach": {"type": "str", "choices": ["fail", "record"], "default": "fail"},
    "counters": TEXTS,
    "results_directory": {"type": "path"},
    "resume": {"type": "bool", "default": False},
    "workers": {"type": "int", "default": 1},
    "workers_timeout": {"type": "float", "default": 30.0},
    "request_timeout": {"type": "float", "default": 60.0},
    "wait": {"type": "str", "default": "5-15"},
    "take_over": {"type": "bool", "default": False},
    "lease": {"type": "float", "default": 20.0},
    "progress": {"type": "bool", "default": True},
    "progress_interval": {"type": "float", "default": 10.0},
}
SIZE = ["users", "spawn_rate"]
WANTED = [*SIZE, "target", "results_directory"]
REQUIRED_IF = [("state", state, WANTED) for state in ("finished", "started", "checked")] + [("state", "scaled", SIZE)]
# Where the swarm is only to be stopped or scaled, the rest of the order is not told.
UNTOLD = {"target": "http://untold", "users": 1, "spawn_rate": 1.0, "results_directory": "."}

Options = dict[str, Any]
Result = dict[str, Any]


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Starts, holds, judges, scales and stops a swarm."""

    _supports_check_mode = False  # what a swarm will show cannot be foretold; its input is checked all the same

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the task's result."""
        _result, options = self.validate_argument_spec(ARGUMENTS, required_if=REQUIRED_IF)
        try:
            swarm = _swarm(options)
            result: dict[str, Any] = super().run(tmp, task_vars)
            with _interruptible():
                return result | _ACTIONS[options["state"]](swarm, options)
        except (InputError, UnreachableError, RefusedError, LostError) as error:
            return {"failed": True, "msg": str(error)}


def _swarm(options: Options) -> Swarm:
    told = options | {name: value for name, value in UNTOLD.items() if options.get(name) is None}
    wanted = order(told)
    say = Display().display if options["progress"] else _quiet
    results = Results.of(told["results_directory"], wanted)
    # A play that is killed leaves its worker process behind, which would hold the swarm to its end.
    play = os.getppid()
    return Swarm(
        locust(options),
        wanted,
        results,
        say,
        options["progress_interval"],
        is_wanted=lambda: os.getppid() == play,
    )


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let an interrupted play stop its swarm: Ansible's own handlers end the worker process at once."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, _interrupt) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(*_arguments: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second one must not break off the stop
    raise KeyboardInterrupt


def _quiet(line: str) -> None:
    """Show nothing."""


def _finish(swarm: Swarm, options: Options) -> Result:
    kept = _kept(swarm, options)
    if kept:
        return _judged(kept, options) | {"changed": False}
    _begin_unless_begun(swarm, options)
    return _judged(swarm.drive(), options)


def _judged(summary: dict[str, Any], options: Options) -> Result:
    bad = summary["verdict"] != "passed" and options["on_breach"] == "fail"
    return {"changed": True, "failed": bad, "msg": _sentence(summary), "summary": summary}


def _start(swarm: Swarm, options: Options) -> Result:
    if _kept(swarm, options):
        return {"changed": False}
    begun = _begin_unless_begun(swarm, options)
    broken = swarm.drive(to_the_end=False)
    if broken:
        return {"changed": True, "failed": True, "msg": _sentence(broken), "summary": broken}
    return {"changed": begun}


def _kept(swarm: Swarm, options: Options) -> dict[str, Any]:
    """Return the result of an interrupted run that need not be measured again, if there is one."""
    kept = swarm.results.kept() if options["resume"] else {}
    return kept if is_valid(kept) else {}


def _begin_unless_begun(swarm: Swarm, options: Options) -> bool:
    """Start the swarm unless an earlier task has; return whether it was started."""
    begun = not swarm.runs()
    if begun:
        swarm.begin(options["workers"], options["workers_timeout"], options["take_over"], options["resume"])
    return begun


def _sentence(summary: dict[str, Any]) -> str:
    return f"Stage {summary['stage']} {summary['verdict']}: {summary['reason']}"


def _scale(swarm: Swarm, _options: Options) -> Result:
    return {"changed": swarm.scale()}


def _stop(swarm: Swarm, options: Options) -> Result:
    return {"changed": swarm.stop_any() if options["take_over"] else swarm.stop()}


def _check(swarm: Swarm, options: Options) -> Result:
    swarm.check(options["workers"], options["workers_timeout"])
    return {"changed": False}


_ACTIONS = {"finished": _finish, "started": _start, "scaled": _scale, "stopped": _stop, "checked": _check}
