"""What the fake API server answers to which request."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from kube_log_watcher_testing.fake_api import faults
from kube_log_watcher_testing.fake_api.history import History, Selector
from kube_log_watcher_testing.fake_api.objects import JsonObject, faults_of_event, status_object
from kube_log_watcher_testing.fake_api.server import Headers, Responder, json_line
from kube_log_watcher_testing.fake_api.streams import (
    Broken,
    Order,
    Stream,
    Streams,
    Watching,
    WatchRequest,
    client_gone,
)

_LIST = re.compile(r"/api/v1/(?:namespaces/([^/]+)/)?pods")
_POD = re.compile(r"/api/v1/namespaces/([^/]+)/pods/([^/]+)")
_EVENTS = re.compile(r"/apis/events\.k8s\.io/v1/namespaces/([^/]+)/events")
_EVENT = re.compile(r"/apis/events\.k8s\.io/v1/namespaces/([^/]+)/events/([^/]+)")
_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

_AT_OPENING = {
    faults.HalfLine(): Order.CUT_IN_LINE,
    faults.ShortWatch(): Order.END,
}


@dataclass
class Request:
    """A request that came in, and what it was answered with."""

    verb: str
    """``list``, ``watch``, ``get``, ``create`` and ``patch`` (of Events), or ``other``."""
    path: str
    """With the query, as sent."""
    headers: Headers = field(repr=False)
    status: int | None = None
    """None: no answer yet, or none at all."""


class Backend(Protocol):
    """What the HTTP side needs to know."""

    history: History
    streams: Streams
    plan: faults.FaultPlan
    requests: list[Request]
    events: dict[tuple[str, str], JsonObject]
    bookmark_seconds: float
    page_items: int
    prefix: str

    def admits(self, authorization: str) -> bool:
        """Whether a token is good."""

    def allows(self, verb: str) -> bool:
        """Whether a verb is allowed on pods at cluster scope."""


class Handler(Responder):
    """Answers one connection's requests."""

    backend: Backend
    _request = Request("other", "", {})  # until one could be read

    def do_GET(self) -> None:  # noqa: N802 - http.server looks for it
        """Answer a GET."""
        path = self._note()
        fault = self.backend.plan.take("continue" if "continue" in self._query else self._request.verb)
        if isinstance(fault, faults.Slow):
            time.sleep(fault.seconds)
        if not self._spoil(fault) and not self._refuse():
            self._answer(path, fault)

    def do_POST(self) -> None:  # noqa: N802 - http.server looks for it
        """Make an Event, or answer a review of one's own rights; nothing else can be posted."""
        asked = self._body()
        path = self._note()
        made = _EVENTS.fullmatch(path)
        if path != _REVIEW and not made:
            self.send_status(405, "MethodNotAllowed", "the server does not allow this method")
        elif not self._spoil(self.backend.plan.take("create" if made else "other")) and not self._refuse():
            if made:
                self._create_event(made[1], asked)
            else:
                self._review(asked)

    def do_PATCH(self) -> None:  # noqa: N802 - http.server looks for it
        """Go on with an Event's series."""
        asked = self._body()
        changed = _EVENT.fullmatch(self._note())
        if not changed:
            self.send_status(405, "MethodNotAllowed", "the server does not allow this method")
        elif not self._spoil(self.backend.plan.take("patch")) and not self._refuse():
            event = self.backend.events.get((changed[1], changed[2]))
            if event is None:
                self.send_status(404, "NotFound", f'events.events.k8s.io "{changed[2]}" not found')
            elif asked.keys() != {"series"} or asked["series"].get("count", 0) < 2:
                self.send_status(422, "Invalid", "only the series of an Event can be changed, from 2 on")
            else:
                event.update(asked)
                self.send_json(event)

    def _body(self) -> JsonObject:
        body: JsonObject = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"{}")
        return body

    def _review(self, asked: JsonObject) -> None:
        verb = asked.get("spec", {}).get("resourceAttributes", {}).get("verb", "")
        self.send_json({**asked, "status": {"allowed": self.backend.allows(verb)}}, status=201)

    def _create_event(self, namespace: str, event: JsonObject) -> None:
        name = event.get("metadata", {}).get("name", "")
        faults_found = list(faults_of_event(event, namespace))
        if (namespace, name) in self.backend.events:
            self.send_status(409, "AlreadyExists", f'events.events.k8s.io "{name}" already exists')
        elif faults_found:
            self.send_status(422, "Invalid", f'Event "{name}" is invalid: {"; ".join(faults_found)}')
        else:
            self.backend.events[namespace, name] = event
            self.send_json(event, status=201)

    def send_response(self, code: int, message: str | None = None) -> None:
        """Send the status line, and keep the status for who asks later."""
        self._request.status = code
        super().send_response(code, message)

    # ------------------------------------------------------------------ what is asked

    def _note(self) -> str:
        parts = urlsplit(self.path)
        path = parts.path.removeprefix(self.backend.prefix)
        self._query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self._request = Request(self._verb_of(path), self.path, dict(self.headers.items()))
        self.backend.requests.append(self._request)
        return path

    def _verb_of(self, path: str) -> str:
        if _LIST.fullmatch(path):
            return "watch" if self._query.get("watch") in ("true", "1") else "list"
        if _EVENTS.fullmatch(path):
            return "create"
        if _EVENT.fullmatch(path):
            return "patch"
        return "get" if _POD.fullmatch(path) else "other"

    def _refuse(self) -> bool:
        """Send the refusal that this client gets, if any."""
        verb = self._request.verb
        if not self.backend.admits(self.headers.get("Authorization", "")):
            self.send_status(401, "Unauthorized", "Unauthorized")
        elif not self.backend.allows(verb):
            what = "events.events.k8s.io" if verb in ("create", "patch") else "pods"
            message = f'{what} is forbidden: User "fake" cannot {verb} resource "{what}" at the cluster scope'
            self.send_status(403, "Forbidden", message)
        else:
            return False
        return True

    def _spoil(self, fault: faults.Fault | None) -> bool:
        """Send what comes instead of any answer, if anything does."""
        match fault:
            case faults.Refuse(status, retry_after, text):
                headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
                if text:
                    self.send_body(text.encode(), kind="text/plain", status=status, headers=headers)
                else:
                    self.send_status(status, "InternalError", "told to fail", headers=headers)
            case faults.Redirect(location):
                self.send_body(b"", status=302, headers={"Location": location})
            case faults.Body(content):
                self.send_body(content)
            case faults.Endless(pause_seconds):
                self._send_endless(pause_seconds)
            case faults.Drip(in_head, pause_seconds):
                self._send_drip(pause_seconds, in_head=in_head)
            case faults.Drop():
                self.break_off()
            case _:
                return False
        return True

    def _send_endless(self, pause_seconds: float) -> None:
        self.send_head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
        self.send_chunk(b'{"kind":"PodList","apiVersion":"v1","items":[')
        while not client_gone(self.connection):
            self.send_chunk(b" " * 65536)
            time.sleep(pause_seconds)
        self.break_off()

    def _send_drip(self, pause_seconds: float, *, in_head: bool) -> None:
        if in_head:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        else:
            self.send_head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
        while not client_gone(self.connection):
            self.wfile.write(b"0")
            time.sleep(pause_seconds)
        self.break_off()

    # ------------------------------------------------------------------ answers

    def _answer(self, path: str, fault: faults.Fault | None) -> None:
        listed, pod = _LIST.fullmatch(path), _POD.fullmatch(path)
        if listed and self._request.verb == "watch":
            self._watch(self._selector(listed[1]), fault)
        elif listed:
            self._list(self._selector(listed[1]), fault)
        elif pod:
            self._get(pod[1], pod[2], fault)
        elif path == "/version":
            self.send_json({"major": "1", "minor": "34", "gitVersion": "v1.34.9"})
        elif path in ("/livez", "/readyz", "/healthz"):
            self.send_body(b"ok", kind="text/plain")
        else:
            self.send_status(404, "", "the server could not find the requested resource")

    def _selector(self, namespace: str | None) -> Selector:
        terms = self._query.get("fieldSelector", "").split(",")
        node = next((each.split("=", 1)[1] for each in terms if each.startswith("spec.nodeName=")), None)

        def selects(item: JsonObject) -> bool:
            right_node = node is None or item["spec"].get("nodeName", "") == node
            return right_node and namespace in (None, item["metadata"]["namespace"])

        return selects

    def _list(self, selector: Selector, fault: faults.Fault | None) -> None:
        asked = self._query.get("resourceVersion", "")
        version, items = self.backend.history.select(selector)
        if isinstance(fault, faults.Expired):
            self.send_status(410, "Expired", f"too old resource version: {asked}")
        elif asked.isdigit() and int(asked) > version:
            causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
            message = f"Timeout: Too large resource version: {asked}, current: {version}"
            details = {"causes": causes, "retryAfterSeconds": 1}
            self.send_status(504, "Timeout", message, details=details, headers={"Retry-After": "1"})
        else:
            metadata: JsonObject = {"resourceVersion": str(version)}
            items = [] if isinstance(fault, faults.Empty) else items
            if self.backend.page_items:
                items = self._page(items, metadata)
            listed = {"kind": "PodList", "apiVersion": "v1", "metadata": metadata}
            self._send_good({**listed, "items": items}, fault)

    def _page(self, items: list[JsonObject], metadata: JsonObject) -> list[JsonObject]:
        """Return the page that is asked for; the token of the next says where it begins."""
        begin = int(self._query.get("continue") or 0)
        end = begin + self.backend.page_items
        if end < len(items):
            metadata |= {"continue": str(end), "remainingItemCount": len(items) - end}
        return items[begin:end]

    def _get(self, namespace: str, name: str, fault: faults.Fault | None) -> None:
        item = self.backend.history.get(namespace, name)
        if item is None:
            self.send_status(404, "NotFound", f'pods "{name}" not found')
        else:
            self._send_good(_whole(item), fault)

    def _send_good(self, value: JsonObject, fault: faults.Fault | None) -> None:
        if isinstance(fault, faults.Truncated):
            self.send_half(json_line(value))
        else:
            self.send_json(value)

    # ------------------------------------------------------------------ watches

    def _watch(self, selector: Selector, fault: faults.Fault | None) -> None:
        asked = self._query.get("resourceVersion", "")
        if asked and not asked.isdigit():
            self.send_status(500, "", f'resourceVersion: Invalid value: "{asked}"')
        elif isinstance(fault, faults.Expired) or not self._is_known(asked):
            self._send_expired(asked, as_status=isinstance(fault, faults.Expired) and fault.as_status)
        else:
            stream = self.backend.streams.open()
            stream.silent = isinstance(fault, faults.Silent)
            stream.orders += [order for kind, order in _AT_OPENING.items() if fault == kind]
            try:
                self._send_stream(self._events(selector, asked, stream, self._seconds(fault)), fault)
            finally:
                self.backend.streams.close(stream)

    def _is_known(self, version: str) -> bool:
        return version in ("", "0") or self.backend.history.knows(int(version))

    def _send_expired(self, asked: str, *, as_status: bool) -> None:
        message = f"too old resource version: {asked}"
        if as_status:
            self.send_status(410, "Expired", message)
        else:
            event = {"type": "ERROR", "object": status_object(410, "Expired", message)}
            self._send_stream(iter([event]), None)

    def _seconds(self, fault: faults.Fault | None) -> float:
        if isinstance(fault, faults.ShortWatch) and fault.seconds:
            return fault.seconds
        return float(self._query.get("timeoutSeconds") or 1800)

    def _events(self, selector: Selector, asked: str, stream: Stream, seconds: float) -> Iterator[JsonObject]:
        version, items = self.backend.history.select(selector)
        fresh = asked in ("", "0")
        for item in items if fresh else ():
            yield {"type": "ADDED", "object": _whole(item)}
        request = WatchRequest(
            selector=selector,
            version=version if fresh else int(asked),
            bookmarks=self._query.get("allowWatchBookmarks") == "true",
            seconds=seconds,
        )
        bookmarks = self.backend.bookmark_seconds
        watching = Watching(self.backend.history, stream, request, bookmark_seconds=bookmarks)
        yield from watching.events(lambda: client_gone(self.connection))

    def _send_stream(self, events: Iterator[JsonObject], fault: faults.Fault | None) -> None:
        """Send events as they happen; what comes before a break is sent first."""
        chunked = not isinstance(fault, faults.Unchunked)
        framing = {"Transfer-Encoding": "chunked"} if chunked else {"Connection": "close"}
        send: Any = self.send_chunk if chunked else self.wfile.write
        self.send_head(200, {"Content-Type": "application/json", **framing})
        try:
            for event in events:
                send(json_line(event))
        except Broken as broken:
            send(broken.last)
            self.break_off()
        else:
            self.wfile.write(b"0\r\n\r\n" if chunked else b"")


def _whole(item: JsonObject) -> JsonObject:
    """Return an object with its kind, which it has everywhere but inside a list."""
    return {"kind": "Pod", "apiVersion": "v1", **item}
