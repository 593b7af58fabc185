"""The metrics for Prometheus, made from a snapshot at each scrape. The only module with prometheus-client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from wsgiref.types import WSGIApplication

from prometheus_client.core import (
    CollectorRegistry,
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import make_wsgi_app
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from kube_log_watcher_core.agents import Histogram
from kube_log_watcher_core.observe.metrics import FAMILIES, Family, MetricType
from kube_log_watcher_core.observe.snapshot import Snapshot


class SnapshotCollector(Collector):
    """Gives all metrics as they stand when asked."""

    def __init__(self, look: Callable[[], Snapshot]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        """Give each metric with its values."""
        snapshot = self._look()
        for family in FAMILIES:
            yield _filled(family, snapshot)

    def describe(self) -> Iterable[Metric]:
        """Give each metric without values: what a scrape may ask for by name."""
        return [_empty(family) for family in FAMILIES]


def metrics_app(look: Callable[[], Snapshot]) -> WSGIApplication:
    """Make the application that answers scrapes, in whichever format they ask for."""
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(look))
    app: WSGIApplication = make_wsgi_app(registry)
    return app


def _empty(family: Family) -> CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily:
    name, text = family.full_name, family.help
    match family.kind:
        case MetricType.COUNTER:
            return CounterMetricFamily(name, text, labels=family.labels)
        case MetricType.GAUGE:
            return GaugeMetricFamily(name, text, labels=family.labels)
        case MetricType.HISTOGRAM:
            return HistogramMetricFamily(name, text, labels=family.labels)


def _filled(family: Family, snapshot: Snapshot) -> Metric:
    metric = _empty(family)
    for labels, value in family.samples(snapshot):
        match metric, value:
            case HistogramMetricFamily(), Histogram():
                metric.add_metric(labels, list(value.cumulative()), value.sum)
            case ((CounterMetricFamily() | GaugeMetricFamily()), (float() | int())):
                metric.add_metric(labels, value)
    return metric
