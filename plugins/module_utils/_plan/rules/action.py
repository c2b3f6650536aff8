# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The actions and transforms of a listener rule: from options and from AWS into one form, and back to AWS. Pure.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..plan import InputError

FORWARD, REDIRECT, FIXED = "forward", "redirect", "fixed-response"
OIDC, COGNITO = "authenticate-oidc", "authenticate-cognito"
AUTHENTICATE = (OIDC, COGNITO)
ROUTING = (FORWARD, REDIRECT, FIXED)  # a rule has exactly one of these, and has it last
# Option of the modules -> AWS's type.
ACTION_OPTIONS = {
    "forward": FORWARD,
    "redirect": REDIRECT,
    "fixed_response": FIXED,
    "authenticate_oidc": OIDC,
    "authenticate_cognito": COGNITO,
}
ROUTING_OPTIONS = ("forward", "redirect", "fixed_response")
AUTHENTICATE_OPTIONS = ("authenticate_oidc", "authenticate_cognito")
OPTION_OF_TYPE = {kind: option for option, kind in ACTION_OPTIONS.items()}
CONFIGS = {
    REDIRECT: "RedirectConfig",
    FIXED: "FixedResponseConfig",
    OIDC: "AuthenticateOidcConfig",
    COGNITO: "AuthenticateCognitoConfig",
}
_SESSION = {
    "session_cookie_name": "SessionCookieName",
    "scope": "Scope",
    "session_timeout": "SessionTimeout",
    "authentication_request_extra_params": "AuthenticationRequestExtraParams",
    "on_unauthenticated_request": "OnUnauthenticatedRequest",
}
SETTINGS = {
    REDIRECT: {
        "protocol": "Protocol",
        "host": "Host",
        "port": "Port",
        "path": "Path",
        "query": "Query",
        "status_code": "StatusCode",
    },
    FIXED: {"status_code": "StatusCode", "content_type": "ContentType", "message_body": "MessageBody"},
    OIDC: {
        "issuer": "Issuer",
        "authorization_endpoint": "AuthorizationEndpoint",
        "token_endpoint": "TokenEndpoint",
        "user_info_endpoint": "UserInfoEndpoint",
        "client_id": "ClientId",
        **_SESSION,
    },
    COGNITO: {
        "user_pool_arn": "UserPoolArn",
        "user_pool_client_id": "UserPoolClientId",
        "user_pool_domain": "UserPoolDomain",
        **_SESSION,
    },
}
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AuthenticateOidcActionConfig.html
_SESSION_DEFAULTS = {
    "session_cookie_name": "AWSELBAuthSessionCookie",
    "scope": "openid",
    "session_timeout": 604800,
    "authentication_request_extra_params": {},
    "on_unauthenticated_request": "authenticate",
}
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html
DEFAULTS: dict[str, dict[str, Any]] = {
    REDIRECT: {
        "protocol": "#{protocol}",
        "host": "#{host}",
        "port": "#{port}",
        "path": "/#{path}",
        "query": "#{query}",
    },
    FIXED: {"content_type": None, "message_body": None},
    OIDC: _SESSION_DEFAULTS,
    COGNITO: _SESSION_DEFAULTS,
}
TRANSFORM_CONFIGS = {"url-rewrite": "UrlRewriteConfig", "host-header-rewrite": "HostHeaderRewriteConfig"}


@dataclass(frozen=True)
class Action:
    """One action: AWS's type, and its settings by the names of the modules' suboptions, none left out.

    A forward has `target_groups`, a sorted list of `target_group_arn` and `weight`, and `stickiness`, seconds or None.
    An action that this collection does not know keeps AWS's own form as its settings.
    """

    type: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Transform:
    """One rewrite of the request before it goes to the target."""

    type: str
    regex: str
    replace: str


Actions = tuple[Action, ...]
Transforms = tuple[Transform, ...]


def forward(groups: Sequence[tuple[str, int]], stickiness: int | None = None) -> Action:
    """Return a forward to groups, each an ARN and a weight."""
    listed = [{"target_group_arn": arn, "weight": weight} for arn, weight in sorted(groups)]
    return Action(FORWARD, {"target_groups": listed, "stickiness": stickiness})


def from_option(option: str, given: Mapping[str, Any]) -> Action:
    """Return the action that an option asks for, other than forward; an empty authentication has no settings."""
    kind = ACTION_OPTIONS[option]
    said = {key: value for key, value in given.items() if value is not None and key in SETTINGS[kind]}
    if not said:
        return Action(kind, {})
    settings = DEFAULTS[kind] | said
    missing = sorted(set(SETTINGS[kind]) - set(settings))
    if missing:
        raise InputError(f"{option} has no {' and no '.join(missing)}; allowed is a complete one, or an empty one.")
    if kind == REDIRECT:
        settings["status_code"] = f"HTTP_{settings['status_code']}"
    if kind == FIXED:
        settings["status_code"] = str(settings["status_code"])
        if settings["message_body"] and not settings["content_type"]:
            settings["content_type"] = "text/plain"
    return Action(kind, settings)


def actions_from_aws(described: Iterable[Mapping[str, Any]]) -> Actions:
    """Return a rule's actions as DescribeRules tells them, in their order."""
    return tuple(_from_aws(one) for one in sorted(described, key=lambda action: int(action.get("Order") or 0)))


