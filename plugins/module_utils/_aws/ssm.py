# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Systems Manager Parameter Store: one function a call."""

from __future__ import annotations

from typing import Any


def get_parameters_by_path(client: Any, path: str) -> dict[str, str]:
    """Return the parameters right under `path` as last part of the name -> value; empty where there are none.

    Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html
    """
    pages = client.get_paginator("get_parameters_by_path").paginate(Path=path)
    return {found["Name"].rsplit("/", 1)[-1]: found["Value"] for page in pages for found in page["Parameters"]}
