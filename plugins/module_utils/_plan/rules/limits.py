# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS's limits of a rule, checked before anything is written. Pure.

Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html and
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..plan import InputError
from .action import FIXED, FORWARD, REDIRECT, Action, Actions, Transforms
from .condition import HEADER, HOST, METHOD, PATH, QUERY, SOURCE, Condition, Conditions

LENGTH = 128
# Of wildcards, the page on conditions says five a rule; the one on quotas says six since 2025, and said five before.
VALUES, WILDCARDS, TARGET_GROUPS, RULES = 5, 5, 5, 100
RULES_LIMIT = "rules-per-application-load-balancer"  # its name in DescribeAccountLimits
STICKINESS = (1, 604800)
WEIGHTS = (0, 999)
ALLOWED = {
    PATH: (
        re.compile(r"[A-Za-z0-9_\-.$/~\"'@:+&*?]+"),
        "A-Z a-z 0-9 _ - . $ / ~ \" ' @ : + & and the wildcards * and ?",
    ),
    HOST: (re.compile(r"[A-Za-z0-9\-.*?]+"), "A-Z a-z 0-9 - . and the wildcards * and ?"),
    METHOD: (re.compile(r"[A-Z\-_]{1,40}"), "up to 40 of A-Z - _"),
    HEADER: (re.compile(r"[\x20-\x7e]+"), "visible ASCII characters and the wildcards * and ?"),
    QUERY: (re.compile(r"[\x21-\x7e]+"), "visible ASCII characters and the wildcards * and ?"),
    SOURCE: (re.compile(r"[0-9a-fA-F.:/]+"), "networks such as 192.0.2.0/24"),
}
OPTION = {PATH: "path_patterns", HOST: "hosts", METHOD: "methods", HEADER: "headers", QUERY: "query_strings"}
REGEX_OPTION = {PATH: "path_regexes", HOST: "host_regexes", HEADER: "headers"}
# Lookaround, atomic groups and backreferences: .../application/rule-condition-types.html
UNKNOWN_TO_AWS = re.compile(r"\(\?(?:[=!>]|<[=!])|(?<!\\)(?:\\\\)*\\[1-9]")
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RewriteConfig.html
REWRITE = 1024
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,40}")
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_FixedResponseActionConfig.html
FIXED_STATUS = re.compile(r"[245]\d\d")
FIXED_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
FIXED_BODY = 1024
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html
REDIRECT_PARTS = {
    "protocol": (re.compile(r"HTTPS?|#\{protocol\}"), "HTTP, HTTPS and #{protocol}"),
    "port": (re.compile(r"\d{1,5}|#\{port\}"), "1 to 65535 and #{port}"),
    "host": (re.compile(r"[^*]{1,128}"), "1 to 128 characters without wildcards"),
    "path": (re.compile(r"/[^*]{0,127}"), "1 to 128 characters that begin with '/', without wildcards"),
    "query": (re.compile(r"(?!\?).{0,128}"), "up to 128 characters without the leading '?'"),
}


def check_rule(rule: str, conditions: Conditions, actions: Actions) -> None:
    """Raise InputError, naming `rule`, where AWS would refuse the conditions or the actions."""
    for condition in conditions:
        _check_condition(rule, condition)
    _check_quotas(rule, conditions)
    for action in actions:
        _check_action(rule, action)


def check_room(rules: int, allowed: int) -> None:
    """Raise InputError where `rules` are there already and one more would be more than `allowed`."""
    if rules >= allowed:
        raise InputError(f"The listener has {rules} rules and would get another; AWS allows this account {allowed}.")


def _check_condition(rule: str, condition: Condition) -> None:
    if condition.field == HEADER:
        _check_header_name(rule, condition.header)
    pattern, allowed = ALLOWED[condition.field]
    option = OPTION.get(condition.field, "source_ips")
    for value in _texts(condition):
        if not pattern.fullmatch(value) or len(value) > LENGTH:
            raise InputError(f"{option} of {rule} has '{value}'; allowed are up to {LENGTH} characters: {allowed}.")
    for regex in condition.regexes:
        _check_regex(f"{REGEX_OPTION[condition.field]} of {rule} has", regex, LENGTH)


