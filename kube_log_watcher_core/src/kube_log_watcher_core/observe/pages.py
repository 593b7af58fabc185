"""What is served by HTTP: three paths, for GET and HEAD; anything else is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

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
from kube_log_watcher_core.observe.health import LIVENESS, READINESS, Check, lacks_of
from kube_log_watcher_core.observe.metrics import FAMILIES, Family, MetricType
from kube_log_watcher_core.observe.snapshot import Snapshot

_METHODS = ("GET", "HEAD")


def watcher_app(look: Callable[[], Snapshot]) -> WSGIApplication:
    """Make the application; ``look`` gives the watcher as it stands, from any thread."""
    pages = {
        "/livez": _health_app(LIVENESS, look),
        "/readyz": _health_app(READINESS, look),
        "/metrics": metrics_app(look),
    }

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        page = pages.get(environ["PATH_INFO"])
        if page is None:
            return _say(start_response, HTTPStatus.NOT_FOUND, f"not found; there is {', '.join(pages)}")
        method = environ["REQUEST_METHOD"]
        if method not in _METHODS:
            return _say(start_response, HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD")
        # The server's part of HEAD is to send no body; pages need not know of it.
        body = page({**environ, "REQUEST_METHOD": "GET"}, start_response)
        return [] if method == "HEAD" else body

    return app


def _health_app(checks: dict[str, Check], look: Callable[[], Snapshot]) -> WSGIApplication:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        excluded = parse_qs(environ.get("QUERY_STRING", "")).get("exclude", [])
        unknown = [name for name in excluded if name not in checks]
        if unknown:
            known = ", ".join(checks)
            return _say(start_response, HTTPStatus.BAD_REQUEST, f"what can be excluded is {known}")
        lacks = lacks_of(checks, look(), excluded=excluded)
        if lacks:
            text = "\n".join(f"{lack.subject}: {lack.text}" for lack in lacks)
            return _say(start_response, HTTPStatus.SERVICE_UNAVAILABLE, text)
        return _say(start_response, HTTPStatus.OK, "ok")

    return app


def _say(start_response: StartResponse, status: HTTPStatus, text: str) -> Iterable[bytes]:
    body = f"{text}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", ", ".join(_METHODS)))
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]


class SnapshotCollector(Collector):
    """Gives all metrics as they stand when asked."""

    def __init__(self, look: Callable[[], Snapshot]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        """Yield each metric with its values."""
        snapshot = self._look()
        for family in FAMILIES:
            metric = _empty(family)
            for labels, value in family.samples(snapshot):
                match metric, value:
                    case HistogramMetricFamily(), Histogram():
                        metric.add_metric(labels, list(value.cumulative()), value.sum)
                    case ((CounterMetricFamily() | GaugeMetricFamily()), (float() | int())):
                        metric.add_metric(labels, value)
            yield metric

    def describe(self) -> Iterable[Metric]:
        """Return each metric without values: what a scrape may ask for by name."""
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
