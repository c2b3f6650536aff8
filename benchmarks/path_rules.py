"""How long path rules take, and how many calls: alb_path_rules, a loop of alb_path_rule, elb_application_lb, Terraform.

    .venv/bin/python benchmarks/path_rules.py [--rules 1,10,100] [--contenders set,loop,upstream,terraform]
                                              [--endpoint lab|moto] [--latency 60]

Each contender is started as its users start it (ansible-playbook, terraform) against the same endpoint, a load
balancer of its own, and takes the same steps: created, unchanged, one changed, reversed, removed. The endpoint is the
lab's control plane, whose every call may take some ms more, as AWS's do, or moto's own server. Ratios of one run hold,
absolute times are those of the machine. A contender that is not installed is left out with a notice.
Terraform finds its AWS provider in the folder $TERRAFORM_PLUGINS, if that is set, else in its registry.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "roles" / "lab" / "files"), str(ROOT / "tests")]

from integration.account import Account  # noqa: E402 (found by the path above)
from integration.emulators import SUBNET, Emulator, control_plane, free_port  # noqa: E402

STEPS = ("created", "unchanged", "one changed", "reversed", "removed")
Rules = list[tuple[str, str]]  # path and body of the answer, first rule first
DEFAULT = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "default"}


def steps(count: int) -> Iterator[tuple[str, Rules]]:
    """Yield the steps with the rules that each wants."""
    rules = [(f"/path/{number}", f"answer {number}") for number in range(1, count + 1)]
    changed = [(path, "changed" if place == count // 2 else body) for place, (path, body) in enumerate(rules)]
    yield "created", rules
    yield "unchanged", rules
    yield "one changed", changed
    yield "reversed", changed[::-1]
    yield "removed", []


class Playbook:
    """A contender that ansible-playbook runs."""

    def __init__(self, folder: Path, account: Account) -> None:
        self.folder, self.account = folder, account
        self.listener = account.listener()
        self.before: Rules = []

    def tasks(self, rules: Rules) -> list[dict[str, Any]]:
        """Return the tasks that make `rules` the rules of the listener."""
        raise NotImplementedError

    def apply(self, rules: Rules) -> float | None:
        """Run the tasks and return the seconds that they took, without the start of ansible-playbook."""
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": self.tasks(rules)}
        book = self.folder / "play.json"
        book.write_text(json.dumps([play]))
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        said = run(
            [program, "-i", "localhost,", "-e", f"ansible_python_interpreter={sys.executable}", str(book)], self.account
        )
        self.before = rules
        return sum(map(seconds_of, json.loads(said)["plays"][0]["tasks"]))

    @staticmethod
    def entry(number: int, rule: tuple[str, str]) -> dict[str, Any]:
        """Return one rule by the options of our modules."""
        path, body = rule
        answer = {"status_code": 200, "content_type": "text/plain", "message_body": body}
        return {"path_patterns": [path], "priority": str(number), "fixed_response": answer}


class Set(Playbook):
    """All rules in one task of alb_path_rules."""

    def tasks(self, rules: Rules) -> list[dict[str, Any]]:
        entries = [self.entry(number, rule) for number, rule in enumerate(rules, start=1)]
        options = {"listener_arn": self.listener, "purge": "all", "rules": entries}
        return [{"name": "Rules", "loadlift.aws.alb_path_rules": options}]


class Loop(Playbook):
    """One task of alb_path_rule for each rule. A loop cannot swap numbers, so it takes what auto gives."""

    def tasks(self, rules: Rules) -> list[dict[str, Any]]:
        wanted = [self.entry(number, rule) | {"priority": "auto"} for number, rule in enumerate(rules, start=1)]
        gone = [{"path_patterns": [path], "state": "absent"} for path, _body in self.before if not rules]
        listener = {"listener_arn": self.listener}
        return [{"name": "Rule", "loadlift.aws.alb_path_rule": listener | entry} for entry in wanted + gone]


class Upstream(Playbook):
    """The load balancer with its listener and all its rules restated in amazon.aws.elb_application_lb."""

    def __init__(self, folder: Path, account: Account) -> None:
        super().__init__(folder, account)
        self.group = account.client("ec2").create_security_group(GroupName="b", Description="b")["GroupId"]
        account.client("elbv2").set_security_groups(
            LoadBalancerArn=account.load_balancer_arn, SecurityGroups=[self.group]
        )

    def tasks(self, rules: Rules) -> list[dict[str, Any]]:
        balancer = self.account.client("elbv2").describe_load_balancers(
            LoadBalancerArns=[self.account.load_balancer_arn]
        )["LoadBalancers"][0]
        listener = {
            "Protocol": "HTTP",
            "Port": 80,
            "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": DEFAULT}],
            "Rules": [self._rule(number, rule) for number, rule in enumerate(rules, start=1)],
        }
        options = {
            "name": balancer["LoadBalancerName"],
            "subnets": [zone["SubnetId"] for zone in balancer["AvailabilityZones"]],
            "security_groups": [self.group],
            "scheme": balancer["Scheme"],
            "listeners": [listener],
            "purge_rules": True,
            "state": "present",
        }
        return [{"name": "Load balancer", "amazon.aws.elb_application_lb": options}]

    @staticmethod
    def _rule(number: int, rule: tuple[str, str]) -> dict[str, Any]:
        answer = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": rule[1]}
        return {
            "Conditions": [{"Field": "path-pattern", "Values": [rule[0]]}],
            "Priority": str(number),
            "Actions": [{"Type": "fixed-response", "FixedResponseConfig": answer}],
        }


class Terraform:
    """aws_lb_listener_rule, one resource a rule; the listener is given."""

    def __init__(self, folder: Path, account: Account) -> None:
        self.folder, self.account = folder, account
        self.listener = account.listener()
        self._write([])
        plugins = os.environ.get("TERRAFORM_PLUGINS")
        mirror = [f"-plugin-dir={plugins}"] if plugins else []
        run(["terraform", "init", "-input=false", "-no-color", *mirror], account, folder)

    def apply(self, rules: Rules) -> float | None:
        """Run plan for what is there already, and apply for the rest, as a user would."""
        wanted = self._write(rules)
        if wanted:
            run(["terraform", "apply", "-auto-approve", "-input=false", "-no-color"], self.account, self.folder)
        else:
            run(["terraform", "plan", "-input=false", "-no-color", "-detailed-exitcode"], self.account, self.folder)
        return None

    def _write(self, rules: Rules) -> bool:
        file = self.folder / "main.tf.json"
        resources = {
            f"r{path.rpartition('/')[2]}": self._rule(n, path, body) for n, (path, body) in enumerate(rules, 1)
        }
        provider = {
            "region": "us-east-1",
            "skip_credentials_validation": True,
            "skip_requesting_account_id": True,
            "skip_metadata_api_check": True,
        }
        text = json.dumps(
            {
                "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}},
                "provider": {"aws": provider},
                **({"resource": {"aws_lb_listener_rule": resources}} if resources else {}),
            }
        )
        differs = not file.exists() or file.read_text() != text
        file.write_text(text)
        return differs

    def _rule(self, number: int, path: str, body: str) -> dict[str, Any]:
        answer = {"status_code": "200", "content_type": "text/plain", "message_body": body}
        return {
            "listener_arn": self.listener,
            "priority": number,
            "action": [{"type": "fixed-response", "fixed_response": [answer]}],
            "condition": [{"path_pattern": [{"values": [path]}]}],
        }


CONTENDERS: dict[str, Any] = {"set": Set, "loop": Loop, "upstream": Upstream, "terraform": Terraform}


class ContenderError(Exception):
    """A contender did not get through a step."""


def seconds_of(task: dict[str, Any]) -> float:
    """Return how long a task took, as the callback `json` tells it."""
    start, end = (datetime.fromisoformat(task["task"]["duration"][name]) for name in ("start", "end"))
    return (end - start).total_seconds()


def run(command: list[str], account: Account, folder: Path | None = None) -> str:
    """Run a program against the account and return what it says; raise ContenderError with its last words."""
    environment = os.environ | account.emulator.environment | {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
    done = subprocess.run(command, cwd=folder or ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise ContenderError((done.stdout + done.stderr).strip()[-300:].replace("\n", " "))
    return done.stdout


def measure(name: str, count: int, emulator: Emulator, number: int) -> dict[str, Any]:
    """Take the steps with one contender; return seconds and calls of each, or why it stopped."""
    account = Account(emulator, f"b{number}")
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            contender = CONTENDERS[name](Path(folder), account)
        except ContenderError as error:
            return {STEPS[0]: {"error": f"it could not be set up: {error}"}}
        for step, rules in steps(count):
            emulator.own("DELETE", "calls")
            begin = time.perf_counter()
            try:
                in_tasks = contender.apply(rules)
            except ContenderError as error:
                results[step] = {"error": str(error)}
                if step == "created":
                    break
                continue
            seconds = round(time.perf_counter() - begin, 2)
            calls = sum(emulator.own("GET", "calls").values())
            results[step] = {"seconds": seconds, "calls": calls, "tasks": in_tasks and round(in_tasks, 2)}
    return results


def cell(result: dict[str, Any] | None) -> str:
    """Return a step as a cell of the table."""
    if result is None:
        return "-"
    if "error" in result:
        return "fails"
    in_tasks = f" ({result['tasks']:.2f})" if result["tasks"] is not None else ""
    return f"{result['seconds']:.1f}{in_tasks} s, {result['calls']}"


def ratios(by_name: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield how many times as long each other contender takes as the set: the whole program, and its task alone."""
    own = by_name.get("set", {})
    for name, found in by_name.items():
        both = [step for step in STEPS if "seconds" in found.get(step, {}) and "seconds" in own.get(step, {})]
        if name == "set" or not both:
            continue
        for what, whole in (("set", True), ("its task, without the start of ansible-playbook", False)):
            times = [(step, found[step], own[step]["seconds" if whole else "tasks"]) for step in both]
            shown = ", ".join(
                f"{step} {(one['seconds'] if whole else one['tasks'] or one['seconds']) / mine:.1f}"
                for step, one, mine in times
            )
            yield f"{name} takes as many times as long as {what}: {shown}"


