# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import re
import textwrap

from ansible_collections.loadlift.aws.plugins.doc_fragments.alb_rule import ModuleDocFragment as OneRule

_RULES = r"""
options:
  rules:
    description:
      - The rules, each known by its own name or conditions.
      - What O(rules[].before) and O(rules[].after) name is there already, or in this list. They bind both rules.
    type: list
    elements: dict
    required: true
    suboptions:
"""
# The options of one rule, as suboptions of a list: there, O(...) has to name where they are.
_OPTIONS = OneRule.DOCUMENTATION.partition("options:\n")[2]
_SUBOPTIONS = textwrap.indent(re.sub(r"O\((\w+)", r"O(rules[].\1", _OPTIONS), "    ")


class ModuleDocFragment:
    """The rules of a listener as a list; each has what the fragment alb_rule says."""

    DOCUMENTATION: str = _RULES + _SUBOPTIONS  # with its type: ansible-test reads only texts from plain assignments
