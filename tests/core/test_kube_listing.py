"""A list of pods, read item by item."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube_log_watcher_core.errors import ServerError
from kube_log_watcher_core.kube.listing import AHEAD_CHARACTERS, decode_json, decode_list, read_list
from kube_log_watcher_testing.fake_api import pod_object


def body(*items: object, **other: object) -> bytes:
    whole = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": items}
    return json.dumps({**whole, **other}).encode()


def test_a_list_gives_its_version_and_pods() -> None:
    found = decode_list(body(pod_object("a"), pod_object("b")))
    assert (found.version, [pod.name for pod in found.pods], found.skipped) == ("7", ["a", "b"], ())


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("order", [1, -1])
def test_neither_white_space_nor_the_order_of_fields_matters(indent: int | None, order: int) -> None:
    fields = list(json.loads(body(pod_object("a"))).items())[::order]
    found = decode_list(json.dumps(dict(fields), indent=indent).encode() + b"\n")
    assert [pod.name for pod in found.pods] == ["a"]


@pytest.mark.parametrize("items", ["[]", "null", " [ ] "])
def test_a_list_may_be_empty(items: str) -> None:
    text = '{"kind":"PodList","metadata":{"resourceVersion":"7"},"items":' + items + "}"
    assert decode_list(text.encode()).pods == ()


def test_one_item_that_is_none_harms_no_other() -> None:
    found = decode_list(body(pod_object("a"), None, "odd", {"metadata": {"name": "b"}}, pod_object("c")))
    assert [pod.name for pod in found.pods] == ["a", "c"]
    assert len(found.skipped) == 3


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>Welcome</html>",
        b"null",
        b"[]",
        b"{}",
        b"{]",
        b'{"kind"}',
        b"{1:2}",
        b"\xff\xfe",
        body(kind="Status"),
        body(kind="PodMetricsList"),
        body(kind=None),
        body(metadata=None),
        body(metadata={}),
        body(metadata={"resourceVersion": ""}),
        body(metadata={"resourceVersion": 7}),
        body(items={}),
        body(items="x"),
        body(items=0),
        body(items=True),
        b'{"kind":"PodList","metadata":{"resourceVersion":"7"}}',
        body(pod_object("a"))[:-1],
        body(pod_object("a"))[:900],
        body(pod_object("a")) + b"{}",
        b'{"items":' + b"[" * 100_000,
    ],
)
def test_what_is_no_whole_list_of_pods_is_a_fault_of_the_server(text: bytes) -> None:
    with pytest.raises(ServerError):
        decode_list(text)


WHOLE = body(pod_object("a"), pod_object("b"))


@given(st.integers(min_value=0, max_value=len(WHOLE) - 1))
def test_no_beginning_of_a_list_passes_for_a_list(length: int) -> None:
    with pytest.raises(ServerError):
        decode_list(WHOLE[:length])


def in_pieces(text: bytes, length: int) -> Iterator[bytes]:
    return (text[at : at + length] for at in range(0, len(text), length))


@pytest.mark.parametrize("length", [1, 2, 7, 1000, 5000])
def test_it_does_not_matter_in_which_pieces_a_list_arrives(length: int) -> None:
    """Neither a character of several bytes nor a value is lost where a piece ends."""
    text = body(pod_object("a", labels={"ü": "日本語"}), None, pod_object("b"), items_after=[12, 3.5, "ü"])
    assert read_list(in_pieces(text, length)) == decode_list(text)


def test_a_pod_may_be_longer_than_what_is_read_ahead() -> None:
    long = pod_object("long", annotations={"note": "x" * (3 * AHEAD_CHARACTERS)})
    found = read_list(in_pieces(body(pod_object("a"), long, pod_object("b")), 1000))
    assert [len(pod.annotations.get("note", "")) for pod in found.pods] == [0, 3 * AHEAD_CHARACTERS, 0]


def test_a_fault_on_the_way_is_that_fault() -> None:
    def broken() -> Iterator[bytes]:
        yield WHOLE[:1000]
        raise ServerError("cut off", status=None)

    with pytest.raises(ServerError, match="cut off"):
        read_list(broken())


@given(st.binary(max_size=200))
def test_no_garbage_passes_for_a_list(garbage: bytes) -> None:
    with pytest.raises(ServerError):
        decode_list(garbage)


def test_a_body_that_is_no_json_is_a_fault_of_the_server() -> None:
    assert decode_json(b"[1]") == [1]
    for text in (b"", b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(ServerError):
            decode_json(text)


def peak_bytes(work: Any, text: bytes) -> int:
    tracemalloc.start()
    try:
        work(text)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_long_list_is_never_whole_in_memory_as_objects() -> None:
    text = body(*(pod_object(f"p-{number}") for number in range(100)))
    assert peak_bytes(decode_list, text) < 0.6 * peak_bytes(json.loads, text)


def test_a_long_list_is_never_whole_in_memory_as_text_either() -> None:
    text = body(*(pod_object(f"p-{number}", annotations={"a": "x"}) for number in range(1000)))
    assert peak_bytes(lambda whole: read_list(in_pieces(whole, 4096)), text) < 0.8 * len(text)
