"""Swarms on a real Locust: what they keep, how they are judged, when they are refused."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._locust.swarm import Swarm
from ansible_collections.loadlift.aws.plugins.module_utils._locust.web import RefusedError, fetch
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError

from load.cluster import Cluster, wait_until
from load.conftest import MakeSwarm, run, run_and_hurt
from load.site import Site

PROMISE = ["failures = 0", "p95 of GET /data < 5s", "counter difference < 15%"]  # on a busy machine, too


def test_a_swarm_is_measured_judged_and_kept(whole: Cluster, site: Site, make_swarm: MakeSwarm) -> None:
    swarm = make_swarm(whole, spawn_rate=10.0, objectives=PROMISE)
    summary = run(swarm)
    assert (summary["verdict"], summary["workers"], summary["peak_users"]) == ("passed", 2, 20), summary["reason"]
    assert summary["measured_s"] == pytest.approx(2.0, abs=0.7)
    assert summary["requests"] == sum(request["requests"] for request in summary["by_request"])
    assert summary["requests_per_s"] == pytest.approx(40, rel=0.25)
    assert summary["target_counters"]["requests"] == pytest.approx(summary["requests"], rel=0.15)
    assert {point["phase"] for point in summary["history"]} == {"ramp", "hold"}
    assert json.loads((swarm.results.directory / "summary.json").read_text()) == summary
    assert (swarm.results.directory / "history.csv").read_text().startswith("t_s,phase,users,requests_per_s")
    assert len((swarm.results.directory / "requests.csv").read_text().splitlines()) == 1 + len(summary["by_request"])
    assert not whole.active()
    locusts_own = fetch(f"{whole.locust.url}/stats/requests", 5)["stats"][-1]
    # After the window's end a few requests still came in.
    assert locusts_own["num_requests"] == pytest.approx(summary["requests"], abs=25)


def test_a_breached_objective_fails_with_the_measured_value(whole: Cluster, site: Site, make_swarm: MakeSwarm) -> None:
    site.data_seconds = 0.3
    summary = run(make_swarm(whole, objectives=["p50 of GET /data < 100ms", "failures < 1%"]))
    assert summary["verdict"] == "failed"
    assert re.fullmatch(r"p50 of GET /data [34]\d\d ms, not under 100 ms\.", summary["reason"])
    assert [objective["held"] for objective in summary["objectives"]] == [False, True]


def test_a_wrong_answer_with_status_200_is_a_failure(whole: Cluster, site: Site, make_swarm: MakeSwarm) -> None:
    site.data_body = b'{"products": []}'
    summary = run(make_swarm(whole, objectives=["failures < 1%"]))
    assert summary["verdict"] == "failed"
    assert "/data has 0 products, not 25" in summary["errors"][0]["error"]


def test_a_visitor_gives_up_after_its_timeout(whole: Cluster, site: Site, make_swarm: MakeSwarm) -> None:
    site.data_seconds = 30
    summary = run(make_swarm(whole, request_timeout=0.5, hold=1.5, objectives=["failures of GET /data < 1%"]))
    assert summary["verdict"] == "failed"
    assert summary["max_ms"] == pytest.approx(500, abs=150)


def test_users_are_spread_over_addresses_and_name_the_site(whole: Cluster, site: Site, make_swarm: MakeSwarm) -> None:
    second = Site()
    run(make_swarm(whole, target="http://shop.example.com", addresses=[site.address, second.address]))
    second.close()
    assert site.hosts == second.hosts == {"shop.example.com"}
    assert site.answered == pytest.approx(second.answered, rel=0.3)
    assert site.connections < 20  # a connection a user, 10 users each, beside those that read the counters


def test_a_running_swarm_is_scaled_up_and_down_and_measured_anew(
    whole: Cluster, site: Site, make_swarm: MakeSwarm
) -> None:
    first = make_swarm(whole, lease=30.0)
    first.begin(2, 10, False)
    first.drive(to_the_end=False)
    for users in (30, 10):
        scaling = make_swarm(whole, users=users, spawn_rate=20.0, target="http://untold", lease=30.0)
        assert scaling.scale()
        assert not scaling.scale()
        assert whole.locust.state()["users"] == users
    ended = make_swarm(whole, users=10, objectives=["failures = 0", "users = 10"])
    summary = ended.drive()
    assert (summary["verdict"], summary["peak_users"], summary["users"]) == ("passed", 30, 10)
    assert summary["requests_per_s"] == pytest.approx(20, rel=0.4)
    texts = [event["text"] for event in summary["events"]]
    assert texts[:2] == ["scaled from 20 to 30 users at 20 users/s", "scaled from 30 to 10 users at 20 users/s"]
    assert site.answered > summary["requests"]


def test_only_a_swarm_that_runs_is_scaled(whole: Cluster, make_swarm: MakeSwarm) -> None:
    with pytest.raises(InputError, match="'run/stage': that swarm does not run, nor does another"):
        make_swarm(whole).scale()
    make_swarm(whole, stage="theirs").begin(2, 10, False)
    with pytest.raises(InputError, match="does not run, but run/theirs does"):
        make_swarm(whole).scale()
    with pytest.raises(RefusedError, match="the swarm run/theirs runs"):
        whole.locust.scale(make_swarm(whole).order, 20)


def test_statistics_are_kept_from_the_first_request_on_if_wanted(
    whole: Cluster, site: Site, make_swarm: MakeSwarm
) -> None:
    swarm = make_swarm(whole, spawn_rate=8.0, reset_statistics=False, objectives=["counter difference < 15%"])
    summary = run(swarm)
    assert summary["verdict"] == "passed"
    # The swarm runs on for a moment after its hold; of the requests of its hold alone there are under one half.
    assert 0.6 * site.answered < summary["requests"] <= site.answered
    assert summary["ramp"]["requests"] > 5
    assert summary["counted_s"] == pytest.approx(summary["ramp_s"] + summary["measured_s"], abs=0.3)
    assert summary["requests_per_s"] == pytest.approx(summary["requests"] / summary["counted_s"], rel=0.01)


def test_the_ramp_is_told_apart(whole: Cluster, site: Site, make_swarm: MakeSwarm) -> None:
    summary = run(make_swarm(whole, spawn_rate=8.0))
    ramp = summary["ramp"]
    assert ramp["seconds"] == pytest.approx(summary["ramp_s"], abs=0.3)
    assert 5 < ramp["requests"] < site.answered - summary["requests"] + 5
    assert ramp["p95_ms"] > 0


def test_a_breach_aborts_at_once(whole: Cluster, site: Site, make_swarm: MakeSwarm) -> None:
    site.data_body = b"{}"
    started = time.monotonic()
    summary = run(make_swarm(whole, hold=60.0, objectives=["failures of GET /data < 5% over 2s, abort"]))
    assert time.monotonic() - started < 20
    assert summary["verdict"] == "failed"
    assert summary["reason"].startswith("failures of GET /data over any 2 s at worst 100 %, not under 5 %; aborted ")
    assert not whole.active()
    assert "aborted" in summary["events"][-1]["text"]


def test_a_breach_of_what_was_measured_so_far_aborts_in_the_ramp(
    whole: Cluster, site: Site, make_swarm: MakeSwarm
) -> None:
    site.data_body = b"{}"
    wanted = {"spawn_rate": 1.0, "hold": 30.0, "reset_statistics": False, "objectives": ["failures < 2, abort"]}
    summary = run(make_swarm(whole, **wanted))
    assert summary["verdict"] == "failed"
    assert summary["reason"].endswith("s into the ramp.")


def test_the_worst_stretch_decides(whole: Cluster, site: Site, make_swarm: MakeSwarm) -> None:
    def be_slow_for_a_while() -> None:
        time.sleep(1)
        site.data_seconds = 0.4
        time.sleep(2.5)
        site.data_seconds = 0.0

    wanted = ["p50 of /data < 200ms over 2s", "p50 of /data < 200ms", "requests/s > 10 over 3s"]
    summary = run_and_hurt(make_swarm(whole, hold=7.5, objectives=wanted), be_slow_for_a_while)
    assert [objective["held"] for objective in summary["objectives"]] == [False, True, True]
    assert summary["objectives"][0]["measured"] == pytest.approx(400, rel=0.25)
    assert summary["reason"].startswith("p50 of /data over any 2 s at worst 4")


def test_a_swarm_of_somebody_else_is_refused_or_taken_over(whole: Cluster, site: Site, make_swarm: MakeSwarm) -> None:
    theirs = make_swarm(whole, stage="theirs", hold=30.0)
    theirs.begin(2, 10, False)
    watcher = threading.Thread(target=watch, args=(theirs, 4.0))
    watcher.start()
    mine = make_swarm(whole, stage="mine", hold=1.0)
    with pytest.raises(InputError, match=r"a swarm runs there already \(run/theirs\)"):
        mine.begin(2, 10, take_over=False)
    assert not mine.results.directory.exists()
    with pytest.raises(RefusedError, match="the swarm run/theirs runs"):
        whole.locust.start(mine.order)
    watcher.join()
    mine.begin(2, 10, take_over=True)
    assert mine.drive()["verdict"] == "passed"


def watch(swarm: Swarm, seconds: float) -> None:
    """Renew a swarm's lease as its controller does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        swarm.locust.state(renew_s=swarm.order.lease_s)
        time.sleep(0.5)


