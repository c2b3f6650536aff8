# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action plugin `loadlift.aws.locust_swarm_info`; documentation in plugins/modules/locust_swarm_info.py."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.loadlift.aws.plugins.module_utils._locust.options import CONNECTION, locust
from ansible_collections.loadlift.aws.plugins.module_utils._locust.web import RefusedError, UnreachableError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_info import view

NO_HISTORY = 10**9  # from this point on


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Tells of a Locust and its swarm; changes nothing, the lease included."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the task's result."""
        _result, options = self.validate_argument_spec(CONNECTION)
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            return result | {"changed": False, **view(locust(options).state(since=NO_HISTORY, window=True))}
        except (InputError, UnreachableError, RefusedError) as error:
            return {"failed": True, "msg": str(error)}
