"""QueryFunction: answers /data from DynamoDB, with the JSON that the web application answers from its database.

Runs in AWS Lambda behind an Application Load Balancer. Environment: TABLE_NAME, the DynamoDB table.
Event and answer: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from __future__ import annotations

import json
import logging
import os
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config

LOG = logging.getLogger(__name__)
PRODUCTS = 25
METHODS = ("GET", "HEAD")
TABLE = os.environ["TABLE_NAME"]

# Two attempts end before the function's timeout, so that the client gets an answer and the log the reason.
dynamodb = boto3.client(
    "dynamodb", config=Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
)
from_dynamodb = TypeDeserializer().deserialize


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return the load balancer's answer to `event`."""
    method = event["httpMethod"]
    if method not in METHODS:
        return answer(event, 405, error_body(f"{method} is not allowed here"), {"Allow": ", ".join(METHODS)})
    try:
        body = to_json({"products": top_products(read_items(TABLE))})
    except Exception:  # the client gets an answer, whatever went wrong
        LOG.exception("Cannot read table %s", TABLE)
        return answer(event, 500, error_body("The products cannot be read"))
    return answer(event, 200, body, {"X-Data-Source": "dynamodb"})


def read_items(table: str) -> list[dict[str, Any]]:
    """Return every item of `table`, in no order."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=table)
    return [{name: from_dynamodb(value) for name, value in item.items()} for page in pages for item in page["Items"]]


def top_products(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the products with most reviews, most first; equal ones by identifier."""
    products = [
        {
            "product_id": item["product_id"],
            "product_title": item["product_title"],
            "total_reviews": int(item["total_reviews"]),
            "average_rating": float(item["average_rating"]),
        }
        for item in items
    ]
    return sorted(products, key=lambda product: (-product["total_reviews"], product["product_id"]))[:PRODUCTS]


def to_json(value: dict[str, Any]) -> str:
    """Return the very bytes that the web application would: compact, ASCII."""
    return json.dumps(value, separators=(",", ":"))


def error_body(message: str) -> str:
    return to_json({"error": message})


def answer(event: dict[str, Any], status: int, body: str, extra: dict[str, str] | None = None) -> dict[str, Any]:
    """Return an answer with the kind of headers that the event's target group works with."""
    headers = {"Content-Type": "application/json"} | (extra or {})
    shaped: dict[str, Any] = {"headers": headers}
    if "multiValueHeaders" in event:
        shaped = {"multiValueHeaders": {name: [value] for name, value in headers.items()}}
    return {
        "statusCode": status,
        "body": "" if event["httpMethod"] == "HEAD" else body,
        "isBase64Encoded": False,
        **shaped,
    }
