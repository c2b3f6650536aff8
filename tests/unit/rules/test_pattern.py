"""Patterns with wildcards, against all short texts."""

from __future__ import annotations

import itertools
import re

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.pattern import covered, matches, overlap, tokens
from hypothesis import given
from hypothesis import strategies as st

TEXTS = ["".join(letters) for length in range(6) for letters in itertools.product("abz", repeat=length)]
PATTERNS = st.text("ab*?", max_size=4)


def matching(pattern: str) -> set[str]:
    """Return the short texts that a pattern matches, by another way than the plan's."""
    regex = re.compile("".join({"*": ".*", "?": "."}.get(letter, letter) for letter in pattern))
    return {text for text in TEXTS if regex.fullmatch(text)}


@given(PATTERNS)
def test_matches(pattern: str) -> None:
    assert {text for text in TEXTS if matches(tokens(pattern), text)} == matching(pattern)


@given(PATTERNS, st.lists(PATTERNS, max_size=3))
def test_covered_is_exact(pattern: str, others: list[str]) -> None:
    # A counterexample to patterns of up to four characters, one letter of which is in none, has at most five.
    union = set().union(*map(matching, others))
    assert covered(tokens(pattern), [tokens(other) for other in others]) == (matching(pattern) <= union)


@given(PATTERNS, PATTERNS)
def test_overlap_is_exact(first: str, second: str) -> None:
    shortest = any(text for text in TEXTS if text in matching(first) & matching(second)) or "" in (
        matching(first) & matching(second)
    )
    assert overlap(tokens(first), tokens(second)) == shortest or len(first) + len(second) > 5


@pytest.mark.parametrize(
    ("pattern", "by", "expected"),
    [
        ("/data", ["/*"], True),
        ("/data", ["/data"], True),
        ("/data", ["/Data"], False),
        ("/data/*", ["/data*"], True),
        ("/data*", ["/data/*"], False),
        ("/data*", ["/data", "/data?*"], True),
        ("*", ["/*"], False),
        ("/a?c", ["/a*"], True),
        ("*.example.com", ["*.com"], True),
    ],
)
def test_covered(pattern: str, by: list[str], expected: bool) -> None:
    assert covered(tokens(pattern), [tokens(other) for other in by]) is expected


def test_every_path_begins_with_a_slash() -> None:
    assert covered(tokens("*"), [tokens("/*")], prefix="/")


def test_a_backslash_takes_a_wildcard_its_meaning() -> None:
    assert matches(tokens("\\*", escapes=True), "*")
    assert not matches(tokens("\\*", escapes=True), "x")
