# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter `loadlift.aws.ladder_report`; documentation in ladder_report.yml."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.loadlift.aws.plugins.module_utils._plan import report


def ladder_report(ladder: dict[str, Any]) -> dict[str, Any]:
    """Return what the report shows of a ladder's results."""
    try:
        return report.view(ladder)
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError(
            f"ladder_report needs a ladder's results with 'stages'; missing or wrong: {error}"
        ) from error


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"ladder_report": ladder_report}
