# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What becomes of a CloudFront distribution, and the calls that lead there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .distribution_config import Config, Options, clean, wanted_config
from .plan import Call, Learned, Plan
from .tags import tag_list, wanted_tags


@dataclass(frozen=True)
class Distribution:
    """A distribution as AWS has it."""

    id: str
    arn: str
    domain_name: str
    status: str
    etag: str
    config: Config
    tags: Mapping[str, str]


def plan_present(caller_reference: str, current: Distribution | None, options: Options) -> Plan:
    """Return what makes the distribution as the options say."""
    before = clean(current.config) if current else {}
    config = wanted_config(caller_reference, before, options)
    tags = wanted_tags(current.tags if current else {}, options["tags"], options["purge_tags"])
    resource = f"distribution '{caller_reference}'"
    if current is None:
        calls = [_create(config, tags, resource)]
    else:
        calls = [_update(current, config, resource)] if config != before else []
        calls += _tag_calls(current, tags, resource)
    if options["wait"] and (calls or (current and current.status != "Deployed")):
        calls.append(_deployed(current.id if current else Learned("id"), resource, options["wait_timeout"]))
    state = {"config": before, "tags": dict(current.tags)} if current else {}
    return Plan(state, {"config": config, "tags": tags}, calls)


def plan_absent(caller_reference: str, current: Distribution | None, wait_timeout: float) -> Plan:
    """Return what removes the distribution: CloudFront wants it disabled, everywhere, before."""
    if current is None:
        return Plan({}, {})
    resource = f"distribution '{caller_reference}'"
    calls = []
    if current.config["Enabled"]:
        calls.append(_update(current, {**current.config, "Enabled": False}, resource))
    calls.append(_deployed(current.id, resource, wait_timeout))
    calls.append(Call("cloudfront", "DeleteDistribution", {"Id": current.id, "IfMatch": Learned("etag")}, resource,
                      done_by=("NoSuchDistribution",), stale_on=("PreconditionFailed",)))  # fmt: skip
    return Plan({"config": dict(current.config), "tags": dict(current.tags)}, {}, calls)


def _create(config: Config, tags: Mapping[str, str], resource: str) -> Call:
    told = {"DistributionConfig": config, "Tags": {"Items": tag_list(tags)}}
    learns = {"id": "Distribution.Id", "arn": "Distribution.ARN", "domain_name": "Distribution.DomainName"}
    return Call("cloudfront", "CreateDistributionWithTags", {"DistributionConfigWithTags": told}, resource,
                learns=learns, stale_on=("DistributionAlreadyExists",))  # fmt: skip


def _update(current: Distribution, config: Config, resource: str) -> Call:
    parameters = {"Id": current.id, "IfMatch": current.etag, "DistributionConfig": config}
    return Call("cloudfront", "UpdateDistribution", parameters, resource, stale_on=("PreconditionFailed",))


def _deployed(identifier: str | Learned, resource: str, wait_timeout: float) -> Call:
    return Call("cloudfront", "GetDistribution", {"Id": identifier}, resource, learns={"etag": "ETag"},
                awaited={"Distribution.Status": "Deployed"}, patience_s=wait_timeout)  # fmt: skip


def _tag_calls(current: Distribution, tags: Mapping[str, str], resource: str) -> list[Call]:
    new = {key: value for key, value in tags.items() if current.tags.get(key) != value}
    gone = sorted(set(current.tags) - set(tags))
    about = {"Resource": current.arn}
    calls = []
    if gone:
        calls.append(Call("cloudfront", "UntagResource", about | {"TagKeys": {"Items": gone}}, resource))
    if new:
        calls.append(Call("cloudfront", "TagResource", about | {"Tags": {"Items": tag_list(new)}}, resource))
    return calls
