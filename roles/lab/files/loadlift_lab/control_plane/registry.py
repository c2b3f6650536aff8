"""How a file in `rules/` or `mends/` says what it does.

    @before("elbv2", "CreateRule", "ModifyRule")
    def at_most_five_values(call: Call) -> None:
        # https://docs.aws.amazon.com/...
        if ...:
            raise Refused("TooManyUniqueTargetGroupsPerLoadBalancer", "...")

    @answer("lambda", "PutProvisionedConcurrencyConfig")
    def put_provisioned_concurrency(call: Call) -> dict[str, Any]:
        return {"Status": "READY", ...}

    @after("ec2", "TerminateInstances")
    def replace(call: Call) -> None: ...

    @forward("lambda", "Invoke")
    def invoke(call: Call, generation: int) -> RawAnswer: ...

`before` checks a call, `after` follows one that succeeded, `answer` stands in for moto. `forward` lets another program
of the lab answer, which may call the account itself meanwhile: the account waits for nobody. Services and operations
are named as botocore names them; `call.parameters` are what boto3 was given. A mend that changes moto's own classes
does so in a function `apply() -> None` of its file, which is called once, before the first request.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Callable
from types import ModuleType
from typing import Any

from moto.core.exceptions import ServiceException

from loadlift_lab.control_plane.call import Call

Check = Callable[[Call], None]
Handler = Callable[[Call], dict[str, Any]]
RawAnswer = tuple[int, dict[str, str], bytes]  # status, headers, body
Forwarder = Callable[[Call, int], RawAnswer]

_before: dict[str, list[Check]] = defaultdict(list)
_after: dict[str, list[Check]] = defaultdict(list)
_answers: dict[str, Handler] = {}
_forwards: dict[str, Forwarder] = {}


class Refused(ServiceException):
    """An error as AWS answers it: `Refused(code, message)`; `code` as the API reference spells it."""


def before(service: str, *operations: str) -> Callable[[Check], Check]:
    """Run the decorated check before each of `operations` of `service`."""
    return _register(_before, service, operations)


def after(service: str, *operations: str) -> Callable[[Check], Check]:
    """Run the decorated function after each of `operations` of `service` that succeeded."""
    return _register(_after, service, operations)


def answer(service: str, *operations: str) -> Callable[[Handler], Handler]:
    """Let the decorated function answer each of `operations` of `service` in moto's place."""

    def register(handler: Handler) -> Handler:
        for operation in operations:
            _answers[f"{service}.{operation}"] = handler
        return handler

    return register


def forward(service: str, *operations: str) -> Callable[[Forwarder], Forwarder]:
    """Let the decorated function answer each of `operations` of `service`, outside of the account's turn.

    It is given the account's generation, so that the other program can catch up with it first.
    """

    def register(forwarder: Forwarder) -> Forwarder:
        for operation in operations:
            _forwards[f"{service}.{operation}"] = forwarder
        return forwarder

    return register


def checks_before(call: Call) -> list[Check]:
    """Return the checks that `call` must pass."""
    return _before.get(call.name, [])


def steps_after(call: Call) -> list[Check]:
    """Return what follows `call` once it succeeded."""
    return _after.get(call.name, [])


def handler_of(call: Call) -> Handler | None:
    """Return what answers `call` in moto's place, if anything does."""
    return _answers.get(call.name)


def forwarder_of(call: Call) -> Forwarder | None:
    """Return what passes `call` on to another program, if anything does."""
    return _forwards.get(call.name)


def load(package: ModuleType) -> None:
    """Import every file of `package` and apply it."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        apply = getattr(module, "apply", None)
        if apply:
            apply()


def _register(table: dict[str, list[Check]], service: str, operations: tuple[str, ...]) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        for operation in operations:
            table[f"{service}.{operation}"].append(check)
        return check

    return register
