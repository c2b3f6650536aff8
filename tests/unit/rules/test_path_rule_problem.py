# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the filter says of paths and priorities before anything is asked of AWS."""

from __future__ import annotations

import pytest
from ansible_collections.loadlift.aws.plugins.filter.path_rule_problem import path_rule_problem


@pytest.mark.parametrize("path", ["/data", "/api/*", "/", "*.png", "?data", "/a" + "b" * 126])
@pytest.mark.parametrize("priority", ["auto", "1", "50000", 7])
def test_a_path_that_aws_takes_is_no_problem(path: str, priority: str) -> None:
    assert path_rule_problem(path, priority) == ""


@pytest.mark.parametrize(
    ("path", "priority", "said"),
    [
        ("data", "auto", "the path pattern 'data' matches no request"),
        ("", "auto", "the path pattern '' matches no request"),
        ("/da ta", "auto", "has '/da ta'; allowed are up to 128 characters"),
        ("/" + "b" * 128, "auto", "allowed are up to 128 characters"),
        ("/data", "0", "'0'"),
        ("/data", "50001", "50001"),
        ("/data", "first", "'first'"),
    ],
)
def test_what_aws_would_refuse_is_said(path: str, priority: str, said: str) -> None:
    assert said in path_rule_problem(path, priority)
