"""A watch's stream: lines and events."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube_log_watcher_core.errors import Forbidden, Gone, ServerError, TooManyRequests
from kube_log_watcher_core.kube.session import Cut
from kube_log_watcher_core.kube.stream import WHOLE_BYTES, EventType, Lines, parse_event
from kube_log_watcher_core.models import Pod, UnreadablePod
from kube_log_watcher_testing.fake_api import pod_object


def read(pieces: Iterable[bytes], clock: Callable[[], float] = time.monotonic) -> list[bytes]:
    found = Lines(pieces, clock=clock, line_seconds=10.0)
    return [line if isinstance(line, bytes) else b"".join(line) for line in found]


def cut_anywhere(stream: bytes, data: st.DataObject) -> list[bytes]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    pieces = (stream[start:end] for start, end in itertools.pairwise([0, *cuts, len(stream)]))
    return [piece for piece in pieces if piece]


LONG = b"x" * (WHOLE_BYTES + 1)


@given(st.lists(st.binary(max_size=6).filter(lambda line: b"\n" not in line)), st.data())
def test_however_a_stream_is_cut_its_lines_are_the_same(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    assert read(cut_anywhere(stream, data)) == [line.strip() for line in lines if line.strip()]


@given(st.lists(st.sampled_from([b"one", b"two", LONG]), max_size=5), st.data())
def test_a_long_line_ends_where_it_ends_and_the_next_begins_there(
    lines: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    assert read(cut_anywhere(stream, data)) == lines


def test_what_the_reader_of_a_long_line_leaves_is_passed_over() -> None:
    pieces = [b"one\n" + LONG, LONG, b"end\ntwo\n"]
    found = [
        line for line in Lines(pieces, clock=time.monotonic, line_seconds=10.0) if line in (b"one", b"two")
    ]
    assert found == [b"one", b"two"]


def test_half_a_line_at_the_end_is_none() -> None:
    assert read([b"one\ntw", b"o\r\n\n", b"thr"]) == [b"one", b"two"]


def test_half_a_long_line_at_the_end_is_a_stream_that_broke_off() -> None:
    with pytest.raises(Cut):
        read([b"one\n", LONG])


@pytest.mark.parametrize("piece", [b"x", b"x" * 100_000])
def test_a_line_that_takes_too_long_is_given_up(piece: bytes) -> None:
    seconds = itertools.count()
    with pytest.raises(ServerError, match="did not end in time"):
        read([b"one\n", *[piece] * 20, b"\n"], clock=lambda: float(next(seconds)))


def test_a_quiet_stream_is_no_line_that_takes_long() -> None:
    seconds = itertools.count(step=60)
    assert read([b"one\n", b"two\n"], clock=lambda: float(next(seconds))) == [b"one", b"two"]


def in_pieces(text: bytes, length: int) -> Iterator[bytes]:
    return (text[at : at + length] for at in range(0, len(text), length))


def line(kind: str, item: object) -> bytes:
    return json.dumps({"type": kind, "object": item}).encode()


def whole_pod(name: str = "a") -> dict[str, Any]:
    made = pod_object(name)
    made["metadata"]["resourceVersion"] = "9"
    return made


@pytest.mark.parametrize(
    ("told", "kind"), [("ADDED", EventType.PUT), ("MODIFIED", EventType.PUT), ("DELETED", EventType.REMOVED)]
)
def test_an_event_carries_a_pod_and_a_version(told: str, kind: EventType) -> None:
    event = parse_event(line(told, whole_pod()))
    assert event.pod is not None
    assert (event.type, event.version, event.pod.name) == (kind, "9", "a")


def test_a_bookmark_only_moves_the_version() -> None:
    event = parse_event(line("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "12"}}))
    assert (event.type, event.version, event.pod) == (EventType.BOOKMARK, "12", None)


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        ("RENAMED", {"metadata": {"resourceVersion": "12"}}),
    ],
)
def test_what_can_not_be_read_is_skipped_and_the_version_moves_on(kind: str, item: object) -> None:
    event = parse_event(line(kind, item))
    assert (event.type, event.version, event.pod) == (EventType.SKIPPED, "12", None)
    assert event.detail


@pytest.mark.parametrize("told", ["ADDED", "MODIFIED", "DELETED"])
@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"uid": ""}, "metadata.uid is missing"),
        ({"labels": {str(number): "x" * 60 for number in range(20_000)}}, "labels and annotations have"),
        ({"annotations": {"a": "x" * 4_000_000}}, "annotations: longer than"),
    ],
)
def test_a_pod_that_can_not_be_read_is_named_and_the_version_moves_on(
    told: str, odd: dict[str, object], why: str
) -> None:
    item = whole_pod()
    item["metadata"].update(odd)
    event = parse_event(in_pieces(line(told, item), 5000))
    assert event.version == "9"
    assert isinstance(event.pod, UnreadablePod)
    assert (event.pod.namespace, event.pod.name) == ("default", "a")
    assert why in event.pod.detail


@pytest.mark.parametrize("length", [1, 4096, 65536])
def test_of_a_long_event_what_is_wanted_is_read(length: int) -> None:
    item = whole_pod()
    item["spec"]["containers"][0]["args"] = ['<\n"\\ü\u0001' * 100_000]
    text = line("MODIFIED", item)
    event = parse_event(in_pieces(text, length))
    assert event == parse_event(text)
    assert isinstance(event.pod, Pod)


@pytest.mark.parametrize("levels", [5_000, 100_000])
def test_a_pod_that_is_nested_deep_is_an_event_like_any_other(levels: int) -> None:
    item = whole_pod()
    item["metadata"]["managedFields"] = "here"
    deep = b'{"f:a":' * levels + b"{}" + b"}" * levels
    event = parse_event(line("MODIFIED", item).replace(b'"here"', deep))
    assert isinstance(event.pod, Pod)
    assert event.version == "9"


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
