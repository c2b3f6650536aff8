# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a module's options name a listener, documented in the fragment alb_listener. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..plan import InputError

LISTENER_SPEC: dict[str, Any] = {
    "listener_arn": {"type": "str"},
    "load_balancer": {"type": "str"},
    "listener_port": {"type": "int"},
}
LISTENER_CONSTRAINTS: dict[str, Any] = {
    "mutually_exclusive": [("listener_arn", "load_balancer")],
    "required_one_of": [("listener_arn", "load_balancer")],
    "required_together": [("load_balancer", "listener_port")],
}
LISTENER_ARN = re.compile(r"arn:[^:]+:elasticloadbalancing:[^:]+:\d{12}:listener/app/[^/]+/[^/]+/[^/]+")
PORTS = range(1, 65536)


def check_listener(options: Mapping[str, Any]) -> None:
    """Raise InputError for what is no listener's ARN or port."""
    arn, port = options.get("listener_arn"), options.get("listener_port")
    if arn and not LISTENER_ARN.fullmatch(arn):
        raise InputError(f"listener_arn is '{arn}'; allowed is the ARN of an application load balancer's listener.")
    if port is not None and port not in PORTS:
        raise InputError(f"listener_port is {port}; allowed are {PORTS[0]} to {PORTS[-1]}.")
