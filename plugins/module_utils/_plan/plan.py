# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a module is going to do: the state before and after, and the calls that lead from one to the other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._plan.parts import grouped

KNOWN_LATER = "(known after apply)"
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


class InputError(Exception):
    """Bad input: one sentence that names the option, its value and what is allowed."""


@dataclass(frozen=True)
class Learned:
    """Stands in a call's parameters for a value that an earlier call's answer tells, such as a new ARN."""

    name: str


@dataclass(frozen=True)
class Call:
    """One call of AWS's API.

    `parameters` are the ones of the API reference. `resource` names in an error what the call is about. `learns` maps a
    name for `Learned` to a JMESPath in the answer. `hidden` parameters never reach a result. AWS's error codes are told
    apart by what they mean: `done_by` says that there is nothing left to do, `retried_on` that AWS needs some seconds,
    `stale_on` that somebody else was faster and the plan has to be made again. `rest` maps a parameter to the JMESPath
    of what an answer leaves undone of it: the call is made again with that. `awaited` maps a JMESPath to the value that
    it must have: the call, a describing one, is made again until it has, for at most `patience_s` seconds. A call that
    is `beside` may be made at the same time as the one before it.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    resource: str
    learns: Mapping[str, str] = field(default_factory=dict)
    hidden: Sequence[str] = ()
    done_by: Sequence[str] = ()
    retried_on: Sequence[str] = ()
    stale_on: Sequence[str] = ()
    rest: Mapping[str, str] = field(default_factory=dict)
    awaited: Mapping[str, str] = field(default_factory=dict)
    patience_s: float = 600
    beside: bool = False

    def shown(self) -> dict[str, Any]:
        """Return the call as a result may show it."""
        parameters = {name: _shown(value, self.hidden) for name, value in self.parameters.items()}
        parameters |= {name: HIDDEN for name in self.hidden if name in parameters}
        return {"service": self.service, "operation": self.operation, "parameters": parameters}

    def with_learned(self, learned: Mapping[str, Any]) -> Call:
        """Return the call with each `Learned` value in place."""
        return replace(self, parameters=_resolved(self.parameters, learned))


@dataclass(frozen=True)
class Plan:
    """The state of what a task names, before and after, and the calls in their order.

    A state is a mapping as the diff shows it, empty where there is nothing. It holds no value that only AWS can
    choose, such as an ARN: so check mode shows the very same diff as the run.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    calls: Sequence[Call] = ()
    warnings: Sequence[str] = ()

    @property
    def changed(self) -> bool:
        """Tell whether there is a difference to apply."""
        return self.before != self.after


def stretches(calls: Iterable[Call]) -> Iterator[list[Call]]:
    """Return the calls as they may be made: those of one list at the same time, one list after the other."""
    return grouped(calls, lambda call, _stretch: call.beside)


def side_by_side(calls: Sequence[Call]) -> list[Call]:
    """Return the calls, each but the first beside the one before it."""
    return [*calls[:1], *(replace(call, beside=True) for call in calls[1:])]


def _shown(value: Any, hidden: Sequence[str]) -> Any:
    if isinstance(value, Learned):
        return KNOWN_LATER
    if isinstance(value, Mapping):
        return {name: HIDDEN if name in hidden else _shown(inner, hidden) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(inner, hidden) for inner in value]
    return value


def _resolved(value: Any, learned: Mapping[str, Any]) -> Any:
    if isinstance(value, Learned):
        return learned[value.name]
    if isinstance(value, Mapping):
        return {name: _resolved(inner, learned) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_resolved(inner, learned) for inner in value]
    return value
