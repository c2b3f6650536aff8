"""CloudFront distributions as the edges need them: plain values, free of the API and of nginx."""

from __future__ import annotations

from dataclasses import dataclass

GET_AND_HEAD = ("GET", "HEAD")


@dataclass(frozen=True)
class Choice:
    """Which query strings, headers or cookies: all of them, or those named."""

    all: bool = False
    names: tuple[str, ...] = ()


NONE = Choice()
ALL = Choice(all=True)


@dataclass(frozen=True)
class Behavior:
    """A cache behavior; the times are in seconds."""

    origin_id: str
    path_pattern: str = "*"
    allowed_methods: tuple[str, ...] = GET_AND_HEAD
    viewer_protocol_policy: str = "allow-all"
    compress: bool = False
    min_ttl: int = 0
    default_ttl: int = 86400
    max_ttl: int = 31536000
    query_strings_forwarded: bool = False
    query_strings_in_key: Choice = NONE
    headers_in_key: Choice = NONE
    headers_forwarded: Choice = NONE
    host_forwarded: bool = False  # else the origin's domain name stands in the header Host
    cookies_in_key: Choice = NONE
    cookies_forwarded: Choice = NONE

    @property
    def caches(self) -> bool:
        """Whether anything may be kept at all: forwarding every header means never."""
        return not self.headers_in_key.all

    @property
    def collapses(self) -> bool:
        """Whether requests wait for one another: not where nothing but errors is kept."""
        return self.caches and max(self.min_ttl, self.default_ttl, self.max_ttl) > 0


@dataclass(frozen=True)
class Origin:
    """A custom origin; the times are in seconds."""

    id: str
    domain_name: str
    port: int | None = 80  # None: it is not reached over HTTP, which the lab does not do
    path: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    connection_attempts: int = 3
    connection_timeout: int = 10
    read_timeout: int = 30
    keepalive_timeout: int = 5


@dataclass(frozen=True)
class ErrorResponse:
    """What happens with one status from an origin."""

    status: int
    caching_min_ttl: int | None = None  # seconds
    page: str = ""
    response_code: str = ""


@dataclass(frozen=True)
class Distribution:
    """An enabled distribution; the behaviors are in the order in which they are tried, the default one last."""

    id: str
    domain_name: str
    origins: tuple[Origin, ...]
    behaviors: tuple[Behavior, ...]
    aliases: tuple[str, ...] = ()
    error_responses: tuple[ErrorResponse, ...] = ()
    default_root_object: str = ""
    invalidations: tuple[tuple[str, str], ...] = ()  # (path, id of the invalidation), the newest first


@dataclass(frozen=True)
class Snapshot:
    """An account's distributions."""

    distributions: tuple[Distribution, ...] = ()
    disabled_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Surroundings:
    """What an edge's nginx finds on this machine."""

    number: int  # of the edge, from 1
    address: str
    port: int
    status_port: int
    folder: str
    socket_directory: str
    script_directory: str
    js_module: str
    open_files: int  # descriptors that the process may hold
    user: str | None = None  # who the worker is when the master is root
