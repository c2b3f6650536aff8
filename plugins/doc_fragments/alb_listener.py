# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """How a module names a listener."""

    DOCUMENTATION = r"""
options:
  listener_arn:
    description: ARN of the listener. Saves the calls that look for it.
    type: str
  load_balancer:
    description: The load balancer, by name, ARN or DNS name; goes with O(listener_port).
    type: str
  listener_port:
    description: Port of the listener.
    type: int
"""
