"""JSON that is read while it arrives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz_support import examples
from kube_log_watcher_core.kube.json_reader import AHEAD_CHARACTERS, WHOLE, JsonReader, TooLong, Wanted

TEXTS = st.text() | st.sampled_from(['"', "\\", '\\"', "]", "{}", "\\u0041", "x" * 9])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def in_pieces(text: bytes, length: int) -> Iterator[bytes]:
    return (text[at : at + length] for at in range(0, len(text), length))


@examples(200)
@given(value=VALUES, length=st.integers(1, 7), ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_what_is_passed_over_ends_where_it_ends(
    value: Any, length: int, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps([value, "next"], ensure_ascii=ascii_only, indent=indent)
    reader = JsonReader(in_pieces(text.encode("utf-8", "surrogatepass"), length))
    members = reader.members("[", "]")
    next(members)
    reader.skip()
    next(members)
    assert reader.value(10) == "next"
    assert list(members) == []
    assert reader.peek() == ""


@examples(200)
@given(value=VALUES, other=VALUES, length=st.integers(1, 7))
def test_what_is_wanted_is_picked_whatever_stands_beside_it(value: Any, other: Any, length: int) -> None:
    whole = {"beside": other, "wanted": {"a": value, "b": other}, "list": [{"a": value}, other], "odd": "x"}
    reader = JsonReader(in_pieces(json.dumps(whole).encode(), length))
    too_long: list[str] = []
    wanted: Wanted = {"wanted": {"a": WHOLE}, "list": [{"a": WHOLE}], "odd": {"a": WHOLE}, "absent": WHOLE}
    found = reader.pick(wanted, longest=10**6, too_long=too_long)
    second = {"a": other["a"]} if isinstance(other, dict) and "a" in other else {}
    expected = second if isinstance(other, dict) else None
    assert found == {"wanted": {"a": value}, "list": [{"a": value}, expected], "odd": None}
    assert too_long == []


def test_a_value_that_is_too_long_can_be_passed_over_instead() -> None:
    reader = JsonReader(in_pieces(json.dumps(["x" * (3 * AHEAD_CHARACTERS), "next"]).encode(), 1000))
    members = reader.members("[", "]")
    next(members)
    with pytest.raises(TooLong):
        reader.value(1000)
    reader.skip()
    next(members)
    assert reader.value(1000) == "next"


def test_only_the_part_that_is_too_long_is_left_out() -> None:
    text = json.dumps({"a": "x" * 1000, "b": "y", "c": ["z" * 1000]}).encode()
    too_long: list[str] = []
    found = JsonReader([text]).pick({"a": WHOLE, "b": WHOLE, "c": [WHOLE]}, longest=100, too_long=too_long)
    assert (found, too_long) == ({"a": None, "b": "y", "c": [None]}, ["a", "c"])


@pytest.mark.parametrize("text", [b"", b'"', b'"\\', b"[", b'{"a"', b'["\\"]', b"[[]", b"nul", b"<", b"]"])
def test_the_end_in_the_middle_of_a_value_is_an_error(text: bytes) -> None:
    for length in (1, 100):
        with pytest.raises(ValueError, match=r"Expecting|Unterminated|ends in the middle|Invalid"):
            JsonReader(in_pieces(text, length)).skip()


@pytest.mark.parametrize(
    "value",
    [
        ['<\n"\\' * 300_000],
        ["\n"] * 300_000,
        [{}] * 300_000,
        {f"f:{number}": {"f:x": {}} for number in range(50_000)},
        "\\" * 1_000_000,
    ],
    ids=["escapes", "strings", "objects", "levels", "backslashes"],
)
def test_whatever_an_author_writes_is_passed_over(value: Any) -> None:
    text = json.dumps(value).encode()
    reader = JsonReader(in_pieces(text, 65536))
    reader.skip()
    assert reader.peek() == ""
