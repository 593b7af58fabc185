"""A watch's stream: lines and events."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube_log_watcher_core.errors import Forbidden, Gone, ServerError, TooManyRequests
from kube_log_watcher_core.kube.stream import Kind, LineSplitter, parse_event
from kube_log_watcher_testing.fake_api import pod_object


def split(pieces: list[bytes], limit_bytes: int = 1000) -> list[bytes]:
    splitter = LineSplitter(limit_bytes=limit_bytes)
    return [line for piece in pieces for line in splitter.feed(piece)]


@given(st.lists(st.binary(max_size=6).filter(lambda line: b"\n" not in line)), st.data())
def test_however_a_stream_is_cut_its_lines_are_the_same(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    pieces = [stream[start:end] for start, end in itertools.pairwise([0, *cuts, len(stream)])]
    assert split(pieces) == [line.strip() for line in lines if line.strip()]


def test_half_a_line_waits_for_its_rest() -> None:
    splitter = LineSplitter(limit_bytes=100)
    assert list(splitter.feed(b"one\ntw")) == [b"one"]
    assert splitter.held_bytes == 2
    assert list(splitter.feed(b"o\r\n\n")) == [b"two"]
    assert splitter.held_bytes == 0


def test_a_line_without_end_is_given_up() -> None:
    with pytest.raises(ServerError, match="longer than 10 bytes"):
        split([b"x" * 6, b"x" * 6], limit_bytes=10)


def test_lines_before_one_without_end_are_not_lost() -> None:
    splitter = LineSplitter(limit_bytes=10)
    lines = splitter.feed(b"one\n" + b"x" * 20)
    assert next(lines) == b"one"
    with pytest.raises(ServerError):
        next(lines)


def line(kind: str, item: object) -> bytes:
    return json.dumps({"type": kind, "object": item}).encode()


def whole_pod(name: str = "a") -> dict[str, Any]:
    made = pod_object(name)
    made["metadata"]["resourceVersion"] = "9"
    return made


@pytest.mark.parametrize(
    ("told", "kind"), [("ADDED", Kind.PUT), ("MODIFIED", Kind.PUT), ("DELETED", Kind.REMOVED)]
)
def test_an_event_carries_a_pod_and_a_version(told: str, kind: Kind) -> None:
    event = parse_event(line(told, whole_pod()))
    assert event.pod is not None
    assert (event.kind, event.version, event.pod.name) == (kind, "9", "a")


def test_a_bookmark_only_moves_the_version() -> None:
    event = parse_event(line("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "12"}}))
    assert (event.kind, event.version, event.pod) == (Kind.BOOKMARK, "12", None)


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        ("ADDED", {"metadata": {"resourceVersion": "12"}}),
        ("RENAMED", {"metadata": {"resourceVersion": "12"}}),
    ],
)
def test_what_can_not_be_read_is_skipped_and_the_version_moves_on(kind: str, item: object) -> None:
    event = parse_event(line(kind, item))
    assert (event.kind, event.version, event.pod) == (Kind.SKIPPED, "12", None)
    assert event.detail


@pytest.mark.parametrize("version", [None, "", 12, []])
def test_an_odd_version_is_none(version: object) -> None:
    assert parse_event(line("BOOKMARK", {"metadata": {"resourceVersion": version}})).version is None


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"1", b'"x"', b"\xff", b"[" * 100_000, b'{"type":"ADDED"}']
)
def test_a_line_that_is_no_event_is_a_fault_of_the_server(text: bytes) -> None:
    with pytest.raises(ServerError):
        parse_event(text)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ({"code": 410, "reason": "Expired"}, Gone),
        ({"code": 410, "reason": "Gone"}, Gone),
        ({"reason": "Expired"}, Gone),
        ({"code": 504, "details": {"causes": [{"reason": "ResourceVersionTooLarge"}]}}, Gone),
        ({"code": 429}, TooManyRequests),
        ({"code": 403}, Forbidden),
        ({"code": 500, "message": "etcdserver: leader changed"}, ServerError),
        ({"code": "odd"}, ServerError),
        ({}, ServerError),
        (None, ServerError),
    ],
)
def test_an_error_event_is_the_error_that_it_stands_for(status: object, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        parse_event(line("ERROR", status))
    assert type(caught.value) is error
