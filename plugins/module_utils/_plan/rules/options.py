# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the options of the rule modules mean. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..plan import InputError
from .action import (
    AUTHENTICATE_OPTIONS,
    ROUTING_OPTIONS,
    Action,
    asked_transforms,
    forward,
    from_option,
    target_group_arns,
)
from .condition import CONDITION_OPTIONS, asked_conditions
from .listener import check_listener
from .path_rule import WantedRule
from .priority import WantedPlace, parse_priority
from .rule import NAME_TAG, Rule

TARGET_GROUP_ARN = re.compile(r"arn:[^:]+:elasticloadbalancing:[^:]+:\d{12}:targetgroup/(?P<name>[^/]+)/[^/]+")


def check_options(options: Mapping[str, Any]) -> None:
    """Raise InputError for options that say nothing that can be done, before anything is asked of AWS."""
    check_listener(options)
    if not options["name"] and not any(options.get(option) for option in CONDITION_OPTIONS):
        raise InputError(f"The task names no rule; give name, or conditions by {', '.join(CONDITION_OPTIONS)}.")
    tags = options.get("tags") or {}
    if options["name"] and tags.get(NAME_TAG, options["name"]) != options["name"]:
        raise InputError(f"tags has {NAME_TAG} '{tags[NAME_TAG]}', but name is '{options['name']}'; give one of them.")
    place = wanted_place(options)
    if place.number and (place.before or place.after):
        raise InputError(f"priority is {place.number}, and before or after is given, too; give one of them.")


def wanted_place(options: Mapping[str, Any]) -> WantedPlace:
    """Return what the options say of the priority."""
    return WantedPlace(parse_priority(options["priority"]), options["before"], options["after"])


def needs_tags(options: Mapping[str, Any]) -> bool:
    """Tell whether the rules' tags have to be read: for a name, or for tags that may have to change."""
    return any(options.get(option) is not None for option in ("name", "tags", "before", "after"))


def wanted_rule(options: Mapping[str, Any], group_arns: Mapping[str, str]) -> WantedRule:
    """Return what a rule's options ask for; `group_arns` says the ARN of each target group that is given by name."""
    oidc = options.get("authenticate_oidc") or {}
    transforms = options.get("transforms")
    return WantedRule(
        conditions=asked_conditions(options),
        place=wanted_place(options),
        name=options["name"],
        authenticate=_authenticate(options),
        routing=_routing(options, group_arns),
        stickiness=options.get("stickiness"),
        transforms=None if transforms is None else asked_transforms(transforms),
        tags=None if options.get("tags") is None else texts(options["tags"]),
        purge_tags=options.get("purge_tags", True),
        client_secret=oidc.get("client_secret"),
        resend_secret=oidc.get("update_client_secret") == "always",
        on_shadow=options.get("on_shadow", "warn"),
    )


def texts(tags: Mapping[str, Any]) -> dict[str, str]:
    """Return tags as AWS keeps them."""
    return {key: str(value) for key, value in tags.items()}


def _authenticate(options: Mapping[str, Any]) -> Action | None:
    for option in AUTHENTICATE_OPTIONS:
        if options.get(option) is not None:
            return from_option(option, options[option])
    return None


def _routing(options: Mapping[str, Any], group_arns: Mapping[str, str]) -> Action | None:
    given = [option for option in ROUTING_OPTIONS if options.get(option) is not None]
    if not given:
        return None
    if given[0] != "forward":
        return from_option(given[0], options[given[0]])
    groups = [(_group_arn(one["target_group"], group_arns), one["weight"]) for one in options["forward"]]
    arns = [group[0] for group in groups]
    for arn in arns:
        if arns.count(arn) > 1:
            raise InputError(
                f"forward has target group '{arn}' {arns.count(arn)} times; give it once, with its weight."
            )
    return forward(groups)


def _group_arn(text: str, group_arns: Mapping[str, str]) -> str:
    return text if text.startswith("arn:") else group_arns[text]


def named_groups(options: Mapping[str, Any]) -> list[str]:
    """Return the target groups that the option forward names by their name, not by their ARN."""
    given = [one["target_group"] for one in options.get("forward") or []]
    for text in given:
        if text.startswith("arn:") and not TARGET_GROUP_ARN.fullmatch(text):
            raise InputError(f"forward has target group '{text}'; allowed is a name or the ARN of a target group.")
    return [text for text in given if not text.startswith("arn:")]


def known_groups(rules: Iterable[Rule]) -> dict[str, str]:
    """Return name -> ARN of the groups to which rules forward: a group in use cannot be replaced by one of its name."""
    found = [TARGET_GROUP_ARN.fullmatch(arn) for rule in rules for arn in target_group_arns(rule.actions)]
    return {match["name"]: match[0] for match in found if match}
