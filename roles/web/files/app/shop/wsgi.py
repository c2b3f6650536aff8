"""The application as gunicorn starts it, once in each worker process."""

from __future__ import annotations

import logging
import os
import sys

import boto3
from botocore.config import Config
from flask import Flask

from shop import create_app, products
from shop.configuration import Configuration, ConfigurationError, configuration_from
from shop.database import Database, secret_reader
from shop.settings import WatchedSettings, parameter_reader

GUNICORN_GIVES_UP = 4  # the exit code of a worker that cannot load its application: the master ends, too
CALLS = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


def assemble(configuration: Configuration) -> Flask:
    """Return the application with its parts connected to each other."""
    session = boto3.session.Session(region_name=configuration.region)
    parameters, secrets = (session.client(service, config=CALLS) for service in ("ssm", "secretsmanager"))
    settings = WatchedSettings(parameter_reader(parameters, configuration.settings_parameter))
    settings.watch()
    credentials = secret_reader(secrets, configuration.database_secret)
    database = Database(credentials, configuration.database_connections)
    database.open()
    cache = products.connect(configuration.cache) if configuration.cache else None
    answers = products.Products(database.top_products, cache, lambda: settings.current)
    return create_app(answers.answer, configuration.stack)


def start() -> Flask:
    """Return the application that the environment describes, or end with one sentence."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        return assemble(configuration_from(os.environ))
    except ConfigurationError as error:
        logging.getLogger("shop").critical("%s", error)
        sys.exit(GUNICORN_GIVES_UP)


app = start()
