"""Asks the watcher's own HTTP server, as a kubelet and Prometheus do."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterable

import attrs
from prometheus_client.parser import text_string_to_metric_families

from kube_log_watcher_testing.watcher_process import WatcherProcess

ANY_PORT = "127.0.0.1:0"
"""An address on which the kernel chooses the port; the log tells it."""


@attrs.frozen
class Page:
    """An answer."""

    status: int
    text: str
    headers: dict[str, str]


def ask(port: int, path: str, *, method: str = "GET", host: str = "127.0.0.1") -> Page:
    """Ask for a page."""
    connection = http.client.HTTPConnection(host, port, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return Page(answer.status, answer.read().decode(), dict(answer.getheaders()))
    finally:
        connection.close()


def port_of(watcher: WatcherProcess, *, times: int = 1) -> int:
    """Give the port on which a watcher serves, once it does for so many times."""
    watcher.wait_for_log(" serves /livez", times=times)
    return int(re.findall(r":(\d+) serves /livez", watcher.log)[-1])


Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


def values_of(text: str) -> Values:
    """Give all samples of a page of metrics, read by Prometheus's own parser."""
    families = text_string_to_metric_families(text)
    return {
        (sample.name.removeprefix("kube_log_watcher_"), frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


class Metrics:
    """The metrics of a watcher, as they stand when asked for."""

    def __init__(self, port: int) -> None:
        self._port = port

    def get(self, name: str, **labels: str) -> float | None:
        """Give one value, by its name without the prefix; None where there is none."""
        return values_of(self.text()).get((name, frozenset(labels.items())))

    def text(self) -> str:
        """Give the whole page."""
        page = ask(self._port, "/metrics")
        assert page.status == 200
        return page.text


def words_of(pages: Iterable[Page]) -> str:
    """Give all that some pages say."""
    return "\n".join(f"{page.headers} {page.text}" for page in pages)
