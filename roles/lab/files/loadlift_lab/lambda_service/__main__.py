"""`python -m loadlift_lab.lambda_service`: runs the account's functions until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal

from aiohttp import web

from loadlift_lab.data_plane.context import Clients
from loadlift_lab.lambda_service.account import Account
from loadlift_lab.lambda_service.cloudwatch import CloudWatch
from loadlift_lab.lambda_service.front import FUNCTION, Front
from loadlift_lab.lambda_service.invoke_endpoint import InvokeEndpoint
from loadlift_lab.lambda_service.service import Service
from loadlift_lab.settings import LabSettings

LOG = logging.getLogger("loadlift_lab.lambda_service")
# https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html: header limits
LONGEST_LINE = 16_384  # bytes
KEPT_SECONDS = 3600.0  # HAProxy decides how long a connection lasts
HOUSEKEEPING_SECONDS = 1.0
# Requests that come before this program knows any function wait for so long.
FIRST_LOOK_SECONDS = 10.0


async def run(settings: LabSettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    account, cloudwatch = Account(settings), CloudWatch(Clients(settings))
    service = Service(settings, cloudwatch)
    tasks = [
        asyncio.create_task(account.follow(service.take_up)),
        asyncio.create_task(_keep_house(service, account)),
        asyncio.create_task(_send_logs(cloudwatch)),
    ]
    listener = await _listen(settings, account, Front(service), InvokeEndpoint(service, account))
    LOG.info("Listening on %s:%s", settings.address(), settings.lambda_port)
    await asyncio.wait([asyncio.create_task(ended.wait()), *tasks], return_when=asyncio.FIRST_COMPLETED)
    listener.close()
    account.close()
    for task in tasks:
        task.cancel()
    service.close()
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()  # a task that ended by itself tells why


async def _listen(settings: LabSettings, account: Account, front: Front, endpoint: InvokeEndpoint) -> asyncio.Server:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if FUNCTION in request.headers:
            await account.catch_up(0, FIRST_LOOK_SECONDS)
            return await front.handle(request)
        if (request.method, request.raw_path) == ("POST", "/_lab/invoke"):
            return await endpoint.handle(request)
        return web.Response(status=404, text="Only the load balancer and the control plane ask here.\n")

    server = web.Server(
        handle, access_log=None, keepalive_timeout=KEPT_SECONDS, max_line_size=LONGEST_LINE, max_field_size=LONGEST_LINE
    )
    return await asyncio.get_running_loop().create_server(
        server, settings.address(), settings.lambda_port, backlog=1024
    )


async def _keep_house(service: Service, account: Account) -> None:
    told: list[dict[str, str | int]] = []
    while True:
        await asyncio.sleep(HOUSEKEEPING_SECONDS)
        service.look_after()
        try:
            counts = service.allocated()
            if counts or told:  # again and again: the control plane may have been started anew
                await account.report_allocated(counts)
                told = counts
            await service.remove_old_code()
        except OSError as error:
            LOG.warning("%s", error)


async def _send_logs(cloudwatch: CloudWatch) -> None:
    while True:
        await asyncio.sleep(HOUSEKEEPING_SECONDS)
        if batch := cloudwatch.take():
            await asyncio.to_thread(cloudwatch.send, batch)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(run(LabSettings.load()))


if __name__ == "__main__":
    main()