def show(results: dict[int, dict[str, dict[str, Any]]]) -> None:
    """Print seconds and calls, one table a number of rules, and why a contender failed."""
    for count, by_name in results.items():
        print(f"\n{count} rule(s): seconds (of them in tasks), calls\n")
        print("| | " + " | ".join(STEPS) + " |")
        print("|---" * (len(STEPS) + 1) + "|")
        for name, found in by_name.items():
            print(f"| {name} | " + " | ".join(cell(found.get(step)) for step in STEPS) + " |")
        print("\n" + "\n".join(ratios(by_name)))
        for name, found in by_name.items():
            for step, result in found.items():
                if "error" in result:
                    print(f"\n{name} fails at '{step}': ... {result['error']}")


class Moto(Emulator):
    """moto's own server; its calls are counted by the lines of its log."""

    def own(self, method: str, path: str, body: Any = None) -> Any:
        """Answer as our control plane would for calls, its only endpoint that is needed here."""
        lines = sum(' HTTP/1.1" ' in line for line in LOG.read_text().splitlines())
        counted, COUNTED["calls"] = lines - COUNTED["calls"], lines
        return {"all": counted} if method == "GET" else None


LOG, COUNTED = Path(tempfile.gettempdir()) / f"moto-{os.getpid()}.log", {"calls": 0}


