"""What a request is: service, operation, parameters, and how an answer to it is written.

Operations are found with botocore's service models, through moto's routers, parsers and serializers.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

# https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html: the credential scope
# <key>/<date>/<region>/<signing name>/aws4_request
CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
SERVICE_OF_SIGNING_NAME = {"monitoring": "cloudwatch", "email": "ses"}
CLASSIC_LOAD_BALANCING_VERSION = "2012-06-01"

# Words with which the names of operations begin that change nothing.
READING = (
    *("Describe", "Get", "List", "Head", "Query", "Scan", "BatchGet", "TransactGet", "Lookup", "Search", "Filter"),
    *("Decode", "Estimate", "Check", "Validate", "Simulate", "Test", "Assume", "StartQuery", "Invoke"),
)
# What the data plane's clients add to their user agent.
LAB_USER_AGENT = "loadlift-lab"
# Measurements: they change no resource, and keeping each for ever would fill the journal.
MEASURING = frozenset({"cloudwatch.PutMetricData", "logs.PutLogEvents"})


@dataclass(frozen=True)
class Call:
    """One request to AWS."""

    service: str  # botocore's name, for example "elbv2"
    operation: str  # for example "CreateRule"
    region: str
    request: Request
    model: OperationModel | None = None

    @property
    def name(self) -> str:
        """Service and operation, for example "elbv2.CreateRule"."""
        return f"{self.service}.{self.operation}"

    @property
    def changes(self) -> bool:
        """Tell whether the call may change the account: when unsure, it does."""
        if not self.operation:
            return self.request.method not in ("GET", "HEAD", "OPTIONS")
        return not self.operation.startswith(READING) and self.name not in MEASURING

    @property
    def by_lab(self) -> bool:
        """Tell whether the lab's own programs ask, not its users."""
        return LAB_USER_AGENT in self.request.headers.get("User-Agent", "")

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """What the client was given, by the names of the API reference."""
        if self.model is None:
            return {}
        _, uri_parameters = get_service_router(self.service).match(self.request)
        parser = PROTOCOL_PARSERS[self._protocol](self.model)
        return dict(
            parser.parse(
                {
                    "method": self.request.method,
                    "values": self.request.values,
                    "headers": self.request.headers,
                    "body": self.request.data,
                    "url_path": self.request.path,
                    "url_params": uri_parameters,
                }
            )
        )

    def write(self, result: dict[str, Any] | Exception) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of an answer, in the protocol of the call."""
        assert self.model is not None
        serializer = get_serializer_class(self.service, self._protocol)(self.model)
        written = serializer.serialize(result)
        body = written["body"]
        return written["status_code"], dict(written["headers"]), body.encode() if isinstance(body, str) else body

    @cached_property
    def _protocol(self) -> str:
        assert self.model is not None
        return determine_request_protocol(self.model.service_model, self.request.content_type)


def request_of(environ: dict[str, Any]) -> Request:
    """Return the request in `environ`, with its whole body read."""
    request = Request(dict(environ), populate_request=False)
    request.get_data()
    return request


def environ_of(request: Request) -> dict[str, Any]:
    """Return a WSGI environment that asks for the same as `request`, its body unread."""
    body = request.get_data()
    # The body is whole here, so it is not in chunks any more.
    environ = {name: value for name, value in request.environ.items() if name != "HTTP_TRANSFER_ENCODING"}
    return environ | {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def identify(request: Request) -> Call:
    """Return what `request` asks for; service or operation are empty where they cannot be told."""
    service, region = _service_and_region(request)
    model = _operation(service, request)
    return Call(service, model.name if model else "", region, request, model)


def _service_and_region(request: Request) -> tuple[str, str]:
    scope = CREDENTIAL.search(request.headers.get("Authorization", ""))
    if not scope:
        return ("s3", "us-east-1") if not request.path.startswith("/moto-api") else ("", "us-east-1")
    _, region, signing_name = scope.groups()
    if signing_name == "elasticloadbalancing":
        classic = request.values.get("Version") == CLASSIC_LOAD_BALANCING_VERSION
        return "elb" if classic else "elbv2", region
    return SERVICE_OF_SIGNING_NAME.get(signing_name, signing_name), region


def _operation(service: str, request: Request) -> OperationModel | None:
    try:
        operation, _ = get_service_router(service).match(request)
    except (HTTPException, NotImplementedError):
        return None
    except Exception as error:
        if type(error).__name__ != "UnknownServiceError":
            raise
        return None
    return operation


def service_model(service: str) -> ServiceModel:
    """Return botocore's description of `service`."""
    return get_service_model(service)
