"""A scenario that is told as data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.scenario import METHODS, requests
from hypothesis import given
from hypothesis import strategies as st


def test_every_field_is_filled_in() -> None:
    assert requests([{"path": "/"}]) == [
        {"method": "GET", "path": "/", "name": "/", "weight": 1, "headers": {}, "body": "", "status": [], "text": ""}
    ]


def test_a_mapping_is_sent_as_json_and_may_be_sent_as_another_type() -> None:
    (plain,) = requests([{"path": "/cart", "method": "post", "body": {"product": 7}, "status": 201}])
    assert (plain["method"], json.loads(plain["body"]), plain["status"]) == ("POST", {"product": 7}, [201])
    assert plain["headers"] == {"Content-Type": "application/json"}
    (other,) = requests([{"path": "/", "body": [1], "headers": {"Content-Type": "application/vnd.shop+json"}}])
    assert other["headers"] == {"Content-Type": "application/vnd.shop+json"}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("/data", "load_test_requests[0] is '/data'; a mapping with at least a path is needed."),
        ({}, "path is ''; a path that begins with / and has no spaces is needed."),
        ({"path": "data"}, "path is 'data'"),
        ({"path": "/a b"}, "path is '/a b'"),
        ({"path": "/", "verb": "GET"}, "has 'verb'; allowed are path, method, weight"),
        ({"path": "/", "method": "FETCH"}, "method is 'FETCH'; allowed are GET, HEAD"),
        ({"path": "/", "weight": 0}, "weight is '0'; a whole number from 1 to 1000000"),
        ({"path": "/", "weight": "many"}, "weight is 'many'"),
        ({"path": "/", "weight": 1.5}, "weight is '1.5'"),
        ({"path": "/", "status": 99}, "status is '99'; allowed are HTTP statuses from 100 to 599"),
        ({"path": "/", "status": [200, "ok"]}, "status is 'ok'"),
        ({"path": "/", "headers": "X: 1"}, "headers is 'X: 1'; a mapping"),
        ({"path": "/", "headers": {"X": "1\r\nY: 2"}}, "headers has 'X'"),
        ({"path": "/", "headers": {"X:": "1"}}, "headers has 'X:'"),
        ({"path": "/", "body": {"when": object()}}, "body cannot be said in JSON"),
    ],
)
def test_the_first_wrong_thing_is_named(wrong: Any, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        requests([wrong])
    assert sentence in str(refused.value)


def test_two_requests_of_one_name_are_refused_since_statistics_would_mix_them() -> None:
    with pytest.raises(InputError, match="load_test_requests has GET /data twice"):
        requests([{"path": "/data"}, {"path": "/other", "name": "/data"}])
    assert len(requests([{"path": "/data"}, {"path": "/data", "method": "PUT"}])) == 2


REQUEST = st.fixed_dictionaries(
    {"path": st.from_regex(r"/[a-z0-9/._-]{0,20}", fullmatch=True)},
    optional={
        "method": st.sampled_from(METHODS),
        "weight": st.integers(1, 1000),
        "body": st.none() | st.text() | st.dictionaries(st.text(), st.integers()),
        "status": st.none() | st.integers(100, 599) | st.lists(st.integers(100, 599), max_size=3),
        "text": st.text(),
    },
)


@given(st.lists(REQUEST, max_size=6, unique_by=lambda told: (told.get("method", "GET"), told["path"])))
def test_what_is_right_comes_through_json_unchanged_and_is_right_again(told: list[dict[str, Any]]) -> None:
    made = requests(told)
    assert json.loads(json.dumps(made)) == made
    assert requests(made) == made
    assert [(one["path"], one["weight"]) for one in made] == [(one["path"], one.get("weight", 1)) for one in told]
