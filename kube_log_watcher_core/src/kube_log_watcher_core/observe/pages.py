"""What is served by HTTP: three paths, for GET and HEAD; anything else is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from kube_log_watcher_core.observe.health import LIVENESS, READINESS, Check, lacks_of
from kube_log_watcher_core.observe.prometheus import metrics_app
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
