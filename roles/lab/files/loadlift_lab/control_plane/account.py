"""The AWS account: moto's state, changed by one call at a time, remembered in the journal."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import time_machine
from moto.core.exceptions import ServiceException
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from loadlift_lab.control_plane import mends, registry, rules
from loadlift_lab.control_plane.call import Call, environ_of, identify, request_of
from loadlift_lab.control_plane.journal import Entry, Journal
from loadlift_lab.control_plane.moto_state import GLOBAL, backend_in
from loadlift_lab.settings import LabSettings

LOG = logging.getLogger(__name__)
Seen = TypeVar("Seen")
# Made before the first call, always with the same seed: a read would make them with chance identifiers otherwise.
EARLY_SERVICES = ("sts", "iam", "ec2", "elbv2", "autoscaling", "rds", "elasticache", "s3", "cloudfront", "awslambda",
                  "dynamodb", "ssm", "secretsmanager", "logs", "cloudwatch", "kms", "events")  # fmt: skip
EARLY_SEED = 1


@dataclass(frozen=True)
class Answer:
    """What goes back to the client."""

    status: int
    headers: dict[str, str] | list[tuple[str, str]] = field(default_factory=dict)
    body: bytes = b""

    @property
    def succeeded(self) -> bool:
        return self.status < 400


class Account:
    """One AWS account. moto is not made for threads, so one call at a time is in it."""

    def __init__(self, settings: LabSettings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._turn = threading.RLock()
        self._news = threading.Condition()
        self._generation = 0

    @property
    def generation(self) -> int:
        """How many calls have changed the account."""
        return self._generation

    def open(self) -> None:
        """Mend moto and bring the account back to where the journal ends."""
        registry.load(mends)
        registry.load(rules)
        self._make_backends()
        started = time.monotonic()
        for entry in self._journal.entries():
            self._repeat(entry)
        LOG.info("The account is at generation %s, after %.1f s", self._generation, time.monotonic() - started)

    def perform(self, call: Call) -> Answer:
        """Return AWS's answer to `call`."""
        forwarder = registry.forwarder_of(call)
        if forwarder:
            return self._forwarded(call, forwarder)
        with self._turn:
            if not call.changes:
                return self._answer(call)
            entry = Entry.of(environ_of(call.request), call.request.get_data(), secrets.randbits(64), time.time())
            mock_random.seed(entry.seed)
            answer = self._answer(call)
            if answer.succeeded:
                self._journal.append(entry)
                self._advance()
            return answer

    def look(self, read: Callable[[], Seen]) -> Seen:
        """Return what `read()` sees of moto's state while no call changes it."""
        with self._turn:
            return read()

    def wait_for_change(self, after: int, seconds: float) -> int:
        """Return the generation as soon as it exceeds `after`, or when `seconds` are over."""
        with self._news:
            self._news.wait_for(lambda: self._generation > after, seconds)
            return self._generation

    def _repeat(self, entry: Entry) -> None:
        with time_machine.travel(entry.at, tick=True):
            mock_random.seed(entry.seed)
            call = identify(request_of(entry.request_environ()))
            answer = self._answer(call)
        if not answer.succeeded:
            LOG.error("%s, which succeeded at first, now fails: %s %r", call.name, answer.status, answer.body[:500])
        self._advance()

    def _advance(self) -> None:
        with self._news:
            self._generation += 1
            self._news.notify_all()

    def _forwarded(self, call: Call, forwarder: registry.Forwarder) -> Answer:
        try:
            return Answer(*forwarder(call, self._generation))
        except ServiceException as refusal:
            return Answer(*call.write(refusal))

    def _answer(self, call: Call) -> Answer:
        try:
            for check in registry.checks_before(call):
                check(call)
            answer = self._handled(call)
            if answer.succeeded:
                for step in registry.steps_after(call):
                    step(call)
        except ServiceException as refusal:
            return Answer(*call.write(refusal))
        except NotImplementedError as missing:
            return self._failure(call, 501, "NotImplemented", str(missing))
        except Exception as error:
            LOG.exception("%s broke", call.name)
            return self._failure(call, 500, "InternalFailure", f"{type(error).__name__}: {error}")
        return answer

    def _handled(self, call: Call) -> Answer:
        handler = registry.handler_of(call)
        if handler:
            return Answer(*call.write(handler(call)))
        body, status, headers = run_wsgi_app(self._moto, environ_of(call.request), buffered=True)
        return Answer(int(status.split()[0]), list(headers), b"".join(body))

    @staticmethod
    def _failure(call: Call, status: int, code: str, message: str) -> Answer:
        if call.model is None:
            return Answer(status, {"Content-Type": "text/plain"}, message.encode())
        _, headers, body = call.write(registry.Refused(code, message))
        return Answer(status, headers, body)

    def _make_backends(self) -> None:
        mock_random.seed(EARLY_SEED)
        with time_machine.travel(0, tick=True):
            for service in EARLY_SERVICES:
                for region in (self._settings.region, GLOBAL):
                    with suppress(KeyError):
                        backend_in(region, service)
