"""Faults on demand: which call shall fail, and how."""

from __future__ import annotations

import random
import threading
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Kind = Literal["throttle", "error", "latency", "drop", "drop_after"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass
class Fault:
    """How the next `count` calls of an operation fail."""

    service: str  # botocore's name; "*" is any
    operation: str  # "*" is any
    kind: Kind
    count: int | None = 1  # calls that are left to fail; None is every one
    probability: float = 1.0  # of each such call
    seconds: float = 0.5  # of a latency
    status: int = 500  # of an error

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {self.kind!r}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability is between 0 and 1, not {self.probability!r}")
        if self.count is not None and self.count < 1:
            raise ValueError(f"count is at least 1, or null for every call, not {self.count!r}")
        if not 500 <= self.status <= 599:
            raise ValueError(f"status is between 500 and 599, not {self.status!r}")

    def fits(self, service: str, operation: str) -> bool:
        """Tell whether the fault is meant for this operation."""
        return self.service in ("*", service) and self.operation in ("*", operation)


class Faults:
    """The faults that wait for their call."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._chance = chance or random.Random()

    def put(self, described: list[dict[str, Any]]) -> None:
        """Replace all faults by those `described`; ValueError or TypeError names what is wrong."""
        faults = [Fault(**one) for one in described]
        with self._lock:
            self._faults = faults

    def listed(self) -> list[dict[str, Any]]:
        """Return the faults that are left, as `put` takes them."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def take(self, service: str, operation: str) -> Fault | None:
        """Return the fault that strikes this call, counting it."""
        with self._lock:
            for fault in self._faults:
                if fault.fits(service, operation) and self._chance.random() < fault.probability:
                    self._use(fault)
                    return fault
        return None

    def _use(self, fault: Fault) -> None:
        if fault.count is None:
            return
        fault.count -= 1
        if not fault.count:
            self._faults.remove(fault)
