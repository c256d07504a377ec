"""`/metrics`: what the server's processes have counted, as Prometheus reads it.

Source: Prometheus text exposition format 0.0.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from culturegraph.server.board import BUCKETS
from culturegraph.web.site import Site, SiteDep

router = APIRouter()


@router.get("/metrics", response_class=Response)
def show_metrics(site: SiteDep) -> Response:
    """Tell queries by kind and outcome, their time, the evaluators, the snapshot: since the server started."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Counters(site))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


class _Counters(Collector):
    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        totals = self._site.board.totals()
        queries = CounterMetricFamily(
            "culturegraph_queries", "Requests to /sparql by kind of answer and outcome.", labels=["kind", "outcome"]
        )
        for labels, number in totals.queries.items():
            queries.add_metric(labels, number)
        yield queries
        bounds = [*map(str, BUCKETS), "+Inf"]
        buckets = list(zip(bounds, accumulate(totals.latency), strict=True))
        yield HistogramMetricFamily(
            "culturegraph_query_seconds", "Time from a request to the end of its answer.", buckets, totals.seconds
        )
        yield CounterMetricFamily("culturegraph_sent_bytes", "Bytes of answers to queries.", totals.bytes_sent)
        yield GaugeMetricFamily("culturegraph_evaluators", "Evaluators that run.", totals.evaluators)
        yield GaugeMetricFamily("culturegraph_evaluators_busy", "Evaluators at a request.", totals.busy)
        snapshot = self._site.snapshot
        yield GaugeMetricFamily("culturegraph_triples", "Distinct triples of the snapshot.", snapshot.triples)
        yield InfoMetricFamily("culturegraph_snapshot", "The snapshot that is served.", {"version": snapshot.version})
