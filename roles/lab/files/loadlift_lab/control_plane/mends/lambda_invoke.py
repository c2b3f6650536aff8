"""Lambda: invocations, which the lab's Lambda program answers."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.registry import RawAnswer, Refused, forward
from loadlift_lab.settings import LabSettings

# Each holds one of the server's threads, and the function may need another: so never all of them.
AT_ONCE = 16
PLACES = threading.BoundedSemaphore(AT_ONCE)
LONGEST_SECONDS = 960  # the longest timeout of a function, and the time to start it
TOLD = ("X-Amz-Function-Error", "X-Amz-Log-Result", "X-Amz-Executed-Version", "Content-Type")


@forward("lambda", "Invoke")
def invoke(call: Call, generation: int) -> RawAnswer:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""
    if not PLACES.acquire(blocking=False):
        raise Refused("TooManyRequestsException", "Rate Exceeded.")
    try:
        return _passed_on(LabSettings.load(), call.parameters, generation)
    finally:
        PLACES.release()


def _passed_on(settings: LabSettings, parameters: dict[str, Any], generation: int) -> RawAnswer:
    request = urllib.request.Request(_url(settings), _payload(parameters), _headers(parameters, generation))
    try:
        with urllib.request.urlopen(request, timeout=LONGEST_SECONDS) as answer:
            told = {name: value for name, value in answer.headers.items() if name in TOLD}
            return answer.status, told, answer.read()
    except urllib.error.HTTPError as error:
        refusal = json.load(error)
        raise Refused(refusal["code"], refusal["message"]) from None
    except OSError as error:
        raise Refused("ServiceException", f"The lab's part lambda does not answer: {error}") from None


def _url(settings: LabSettings) -> str:
    return f"http://{settings.address()}:{settings.lambda_port}/_lab/invoke"


def _payload(parameters: dict[str, Any]) -> bytes:
    payload = parameters.get("Payload") or b""
    return payload.encode() if isinstance(payload, str) else bytes(payload)


def _headers(parameters: dict[str, Any], generation: int) -> dict[str, str]:
    headers = {
        "X-Lab-Function": quote(str(parameters["FunctionName"])),
        "X-Lab-Qualifier": quote(str(parameters.get("Qualifier") or "")),
        "X-Lab-Invocation-Type": parameters.get("InvocationType") or "RequestResponse",
        "X-Lab-Log-Type": parameters.get("LogType") or "None",
        "X-Lab-Generation": str(generation),
        "Content-Type": "application/json",
    }
    context = parameters.get("ClientContext")
    return headers | ({"X-Lab-Client-Context": context} if context else {})
