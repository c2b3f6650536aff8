"""The products with most reviews, asked of PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypedDict

import psycopg
import psycopg_pool
from psycopg.rows import dict_row

# Nobody waits longer for a page; waiting and asking stay under the 60 s that a load balancer waits for an answer.
CONNECTION_WAIT_S = 10
STATEMENT_TIMEOUT_MS = 30_000

# Each review is joined with the star counts of its product, so a product with reviews of all five kinds has each review
# five times; DISTINCT counts it once, and the weighted mean is not changed by it. Correct, and slow.
TOP_PRODUCTS = """
SELECT review.product_id,
       review.product_title,
       count(DISTINCT review.review_id) AS total_reviews,
       round(sum(stars.star_rating * stars.reviews) / sum(stars.reviews), 2)::float8 AS average_rating
FROM auto AS review
JOIN (
    SELECT product_id, star_rating, count(*) AS reviews
    FROM auto
    GROUP BY product_id, star_rating
) AS stars ON stars.product_id = review.product_id
GROUP BY review.product_id, review.product_title
ORDER BY total_reviews DESC, review.product_id
LIMIT 25
"""


class Product(TypedDict):
    """A product with its number of reviews and the mean of its stars."""

    product_id: str
    product_title: str
    total_reviews: int
    average_rating: float


class DatabaseUnavailableError(Exception):
    """The database does not answer, or not in time."""


class Database:
    """A bounded pool of connections.

    `credentials` is asked for each new connection, so a changed password needs no restart.
    """

    def __init__(self, credentials: Callable[[], dict[str, Any]], connections: int) -> None:
        self._pool = psycopg_pool.ConnectionPool(
            kwargs=credentials,
            min_size=1,
            max_size=connections,
            timeout=CONNECTION_WAIT_S,
            check=psycopg_pool.ConnectionPool.check_connection,
            open=False,
        )

    def open(self) -> None:
        """Begin to connect, without waiting for it."""
        self._pool.open()

    def top_products(self) -> list[Product]:
        """Return the 25 products with most reviews; raises DatabaseUnavailableError."""
        try:
            with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
                rows: Any = cursor.execute(TOP_PRODUCTS).fetchall()
        except psycopg.Error as error:  # a pool that waited in vain raises one as well
            raise DatabaseUnavailableError(str(error)) from error
        return list(rows)


def secret_reader(client: Any, name: str) -> Callable[[], dict[str, Any]]:
    """Return a function that reads what to connect with from the secret `name` with the Secrets Manager `client`."""
    return lambda: connection_options(client.get_secret_value(SecretId=name)["SecretString"])


def connection_options(secret: str) -> dict[str, Any]:
    """Return psycopg's connection options of a secret as RDS and the role `database` write it."""
    told = json.loads(secret)
    return {
        "host": told["host"],
        "port": told["port"],
        "dbname": told["dbname"],
        "user": told["username"],
        "password": told["password"],
        "connect_timeout": 5,
        "application_name": "shop",
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
    }
