"""What a task may ask of a swarm, and the times that follow from it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_order import order

OPTIONS: dict[str, Any] = {
    "run_id": "20261123T201500Z",
    "stage": "shop_500",
    "title": "",
    "target": "http://shop.example.com",
    "addresses": [],
    "users": 500,
    "spawn_rate": 50.0,
    "hold": 30.0,
    "objectives": [],
    "counters": [],
    "request_timeout": 60.0,
    "wait": "5-15",
    "lease": 20.0,
}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"stage": "../x"}, "stage is '../x': it names a folder"),
        ({"run_id": ""}, "run_id is '': it names a folder"),
        ({"target": "shop"}, "target is 'shop': an address such as http://shop.example.com is needed."),
        ({"target": "ftp://shop"}, "target is 'ftp://shop': an address"),
        ({"addresses": ["192.0.2.1"]}, "addresses has '192.0.2.1': each is HOST:PORT"),
        ({"addresses": ["a:1", "a:1"]}, "addresses is a:1, a:1: each may be named once only."),
        ({"addresses": ["a:1"], "target": "https://shop"}, "with an https target the name decides"),
        ({"users": 0}, "users is 0: a number over 0 is needed."),
        ({"spawn_rate": -1.0}, "spawn_rate is -1.0: a number over 0 is needed."),
        ({"hold": float("nan")}, "hold is nan: a number over 0 is needed."),
        ({"request_timeout": 0.0}, "request_timeout is 0.0: a number over 0 is needed."),
        ({"lease": 1.0}, "lease is 1.0: at least 5 seconds are needed"),
        ({"wait": "15-5"}, "wait is '15-5': MIN-MAX in seconds is needed"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_allowed(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        order(OPTIONS | wrong)
    assert sentence in str(error.value)


def test_locust_s_own_run_time_outlasts_the_slowest_swarm_and_no_more_than_that() -> None:
    placed = order(OPTIONS)
    assert placed.ramp_wanted_s() < placed.ramp_limit_s() < placed.ramp_give_up_s()
    assert placed.ramp_give_up_s() + placed.hold_s < placed.run_time_s() < 200


@pytest.mark.parametrize(
    ("more", "addresses"),
    [
        ({}, ("shop.example.com:80",)),
        ({"target": "https://shop.example.com/base"}, ("shop.example.com:443",)),
        ({"target": "http://127.0.0.11:8080"}, ("127.0.0.11:8080",)),
        ({"addresses": ["a:1", "b:1"]}, ("a:1", "b:1")),
    ],
)
def test_users_connect_to_the_addresses_or_to_the_target(more: dict[str, Any], addresses: tuple[str, ...]) -> None:
    assert order(OPTIONS | more).connect_addresses == addresses
