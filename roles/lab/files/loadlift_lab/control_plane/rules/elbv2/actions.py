"""The actions of listeners and their rules: what AWS takes, and how it gives them back."""

from __future__ import annotations

from typing import Any

from moto.elbv2.models import FakeAction

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.moto_state import backend, put
from loadlift_lab.control_plane.registry import Refused, before

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
TARGET_GROUPS_PER_ACTION = 5
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html
WEIGHTS = range(0, 1000)
ROUTING_ACTIONS = ("forward", "redirect", "fixed-response")
Action = dict[str, Any]


@before("elbv2", "CreateRule", "ModifyRule", "CreateListener", "ModifyListener")
def actions_are_legal(call: Call) -> None:
    """Refuse actions that AWS refuses."""
    actions = call.parameters.get("Actions") or call.parameters.get("DefaultActions") or []
    if actions or call.operation.startswith("Create"):
        check_actions(actions)
    _check_association(call, {arn for action in actions for arn in target_groups_of(action)})


def check_actions(actions: list[Action]) -> None:
    """Raise Refused if a rule may not have these actions."""
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html
    if sum(action.get("Type") in ROUTING_ACTIONS for action in actions) != 1:
        kinds = ", ".join(ROUTING_ACTIONS)
        raise Refused("ValidationError", f"Exactly one of the following actions must be specified: {kinds}")
    for action in actions:
        if action.get("Type") == "forward":
            _check_forward(action)


def target_groups_of(action: Action) -> list[str]:
    """Return the ARNs of the groups to which an action forwards."""
    groups = [group["TargetGroupArn"] for group in action.get("ForwardConfig", {}).get("TargetGroups", [])]
    alone = action.get("TargetGroupArn")
    return groups if not alone or alone in groups else [alone, *groups]


def _check_forward(action: Action) -> None:
    groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
    if not target_groups_of(action):
        raise Refused("ValidationError", "A target group ARN must be specified")
    if len(groups) > TARGET_GROUPS_PER_ACTION:
        limit = f"An action can only have '{TARGET_GROUPS_PER_ACTION}' target groups"
        raise Refused("ValidationError", limit)
    for group in groups:
        if group.get("Weight", 1) not in WEIGHTS:
            message = f"Target group weight '{group['Weight']}' must be between '{WEIGHTS[0]}' and '{WEIGHTS[-1]}'"
            raise Refused("ValidationError", message)


def _check_association(call: Call, target_groups: set[str]) -> None:
    # "Load balancers per target group: 1", load-balancer-limits.html; TargetGroupAssociationLimit in API_CreateRule.
    given = call.parameters.get("LoadBalancerArn") or call.parameters.get("ListenerArn") or call.parameters["RuleArn"]
    balancer = load_balancer_of(given)
    known = backend(call, "elbv2").target_groups
    for arn in sorted(target_groups & set(known)):
        if any(other != balancer for other in known[arn].load_balancer_arns):
            raise Refused(
                "TargetGroupAssociationLimit",
                f"The following target groups cannot be associated with more than one load balancer: {arn}",
            )


def load_balancer_of(arn: str) -> str:
    """Return the ARN of the load balancer to which a listener or a rule belongs."""
    head, _, path = arn.partition(":elasticloadbalancing:")
    parts = path.split("/")
    return f"{head}:elasticloadbalancing:{parts[0].rpartition(':')[0]}:loadbalancer/" + "/".join(parts[1:4])


def told(action: Action) -> Action:
    """Return a forward action as DescribeRules tells it: a single group in both notations."""
    # https://docs.aws.amazon.com/cli/latest/reference/elbv2/describe-rules.html#examples
    if action.get("Type") != "forward":
        return action
    groups = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn")}]
    stickiness = action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {"Enabled": False})
    groups = [{"Weight": 1, **group} for group in groups]
    alone = {"TargetGroupArn": groups[0]["TargetGroupArn"]} if len(groups) == 1 else {}
    without = {name: value for name, value in action.items() if name != "TargetGroupArn"}
    return {**without, **alone, "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}}


def apply() -> None:
    """Let moto keep actions as AWS tells them."""
    initialise = FakeAction.__init__

    def keep(self: Any, data: Action) -> None:
        initialise(self, told(data))

    put(FakeAction, "__init__", keep)
