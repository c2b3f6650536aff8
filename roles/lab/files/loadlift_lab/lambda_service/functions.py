"""The account's functions, as `GET /_lab/functions` tells them: frozen dataclasses and pure look-ups."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

LATEST = "$LATEST"
# A name, a partial ARN or an ARN, each with or without a version or alias:
# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: FunctionName
REFERENCE = re.compile(r"(arn:[^:]+:lambda:[^:]+:)?(\d{12}:)?(function:)?(?P<name>[\w-]+)(:(?P<qualifier>[\w$-]+))?")


class UnknownFunctionError(LookupError):
    """There is no such function, version or alias."""


@dataclass(frozen=True)
class Function:
    """One version of a function: two that are equal can share sandboxes."""

    name: str
    version: str
    arn: str
    runtime: str
    handler: str
    code_sha256: str  # of the zip, Base64
    timeout: int = 3  # seconds
    memory: int = 128  # MB: told, not enforced
    package_type: str = "Zip"
    environment: tuple[tuple[str, str], ...] = ()
    log_group: str = ""
    revision: str = ""


@dataclass(frozen=True)
class Alias:
    """A name for a version, or for two of them by weight."""

    version: str
    weights: tuple[tuple[str, float], ...] = ()  # of the other version

    def choose(self, chance: float) -> str:
        """Return the version that `chance`, from 0 up to 1, falls on."""
        for version, weight in self.weights:
            if chance < weight:
                return version
            chance -= weight
        return self.version


@dataclass(frozen=True)
class Entry:
    """A function with its versions and what holds for all of them."""

    name: str
    versions: Mapping[str, Function]
    aliases: Mapping[str, Alias] = field(default_factory=dict)
    reserved: int | None = None  # concurrent invocations; None: shared with the account's other functions
    provisioned: Mapping[str, int] = field(default_factory=dict)  # version or alias -> sandboxes kept warm
    retries: int = 2  # of an asynchronous invocation
    policy: tuple[Mapping[str, Any], ...] = ()  # statements

    def version(self, qualifier: str, chance: float = 1.0) -> Function:
        """Return the version that `qualifier` means; raises UnknownFunctionError."""
        alias = self.aliases.get(qualifier)
        found = self.versions.get(alias.choose(chance) if alias else qualifier)
        if found is None:
            raise UnknownFunctionError(f"Function not found: {self.name}:{qualifier}")
        return found

    def kept_warm(self, version: str) -> int:
        """Return how many sandboxes of `version` its provisioned concurrency asks for."""
        targets = {name: self.aliases[name].version if name in self.aliases else name for name in self.provisioned}
        return sum(count for name, count in self.provisioned.items() if targets[name] == version)


@dataclass(frozen=True)
class Catalogue:
    """All functions of an account."""

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def find(self, reference: str) -> tuple[Entry, str]:
        """Return the function that a name or ARN means, and its qualifier; raises UnknownFunctionError."""
        matched = REFERENCE.fullmatch(reference)
        entry = self.entries.get(matched["name"]) if matched else None
        if not matched or entry is None:
            raise UnknownFunctionError(f"Function not found: {reference}")
        return entry, matched["qualifier"] or LATEST

    def unreserved(self, quota: int) -> int:
        """Return how many of the account's `quota` of concurrent invocations no function has reserved."""
        return quota - sum(entry.reserved or 0 for entry in self.entries.values())


def catalogue_of(listing: Iterable[Mapping[str, Any]]) -> Catalogue:
    """Return the functions that the control plane listed."""
    entries = [_entry(one) for one in listing]
    return Catalogue({entry.name: entry for entry in entries})


def _entry(listed: Mapping[str, Any]) -> Entry:
    versions = [_function(configuration) for configuration in listed["versions"]]
    return Entry(
        name=listed["name"],
        versions={function.version: function for function in versions},
        aliases={name: _alias(alias) for name, alias in listed["aliases"].items()},
        reserved=listed["reserved"],
        provisioned=listed["provisioned"],
        retries=listed["retries"],
        policy=tuple(listed["policy"]),
    )


def _alias(listed: Mapping[str, Any]) -> Alias:
    return Alias(listed["version"], tuple(sorted((str(key), float(value)) for key, value in listed["weights"].items())))


def _function(configuration: Mapping[str, Any]) -> Function:
    variables = configuration.get("Environment", {}).get("Variables", {})
    return Function(
        name=configuration["FunctionName"],
        version=configuration["Version"],
        arn=configuration["FunctionArn"],
        runtime=configuration.get("Runtime") or "",
        handler=configuration.get("Handler") or "",
        code_sha256=configuration["CodeSha256"],
        timeout=int(configuration["Timeout"]),
        memory=int(configuration["MemorySize"]),
        package_type=configuration.get("PackageType") or "Zip",
        environment=tuple(sorted((str(name), str(value)) for name, value in variables.items())),
        log_group=configuration.get("LoggingConfig", {}).get("LogGroup")
        or f"/aws/lambda/{configuration['FunctionName']}",
        revision=configuration.get("RevisionId", ""),
    )
