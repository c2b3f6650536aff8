"""The reference mix: the page, the data it shows, and its eight static files, with 5-15 s between a visitor's requests.

About 36 % of the requests each are for `/` and `/data`, 3.6 % each for the static files; 30,000 visitors make
just short of 3,000 requests a second.
"""

from __future__ import annotations

from collections.abc import Callable

from loadlift_locust.visitor import Visitor, get

PRODUCTS = 25
STATIC_FILES = ("app.css", "app.js", "hero.svg", "logo.svg", "chart.svg", "icons.svg", "product.svg", "favicon.ico")


def lacks_products(body: bytes) -> str:
    """Return what is wrong with an answer of `/data`, or an empty text; counting is 20 times cheaper than parsing."""
    found = body.count(b'"product_id"')
    return "" if found == PRODUCTS else f"/data has {found} products, not {PRODUCTS}"


def is_empty(body: bytes) -> str:
    """Return what is wrong with an answer that must have content, or an empty text."""
    return "" if body else "the answer is empty"


def mix() -> dict[Callable[[Visitor], None], int]:
    """Return the requests and their weights."""
    tasks = {get("/", is_empty): 1000, get("/data", lacks_products): 1000}
    return tasks | {get(f"/static/{name}", is_empty): 100 for name in STATIC_FILES}


class WebVisitor(Visitor):
    """One visitor of the site, with a connection of its own."""

    tasks = mix()  # type: ignore[assignment]  # Locust takes weights, its annotation forgets them
