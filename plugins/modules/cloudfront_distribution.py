#!/usr/bin/python
# Copyright: loadlift.aws maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_distribution
version_added: 0.1.0
short_description: A CloudFront distribution with custom origins
description:
  - Makes, updates and removes a CloudFront distribution in front of HTTP origins, such as load balancers.
  - An option that is left out is left alone, also inside an origin or a cache behavior that is there already. A list is
    whole - what CloudFront has and the task does not is removed; an empty list removes all.
  - Unlike M(community.aws.cloudfront_distribution) it has check mode and diff, and a second run changes nothing. What
    it has no option for (S3 origins, functions, logging, restrictions) stays as it is.
  - A run with nothing to do lists the distributions, reads one, and its tags.
author: loadlift.aws maintainers (@loadlift)
options:
  caller_reference:
    description:
      - The distribution's lasting name, unique in the account; it cannot be changed later.
      - CloudFront's list does not tell it, so distributions are read one by one until it is found, those whose comment
        is O(comment), or else this reference, first.
    type: str
    required: true
  state:
    description: Whether the distribution exists. V(absent) disables it, waits until all edges know, and deletes it.
    type: str
    choices: [present, absent]
    default: present
  comment:
    description: Comment, at most 128 characters. A new distribution's is O(caller_reference) if left out.
    type: str
  enabled:
    description: Whether it answers. A new one does if left out.
    type: bool
  aliases:
    description: Its own domain names, next to the one that CloudFront gives.
    type: list
    elements: str
  certificate:
    description: The certificate of its aliases.
    type: dict
    suboptions:
      acm_certificate_arn:
        description: Certificate of Certificate Manager in us-east-1; an empty text is CloudFront's own.
        type: str
        required: true
      minimum_protocol_version:
        description: The oldest TLS that is spoken.
        type: str
        default: TLSv1.2_2021
      ssl_support_method:
        description: How a viewer tells the name it wants.
        type: str
        choices: [sni-only, vip, static-ip]
        default: sni-only
  default_root_object:
    description: What C(/) answers, without a leading slash.
    type: str
  price_class:
    description: Which edges answer. A new distribution uses all if left out.
    type: str
    choices: [PriceClass_100, PriceClass_200, PriceClass_All]
  http_version:
    description: Versions of HTTP that viewers may use.
    type: str
    choices: [http1.1, http2, http3, http2and3]
  ipv6_enabled:
    description: Whether IPv6 is answered.
    type: bool
  web_acl_id:
    description: ARN of a WAF web ACL; an empty text for none.
    type: str
  origins:
    description: Where content comes from. Needed for a new distribution.
    type: list
    elements: dict
    suboptions:
      id:
        description: Name of the origin, by which behaviors speak of it.
        type: str
        required: true
      domain_name:
        description: Its domain name. Needed for a new origin.
        type: str
      path:
        description: Prefix of every path that it is asked for, such as C(/shop).
        type: str
      http_port:
        description: Its HTTP port. A new origin's is 80.
        type: int
      https_port:
        description: Its HTTPS port. A new origin's is 443.
        type: int
      protocol_policy:
        description: How it is asked. A new origin's is V(match-viewer).
        type: str
        choices: [http-only, https-only, match-viewer]
      ssl_protocols:
        description: Versions of TLS with it. A new origin's is C(TLSv1.2).
        type: list
        elements: str
        choices: [SSLv3, TLSv1, TLSv1.1, TLSv1.2]
      read_timeout:
        description: Seconds to wait for its answer. A new origin's is 30.
        type: int
      keepalive_timeout:
        description: Seconds that an idle connection to it is kept. A new origin's is 5.
        type: int
      connection_attempts:
        description: Attempts to connect, 1 to 3.
        type: int
      connection_timeout:
        description: Seconds to wait for a connection, 1 to 10.
        type: int
  default_cache_behavior:
    description: What happens to a request that no other behavior fits. Needed for a new distribution.
    type: dict
    suboptions: &behavior
      origin_id:
        description: The origin that is asked. Needed for a new behavior.
        type: str
      viewer_protocol_policy:
        description: Whether HTTP is answered. A new behavior's is V(allow-all).
        type: str
        choices: [allow-all, https-only, redirect-to-https]
      allowed_methods:
        description:
          - Methods that reach the origin - C(GET, HEAD), these and C(OPTIONS), or all seven with C(PUT), C(POST),
            C(PATCH) and C(DELETE). A new behavior has the first of these.
        type: list
        elements: str
      cached_methods:
        description: Methods whose answers are kept - C(GET, HEAD), or these and C(OPTIONS).
        type: list
        elements: str
      compress:
        description: Whether text is compressed for viewers that accept it. A new behavior does not.
        type: bool
      query_string:
        description: Whether query strings are part of the key and forwarded. Not for a new behavior.
        type: bool
      query_string_cache_keys:
        description: The only query parameters that are part of the key.
        type: list
        elements: str
      headers:
        description: Headers that are part of the key and forwarded; C(*) for all, which means that nothing is kept.
        type: list
        elements: str
      cookies:
        description: Cookies that are part of the key and forwarded; C(*) for all.
        type: list
        elements: str
      min_ttl:
        description: Seconds that an answer is kept at least. A new behavior's is 0.
        type: int
      default_ttl:
        description: Seconds that an answer is kept that does not say how long. A new behavior's is 86400.
        type: int
      max_ttl:
        description: Seconds that an answer is kept at most. A new behavior's is 31536000.
        type: int
      cache_policy_id:
        description: A cache policy in place of query strings, headers, cookies and TTLs.
        type: str
      origin_request_policy_id:
        description: An origin request policy, together with O(default_cache_behavior.cache_policy_id).
        type: str
      response_headers_policy_id:
        description: A response headers policy.
        type: str
  cache_behaviors:
    description: What happens to requests for certain paths, the first that fits.
    type: list
    elements: dict
    suboptions:
      path_pattern:
        description: Paths, with C(*) and C(?); a leading slash makes no difference.
        type: str
        required: true
      <<: *behavior
  custom_error_responses:
    description: What happens to errors of the origin.
    type: list
    elements: dict
    suboptions:
      error_code:
        description: HTTP status of the origin.
        type: int
        required: true
      error_caching_min_ttl:
        description: Seconds that the error is kept at least.
        type: int
        default: 10
      response_page_path:
        description: Path of a page that is answered instead.
        type: str
        default: ""
      response_code:
        description: HTTP status that is answered with that page.
        type: int
  tags:
    description: Tags of the distribution; an empty dictionary with O(purge_tags=true) removes all.
    type: dict
  purge_tags:
    description: Whether tags that are not in O(tags) are removed. Without O(tags) nothing is.
    type: bool
    default: true
  wait:
    description: Whether to wait until all edges know of the change. V(absent) always waits.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 1800
