"""Which loopback address a load balancer answers at: number n has `<subnet>.<10+n>`, and keeps it while it exists."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from loadlift_lab.files import write_if_different
from loadlift_lab.settings import LabSettings

FIRST_HOST = 10


def numbers(kept: Mapping[str, int], arns: Collection[str]) -> dict[str, int]:
    """Return a number for each of `arns`: the one it had, or the smallest free one; those gone give theirs back."""
    chosen = {arn: number for arn, number in kept.items() if arn in arns}
    for arn in arns:
        if arn not in chosen:
            taken = set(chosen.values())
            chosen[arn] = next(number for number in count(1) if number not in taken)
    return chosen


def allocate(settings: LabSettings, dns_names: Mapping[str, str]) -> dict[str, str]:
    """Return the address of each load balancer, `dns_names` being ARN -> DNS name, and remember them."""
    kept = {arn: int(entry["number"]) for arn, entry in _load(settings).items()}
    entries = {
        arn: {"number": number, "address": settings.address(FIRST_HOST + number), "dns_name": dns_names[arn]}
        for arn, number in numbers(kept, dns_names.keys()).items()
    }
    write_if_different(_file(settings), json.dumps(entries, indent=2, sort_keys=True) + "\n")
    return {arn: str(entry["address"]) for arn, entry in entries.items()}


def by_dns_name(settings: LabSettings) -> dict[str, str]:
    """Return DNS name -> address of the load balancers that are known so far."""
    return {str(entry["dns_name"]): str(entry["address"]) for entry in _load(settings).values()}


def _file(settings: LabSettings) -> Path:
    return settings.directory / "load_balancer" / "addresses.json"


def _load(settings: LabSettings) -> dict[str, dict[str, Any]]:
    file = _file(settings)
    entries: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.exists() else {}
    return entries
