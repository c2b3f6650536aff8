"""Reading the body of a request, up to a limit."""

from __future__ import annotations

from aiohttp import web


class TooLargeError(Exception):
    """A body is larger than it may be."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


async def read_body(request: web.BaseRequest, largest: int) -> bytes:
    """Return the body; raises TooLargeError as soon as it must have more than `largest` bytes."""
    if (request.content_length or 0) > largest:
        raise TooLargeError(request.content_length or 0)
    if not request.body_exists:
        return b""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    parts, size = [], 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > largest:
            raise TooLargeError(size)
        parts.append(part)
    return b"".join(parts)
