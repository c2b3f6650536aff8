"""Whether a swarm holds every time: the same swarm at the running lab, again and again, and the spread of its figures.

    make lab                                                      # the system, its path on Lambda
    .venv/bin/python benchmarks/repeated_swarms.py [--users 30000] [--spawn-rate 1000] [--hold 60] [--runs 10]
        [-e load_test_worker_processes=3 ...]

Each run is `playbooks/swarm.yml`, as an operator starts it; its results lie in results/<run id>/ as ever. A run
held where no request failed, all users were up, and the requests were as many as 2,900 a second are for 30,000
users: those who wait 5 to 15 s make up to 3,000.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
REQUESTS_PER_S_A_USER = 2_900 / 30_000
FIGURES = ("requests_per_s", "p50_ms", "p95_ms", "p99_ms", "max_ms")


def objectives(users: int) -> list[str]:
    """Return what each run must show."""
    return ["failures = 0", f"users = {users}", f"requests/s >= {REQUESTS_PER_S_A_USER * users:.0f}"]


def run(options: argparse.Namespace, number: int) -> dict[str, Any]:
    """Run one swarm; return its summary."""
    name = time.strftime(f"%Y%m%dT%H%M%SZ-{options.users}-{number}", time.gmtime())
    told = {
        "load_test_run_id": name,
        "load_test_title": f"Run {number} of {options.runs}",
        "load_test_users": options.users,
        "load_test_spawn_rate": options.spawn_rate,
        "load_test_hold": options.hold,
        "load_test_objectives": objectives(options.users),
        "load_test_on_breach": "record",
    }
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, "-i", "inventory/lab", "playbooks/swarm.yml", "-e", json.dumps(told)]
    more = [word for extra in options.extra for word in ("-e", extra)]
    answer = subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True, check=False)
    summary = ROOT / "results" / name / "swarm" / "summary.json"
    if not summary.exists():
        sys.exit(answer.stdout[-2000:] + answer.stderr[-2000:])
    told_back: dict[str, Any] = json.loads(summary.read_text())
    return told_back


def line(number: int, summary: dict[str, Any]) -> str:
    """Return one run as a line of the table."""
    figures = "".join(f"{summary[figure] or 0:>16,.1f}" for figure in FIGURES)
    busy = summary["generator"]["worker_cpu_percent_max"]
    return (
        f"{number:>4}{figures}{summary['failures']:>10}{summary['ramp_s'] or 0:>8.1f}{busy:>8.0f}  {summary['verdict']}"
    )


def spread(summaries: list[dict[str, Any]], figure: str) -> str:
    """Return the lowest, middle and highest of a figure."""
    values = [summary[figure] or 0.0 for summary in summaries]
    return f"{figure}: {min(values):,.1f} to {max(values):,.1f}, median {statistics.median(values):,.1f}"


def main() -> int:
    """Run all; 1 where one did not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=30_000)
    parser.add_argument("--spawn-rate", type=int, default=1_000)
    parser.add_argument("--hold", type=int, default=60)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("-e", dest="extra", action="append", default=[], help="one more variable of the playbook")
    options = parser.parse_args()
    print(" run" + "".join(f"{figure:>16}" for figure in FIGURES) + "  failures  ramp_s   cpu %  verdict")
    summaries = []
    for number in range(1, options.runs + 1):
        summaries.append(run(options, number))
        print(line(number, summaries[-1]), flush=True)
    for figure in FIGURES:
        print(spread(summaries, figure))
    return int(any(summary["verdict"] != "passed" for summary in summaries))


if __name__ == "__main__":
    sys.exit(main())
