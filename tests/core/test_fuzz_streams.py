"""Bytes from a socket: any body, any chunks, compressed or not, whole or broken off."""

from __future__ import annotations

import gzip
import itertools
import json
import resource
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz_support import examples
from kube_log_watcher_core.errors import ApiError, ServerError
from kube_log_watcher_core.kube import ApiAccess, Timing
from kube_log_watcher_core.kube.reflector import Hooks, Reflector
from kube_log_watcher_core.kube.session import ApiSession
from kube_log_watcher_core.kube.store import PodStore
from kube_log_watcher_core.kube.transitions import ListAt, Outcome
from kube_log_watcher_testing.fake_api import pod_object
from kube_support import QUICK, SessionClient
from raw_server import HEAD, RawServer, chunked, raw_server

NAMES = ["shop-1", "shop-2", "shop-3"]
ITEMS = [{"kind": "Pod", **pod_object(name, uid=f"uid-{name}")} for name in NAMES]
EVENTS = b"".join(json.dumps({"type": "ADDED", "object": item}).encode() + b"\n" for item in ITEMS)
LIST = json.dumps({"kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": ITEMS}).encode()


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with raw_server() as running:
        yield running


def reflector_of(server: RawServer, store: PodStore, timing: Timing = QUICK) -> Reflector:
    session = ApiSession(ApiAccess(server.url), timing=timing, clock=time.monotonic, count=lambda *_: None)
    hooks = Hooks(opened=lambda: None, read=lambda *_: None, interrupted=lambda: False)
    return Reflector(session, store, timing=timing, clock=time.monotonic, hooks=hooks)


def cut(content: bytes, data: st.DataObject) -> list[bytes]:
    """Cut bytes into pieces anywhere."""
    cuts = data.draw(st.lists(st.integers(min_value=0, max_value=len(content)), max_size=6).map(sorted))
    edges = [0, *cuts, len(content)]
    return [content[begin:end] for begin, end in itertools.pairwise(edges)]


def framed(content: bytes, data: st.DataObject) -> list[bytes]:
    """Send bytes in one of the ways in which servers and proxies do."""
    head, body = HEAD, content
    if data.draw(st.booleans()):
        head, body = HEAD + b"Content-Encoding: gzip\r\n", gzip.compress(content, compresslevel=1)
    pieces = cut(body, data)
    match data.draw(st.sampled_from(["chunked", "length", "close"])):
        case "chunked":
            return [head + b"Transfer-Encoding: chunked\r\n\r\n", *chunked(pieces)[1:]]
        case "length":
            return [head + b"Content-Length: %d\r\n\r\n" % len(body), *pieces]
        case _:
            return [head + b"Connection: close\r\n\r\n", *pieces]


@examples(60)
@given(data=st.data())
def test_however_a_stream_is_framed_its_pods_are_the_same(server: RawServer, data: st.DataObject) -> None:
    store = PodStore()
    server.pieces = framed(EVENTS, data)
    report = reflector_of(server, store).watch("node-1", limit_seconds=5.0)
    assert report.outcome in (Outcome.CUT, Outcome.ENDED)  # by how long it took
    assert [pod.name for pod in store.pods()] == NAMES


@examples(40)
@given(data=st.data())
def test_however_a_list_is_framed_its_pods_are_the_same(server: RawServer, data: st.DataObject) -> None:
    store = PodStore()
    server.pieces = framed(LIST, data)
    report = reflector_of(server, store).list("node-1", ListAt.ANY)
    assert report.outcome is Outcome.LISTED
    assert [pod.name for pod in store.pods()] == NAMES


@examples(80)
@given(data=st.data(), garbage=st.binary(max_size=60))
def test_a_stream_that_is_damaged_anywhere_takes_no_pod_away(
    server: RawServer, data: st.DataObject, garbage: bytes
) -> None:
    """The damage may be in the body, in the chunks, in the compressed bytes or in the head."""
    store = PodStore()
    server.pieces = chunked([LIST])
    reflector = reflector_of(server, store)
    reflector.list("node-1", ListAt.ANY)
    before = {pod.uid for pod in store.pods()}
    sent = b"".join(framed(EVENTS, data))
    at = data.draw(st.integers(min_value=0, max_value=len(sent)))
    kept = data.draw(st.booleans())
    server.pieces = [sent[:at] + garbage + (sent[at + len(garbage) :] if kept else b"")]
    report = reflector.watch("node-1", limit_seconds=5.0)
    assert report.outcome not in (Outcome.LISTED, Outcome.LIST_ASKED_FOR)
    assert {pod.uid for pod in store.pods()} >= before


@examples(60)
@given(data=st.data(), garbage=st.binary(max_size=60))
def test_a_list_that_is_damaged_anywhere_is_refused_or_whole(
    server: RawServer, data: st.DataObject, garbage: bytes
) -> None:
    store = PodStore()
    sent = b"".join(framed(LIST, data))
    at = data.draw(st.integers(min_value=0, max_value=len(sent)))
    server.pieces = [sent[:at] + garbage]
    report = reflector_of(server, store).list("node-1", ListAt.ANY)
    if report.outcome is Outcome.LISTED:
        assert [pod.name for pod in store.pods()] == NAMES
    else:
        assert isinstance(report.error, ApiError)
        assert list(store.pods()) == []


def test_a_little_that_unpacks_to_very_much_is_refused_within_bounds(server: RawServer) -> None:
    """A megabyte of gzip holds a gigabyte of zeros: of that no more than the limit is ever unpacked."""
    bomb = gzip.compress(bytes(2**26), compresslevel=9) * 16
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    server.pieces = [head + bomb]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ServerError, match="longer than"):
        SessionClient(ApiAccess(server.url)).body(limit_bytes=2**22, seconds=10.0)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 96 * 1024
