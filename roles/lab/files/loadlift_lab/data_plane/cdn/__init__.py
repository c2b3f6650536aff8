"""CloudFront distributions: one nginx an edge address, its configuration rendered from what the API describes.

A viewer reaches the distribution whose domain name or alias its Host header names; any other name, an edge's address
above all, reaches the oldest enabled distribution. While no distribution is enabled, no edge listens; the names of a
disabled one beside an enabled one are answered with 403.

Left out, since nginx or the lab cannot: HTTPS, origins in S3, origin groups, cached OPTIONS, functions at the edge,
signed URLs, the headers CloudFront-Is-*-Viewer and CloudFront-Viewer-*, wildcards in invalidations other than at the
end, policies that are not AWS's own. An invalidation of a path takes every query string of it. An answer that is kept
for no time is never shared between requests, though CloudFront shares some. TTLs hold to half a second. Compressible
answers are compressed without a Content-Length, too.
"""

from __future__ import annotations

from loadlift_lab.data_plane.cdn import account, process
from loadlift_lab.data_plane.cdn.configuration import render
from loadlift_lab.data_plane.context import Context
from loadlift_lab.data_plane.load_balancer import addresses


def reconcile(context: Context) -> None:
    """Make every edge serve what the API describes, from origins where they are now."""
    snapshot = context.observed(account.read)
    settings = context.settings
    known = addresses.by_dns_name(settings)
    edges = range(1, settings.cdn_edges + 1) if snapshot.distributions else ()
    places = [process.surroundings(settings, number) for number in edges]
    process.take_up(context, {place: render(snapshot, known, place) for place in places})
