# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter `loadlift.aws.swarm_size`; documentation in swarm_size.yml."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.loadlift.aws.plugins.module_utils._plan import swarm_size as plan
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError


def swarm_size(users: int, **options: Any) -> dict[str, Any]:
    """Return what a swarm of `users` needs."""
    try:
        return plan.swarm_size(users, options)
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"swarm_size": swarm_size}
