"""Workers that come back: a message that was held up may be that of one that has ended, so each answers first."""

from __future__ import annotations

from uuid import uuid4

from locust.rpc import Message
from locust.runners import STATE_MISSING, MasterRunner

# What Locust takes a missing worker up again for.
SIGNS_OF_LIFE = ("heartbeat", "spawning", "spawning_complete")


class Returns:
    """Asks each missing worker that is heard of, and tells which of them answered."""

    def __init__(self, runner: MasterRunner) -> None:
        self._runner = runner
        self._asked: dict[str, str] = {}  # missing workers, and the number that an answer of theirs must bear
        self._answered: set[str] = set()

    def must_wait(self, msg: Message) -> bool:
        """Tell whether a message is a sign of life of a worker that has not answered yet; if so, ask the worker."""
        worker = msg.node_id
        if not self._is_missing(worker):
            self._asked.pop(worker, None)
            self._answered.discard(worker)
            return False
        if msg.type == "loadlift_flushed" and msg.data["number"] == self._asked.get(worker):
            self._answered.add(worker)
        if msg.type not in SIGNS_OF_LIFE or worker in self._answered:
            return False
        number = self._asked.setdefault(worker, uuid4().hex)
        self._runner.server.send_to_client(Message("loadlift_flush", {"number": number}, worker))
        return True

    def forget_users(self, worker: str) -> None:
        """Count no users of a missing worker: its late report has just told Locust of them."""
        if self._is_missing(worker):
            self._runner.clients[worker].user_classes_count = {}

    def _is_missing(self, worker: str) -> bool:
        return worker in self._runner.clients and self._runner.clients[worker].state == STATE_MISSING
