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
from kube_log_watcher_core.kube.json_reader import AHEAD_CHARACTERS
from kube_log_watcher_core.kube.listing import MOST_PODS, read_list
from kube_log_watcher_testing.fake_api import pod_object
from kube_support import decode_list


def body(*items: object, **other: object) -> bytes:
    whole = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": items}
    return json.dumps({**whole, **other}).encode()


def test_a_list_gives_its_version_and_pods() -> None:
    found = decode_list(body(pod_object("a"), pod_object("b")))
    assert (found.version, [pod.name for pod in found.pods], found.unreadable) == ("7", ["a", "b"], ())


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
    assert [pod.name for pod in found.unreadable] == ["", "", "b"]


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


def heavy(number: int) -> bytes:
    """Give a pod as large as etcd takes it, in the longest way in which a server writes it: 8.4 MB."""
    item = pod_object(f"heavy-{number}")
    item["spec"]["containers"][0]["args"] = ["\x01\x02\U0001f600" * 460_000]
    return json.dumps(item).encode()


def test_the_largest_pods_that_there_can_be_are_read_in_little_memory() -> None:
    """Their texts are 67 MB together."""
    item = heavy(1)

    def pieces() -> Iterator[bytes]:
        yield b'{"kind":"PodList","metadata":{"resourceVersion":"7"},"items":['
        for number in range(8):
            yield from in_pieces(item, 65536)
            yield b"]}" if number == 7 else b","

    def work(_: bytes) -> None:
        assert [pod.name for pod in read_list(pieces()).pods] == ["heavy-1"] * 8

    assert len(item) > 8_000_000
    assert peak_bytes(work, b"") < 4_000_000


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"annotations": {"a": "x" * 600_000}}, "labels and annotations have 6"),
        ({"labels": {"a": "\u0001" * 600_000}}, "labels: longer than"),
        ({"uid": None}, "uid is missing"),
    ],
)
def test_an_item_that_is_too_large_is_named_and_harms_no_other(odd: dict[str, Any], why: str) -> None:
    huge = pod_object("huge", uid="uid-huge")
    huge["metadata"].update(odd)
    found = read_list(in_pieces(body(pod_object("a"), huge, pod_object("b")), 5000))
    assert [pod.name for pod in found.pods] == ["a", "b"]
    (unreadable,) = found.unreadable
    assert (unreadable.namespace, unreadable.name) == ("default", "huge")
    assert why in unreadable.detail


def deep(levels: int) -> bytes:
    """Give a pod whose managed fields are nested, as whoever updates it may write them."""
    item = pod_object("deep", labels={"application": "shop"})
    item["metadata"]["managedFields"] = ["here"]
    return json.dumps(item).encode().replace(b'"here"', b'{"f:a":' * levels + b"{}" + b"}" * levels)


@pytest.mark.parametrize("levels", [10, 5_000, 100_000])
def test_a_pod_that_is_nested_deep_is_read_like_any_other(levels: int) -> None:
    text = body("here", pod_object("b")).replace(b'"here"', deep(levels))
    found = read_list(in_pieces(text, 4096))
    assert [pod.name for pod in found.pods] == ["deep", "b"]
    assert found.pods[0].labels["application"] == "shop"


def test_a_label_that_is_nested_deep_makes_that_pod_unreadable() -> None:
    item = json.dumps(
        {**pod_object("deep"), "metadata": {"name": "deep", "namespace": "n", "labels": "here"}}
    )
    text = item.encode().replace(b'"here"', b'{"a":' * 5_000 + b"{}" + b"}" * 5_000)
    found = decode_list(body("here", pod_object("b")).replace(b'"here"', text))
    assert [pod.name for pod in found.pods] == ["b"]
    assert [(pod.name, "labels" in pod.detail) for pod in found.unreadable] == [("deep", True)]


def test_a_list_of_more_pods_than_a_node_has_is_refused() -> None:
    with pytest.raises(ServerError, match="more than"):
        decode_list(body(*[{}] * (MOST_PODS + 1)))


def test_a_page_tells_how_to_ask_for_the_next() -> None:
    first = decode_list(body(pod_object("a"), metadata={"resourceVersion": "7", "continue": "next"}))
    second = decode_list(body(pod_object("b"), metadata={"resourceVersion": "9"}))
    assert first.more == "next"
    both = first.with_page(second)
    assert (both.version, [pod.name for pod in both.pods], both.more) == ("7", ["a", "b"], "")
