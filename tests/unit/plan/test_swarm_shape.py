"""The number of users after a swarm's hold, as a table of stages."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_shape import shape
from hypothesis import given
from hypothesis import strategies as st

SPIKE = [{"users": 500, "spawn_rate": 100, "duration": 30}, {"users": 50, "spawn_rate": "45", "duration": 60}]


def test_steps_follow_the_hold_one_after_the_other() -> None:
    spike = shape(SPIKE, users=50, hold_s=10)
    assert spike.rows() == [[10, 500, 100], [40, 50, 45]]
    assert (spike.duration_s, spike.peak_users) == (90, 500)
    assert shape([], 50, 10).rows() == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"users": 10, "spawn_rate": 1}, "it needs users, spawn_rate, duration, and nothing else."),
        ({"users": 10, "spawn_rate": 1, "duration": 5, "wait": 1}, "and nothing else."),
        ("100", "shape[0] is '100'; it needs"),
        ({"users": 0, "spawn_rate": 1, "duration": 5}, "shape[0]: users is '0'; a number over 0 is needed."),
        ({"users": 1.5, "spawn_rate": 1, "duration": 5}, "users is 1.5; a whole number is needed."),
        ({"users": 10, "spawn_rate": "fast", "duration": 5}, "spawn_rate is 'fast'"),
        ({"users": 10, "spawn_rate": 1, "duration": "inf"}, "duration is 'inf'"),
        (
            {"users": 110, "spawn_rate": 10, "duration": 5},
            "from 50 to 110 users at 10 a second takes 6 s, and its duration is 5 s",
        ),
        ({"users": 10, "spawn_rate": 4, "duration": 5}, "from 50 to 10 users at 4 a second takes 10 s"),
    ],
)
def test_the_first_wrong_row_is_named(wrong: Any, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        shape([wrong], users=50, hold_s=10)
    assert sentence in str(refused.value)


ROW = st.fixed_dictionaries(
    {"users": st.integers(1, 1000), "spawn_rate": st.integers(1, 1000), "duration": st.integers(1, 100)}
)


@given(st.lists(ROW, max_size=6), st.integers(1, 1000), st.integers(1, 100))
def test_a_shape_that_is_taken_can_be_run(rows: list[dict[str, int]], users: int, hold_s: int) -> None:
    try:
        taken = shape(rows, users, hold_s)
    except InputError:
        before = [users, *(row["users"] for row in rows)]
        assert any(
            abs(row["users"] - was) > row["spawn_rate"] * row["duration"]
            for was, row in zip(before, rows, strict=False)
        )
        return
    assert taken.duration_s == sum(row["duration"] for row in rows)
    starts = [step.at_s for step in taken.steps]
    assert starts == sorted(starts)
    assert all(hold_s <= at < hold_s + taken.duration_s for at in starts)
