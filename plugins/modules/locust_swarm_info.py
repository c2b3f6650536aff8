#!/usr/bin/python
# Copyright: loadlift.aws maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: locust_swarm_info
version_added: 0.1.0
short_description: Tell what a Locust is doing, whose swarm it runs, and what that has measured
description:
  - Reads the web interface of a Locust master that the role C(loadlift.aws.load_test) deployed. Nothing is changed;
    the lease of a swarm is not renewed.
author: loadlift.aws maintainers (@loadlift)
extends_documentation_fragment:
  - loadlift.aws.locust_web
attributes:
  action:
    support: full
    description: Runs on the controller; O(url) must be reachable from there.
  check_mode:
    support: full
    description: Reads only.
seealso:
  - module: loadlift.aws.locust_swarm
"""

EXAMPLES = r"""
- name: Look at the Locust
  loadlift.aws.locust_swarm_info:
    url: https://load.example.com/locust
    web_user: swarm
    web_password: "{{ locust_password }}"
  register: locust

- name: Go on only when nobody swarms
  ansible.builtin.assert:
    that: locust.state not in ['spawning', 'running']
    fail_msg: "{{ locust.swarm.run_id }} is still running stage {{ locust.swarm.stage }}."
"""

RETURN = r"""
state:
  description: Locust's own word for what it does, V(ready), V(spawning), V(running), V(stopping) or V(stopped).
  returned: success
  type: str
  sample: running
users:
  description: How many users run now.
  returned: success
  type: int
  sample: 500
workers:
  description: The workers that are connected, and those that have gone missing.
  returned: success
  type: list
  elements: dict
  sample:
    - id: worker-1_0f3c
      host: worker-1
      state: running
      users: 250
      cpu_percent: 41.5
      memory_bytes: 131072000
      loop_lag_ms: 3.1
      open_files: 20000
      ports: 28232
swarm:
  description: The swarm that runs, or that ran last; null before the first one.
  returned: success
  type: dict
  contains:
    run_id:
      description: The run that it belongs to; null where somebody started it by hand.
      type: str
      returned: always
    stage:
      description: Its stage in that run.
      type: str
      returned: always
    target:
      description: Base URL of the site.
      type: str
      returned: always
    addresses:
      description: Addresses that the users connect to instead of the target's own.
      type: list
      elements: str
      returned: always
    users:
      description: How many users it is to have.
      type: int
      returned: always
    spawn_rate:
      description: Users started a second.
      type: float
      returned: always
    started_at:
      description: When it was started, in UTC.
      type: str
      returned: always
    ramp_s:
      description: Seconds until all users were up; null as long as they are not.
      type: float
      returned: always
    measured_s:
      description: Seconds since then.
      type: float
      returned: always
    lease_left_s:
      description: Seconds until the master stops it unless its lease is renewed; null for one without a lease.
      type: float
      returned: always
    ended_by:
      description: What ended it; null while it runs.
      type: str
      returned: always
    events:
      description: What happened, such as a worker that was lost; C(t_s) is in seconds since the start.
      type: list
      elements: dict
      returned: always
    figures:
      description: What was measured so far; times in milliseconds, C(seconds) is what it was measured over.
      type: dict
      returned: always
      sample:
        seconds: 30.0
        requests: 1491
        failures: 0
        requests_per_s: 49.7
        failure_ratio: 0.0
        p50_ms: 12.1
        p95_ms: 20.1
        p99_ms: 31.8
        max_ms: 60.1
        mean_ms: 13.3
        by_request: []
"""
