"""HAProxy's server-state file: what a new process believes of its servers before it has checked them.

http://docs.haproxy.org/2.6/management.html#9.3-show%20servers%20state names the fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

VERSION = "1"
HEADER = (
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight"
    " srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state"
    " bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr"
    " srv_agent_addr srv_agent_port"
)
BACKEND, SERVER = 1, 3
CHECKED_SERVER = re.compile(r"server (\S+) (\S+):(\d+) check .*rise (\d+)")


def with_new_servers(known: str, configuration: str) -> str:
    """Return the state file: what is `known`, and each server that is new as down until one check passes.

    So is a newly registered target: it is initial, and healthy after one good check whatever the threshold.
    """
    states = {(fields[BACKEND], fields[SERVER]): line for line, fields in _states(known)}
    lines = [states.get((backend, server), new) for backend, server, new in _checked_servers(configuration)]
    return "\n".join([VERSION, HEADER, *lines, ""])


def _states(known: str) -> Iterator[tuple[str, list[str]]]:
    for line in known.splitlines():
        fields = line.split()
        if len(fields) > SERVER and not line.startswith("#"):
            yield line, fields


def _checked_servers(configuration: str) -> Iterator[tuple[str, str, str]]:
    backend = ""
    for line in configuration.splitlines():
        if line.startswith("backend "):
            backend = line.split()[1]
        found = CHECKED_SERVER.match(line.strip())
        if found:
            name, address, port, rise = found.groups()
            yield backend, name, _initial(backend, name, address, port, int(rise))


def _initial(backend: str, name: str, address: str, port: str, rise: int) -> str:
    stopped, unknown, check_enabled = 0, 0, 6
    fields = [1, backend, 1, name, address, stopped, 0, 1, 1, 0, 1, unknown, rise - 1, check_enabled, 0, 0, 0, "-"]
    return " ".join(map(str, [*fields, port, "-", 0, 0, "-", "-", 0]))
