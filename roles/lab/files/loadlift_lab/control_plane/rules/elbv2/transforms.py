"""The transforms of a listener rule, of which moto knows nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.models import FakeRule
from moto.elbv2.responses import ELBV2Response

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.moto_state import put
from loadlift_lab.control_plane.registry import Refused, before


@before("elbv2", "CreateRule", "ModifyRule")
def one_of_each_type(call: Call) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-transforms.html: one of each."""
    transforms = call.parameters.get("Transforms") or []
    if transforms and call.parameters.get("ResetTransforms"):
        raise Refused("ValidationError", "Transforms cannot be provided when resetting transforms")
    for kind, count in Counter(one.get("Type") for one in transforms).items():
        if count > 1:
            raise Refused("ValidationError", f"A rule can only have one '{kind}' transform")


def _rules(answer: Any) -> list[Any]:
    return list(answer.result["Rules"])


def apply() -> None:
    """Let a rule keep its transforms, as CreateRule and ModifyRule give or reset them."""
    create_rule, modify_rule = ELBV2Response.create_rule, ELBV2Response.modify_rule

    def create(self: Any) -> Any:
        answer = create_rule(self)
        [rule] = _rules(answer)
        rule.transforms = self._get_params().get("Transforms") or []
        return answer

    def modify(self: Any) -> Any:
        given = self._get_params()
        # moto refuses a change of the transforms alone.
        if given.get("Conditions") or given.get("Actions"):
            [rule] = _rules(modify_rule(self))
        else:
            rule = self.elbv2_backend.describe_rules(None, [given["RuleArn"]])[0]
        if given.get("Transforms"):
            rule.transforms = given["Transforms"]
        if str(given.get("ResetTransforms", "")).lower() == "true":
            rule.transforms = []
        return ActionResult({"Rules": [rule]})

    put(FakeRule, "transforms", [])
    put(ELBV2Response, "create_rule", create)
    put(ELBV2Response, "modify_rule", modify)
