"""Elastic Load Balancing: rules of listeners, target groups and targets."""
