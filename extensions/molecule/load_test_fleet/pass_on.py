"""Passes connections to one address on to another, in place of a session of Session Manager, which the lab has not.

python pass_on.py HOST:PORT HOST:PORT
"""

from __future__ import annotations

import asyncio
import sys


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what one end says until it ends."""
    try:
        while part := await reader.read(1 << 16):
            writer.write(part)
            await writer.drain()
    finally:
        writer.close()


async def main() -> None:
    """Serve until a signal ends it."""
    (host, port), (far_host, far_port) = (address.split(":") for address in sys.argv[1:])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(far_host, int(far_port))
        except OSError:  # the instance has not come that far
            writer.close()
            return
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer), return_exceptions=True)

    async with await asyncio.start_server(serve, host, int(port)) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
