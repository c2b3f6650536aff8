# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter `loadlift.aws.path_rule_problem`; documentation in path_rule_problem.yml."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.condition import PATH, Condition
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.limits import check_rule
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.priority import parse_priority

ROOTS = ("/", "*", "?")


def path_rule_problem(path: str, priority: str = "auto") -> str:
    """Return why no rule of a load balancer may have this path pattern and priority, or would never match, or ""."""
    if not path.startswith(ROOTS):
        return f"the path pattern '{path}' matches no request; a path begins with '/', a pattern with '/', '*' or '?'."
    try:
        check_rule("the rule", (Condition(PATH, (path,)),), ())
        parse_priority(str(priority))
    except InputError as error:
        return str(error)
    return ""


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"path_rule_problem": path_rule_problem}
