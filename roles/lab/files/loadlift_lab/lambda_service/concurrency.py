"""How many invocations may be under way at once: the account's quota, and what functions reserve of it.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from loadlift_lab.lambda_service.functions import Catalogue, Entry
from loadlift_lab.lambda_service.invocations import ThrottledError

ACCOUNT_QUOTA = 1000  # concurrent executions of an account in one region, by default


class Concurrency:
    """Counts the invocations under way."""

    def __init__(self) -> None:
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def one_more(self, catalogue: Catalogue, entry: Entry) -> Iterator[None]:
        """Count an invocation of `entry`; raises ThrottledError when that would be one too many."""
        self._check(catalogue, entry)
        self._under_way[entry.name] += 1
        try:
            yield
        finally:
            self._under_way[entry.name] -= 1

    def _check(self, catalogue: Catalogue, entry: Entry) -> None:
        if entry.reserved is not None:
            if self._under_way[entry.name] >= entry.reserved:
                raise ThrottledError("ReservedFunctionConcurrentInvocationLimitExceeded")
        elif self._unreserved(catalogue) >= catalogue.unreserved(ACCOUNT_QUOTA):
            raise ThrottledError("ConcurrentInvocationLimitExceeded")

    def _unreserved(self, catalogue: Catalogue) -> int:
        reserving = {name for name, entry in catalogue.entries.items() if entry.reserved is not None}
        return sum(count for name, count in self._under_way.items() if name not in reserving)
