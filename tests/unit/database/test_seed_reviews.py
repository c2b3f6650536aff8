"""The generated reviews: the same in every run, believable, and never the same review twice."""

from __future__ import annotations

import collections
import random
import re
import statistics
from typing import Any

import pytest
import seed_reviews

COLUMNS = re.findall(r"^    (\w+) +\w", seed_reviews.TABLE, re.MULTILINE)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in seed_reviews.reviews(20_000)]


def test_the_reviews_do_not_depend_on_the_run() -> None:
    random.seed(1)
    first = list(seed_reviews.reviews(200))
    random.seed(2)
    assert list(seed_reviews.reviews(200)) == first


def test_the_columns_are_those_of_the_data_set() -> None:
    assert COLUMNS[:7] == [
        *(
            "marketplace",
            "customer_id",
            "review_id",
            "product_id",
            "product_parent",
            "product_title",
            "product_category",
        ),
    ]
    assert COLUMNS[7:] == [
        *("star_rating", "helpful_votes", "total_votes", "vine", "verified_purchase", "review_headline"),
        *("review_body", "review_date", "year"),
    ]


def test_no_review_is_there_twice(rows: list[dict[str, Any]]) -> None:
    assert len({row["review_id"] for row in rows}) == len(rows)


def test_a_product_has_one_title_and_a_title_one_product(rows: list[dict[str, Any]]) -> None:
    pairs = {(row["product_id"], row["product_title"]) for row in rows}
    assert len(pairs) == len({product for product, _ in pairs}) == len({title for _, title in pairs})


def test_few_products_have_most_reviews(rows: list[dict[str, Any]]) -> None:
    counts = collections.Counter(row["product_id"] for row in rows).most_common()
    assert counts[0][1] > 5 * statistics.median(count for _, count in counts)


def test_what_a_customer_writes_goes_with_the_stars(rows: list[dict[str, Any]]) -> None:
    assert {row["star_rating"] for row in rows} == {1, 2, 3, 4, 5}
    for row in rows:
        assert row["review_headline"] in seed_reviews.HEADLINES[row["star_rating"]]
        assert row["helpful_votes"] <= row["total_votes"]
        assert row["year"] == row["review_date"].year <= 2015


@pytest.mark.parametrize("text", ["0", "-1", "many", "10000001", "1.5"])
def test_a_wrong_number_of_rows_is_named(text: str, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.argv", ["seed_reviews.py", f"--rows={text}"])
    with pytest.raises(SystemExit):
        seed_reviews.main()
    assert f"'{text}'; allowed are 1 to 10000000" in capsys.readouterr().err