def check_transforms(rule: str, transforms: Transforms) -> None:
    """Raise InputError, naming `rule`, where AWS would refuse a rewrite of the request."""
    for one in transforms:
        _check_regex(f"transforms of {rule} has the regex", one.regex, REWRITE)
        if len(one.replace) > REWRITE:
            raise InputError(f"transforms of {rule} replaces by '{one.replace}'; allowed are {REWRITE} characters.")


def _check_regex(what: str, regex: str, length: int) -> None:
    try:
        re.compile(regex)
    except re.error as error:
        raise InputError(f"{what} '{regex}'; allowed are regular expressions, but: {error}.") from None
    if not 0 < len(regex) <= length:
        raise InputError(f"{what} '{regex}'; allowed are 1 to {length} characters.")
    unknown = UNKNOWN_TO_AWS.search(regex)
    if unknown:
        raise InputError(f"{what} '{regex}'; AWS does not know '{unknown[0]}', allowed are other expressions.")


def _check_header_name(rule: str, name: str) -> None:
    if not HEADER_NAME.fullmatch(name) or name.lower() == "host":
        raise InputError(
            f"headers of {rule} has the name '{name}'; allowed are header names of up to 40 characters, "
            "without wildcards, and the option hosts for the host header."
        )


def _texts(condition: Condition) -> list[str]:
    return [*condition.values, *(text for pair in condition.pairs for text in pair if text)]


def _check_quotas(rule: str, conditions: Iterable[Condition]) -> None:
    conditions = tuple(conditions)
    values = sum(len(one.values) + len(one.regexes) + len(one.pairs) for one in conditions)
    if values > VALUES:
        raise InputError(f"The conditions of {rule} have {values} values; allowed are {VALUES} a rule.")
    wild = [one for one in conditions if one.field not in (METHOD, SOURCE)]
    wildcards = sum(text.count("*") + text.count("?") for one in wild for text in _texts(one))
    if wildcards > WILDCARDS:
        raise InputError(f"The conditions of {rule} have {wildcards} wildcards; allowed are {WILDCARDS} a rule.")


def _check_action(rule: str, action: Action) -> None:
    if action.type == FORWARD:
        _check_forward(rule, action)
    if action.type == FIXED:
        _check_fixed(rule, action)
    if action.type == REDIRECT:
        for part, (pattern, allowed) in REDIRECT_PARTS.items():
            if not pattern.fullmatch(action.settings[part]):
                raise InputError(f"redirect.{part} of {rule} is '{action.settings[part]}'; allowed are {allowed}.")


def _check_forward(rule: str, action: Action) -> None:
    groups, seconds = action.settings["target_groups"], action.settings["stickiness"]
    if not 1 <= len(groups) <= TARGET_GROUPS:
        raise InputError(f"forward of {rule} has {len(groups)} target groups; allowed are 1 to {TARGET_GROUPS}.")
    for group in groups:
        if not WEIGHTS[0] <= group["weight"] <= WEIGHTS[1]:
            raise InputError(
                f"forward of {rule} has weight {group['weight']} for '{group['target_group_arn']}'; "
                f"allowed are {WEIGHTS[0]} to {WEIGHTS[1]}."
            )
    if seconds is not None and not STICKINESS[0] <= seconds <= STICKINESS[1]:
        raise InputError(f"stickiness of {rule} is {seconds}; allowed are 0 (off) to {STICKINESS[1]} seconds.")


def _check_fixed(rule: str, action: Action) -> None:
    settings = action.settings
    if not FIXED_STATUS.fullmatch(settings["status_code"]):
        raise InputError(
            f"fixed_response.status_code of {rule} is {settings['status_code']}; allowed are 2XX, 4XX, 5XX."
        )
    if settings["content_type"] not in (None, *FIXED_TYPES):
        raise InputError(
            f"fixed_response.content_type of {rule} is '{settings['content_type']}'; "
            f"allowed are {', '.join(FIXED_TYPES)}."
        )
    if len(settings["message_body"] or "") > FIXED_BODY:
        raise InputError(
            f"fixed_response.message_body of {rule} has {len(settings['message_body'])} characters; "
            f"allowed are {FIXED_BODY}."
        )
