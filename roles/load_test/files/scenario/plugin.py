"""Loaded by every Locust of a swarm beside the scenario: `locust -f plugin.py,visitors.py`."""

from loadlift_locust import install

install()
