"""The header X-Amzn-Trace-Id: pure functions.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
"""

from __future__ import annotations


def new_trace(seconds: int, chance: int) -> str:
    """Return a trace identifier of the time `seconds` (since 1970) and 96 bits of `chance`."""
    return f"1-{seconds & 0xFFFFFFFF:08x}-{chance & (1 << 96) - 1:024x}"


def forwarded_trace(received: str, trace: str) -> str:
    """Return the header that goes to the target when the client's was `received` (empty: none).

    A load balancer adds the Root that is missing, and names itself in Self where there is something to keep.
    """
    fields = [field.strip() for field in received.split(";") if field.strip()]
    kept = [field for field in fields if not field.startswith("Self=")]
    if not kept:
        return f"Root={trace}"
    if any(field.startswith("Root=") for field in kept):
        return ";".join([f"Self={trace}", *kept])
    return ";".join([f"Self={trace}", f"Root={trace}", *kept])


def runtime_trace(forwarded: str, parent: int) -> str:
    """Return what a function finds in _X_AMZN_TRACE_ID: its root, a parent segment of 64 bits, and no sampling."""
    root = next((field for field in forwarded.split(";") if field.startswith("Root=")), "")
    return f"{root};Parent={parent & (1 << 64) - 1:016x};Sampled=0"
