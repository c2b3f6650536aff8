# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options that say how a Locust is reached; documentation in plugins/doc_fragments/locust_web.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.loadlift.aws.plugins.module_utils._locust.client import Locust
from ansible_collections.loadlift.aws.plugins.module_utils._locust.web import Access
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError

CONNECTION: dict[str, Any] = {
    "url": {"type": "str", "required": True},
    "web_user": {"type": "str"},
    "web_password": {"type": "str", "no_log": True},
    "web_token": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "use_proxy": {"type": "bool", "default": True},
    "timeout": {"type": "float", "default": 10.0},
}


def locust(options: Mapping[str, Any]) -> Locust:
    """Return the Locust that a task's options name; raises InputError where they are wrong."""
    _check_url(options["url"])
    _check_login(options)
    _check_file(options["ca_path"])
    if not options["timeout"] > 0:
        raise InputError(f"timeout is {options['timeout']:g}: a number over 0 is needed.")
    access = Access(
        options["web_user"] or "",
        options["web_password"] or "",
        options["web_token"] or "",
        options["validate_certs"],
        options["ca_path"],
        options["use_proxy"],
    )
    return Locust(options["url"].rstrip("/"), options["timeout"], access)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise InputError("url has a login in it, which results and logs would show: use web_user and web_password.")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"url is '{url}': an address such as http://127.0.0.1:8089 is needed.")


def _check_login(options: Mapping[str, Any]) -> None:
    if bool(options["web_user"]) != bool(options["web_password"]):
        missing = "web_password" if options["web_user"] else "web_user"
        raise InputError(f"{missing} is missing: web_user and web_password go together.")
    if options["web_password"] and options["web_token"]:
        raise InputError("web_password and web_token are both given: one of them is needed.")


def _check_file(ca_path: str | None) -> None:
    if ca_path and not Path(ca_path).is_file():
        raise InputError(f"ca_path is '{ca_path}': there is no such file.")
