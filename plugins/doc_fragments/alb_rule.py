# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """What a rule of a listener has: identity, conditions, actions, place, tags."""

    DOCUMENTATION = r"""
options:
  name:
    description: Name of the rule, kept as its tag C(Name). One listener has a name once.
    type: str
  path_patterns:
    description:
      - Paths of the request; V(*) is any characters, V(?) exactly one. They are case-sensitive and see no query string.
      - V(/data) takes that very path, V(/data/*) what is under it.
    type: list
    elements: str
  path_regexes:
    description: Regular expressions for the path, in place of O(path_patterns).
    type: list
    elements: str
  hosts:
    description: Host names of the request, in any case; V(*) is any characters, V(?) exactly one.
    type: list
    elements: str
  host_regexes:
    description: Regular expressions for the host name, in place of O(hosts).
    type: list
    elements: str
  methods:
    description: HTTP methods of the request, in capitals.
    type: list
    elements: str
  headers:
    description: HTTP headers of the request; each of these conditions has to hold.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the header, in any case.
        type: str
        required: true
      values:
        description: Values, in any case, one of which has to match; V(*) is any characters, V(?) exactly one.
        type: list
        elements: str
      regexes:
        description: Regular expressions for the value, in place of the values.
        type: list
        elements: str
  query_strings:
    description: Query strings of the request; each of these conditions has to hold.
    type: list
    elements: dict
    suboptions:
      values:
        description: Parameters, in any case, one of which has to be there.
        type: list
        elements: dict
        required: true
        suboptions:
          key:
            description: Key of the parameter; any one if left out.
            type: str
          value:
            description: Value of the parameter; V(*) is any characters, V(?) exactly one, a backslash takes that away.
            type: str
            required: true
  source_ips:
    description:
      - Addresses or networks from which the request comes to the load balancer. A header such as X-Forwarded-For does
        not count.
    type: list
    elements: str
  forward:
    description:
      - Target groups that get the requests. A new rule needs one of O(forward), O(redirect) and O(fixed_response).
    type: list
    elements: dict
    suboptions:
      target_group:
        description: Name or ARN of the target group.
        type: str
        required: true
      weight:
        description: Share of the requests, 0 to 999, in proportion to the other weights.
        type: int
        default: 1
  stickiness:
    description:
      - Seconds for which a client stays with its target group, 1 to 604800; V(0) turns this off. Goes with O(forward).
    type: int
  redirect:
    description: Answer with a redirect. What is left out is taken from the request.
    type: dict
    suboptions:
      protocol:
        description: Protocol, V(HTTP), V(HTTPS) or V(#{protocol}).
        type: str
      host:
        description: Host name.
        type: str
      port:
        description: Port.
        type: str
      path:
        description: Path, with a leading V(/).
        type: str
      query:
        description: Query string, without the leading V(?); empty to drop it.
        type: str
      status_code:
        description: Moved for good (V(301)) or for now (V(302)).
        type: int
        required: true
        choices: [301, 302]
  fixed_response:
    description: Answer with this.
    type: dict
    suboptions:
      status_code:
        description: HTTP code, 2XX, 4XX or 5XX.
        type: int
        required: true
      content_type:
        description:
          - Type of the body, C(text/plain), C(text/css), C(text/html), C(application/javascript) or
            C(application/json). With a body, C(text/plain) if left out.
        type: str
      message_body:
        description: Body, up to 1024 characters.
        type: str
  authenticate_oidc:
    description:
      - Let an OpenID Connect provider authenticate the user first; needs an HTTPS listener. An empty dictionary removes
        the authentication that the rule has.
    type: dict
    suboptions:
      issuer:
        description: Issuer of the provider.
        type: str
      authorization_endpoint:
        description: Authorization endpoint of the provider.
        type: str
      token_endpoint:
        description: Token endpoint of the provider.
        type: str
      user_info_endpoint:
        description: User info endpoint of the provider.
        type: str
      client_id:
        description: OAuth client.
        type: str
      client_secret:
        description:
          - Secret of the client. AWS never tells it, so it is sent when the rule gets its authentication, then no more.
        type: str
      update_client_secret:
        description: With V(always) the secret is sent in every run, which is always a change.
        type: str
        choices: [on_create, always]
        default: on_create
      session_cookie_name:
        description: Name of the session's cookie. AWS's default is C(AWSELBAuthSessionCookie).
        type: str
      scope:
        description: Claims to ask for. AWS's default is C(openid).
        type: str
      session_timeout:
        description: Seconds until a session ends. AWS's default is 604800.
        type: int
      authentication_request_extra_params:
        description: Further parameters of the request to the provider, up to 10.
        type: dict
      on_unauthenticated_request:
        description: What to do with a user who is not authenticated. AWS's default is C(authenticate).
        type: str
        choices: [deny, allow, authenticate]
  authenticate_cognito:
    description:
      - Let an Amazon Cognito user pool authenticate the user first; needs an HTTPS listener. An empty dictionary
        removes the authentication that the rule has.
    type: dict
    suboptions:
      user_pool_arn:
        description: ARN of the user pool.
        type: str
      user_pool_client_id:
        description: Client of the user pool.
        type: str
      user_pool_domain:
        description: Domain of the user pool.
        type: str
      session_cookie_name:
        description: Name of the session's cookie. AWS's default is C(AWSELBAuthSessionCookie).
        type: str
      scope:
        description: Claims to ask for. AWS's default is C(openid).
        type: str
      session_timeout:
        description: Seconds until a session ends. AWS's default is 604800.
        type: int
      authentication_request_extra_params:
        description: Further parameters of the request to the provider, up to 10.
        type: dict
      on_unauthenticated_request:
        description: What to do with a user who is not authenticated. AWS's default is C(authenticate).
        type: str
        choices: [deny, allow, authenticate]
  transforms:
    description: Rewrites of the request before it goes to the target, one of each type.
    type: list
    elements: dict
    suboptions:
      type:
        description: What is rewritten.
        type: str
        required: true
        choices: [url-rewrite, host-header-rewrite]
      regex:
        description: Regular expression for what is replaced.
        type: str
        required: true
      replace:
        description: What takes its place; V($1) is the first group of the expression.
        type: str
        required: true
  priority:
    description:
      - Place of the rule among the others - a number from 1 to 50000 that no other rule has, or V(auto).
      - With V(auto) a rule stays where it is as long as it gets requests there and leaves theirs to more specific
        rules. A new one goes to the first free number behind the rules that share requests with it, in front of those
        that would leave it nothing. If there is no free number, the fewest possible rules move by one.
    type: str
    default: auto
  before:
    description:
      - Name or priority of a rule in front of which this one has to be. Goes with O(priority=auto).
      - A rule that is named by its priority does not move to make room.
    type: str
  after:
    description: As O(before), of a rule behind which this one has to be.
    type: str
  on_shadow:
    description:
      - What to do if this rule can never match, because those in front of it take all its requests, or if it leaves
        nothing to a rule behind it.
    type: str
    choices: [warn, fail, ignore]
    default: warn
  tags:
    description: Tags of the rule; an empty dictionary with O(purge_tags=true) removes all but the name.
    type: dict
  purge_tags:
    description: Whether tags that are not in O(tags) are removed. Without O(tags) nothing is.
    type: bool
    default: true
"""
