"""The pure parts of the web application: configuration, settings, connection options, pinned requirements."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop.configuration import ConfigurationError, Endpoint, configuration_from
from shop.database import Product, connection_options
from shop.products import rendered
from shop.settings import Settings, WatchedSettings, parse

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {
    "LOADLIFT_STACK": "lab",
    "AWS_REGION": "us-east-1",
    "DATABASE_SECRET": "loadlift/lab/database",
    "SETTINGS_PARAMETER": "/loadlift/lab/web/settings",
}


def test_the_environment_is_read() -> None:
    configuration = configuration_from(ENVIRONMENT | {"CACHE_ENDPOINT": "::1:6379", "DATABASE_CONNECTIONS": "9"})
    assert configuration.cache == Endpoint("::1", 6379)
    assert configuration.database_connections == 9
    assert configuration_from(ENVIRONMENT).cache is None


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^The environment variable {name} is not set.$"):
        configuration_from(ENVIRONMENT | {name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CACHE_ENDPOINT", "cache"),
        ("CACHE_ENDPOINT", ":6379"),
        ("CACHE_ENDPOINT", "cache:0"),
        ("CACHE_ENDPOINT", "cache:65536"),
        ("DATABASE_CONNECTIONS", "0"),
        ("DATABASE_CONNECTIONS", "many"),
        ("DATABASE_CONNECTIONS", "101"),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_allowed(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} is '{value}'; allowed"):
        configuration_from(ENVIRONMENT | {name: value})


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("{}", Settings(False, 60)),
        ('{"query_cache": true}', Settings(True, 60)),
        ('{"query_cache": true, "query_cache_seconds": 1, "of a later version": 1}', Settings(True, 1)),
    ],
)
def test_settings_that_are_not_named_are_as_shipped(text: str, settings: Settings) -> None:
    assert parse(text) == settings


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "true", '{"query_cache": "true"}', '{"query_cache": 1}', '{"query_cache_seconds": 0}'),
        *('{"query_cache_seconds": true}', '{"query_cache_seconds": 1.5}', '{"query_cache_seconds": 86401}'),
    ],
)
def test_wrong_settings_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


def test_settings_stay_while_they_cannot_be_read() -> None:
    answers = ['{"query_cache": true}', "nonsense"]
    watched = WatchedSettings(lambda: answers.pop(0))
    watched.refresh()
    for _ in range(2):  # nonsense, then no answer at all
        watched.refresh()
        assert watched.current == Settings(query_cache=True)


def test_the_secret_tells_what_to_connect_with() -> None:
    secret = {"username": "u", "password": "p", "host": "h", "port": 1, "dbname": "d"}
    options = connection_options(json.dumps(secret))
    assert {name: options[name] for name in ("user", "password", "host", "port", "dbname")} == {
        **{"user": "u", "password": "p"},
        **{"host": "h", "port": 1, "dbname": "d"},
    }


@given(st.lists(st.fixed_dictionaries({"product_title": st.text(), "average_rating": st.floats(1, 5)})))
def test_what_is_rendered_is_what_was_asked_for(products: list[Product]) -> None:
    assert json.loads(rendered(products)) == {"products": products}


def test_the_bundle_pins_what_the_collection_pins() -> None:
    collection = pins(ROOT / "requirements.txt")
    bundle = pins(ROOT / "roles" / "web" / "files" / "app" / "requirements.txt")
    assert {name: collection[name] for name in bundle} == bundle


def pins(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w\[\]-]+)==(\S+)$", file.read_text(), re.MULTILINE))