def test_a_swarm_started_by_hand_is_refused(whole: Cluster, site: Site, make_swarm: MakeSwarm) -> None:
    form = urlencode({"user_count": 5, "spawn_rate": 5, "host": site.url})
    fetch(f"{whole.locust.url}/swarm", 5, "POST", form, {"Content-Type": "application/x-www-form-urlencoded"})
    wait_until(whole.active, 5, "the swarm runs")
    with pytest.raises(InputError, match="somebody started it by hand"):
        make_swarm(whole).begin(2, 10, take_over=False)
    assert whole.locust.state()["swarm"]["lease_left_s"] is None


def test_results_are_never_overwritten(whole: Cluster, make_swarm: MakeSwarm) -> None:
    swarm = make_swarm(whole, hold=1.0)
    run(swarm)
    before = (swarm.results.directory / "summary.json").read_bytes()
    with pytest.raises(InputError, match=r"is there already: an earlier attempt was passed .*never overwritten"):
        make_swarm(whole, hold=1.0).begin(2, 10, False)
    assert not whole.active()
    assert (swarm.results.directory / "summary.json").read_bytes() == before


def test_a_swarm_larger_than_files_or_ports_is_refused_before_anything(whole: Cluster, make_swarm: MakeSwarm) -> None:
    limits = whole.locust.state()["workers"][0]
    for users, option in ((2 * limits["open_files"], "open files"), (limits["ports"] + 1, "ports")):
        swarm = make_swarm(whole, users=users)
        with pytest.raises(InputError, match=option):
            swarm.begin(2, 10, False)
        assert not swarm.results.directory.exists()
    assert not whole.active()


