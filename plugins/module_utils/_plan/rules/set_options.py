# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the options of a whole set of rules mean. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..plan import InputError
from .options import texts, wanted_rule
from .path_rule import WantedRule
from .rule_set import PURGE_OWNED, WantedSet


def wanted_set(options: Mapping[str, Any], group_arns: Mapping[str, str]) -> WantedSet:
    """Return what the options of a whole set ask for; each of its rules bears the tags of its owner."""
    owner = texts(options["owner"] or {})
    if options["purge"] == PURGE_OWNED and not owner:
        raise InputError("purge is 'owned' and owner is empty; give the tags by which the rules of this set are known.")
    return WantedSet([_owned(wanted_rule(one, group_arns), owner) for one in options["rules"]], owner, options["purge"])


def _owned(wanted: WantedRule, owner: Mapping[str, str]) -> WantedRule:
    if not owner:
        return wanted
    # Tags of which the task says nothing stay beside those of the owner.
    return replace(
        wanted, tags={**(wanted.tags or {}), **owner}, purge_tags=wanted.purge_tags and wanted.tags is not None
    )
