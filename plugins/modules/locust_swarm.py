#!/usr/bin/python
# Copyright: loadlift.aws maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: locust_swarm
version_added: 0.1.0
short_description: Run a swarm of Locust users, judge it, keep the results
description:
  - Starts a swarm at a Locust master that the role C(loadlift.aws.load_test) deployed, waits until all users are up,
    measures for O(hold) seconds, holds what was measured against O(objectives), and stops the swarm.
  - Figures belong to the hold only, when all users are up; those of the ramp are told apart. Percentiles come
    from the histogram that the master merges from its workers; its times are 1 % exact.
  - A verdict is V(passed), V(failed) where an objective was not held, or V(invalid) where the load generator and not
    the target set the figures. These are a lost worker, a worker that used more than 90 % of its core, or used it and
    waited for one more than 90 % of the time, one that stood still for 3 seconds, missing users, a spawn rate that
    was not held, errors of the generator's own system (ports, descriptors, names), and a swarm that ended early.
    An invalid swarm never passes.
  - The swarm ends by itself when nobody watches it any more. The controller renews a lease each second; without it
    the master stops the swarm after O(lease) seconds. Locust's own run time is set as well.
  - Users and connections that the workers' limit of open files or the ports of their hosts do not allow are refused
    before anything starts.
author: loadlift.aws maintainers (@loadlift)
extends_documentation_fragment:
  - loadlift.aws.locust_web
seealso:
  - module: loadlift.aws.locust_swarm_info
options:
  state:
    description:
      - V(finished) runs the swarm to its end and judges it. It takes up a swarm of the same O(run_id) and O(stage)
        where an earlier task started it.
      - V(started) returns as soon as all users are up and the measurement has begun. Give a O(lease) that is longer
        than what comes before the next task with V(finished).
      - V(scaled) brings the swarm of O(run_id) and O(stage) that runs to O(users) at O(spawn_rate), waits until they
        are up, and begins to measure anew; a later V(finished) with the same O(users) judges what comes then. Of the
        other options O(hold), O(lease) and O(reset_statistics) matter.
      - V(checked) only looks whether the workers can hold the swarm and its O(counters) can be read.
      - V(stopped) stops the swarm of O(run_id) and O(stage), or any with O(take_over).
    type: str
    choices: [finished, started, scaled, stopped, checked]
    default: finished
  run_id:
    description: Names the folder of the run's results, such as C(20261123T201500Z).
    type: str
    required: true
  stage:
    description: Names the swarm within the run, and its folder.
    type: str
    required: true
  title:
    description: What the swarm shows, in a few words; by default O(stage).
    type: str
    default: ''
  target:
    description: Base URL of the site. Its host and port go into the Host header.
    type: str
  addresses:
    description:
      - Addresses as C(HOST:PORT) to connect to instead of the target's own, the users being spread over them. One
        host has only about 28,000 ports to one address.
      - For targets with C(http) only.
    type: list
    elements: str
    default: []
  users:
    description: How many users.
    type: int
  spawn_rate:
    description: Users started a second.
    type: float
  hold:
    description: Seconds to measure once all users are up.
    type: float
    default: 60.0
  shape:
    description:
      - How the number of users goes on after O(hold), as a table of stages. Each has C(users), C(spawn_rate) (users a
        second, up or down) and C(duration) (seconds, its own ramp included).
      - All of it is measured and judged with the hold as one window.
    type: list
    elements: dict
    default: []
  reset_statistics:
    description:
      - Whether figures and objectives are of the hold only. With V(false) those of the ramp count, too, from the first
        request on, and an objective may abort the ramp.
    type: bool
    default: true
  objectives:
    description:
      - What the swarm must show, as short sentences
        C(METRIC [of REQUEST] COMPARISON LIMIT [over DURATION] [, abort [after DURATION]]).
      - A metric is a percentile such as V(p95) or V(p99.9), V(min), V(mean) or V(max) with a limit in V(us), V(ms)
        or V(s); V(failures) with a share in V(%) or a count; V(requests), V(requests/s), V(failures/s) or V(users)
        with a number; V(counter difference) with a share in V(%), the difference between the swarm's requests and
        the C(requests) that the O(counters) counted.
      - A request is a name or a method and a name, C(*) standing for any text and C(?) for one character; one with a
        comparison in it is put in double quotes. A comparison is one of C(<), C(<=), C(>), C(>=), C(=).
      - With C(over 30s) the sentence must hold in each stretch of 30 seconds, sliding second by second; the worst one
        is told. A duration is in V(s), V(m) or V(h).
      - With C(, abort) the swarm is stopped as soon as the sentence does not hold, and has failed. Without C(over),
        what was measured so far counts, once that is 5 seconds or what C(after) says.
      - An error points at the place.
    type: list
    elements: str
    default: []
  on_breach:
    description: Whether a swarm that has not passed fails the task, or is recorded only.
    type: str
    choices: [fail, record]
    default: fail
  counters:
    description:
      - URLs that show the target's own counters as a JSON object. They are read before and after the hold; numbers
        of the same name are added up.
    type: list
    elements: str
    default: []
  results_directory:
    description:
      - Folder on the controller. C(summary.json), C(history.csv), C(requests.csv) and C(junit.xml) go to
        C(<run_id>/<stage>/) in it, written anew each O(progress_interval), and C(locust.html), Locust's own report,
        at the end. Results that are there already are never overwritten.
    type: path
  resume:
    description:
      - Go on with a run that was interrupted. A stage that has passed or failed already is not run again, its summary
        is returned. What an attempt without such a result has left is put aside, as C(<stage>.attempt-1), and the
        new summary tells of it.
    type: bool
    default: false
  workers:
    description: How many workers must be connected before the swarm starts.
    type: int
    default: 1
  workers_timeout:
    description: Seconds to wait for them.
    type: float
    default: 30.0
  request_timeout:
    description: Seconds that a user waits for an answer; then the request has failed.
    type: float
    default: 60.0
  wait:
    description: Seconds between a user's requests, as C(MIN-MAX).
    type: str
    default: 5-15
  take_over:
    description: Stop a swarm that runs already instead of refusing.
    type: bool
    default: false
  lease:
    description:
      - Seconds, at least 5, after which the master stops a swarm that nobody watches. For as long the controller asks
        a web interface again that does not answer.
    type: float
    default: 20.0
  progress:
    description: Show a line each O(progress_interval).
    type: bool
    default: true
  progress_interval:
    description: Seconds between two lines of progress.
    type: float
    default: 10.0
