# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a call reaches AWS: clients, retries, and errors that name resource, action, code, message and request id."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

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
LOOK_AGAIN_S = 3.0
# As many as Terraform makes, and as botocore keeps connections for.
AT_ONCE = 10
NOT_TOLD = "unknown"

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")


class AwsError(Exception):
    """A call that failed for good.

    `code` is AWS's error code, or the SDK's class of error where no answer came; `request_id` is "unknown" then.
    """

    def __init__(self, action: str, resource: str, code: str, message: str, request_id: str = NOT_TOLD) -> None:
        super().__init__(f"{action} of {resource} failed with {code}: {message} (request id {request_id})")
        self.action, self.resource, self.code = action, resource, code
        self.message, self.request_id = message, request_id


class Clients:
    """A module's clients, each made when it is first needed; threads may share them."""

    def __init__(self, module: AnsibleAWSModule) -> None:
        self._module = module
        self._lock = threading.Lock()  # of two threads, one makes the client
        self._clients: dict[str, Any] = {}

    def of(self, service: str) -> Any:
        """Return the client of a service, by botocore's name."""
        with self._lock:
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


def ask_until_done(
    clients: Clients, service: str, operation: str, resource: str, rest: Mapping[str, str], **parameters: Any
) -> Iterator[dict[str, Any]]:
    """Yield the answers to `operation`, asked again with backoff for what each leaves undone: see `Call.rest`."""
    for attempt in range(PATIENCE["retries"]):
        answer = ask(clients, service, operation, resource, **parameters)
        yield answer
        left = {name: jmespath.search(path, answer) for name, path in rest.items()}
        if not all(left.values()):
            return
        parameters |= left
        time.sleep(random.uniform(0, min(PATIENCE["max_delay"], 2**attempt / 10)))
    raise AwsError(operation, resource, "Unprocessed", f"AWS left a part undone {PATIENCE['retries']} times")


def at_once(make: Callable[[Thing], Answer], things: Sequence[Thing]) -> list[Answer]:
    """Return what `make` makes of each thing, AT_ONCE of them at a time; its first error is raised."""
    if len(things) < 2:
        return [make(thing) for thing in things]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(make, things))


def perform_at_once(clients: Clients, calls: Sequence[Call]) -> list[dict[str, Any] | AwsError | None]:
    """Make planned calls at the same time; return what each teaches or how it failed, None where it was not made.

    After a failure no further call is begun; those that are under way are waited for.
    """
    failed = threading.Event()

    def make(call: Call) -> dict[str, Any] | AwsError | None:
        if failed.is_set():
            return None
        try:
            return perform(clients, call)
        except AwsError as failure:
            failed.set()
            return failure

    return at_once(make, calls)


def perform(clients: Clients, call: Call) -> dict[str, Any]:
    """Make a planned call and return what it teaches; an error that means "done already" teaches nothing."""
    try:
        answer = _performed(clients, call)
    except AwsError as failure:
        if failure.code in call.done_by:
            return {}
        raise
    return {name: jmespath.search(path, answer) for name, path in call.learns.items()}


def _performed(clients: Clients, call: Call) -> dict[str, Any]:
    about = (clients, call.service, call.operation, call.resource)
    if call.rest:
        return list(ask_until_done(*about, call.rest, **call.parameters))[-1]
    deadline = time.monotonic() + call.patience_s
    while True:
        answer = ask(*about, retried_on=call.retried_on, **call.parameters)
        found = {path: jmespath.search(path, answer) for path in call.awaited}
        if found == dict(call.awaited):
            return answer
        if time.monotonic() > deadline:
            raise AwsError(*about[2:], "Timeout", f"after {call.patience_s} s it still tells {found}")
        time.sleep(LOOK_AGAIN_S)