attributes:
  check_mode:
    support: full
    description: Can run in check mode and return changed status without changing anything.
  diff_mode:
    support: full
    description: Shows configuration and tags before and after.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: A CDN that keeps pages for ten minutes and data for a second
  loadlift.aws.cloudfront_distribution:
    caller_reference: shop-cdn
    origins:
      - id: load-balancer
        domain_name: shop-1234567890.eu-central-1.elb.amazonaws.com
        protocol_policy: http-only
    default_cache_behavior:
      {origin_id: load-balancer, compress: true, min_ttl: 0, default_ttl: 600, max_ttl: 600}
    cache_behaviors:
      - path_pattern: data*
        origin_id: load-balancer
        query_string: true
        min_ttl: 0
        default_ttl: 1
        max_ttl: 1

- name: Remove it
  loadlift.aws.cloudfront_distribution:
    caller_reference: shop-cdn
    state: absent
"""

RETURN = r"""
id:
  description: The distribution's id; null in check mode before it exists, and after it is gone.
  returned: success
  type: str
  sample: E1A2B3C4D5E6F7
arn:
  description: Its ARN; null as RV(id) is.
  returned: success
  type: str
domain_name:
  description: The domain name that CloudFront gave it; null as RV(id) is.
  returned: success
  type: str
  sample: d111111abcdef8.cloudfront.net
config:
  description: Its configuration as AWS calls it, without what AWS itself adds to a new one; empty after it is gone.
  returned: success
  type: dict
