"""Which parsers want decoded lines."""

from __future__ import annotations

import pytest

from kube_log_watcher_scalyr.decoding import Decoding


@pytest.mark.parametrize(
    ("items", "parser", "wanted", "used"),
    [
        ((), "json", False, "json"),
        (("a", "b=c"), "a", True, "a"),
        (("a", "b = c"), "b", True, "c"),
        (("a", "b=c"), "c", False, "c"),
        (("*",), "any", True, "any"),
        (("b=c", "*"), "b", True, "c"),
        (("*=x", "a"), "any", True, "x"),
        (("*=x", "a"), "a", True, "a"),
        (("b=",), "b", True, "b"),
    ],
)
def test_a_parser_is_decoded_and_renamed_as_named(
    items: tuple[str, ...], parser: str, *, wanted: bool, used: str
) -> None:
    decoding = Decoding.of(items)
    assert (decoding.wants(parser), decoding.parser(parser)) == (wanted, used)