def test_missing_workers_are_said(whole: Cluster, make_swarm: MakeSwarm) -> None:
    with pytest.raises(InputError, match="workers is 3: 2 were connected"):
        make_swarm(whole).begin(3, 1, False)


def test_counters_that_do_not_answer_are_said(whole: Cluster, site: Site, make_swarm: MakeSwarm) -> None:
    with pytest.raises(InputError, match=r"counters cannot be read: .*/nothing did not answer with JSON"):
        make_swarm(whole, counters=[f"{site.url}/nothing"]).begin(2, 10, False)


def test_an_earlier_task_starts_and_a_later_one_finishes(whole: Cluster, make_swarm: MakeSwarm) -> None:
    first = make_swarm(whole, lease=30.0, spawn_rate=10.0)
    first.begin(2, 10, False)
    assert first.drive(to_the_end=False) == {}
    time.sleep(0.5)
    later = make_swarm(whole, spawn_rate=10.0)
    assert later.runs()
    summary = later.drive()
    assert summary["verdict"] == "passed"
    assert summary["history"][0]["phase"] == "ramp"
    assert summary["finished_at"]
    assert summary["target_counters"]["difference_ratio"] < 0.1


def test_what_is_kept_is_whole_at_any_moment(whole: Cluster, make_swarm: MakeSwarm) -> None:
    swarm = make_swarm(whole, hold=2.5)
    seen: list[dict[str, Any]] = []
    over = threading.Event()

    def read_all_the_time() -> None:
        while not over.is_set():
            path = swarm.results.directory / "summary.json"
            if path.exists():
                seen.append(json.loads(path.read_text()))
            time.sleep(0.01)

    reader = threading.Thread(target=read_all_the_time)
    reader.start()
    run(swarm)
    over.set()
    reader.join()
    assert {summary["verdict"] for summary in seen} == {"invalid", "passed"}
    assert "its controller was interrupted" in seen[0]["reason"]
    assert list(swarm.results.directory.glob(".*")) == []
