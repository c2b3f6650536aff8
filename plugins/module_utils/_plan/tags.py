# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tags: what an option asks for, and the calls that bring it about. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .plan import Call

Tags = Mapping[str, str]


def wanted_tags(current: Tags, asked: Mapping[str, Any] | None, purge: bool) -> dict[str, str]:
    """Return the tags after the task: `asked` None leaves all alone, `purge` removes those that are not asked for.

    AWS's own tags, whose keys begin with "aws:", always stay: nobody may remove them.
    """
    if asked is None:
        return dict(current)
    texts = {key: str(value) for key, value in asked.items()}
    return {key: value for key, value in current.items() if not purge or key.startswith("aws:")} | texts


def tag_list(tags: Tags) -> list[dict[str, str]]:
    """Return tags as AWS takes them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def tag_calls(arn: str, resource: str, current: Tags, wanted: Tags) -> list[Call]:
    """Return the Elastic Load Balancing calls that lead from the current tags to the wanted ones."""
    gone = sorted(set(current) - set(wanted))
    new = {key: value for key, value in wanted.items() if current.get(key) != value}
    calls = []
    if gone:
        calls.append(Call("elbv2", "RemoveTags", {"ResourceArns": [arn], "TagKeys": gone}, resource))
    if new:
        calls.append(Call("elbv2", "AddTags", {"ResourceArns": [arn], "Tags": tag_list(new)}, resource))
    return calls
