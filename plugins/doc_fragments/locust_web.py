# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """How a Locust's web interface is reached."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - Locust's web interface, as the controller reaches it, with its base path where it has one
        (C(https://load.example.com/locust)).
    type: str
    required: true
  web_user:
    description: User for the web interface, with O(web_password); sent by HTTP's Basic scheme.
    type: str
  web_password:
    description: Password of O(web_user).
    type: str
  web_token:
    description: Token for the web interface in place of a login; sent by the scheme C(Bearer).
    type: str
  validate_certs:
    description: Whether the certificate of an C(https) O(url) must be one that the controller trusts.
    type: bool
    default: true
  ca_path:
    description: File on the controller with certificates of authorities to trust for O(url).
    type: path
  use_proxy:
    description:
      - Whether to go through the proxy that the controller's environment names (C(http_proxy), C(https_proxy),
        C(no_proxy)).
    type: bool
    default: true
  timeout:
    description: Seconds until a request to the web interface has failed, however much of the answer has come by then.
    type: float
    default: 10.0
"""
