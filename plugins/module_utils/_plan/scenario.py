# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The requests of a scenario that is told as data, checked before anything is deployed. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .plan import InputError

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
FIELDS = ("path", "method", "weight", "name", "headers", "body", "status", "text")


@dataclass(frozen=True)
class Request:
    """One request that visitors make.

    Without `status` any status under 400 is right; without `text` any content. Statistics bear `name`.
    """

    method: str
    path: str
    name: str
    weight: int
    headers: dict[str, str]
    body: str
    status: tuple[int, ...]
    text: str


def requests(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the requests with every field filled in, as JSON can hold them; raises InputError for the first wrong one.

    A body that is a mapping or a list is sent as JSON.
    """
    made = [_request(raw, f"load_test_requests[{number}]") for number, raw in enumerate(told)]
    doubles = [key for key, count in Counter((one.method, one.name) for one in made).items() if count > 1]
    if doubles:
        raise InputError(
            f"load_test_requests has {' '.join(doubles[0])} twice; give each a name of its own, or one more weight."
        )
    return [asdict(one) | {"status": list(one.status)} for one in made]


def _request(raw: Mapping[str, Any], where: str) -> Request:
    if not isinstance(raw, Mapping):
        raise InputError(f"{where} is '{raw}'; a mapping with at least a path is needed.")
    unknown = sorted(set(raw) - set(FIELDS))
    if unknown:
        raise InputError(f"{where} has '{unknown[0]}'; allowed are {', '.join(FIELDS)}.")
    path = _path(raw, where)
    body, content_type = _body(raw.get("body"), where)
    return Request(
        _method(raw, where),
        path,
        str(raw.get("name") or path),
        _weight(raw, where),
        content_type | _headers(raw, where),
        body,
        _status(raw.get("status"), where),
        str(raw.get("text") or ""),
    )


def _path(raw: Mapping[str, Any], where: str) -> str:
    path = str(raw.get("path", ""))
    if not path.startswith("/") or any(letter.isspace() for letter in path):
        raise InputError(f"{where}: path is '{path}'; a path that begins with / and has no spaces is needed.")
    return path


def _method(raw: Mapping[str, Any], where: str) -> str:
    method = str(raw.get("method", "GET")).upper()
    if method not in METHODS:
        raise InputError(f"{where}: method is '{raw['method']}'; allowed are {', '.join(METHODS)}.")
    return method


def _weight(raw: Mapping[str, Any], where: str) -> int:
    weight = str(raw.get("weight", 1))
    if not weight.isdecimal() or not 1 <= int(weight) <= 1_000_000:
        raise InputError(f"{where}: weight is '{weight}'; a whole number from 1 to 1000000 is needed.")
    return int(weight)


def _headers(raw: Mapping[str, Any], where: str) -> dict[str, str]:
    headers = raw.get("headers") or {}
    if not isinstance(headers, Mapping):
        raise InputError(f"{where}: headers is '{headers}'; a mapping of names and values is needed.")
    for name, value in headers.items():
        if not str(name).isascii() or set(f"{name}{value}") & set("\r\n") or ":" in str(name):
            raise InputError(f"{where}: headers has '{name}'; a name is ASCII without ':', no line ends inside.")
    return {str(name): str(value) for name, value in headers.items()}


def _body(body: Any, where: str) -> tuple[str, dict[str, str]]:
    if isinstance(body, (Mapping, list)):
        try:
            return json.dumps(body), {"Content-Type": "application/json"}
        except TypeError as error:
            raise InputError(f"{where}: body cannot be said in JSON: {error}.") from error
    return ("" if body is None else str(body)), {}


def _status(status: Any, where: str) -> tuple[int, ...]:
    told = [] if status in (None, "") else status if isinstance(status, (list, tuple)) else [status]
    for one in told:
        if not str(one).isdecimal() or not 100 <= int(one) <= 599:
            raise InputError(f"{where}: status is '{one}'; allowed are HTTP statuses from 100 to 599, one or a list.")
    return tuple(int(one) for one in told)