attributes:
  action:
    support: full
    description: Runs on the controller; O(url) must be reachable from there.
  check_mode:
    support: partial
    description: The options are checked, then the task is skipped; what a swarm will show cannot be foretold.
"""

EXAMPLES = r"""
- name: See whether the shop holds 500 users
  loadlift.aws.locust_swarm:
    url: http://127.0.0.1:8089
    run_id: 20261123T201500Z
    stage: shop_500
    target: http://shop.example.com
    users: 500
    spawn_rate: 50
    hold: 30
    objectives:
      - p95 of GET /data < 250ms
      - failures < 1%
      - p99 < 2s over 30s, abort
    results_directory: results

- name: Bring the swarm that runs to 1,000 users
  loadlift.aws.locust_swarm:
    url: https://load.example.com/locust
    web_user: swarm
    web_password: "{{ locust_password }}"
    state: scaled
    run_id: 20261123T201500Z
    stage: shop_500
    users: 1000
    spawn_rate: 50

- name: Bring a swarm up
  loadlift.aws.locust_swarm:
    url: http://127.0.0.1:8089
    state: started
    run_id: 20261123T201500Z
    stage: shift
    target: http://shop.example.com
    users: 500
    spawn_rate: 50
    hold: 30
    objectives: [failures = 0]
    lease: 120
    results_directory: results

- name: Change something under the running swarm
  ansible.builtin.include_role:
    name: loadlift.aws.path_routing

- name: Judge the swarm
  loadlift.aws.locust_swarm:
    url: http://127.0.0.1:8089
    state: finished
    run_id: 20261123T201500Z
    stage: shift
    target: http://shop.example.com
    users: 500
    spawn_rate: 50
    hold: 30
    objectives: [failures = 0]
    lease: 120
    results_directory: results
"""

RETURN = r"""
summary:
  description: What the swarm showed, as in C(summary.json); see docs/ARCHITECTURE.md, Results.
  returned: when O(state=finished)
  type: dict
  contains:
    verdict:
      description: V(passed), V(failed) or V(invalid).
      type: str
      returned: always
      sample: passed
    reason:
      description: Why, in one sentence.
      type: str
      returned: always
      sample: p95 20 ms, under 500 ms; no failures.
    requests_per_s:
      description: Requests a second during the hold.
      type: float
      returned: when the hold began
      sample: 49.7
    p95_ms:
      description: Time within which 95 % of the requests were answered, in milliseconds.
      type: float
      returned: when a request was answered
      sample: 20.1
"""
