# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a call reaches AWS: clients, retries, and errors that name resource, action, code, message and request id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import Call

try:
    import botocore
    import jmespath
except ImportError:
    pass  # AnsibleAWSModule says so

# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html: what AWSRetry does not know of them
THROTTLING = ("ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException")
# Some 40 s on average: the propagation of an IAM change takes seconds, a throttled account recovers as fast.
PATIENCE = {"retries": 12, "delay": 1, "max_delay": 8}
NOT_TOLD = "unknown"


class AwsError(Exception):
    """A call that failed for good.

    `code` is AWS's error code, or the SDK's class of error where no answer came; `request_id` is "unknown" then.
    """

    def __init__(self, action: str, resource: str, code: str, message: str, request_id: str = NOT_TOLD) -> None:
        super().__init__(f"{action} of {resource} failed with {code}: {message} (request id {request_id})")
        self.action, self.resource, self.code = action, resource, code
        self.message, self.request_id = message, request_id


class Clients:
    """A module's clients, each made when it is first needed."""

    def __init__(self, module: AnsibleAWSModule) -> None:
        self._module = module
        self._clients: dict[str, Any] = {}

    def of(self, service: str) -> Any:
        """Return the client of a service, by botocore's name."""
        if service not in self._clients:
            self._clients[service] = self._module.client(service)
        return self._clients[service]


def ask(
    clients: Clients, service: str, operation: str, resource: str, *, retried_on: Sequence[str] = (), **parameters: Any
) -> dict[str, Any]:
    """Call `operation`, again with jittered backoff while AWS throttles or answers `retried_on`; raise AwsError."""
    method = getattr(clients.of(service), botocore.xform_name(operation))
    patient = AWSRetry.jittered_backoff(catch_extra_error_codes=[*THROTTLING, *retried_on], **PATIENCE)(method)
    try:
        answer: dict[str, Any] = patient(**parameters)
    except botocore.exceptions.ClientError as error:
        told = error.response["Error"]
        request_id = error.response.get("ResponseMetadata", {}).get("RequestId", NOT_TOLD)
        raise AwsError(operation, resource, told["Code"], told.get("Message", ""), request_id) from error
    except botocore.exceptions.BotoCoreError as error:
        raise AwsError(operation, resource, type(error).__name__, str(error)) from error
    return answer


def ask_pages(
    clients: Clients, service: str, operation: str, resource: str, found: str, **parameters: Any
) -> Iterator[dict[str, Any]]:
    """Yield what `found` names in each page of the answer: for calls that page by Marker and NextMarker."""
    marker: dict[str, str] = {}
    while True:
        page = ask(clients, service, operation, resource, **parameters, **marker)
        yield from page.get(found, [])
        if not page.get("NextMarker"):
            return
        marker = {"Marker": page["NextMarker"]}


def perform(clients: Clients, call: Call) -> dict[str, Any]:
    """Make a planned call and return what it teaches; an error that means "done already" teaches nothing."""
    try:
        answer = ask(
            clients, call.service, call.operation, call.resource, retried_on=call.retried_on, **call.parameters
        )
    except AwsError as failure:
        if failure.code in call.done_by:
            return {}
        raise
    return {name: jmespath.search(path, answer) for name, path in call.learns.items()}