def _from_aws(one: Mapping[str, Any]) -> Action:
    kind = one["Type"]
    if kind == FORWARD:
        return _forward_from_aws(one)
    if kind not in CONFIGS:
        return Action(kind, {key: value for key, value in one.items() if key not in ("Type", "Order")})
    config = one.get(CONFIGS[kind], {})
    found = {name: config.get(parameter) for name, parameter in SETTINGS[kind].items()}
    # An empty query is a redirect that drops it; elsewhere AWS says nothing by an empty text.
    nothing = (None,) if kind == REDIRECT else (None, "")
    return Action(kind, DEFAULTS[kind] | {name: value for name, value in found.items() if value not in nothing})


def _forward_from_aws(one: Mapping[str, Any]) -> Action:
    config = one.get("ForwardConfig", {})
    alone = [{"TargetGroupArn": one["TargetGroupArn"]}] if one.get("TargetGroupArn") else []
    groups = config.get("TargetGroups") or alone
    sticky = config.get("TargetGroupStickinessConfig", {})
    seconds = sticky.get("DurationSeconds") if sticky.get("Enabled") else None
    return forward([(group["TargetGroupArn"], group.get("Weight", 1)) for group in groups], seconds)


def actions_to_aws(actions: Sequence[Action], client_secret: str | None) -> list[dict[str, Any]]:
    """Return actions as CreateRule and ModifyRule take them.

    Without `client_secret` the one that AWS has stays: AWS never tells it, so it cannot be sent again.
    """
    listed = [_to_aws(action, client_secret) for action in actions]
    if len(listed) == 1:
        return listed
    return [action | {"Order": number} for number, action in enumerate(listed, start=1)]


def _to_aws(action: Action, client_secret: str | None) -> dict[str, Any]:
    if action.type == FORWARD:
        return {"Type": FORWARD, **_forward_config(action)}
    if action.type not in CONFIGS:
        return {"Type": action.type, **action.settings}
    settings = {SETTINGS[action.type][name]: value for name, value in action.settings.items() if value is not None}
    if action.type == OIDC:
        secret = {"UseExistingClientSecret": True} if client_secret is None else {"ClientSecret": client_secret}
        settings |= secret
    return {"Type": action.type, CONFIGS[action.type]: settings}


def _forward_config(action: Action) -> dict[str, Any]:
    groups = [{"TargetGroupArn": one["target_group_arn"], "Weight": one["weight"]} for one in _groups(action)]
    seconds = action.settings["stickiness"]
    if len(groups) == 1 and groups[0]["Weight"] == 1 and not seconds:
        return {"TargetGroupArn": groups[0]["TargetGroupArn"]}
    sticky = {"Enabled": True, "DurationSeconds": seconds} if seconds else {"Enabled": False}
    return {"ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky}}


def _groups(action: Action) -> list[dict[str, Any]]:
    return list(action.settings["target_groups"])


def target_group_arns(actions: Iterable[Action]) -> list[str]:
    """Return the groups to which actions forward."""
    groups = (group for action in actions if action.type == FORWARD for group in action.settings["target_groups"])
    return [group["target_group_arn"] for group in groups]


def shown(actions: Iterable[Action]) -> dict[str, Any]:
    """Return actions by the names of the modules' options."""
    result: dict[str, Any] = {}
    for action in actions:
        if action.type == FORWARD:
            result["forward"] = [dict(group) for group in action.settings["target_groups"]]
            result["stickiness"] = action.settings["stickiness"] or 0
        else:
            result[OPTION_OF_TYPE.get(action.type, action.type.replace("-", "_"))] = dict(action.settings)
    return result


def transforms_from_aws(described: Iterable[Mapping[str, Any]]) -> Transforms:
    """Return a rule's transforms as DescribeRules tells them, by type."""
    found = []
    for one in described:
        rewrites = one.get(TRANSFORM_CONFIGS[one["Type"]], {}).get("Rewrites", [])
        found += [Transform(one["Type"], rewrite["Regex"], rewrite["Replace"]) for rewrite in rewrites]
    return tuple(sorted(found, key=lambda transform: transform.type))


def asked_transforms(given: Sequence[Mapping[str, str]]) -> Transforms:
    """Return the transforms that the option asks for; raises InputError for two of one type."""
    types = [one["type"] for one in given]
    for kind in types:
        if types.count(kind) > 1:
            raise InputError(f"transforms has {types.count(kind)} of type {kind}; a rule takes one of each type.")
    found = [Transform(one["type"], one["regex"], one["replace"]) for one in given]
    return tuple(sorted(found, key=lambda transform: transform.type))


def transforms_to_aws(transforms: Iterable[Transform]) -> list[dict[str, Any]]:
    """Return transforms as CreateRule and ModifyRule take them."""
    return [
        {"Type": one.type, TRANSFORM_CONFIGS[one.type]: {"Rewrites": [{"Regex": one.regex, "Replace": one.replace}]}}
        for one in transforms
    ]


def transforms_shown(transforms: Iterable[Transform]) -> list[dict[str, str]]:
    """Return transforms by the names of the modules' suboptions."""
    return [{"type": one.type, "regex": one.regex, "replace": one.replace} for one in transforms]