plan:
  description: The calls that were made, or would be.
  returned: success
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import Clients
from ansible_collections.loadlift.aws.plugins.module_utils._aws.cloudfront import find_distribution
from ansible_collections.loadlift.aws.plugins.module_utils._plan.distribution import (
    Distribution,
    plan_absent,
    plan_present,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import Plan
from ansible_collections.loadlift.aws.plugins.module_utils._run import run

TEXTS: dict[str, Any] = {"type": "list", "elements": "str"}
BEHAVIOR: dict[str, Any] = {
    "origin_id": {"type": "str"},
    "viewer_protocol_policy": {"type": "str", "choices": ["allow-all", "https-only", "redirect-to-https"]},
    "allowed_methods": TEXTS,
    "cached_methods": TEXTS,
    "compress": {"type": "bool"},
    "query_string": {"type": "bool"},
    "query_string_cache_keys": TEXTS | {"no_log": False},
    "headers": TEXTS,
    "cookies": TEXTS,
    "min_ttl": {"type": "int"},
    "default_ttl": {"type": "int"},
    "max_ttl": {"type": "int"},
    "cache_policy_id": {"type": "str"},
    "origin_request_policy_id": {"type": "str"},
    "response_headers_policy_id": {"type": "str"},
}
ORIGIN: dict[str, Any] = {
    "id": {"type": "str", "required": True},
    "domain_name": {"type": "str"},
    "path": {"type": "str"},
    "http_port": {"type": "int"},
    "https_port": {"type": "int"},
    "protocol_policy": {"type": "str", "choices": ["http-only", "https-only", "match-viewer"]},
    "ssl_protocols": TEXTS | {"choices": ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2"]},
    "read_timeout": {"type": "int"},
    "keepalive_timeout": {"type": "int"},
    "connection_attempts": {"type": "int"},
    "connection_timeout": {"type": "int"},
}
ERROR_RESPONSE: dict[str, Any] = {
    "error_code": {"type": "int", "required": True},
    "error_caching_min_ttl": {"type": "int", "default": 10},
    "response_page_path": {"type": "str", "default": ""},
    "response_code": {"type": "int"},
}
CERTIFICATE: dict[str, Any] = {
    "acm_certificate_arn": {"type": "str", "required": True},
    "minimum_protocol_version": {"type": "str", "default": "TLSv1.2_2021"},
    "ssl_support_method": {"type": "str", "choices": ["sni-only", "vip", "static-ip"], "default": "sni-only"},
}
OPTIONS: dict[str, Any] = {
    "caller_reference": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "comment": {"type": "str"},
    "enabled": {"type": "bool"},
    "aliases": TEXTS,
    "certificate": {"type": "dict", "options": CERTIFICATE},
    "default_root_object": {"type": "str"},
    "price_class": {"type": "str", "choices": ["PriceClass_100", "PriceClass_200", "PriceClass_All"]},
    "http_version": {"type": "str", "choices": ["http1.1", "http2", "http3", "http2and3"]},
    "ipv6_enabled": {"type": "bool"},
    "web_acl_id": {"type": "str"},
    "origins": {"type": "list", "elements": "dict", "options": ORIGIN},
    "default_cache_behavior": {"type": "dict", "options": BEHAVIOR},
    "cache_behaviors": {
        "type": "list",
        "elements": "dict",
        "options": {"path_pattern": {"type": "str", "required": True}} | BEHAVIOR,
    },
    "custom_error_responses": {"type": "list", "elements": "dict", "options": ERROR_RESPONSE},
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": True},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 1800},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=OPTIONS, supports_check_mode=True)
    clients = Clients(module)
    params = module.params
    reference = params["caller_reference"]
    found: list[Distribution] = []

    def plan() -> Plan:
        current = find_distribution(clients, reference, params["comment"] or reference)
        found[:] = [current] if current else []
        if params["state"] == "absent":
            return plan_absent(reference, current, params["wait_timeout"])
        return plan_present(reference, current, params)

    def result(made: Plan, learned: Mapping[str, Any]) -> dict[str, Any]:
        names = ("id", "arn", "domain_name")
        kept = found[0] if found and made.after else None
        told = {name: learned.get(name) or getattr(kept, name, None) for name in names} if made.after else {}
        return dict.fromkeys(names) | told | {"config": dict(made.after.get("config", {}))}

    run(module, clients, plan, result)


if __name__ == "__main__":
    main()