@contextmanager
def moto() -> Iterator[Emulator]:
    """Run moto's own server on a free port."""
    port, COUNTED["calls"] = free_port(), 0
    program = [str(Path(sys.executable).with_name("moto_server")), "-H", f"{SUBNET}.1", "-p", str(port)]
    with LOG.open("w") as log:
        process = subprocess.Popen(program, stdout=log, stderr=log)
    try:
        while f":{port}" not in LOG.read_text() and process.poll() is None:
            time.sleep(0.1)
        yield Moto("moto", f"http://{SUBNET}.1:{port}", "TESTACCESSKEYID00000")
    finally:
        process.terminate()
        process.wait()
        LOG.unlink()


@contextmanager
def lab() -> Iterator[Emulator]:
    """Run a control plane in a folder that goes with it."""
    with tempfile.TemporaryDirectory() as folder, control_plane(Path(folder)) as emulator:
        yield emulator


def slower(milliseconds: int) -> dict[str, Any]:
    """Return the fault that makes every call take longer."""
    return {"service": "*", "operation": "*", "kind": "latency", "count": None, "seconds": milliseconds / 1000}


ENDPOINTS = {"lab": lab, "moto": moto}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", default="1,10,100", help="numbers of rules")
    parser.add_argument("--contenders", default=",".join(CONTENDERS), help="who takes part")
    parser.add_argument("--endpoint", default="lab", choices=list(ENDPOINTS), help="what all of them talk to")
    parser.add_argument("--latency", type=int, default=0, help="ms that each call of the lab takes longer")
    options = parser.parse_args()
    if options.latency and options.endpoint != "lab":
        parser.error("--latency is the lab's: leave out --endpoint")
    names = options.contenders.split(",")
    if "terraform" in names and not shutil.which("terraform"):
        print("terraform is not installed; it is left out.")
        names.remove("terraform")
    results: dict[int, dict[str, dict[str, Any]]] = {}
    number = 0
    for count in map(int, options.rules.split(",")):
        for name in names:
            number += 1
            # A control plane each: none has to carry what another one left.
            with ENDPOINTS[options.endpoint]() as emulator:
                if options.latency:
                    emulator.own("PUT", "faults", [slower(options.latency)])
                results.setdefault(count, {})[name] = measure(name, count, emulator, number)
    show(results)


if __name__ == "__main__":
    main()
