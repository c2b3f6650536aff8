# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The argument spec of a rule, documented in the fragment alb_rule. Pure."""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]

TEXT: Spec = {"type": "str"}
TEXTS: Spec = {"type": "list", "elements": "str"}
SESSION_SPEC: Spec = {
    "session_cookie_name": TEXT,
    "scope": TEXT,
    "session_timeout": {"type": "int"},
    "authentication_request_extra_params": {"type": "dict"},
    "on_unauthenticated_request": {"type": "str", "choices": ["deny", "allow", "authenticate"]},
}
CONDITION_SPEC: Spec = {
    "path_patterns": TEXTS,
    "path_regexes": TEXTS,
    "hosts": TEXTS,
    "host_regexes": TEXTS,
    "methods": TEXTS,
    "headers": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str", "required": True}, "values": TEXTS, "regexes": TEXTS},
    },
    "query_strings": {
        "type": "list",
        "elements": "dict",
        "options": {
            "values": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {"key": {"type": "str", "no_log": False}, "value": {"type": "str", "required": True}},
            }
        },
    },
    "source_ips": TEXTS,
}
ACTION_SPEC: Spec = {
    "forward": {
        "type": "list",
        "elements": "dict",
        "options": {"target_group": {"type": "str", "required": True}, "weight": {"type": "int", "default": 1}},
    },
    "stickiness": {"type": "int"},
    "redirect": {
        "type": "dict",
        "options": {
            "protocol": TEXT,
            "host": TEXT,
            "port": TEXT,
            "path": TEXT,
            "query": TEXT,
            "status_code": {"type": "int", "required": True, "choices": [301, 302]},
        },
    },
    "fixed_response": {
        "type": "dict",
        "options": {
            "status_code": {"type": "int", "required": True},
            "content_type": TEXT,
            "message_body": TEXT,
        },
    },
    "authenticate_oidc": {
        "type": "dict",
        "options": {
            "issuer": TEXT,
            "authorization_endpoint": TEXT,
            "token_endpoint": {"type": "str", "no_log": False},
            "user_info_endpoint": TEXT,
            "client_id": TEXT,
            "client_secret": {"type": "str", "no_log": True},
            "update_client_secret": {
                "type": "str",
                "choices": ["on_create", "always"],
                "default": "on_create",
                "no_log": False,
            },
            **SESSION_SPEC,
        },
    },
    "authenticate_cognito": {
        "type": "dict",
        "options": {
            "user_pool_arn": TEXT,
            "user_pool_client_id": TEXT,
            "user_pool_domain": TEXT,
            **SESSION_SPEC,
        },
    },
    "transforms": {
        "type": "list",
        "elements": "dict",
        "options": {
            "type": {"type": "str", "required": True, "choices": ["url-rewrite", "host-header-rewrite"]},
            "regex": {"type": "str", "required": True},
            "replace": {"type": "str", "required": True},
        },
    },
}
RULE_SPEC: Spec = {
    "name": TEXT,
    **CONDITION_SPEC,
    **ACTION_SPEC,
    "priority": {"type": "str", "default": "auto"},
    "before": TEXT,
    "after": TEXT,
    "on_shadow": {"type": "str", "choices": ["warn", "fail", "ignore"], "default": "warn"},
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": True},
}
RULE_EXCLUSIVE = [("forward", "redirect", "fixed_response"), ("authenticate_oidc", "authenticate_cognito")]
